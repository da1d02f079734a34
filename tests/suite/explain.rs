//! `explain`: whoever is meant, by whatever name, without a request and without changing anything.

use avatarpipe_sandbox::entra::world::{NoPhoto, Photo, PhotoFailure};
use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use avatarpipe_sandbox::jira::world::Choice;
use serde_json::Value;

use super::harness::Harness;
use super::population::{Population, address};
use super::redact::redact;

fn harness() -> Harness {
    let population = Population::of(&["ada", "grace", "alan", "edsger", "barbara", "donald"])
        .chose_by_hand("grace")
        .photo("alan", Photo::None(NoPhoto::ImageNotFound))
        .photo("edsger", Photo::Failure(PhotoFailure::NoMailbox))
        .person("barbara", |person| person.proxy_addresses.push("smtp:donald@contoso.example".into()))
        .with_person("mary")
        .jira(|jira| jira.next_avatar = Some(20_000));
    Harness::of(population.world()).with(|pipe| {
        // One worker: the ids of the pictures follow the order of the plan.
        pipe.top("rates", "{ fast: { units: 100000, per: 1s, burst: 100000, concurrency: 1 } }");
    })
}

fn explained(harness: &Harness, who: &str) -> Value {
    let ended = harness.finish(&["explain", "pipeline.yaml", who, "--format", "json"]).expect_exit(0);
    serde_json::from_str(&ended.stdout).expect("JSON")
}

#[test]
fn nobody_is_meant_by_blanks() {
    let harness = Harness::with_people(&["ada"]);
    harness.run().expect_exit(0);
    for who in ["", " "] {
        harness.finish(&["explain", "pipeline.yaml", who]).expect_exit(2).expect_error("WHO is empty");
    }
}

/// Somebody with a new picture, without a photo, of whom nothing is known, who is two people, and who has no account.
#[test]
fn whoever_is_meant_is_explained_as_a_whole() {
    let harness = harness();
    harness.run().expect_exit(0);
    let text: String = ["grace", "alan", "edsger", "donald", "mary@contoso.example"]
        .map(|who| {
            let ended = harness.finish(&["explain", "pipeline.yaml", who]).expect_exit(0);
            assert_eq!(ended.stderr, "");
            format!("$ {}\n{}\n", ended.command, ended.stdout)
        })
        .concat();
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("explain", redact(&harness, &text));
    });
}

#[test]
fn every_name_finds_the_same_person_and_asks_nobody() {
    let harness = harness().with(|pipe| _ = pipe.top("report", "{ names: pseudonym }"));
    harness.run().expect_exit(0);
    let report: Value =
        serde_json::from_slice(&std::fs::read(harness.path("report/run.json")).expect("a report")).expect("JSON");
    let people = report["people"].as_array().expect("people");
    let pseudonyms: Vec<_> = people.iter().filter_map(|line| line["account"]["name"].as_str()).collect();
    let grace = explained(&harness, "grace");
    let id = grace["people"][0]["id"].as_str().expect("an id").to_owned();
    let name = grace["people"][0]["name"].as_str().expect("a name").to_owned();
    let account = grace["people"][0]["accounts"][0]["id"].as_str().expect("an id").to_owned();
    let before = harness.calls("jira").len() + harness.calls("graph").len();
    for who in
        [&name.to_uppercase(), &id, &account, &address("grace"), " Grace ", "jira/grace", &format!("jira/{account}")]
    {
        assert_eq!(explained(&harness, who)["people"], grace["people"], "{who}");
    }
    let found = pseudonyms.iter().filter(|one| explained(&harness, one)["people"] == grace["people"]).count();
    assert_eq!(found, 1, "her pseudonym, and no other of {pseudonyms:?}");
    assert_eq!(harness.calls("jira").len() + harness.calls("graph").len(), before, "a request was made");
}

