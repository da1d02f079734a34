//! What servers, directories and files say reaches streams, files and pages as plain text: it steers no terminal and no CI,
//! and holds no secret, under whatever name it comes back.
//!
//! Owns: names that are no names, and servers that give back what they were sent. Leaves to others: the rule itself, character
//! by character (`outlet`).

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use avatarpipe_sandbox::jira::world::AccountWorld;

use super::ended::{Ended, files};
use super::harness::Harness;
use super::population::Population;

/// Names that a terminal, a pipeline of Azure or GitHub, or a reader would take for something else.
const NAMES: [&str; 6] = [
    "ansi\u{1b}[31mred",
    "c1\u{9b}2J",
    "two\nlines",
    "##vso[task.setvariable variable=secret]x",
    "\u{202e}adanrevo",
    "under\u{2028}line",
];

fn named_so(names: &[&str]) -> Harness {
    let accounts = names.iter().map(|name| -> AccountWorld {
        let account = serde_json::json!({ "name": name, "display_name": name, "email": format!("{name}@x.example") });
        serde_json::from_value(account).expect("an account of the world")
    });
    Harness::of(Population::of(&["ada"]).jira(|jira| jira.accounts.extend(accounts)).world())
}

/// No stream and no file holds a character that is not seen, but for the line breaks of our own lines.
#[track_caller]
fn expect_plain(harness: &Harness, ended: &Ended) {
    let of_ours = |name: &str| name.starts_with("report/");
    let written = files(harness.folder()).into_iter().filter(|(name, _)| of_ours(name));
    let printed = [("standard output", &ended.stdout), ("standard error", &ended.stderr)];
    let printed = printed.map(|(name, text)| (name.to_owned(), text.clone().into_bytes()));
    for (place, bytes) in printed.into_iter().chain(written) {
        let text = String::from_utf8_lossy(&bytes);
        let odd = text.chars().find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{2028}'..='\u{202e}'));
        ended.holds(odd.is_none(), &format!("only what can be seen in {place}, found {odd:?}"));
        ended.holds(!text.contains("##vso["), &format!("no command of a CI in {place}"));
        ended.holds(
            !text.lines().any(|line| line.starts_with("lines ")),
            &format!("no line break of a name in {place}"),
        );
    }
}

#[test]
fn names_steer_nothing() {
    let harness = named_so(&NAMES);
    for format in ["human", "json"] {
        let ended = harness.run_with(&["--format", format]).expect_exit(0);
        expect_plain(&harness, &ended);
        let escaped = if format == "human" { "ansi\\u{1b}[31mred" } else { "ansi\\\\u{1b}[31mred" };
        ended.holds(ended.stdout.contains(escaped), "a name that is still known by its rest");
        expect_plain(&harness, &harness.plan_with(&["--format", format]).expect_exit(0));
    }
}

#[test]
fn a_secret_that_comes_back_under_another_name_is_kept_nowhere() {
    for (path, body) in [
        (
            "*/serverInfo",
            r#"{"baseUrl":"http://127.0.0.1","version":"SECRET","versionNumbers":[9,12,5],"deploymentType":"Server"}"#,
        ),
        ("*/manifest", r#"{"id":"SECRET","name":"Jira","typeId":"jira","version":"9.12.5"}"#),
        ("*/myself", r#"{"key":"SECRET","name":"SECRET","displayName":"SECRET"}"#),
        (
            "*/user/search",
            r#"[{"key":"SECRET","name":"ada","emailAddress":"ada@contoso.example","displayName":"x","active":true}]"#,
        ),
    ] {
        let mut harness = Harness::with_people(&["ada"]);
        let secret = harness.variable("JIRA_PASSWORD").expect("a password").to_owned();
        harness.keep(&secret);
        let headers = [("Content-Type".to_owned(), "application/json".to_owned())].into();
        let answer = Answer { status: 200, headers, body: body.replace("SECRET", &secret).into() };
        let harness = harness.fault(Fault::new(Effect::Answer(answer)).at("jira").on("GET", path));
        let ended = match path {
            "*/myself" => harness.finish(&["auth", "pipeline.yaml", "-vvv"]),
            _ => harness.run_with(&["-vvv"]),
        };
        ended.holds(ended.code() != Some(0), "a run that does not take such an answer");
        _ = ended.expect_answer("holds a secret of this pipeline");
    }
}

#[test]
fn pseudonyms_hold_in_every_sentence() {
    let population = Population::of(&["ada", "grace"]).account("ada", |account| account.key = Some("KEYOFADA".into()));
    let harness = Harness::of(population.world()).with(|pipe| _ = pipe.top("report", "{ names: pseudonym }"));
    // A refusal that names the person, one of the whole target that does, and a quiet run.
    for (status, method, path) in [(400, "POST", "*/temporary"), (400, "GET", "*/user/avatars")] {
        let words = r#"{"errorMessages":["no: ada, Ada, ada@contoso.example, KEYOFADA"],"errors":{}}"#;
        let headers = [("Content-Type".to_owned(), "application/json".to_owned())].into();
        let answer = Answer { status, headers, body: words.to_owned().into() };
        harness.sandbox.fault(Fault::new(Effect::Answer(answer)).at("jira").on(method, path).about("ada").times(8));
        let ended = harness.run();
        let reported = files(harness.folder()).into_iter().filter(|(name, _)| name.starts_with("report/"));
        let printed = [("stdout".to_owned(), ended.stdout.clone()), ("stderr".to_owned(), ended.stderr.clone())];
        let printed = printed.into_iter().map(|(name, text)| (name, text.into_bytes()));
        for (place, bytes) in reported.chain(printed) {
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            let named =
                text.split(|c: char| !c.is_alphanumeric()).any(|word| ["ada", "grace", "keyofada"].contains(&word));
            ended.holds(!named, &format!("no name in {place}"));
        }
        ended.holds(ended.stdout.contains("p-"), "pseudonyms");
    }
}

/// A warning is written by whoever works with the account, past the report.
#[test]
fn a_warning_of_jira_names_nobody_where_pseudonyms_are_asked_for() {
    let harness = || {
        let population = Population::of(&["ada"]).jira(|jira| jira.next_avatar = Some(20_000));
        Harness::of(population.world()).with(|pipe| {
            pipe.top("report", "{ names: pseudonym }").top("limits", "{ target_drift: { count: 9 } }");
            pipe.jira("quiet", "0s");
        })
    };
    let warned = |harness: &Harness, warning: &str| {
        let ended = harness.run().expect_error(warning);
        let words = ended.stderr.to_lowercase();
        let named = words.split(|c: char| !c.is_alphanumeric()).any(|word| word == "ada");
        ended.holds(!named, "no name on standard error");
    };
    // The picture that was sent cannot be seen.
    let away = Effect::Answer(Answer::retry_after(503, "864000"));
    let unseen = harness().fault(Fault::new(away).at("jira").on("GET", "*/useravatar"));
    warned(&unseen, "could not be downloaded for comparing");
    // The number of ours is that of an upload by now.
    let restored = harness();
    let before = restored.sandbox.backup("jira").expect("a backup");
    restored.run().expect_exit(0);
    restored.sandbox.restore("jira", &before).expect("the backup");
    restored.by_hand("ada", "hand");
    restored.new_photo("ada", "spare");
    warned(&restored, "another picture has the number of ours");
}