#[test]
fn what_the_last_run_did_is_told_with_its_rule_and_what_comes_next() {
    let harness = harness();
    harness.plan_with(&[]).expect_exit(0);
    let planned = explained(&harness, "grace");
    assert_eq!(planned["people"][0]["accounts"][0]["placement"], Value::Null);
    assert_eq!(planned["people"][0]["accounts"][0]["writes"], serde_json::json!([]));
    assert_eq!(planned["people"][0]["accounts"][0]["decisions"][0]["change"], "replace");
    harness.run().expect_exit(0);
    let done = explained(&harness, "grace");
    let account = &done["people"][0]["accounts"][0];
    assert_eq!(account["decisions"][0]["result"], "done");
    assert!(
        account["decisions"][0]["rule"].as_str().is_some_and(|rule| rule.starts_with("pipeline.yaml:")),
        "{account}"
    );
    assert_eq!(account["placement"]["provenance"], "made");
    assert_eq!(account["placement"]["before_was"], "upload");
    let words = harness.finish(&["explain", "pipeline.yaml", "grace", "-v"]).expect_exit(0);
    words.expect_answer(
        "before it stood there: an uploaded picture that was not on record as ours (jira calls it `20000`)",
    );
    assert_eq!(account["writes"][0]["ended"], "shown");
    harness.run().expect_exit(0);
    let quiet = explained(&harness, "grace");
    assert_eq!(quiet["people"][0]["accounts"][0]["decisions"][0]["change"], "unchanged");
    assert_eq!(quiet["people"][0]["accounts"][0]["writes"], account["writes"], "what was written once stays told");
}

#[test]
fn a_name_of_nobody_and_a_state_without_a_run_are_told() {
    let harness = harness();
    let early = harness.finish(&["explain", "pipeline.yaml", "ada"]).expect_exit(2);
    early.expect_error("nothing is known here yet");
    harness.run().expect_exit(0);
    let typo = harness.finish(&["explain", "pipeline.yaml", "grce@contoso.example"]).expect_exit(2);
    typo.expect_error(&address("grace")).holds_no_answer("grace");
}

/// Nobody types a name as the directory has it.
#[test]
fn a_first_or_last_name_is_enough_where_it_is_one_persons() {
    let names = [("ada", "Karen Oyelaran"), ("grace", "Karen Park"), ("alan", "Mary-Ann Whitfield")];
    let population = names.into_iter().fold(Population::of(&["ada", "grace", "alan"]), |population, (login, name)| {
        population.person(login, |person| person.name = name.to_owned())
    });
    let harness = Harness::of(population.world());
    harness.run().expect_exit(0);
    for (who, id) in [("oyelaran", "ada"), ("ANN", "alan"), ("park karen", "grace")] {
        assert_eq!(explained(&harness, who)["people"], explained(&harness, id)["people"], "{who}");
    }
    let both = harness.finish(&["explain", "pipeline.yaml", "Karen"]).expect_exit(2);
    let [ada, grace] = ["ada", "grace"].map(address);
    both.expect_error(
        "Karen: 2 people and accounts have this in their name; write the address, id or account of one of them: ",
    )
    .expect_error(&format!("{ada} (Karen Oyelaran)"))
    .expect_error(&format!("{grace} (Karen Park)"));
    harness.finish(&["explain", "pipeline.yaml", "aren"]).expect_exit(2);
    harness.finish(&["state", "pipeline.yaml", "forget", "oyelaran"]).expect_exit(2);
}

/// What a plan or run did not look at is not taken for missing: what the state knows of it is told, and why there is no more.
#[test]
fn what_was_not_looked_at_last_time_is_not_taken_for_missing() {
    let harness = harness();
    harness.run().expect_exit(0);
    let photo = explained(&harness, "grace")["people"][0]["photo"]["digest"].clone();
    let of_the_state = |harness: &Harness, who: &str| {
        let person = explained(harness, who)["people"][0].clone();
        assert_eq!(
            (&person["photo"]["digest"], &person["without_account"]),
            (&photo, &serde_json::json!([])),
            "{person}"
        );
        assert_eq!(person["accounts"][0]["placement"]["provenance"], "made", "{person}");
        person
    };
    let told = |harness: &Harness, words: [&str; 2]| {
        let ended = harness.finish(&["explain", "pipeline.yaml", "JIRAUSER10102"]).expect_exit(0);
        words.into_iter().fold(ended, super::ended::Ended::expect_answer).holds_no_answer("no account");
    };

    harness.plan_with(&["--only", "alan"]).expect_exit(0);
    assert_eq!(of_the_state(&harness, "grace")["photo"]["remembered"], "there was one");
    told(&harness, ["which was of a part (`--only`, `--target`)", "when a run last looked: there was one"]);

    let down = |at: &str| {
        harness.sandbox.fault(Fault::new(Effect::Answer(Answer { status: 404, ..Answer::default() })).at(at))
    };
    down("jira");
    assert_ne!(harness.plan_with(&[]).code(), Some(0));
    let person = of_the_state(&harness, "grace");
    assert_eq!((&person["not_read"], &person["accounts"][0]["listed"]), (&serde_json::json!(["jira"]), &false.into()));
    told(
        &harness,
        [
            "jira       could not be read last time: ",
            "jira/JIRAUSER10102  (not listed last time: as the state knows it)",
        ],
    );
    harness
        .finish(&["explain", "pipeline.yaml", "nobody"])
        .expect_exit(2)
        .expect_error("jira could not be read last time: ");

    harness.sandbox.faults().clear();
    down("graph");
    assert_ne!(harness.plan_with(&[]).code(), Some(0));
    assert_eq!(of_the_state(&harness, "JIRAUSER10102")["listed"], false);
    told(
        &harness,
        ["match      entra could not be read last time: ", "photo      not known: entra failed last time: "],
    );
}

/// A name from outside that would write on the terminal, or turn the text around.
#[test]
fn a_name_cannot_write_on_the_terminal() {
    let population = Population::of(&["ada"]).person("ada", |person| {
        person.name = "Ada \u{1b}[31m\u{202e}gnihton".into();
    });
    let harness = Harness::of(population.world());
    harness.run().expect_exit(0);
    let ended = harness.finish(&["explain", "pipeline.yaml", "ada"]).expect_exit(0);
    assert!(!ended.stdout.contains(['\u{1b}', '\u{202e}']), "{:?}", ended.stdout);
}

/// What stays in any case is not said to go.
#[test]
fn nobody_is_advised_what_does_not_help() {
    let population = Population::of(&["ada", "alan"]).chose_by_hand("ada").chose_by_hand("alan");
    let harness = Harness::of(population.photo("alan", Photo::None(NoPhoto::ImageNotFound)).world())
        .with(|pipe| _ = pipe.entra("users", "{ opted_out: ['ada@*'] }").jira("ownership", "ours"));
    harness.run().expect_exit(0);
    let told = |who: &str| harness.finish(&["explain", "pipeline.yaml", who]).expect_exit(0);
    told("ada").expect_answer("opted out").holds_no_answer("ownership: provider");
    told("alan").expect_answer("with `ownership: provider`").holds_no_answer("would replace");
}

/// Which limit it was, with its numbers, after a plan as after a run; and what an account showed that a product offers to all.
#[test]
fn a_limit_that_stops_somebody_is_named_and_a_stock_picture_is_called_that() {
    let population = Population::of(&["ada", "grace"]).account("ada", |ada| ada.shows = Some(Choice::System(2)));
    let harness = Harness::of(population.world()).with(|pipe| _ = pipe.top("limits", "{ replacements: { count: 1 } }"));
    for ended in [harness.plan_with(&[]), harness.run()] {
        ended.expect_exit(4);
        let next = explained(&harness, "ada")["people"][0]["accounts"][0]["next"].as_str().expect("words").to_owned();
        let limit =
            "does this once no limit stops the target: replacements of jira: found 2 of 2 matched accounts, allowed 1";
        assert!(next.starts_with(limit), "{next}");
    }
    harness.run_with(&["--allow", "replacements=2"]).expect_exit(0);
    let told = harness.finish(&["explain", "pipeline.yaml", "ada"]).expect_exit(0);
    told.expect_answer("before it stood there: the product's default or another stock picture of it")
        .holds_no_answer("no limit stops");
}
