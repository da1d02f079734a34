//! `undo`: what stood before a run stands again, byte for byte as the servers serve it, but for what a product does not keep.
//!
//! Owns: what comes back, what is left and why, what stops it. Leaves to others: kills in the midst of it (`crash`).
//! A newcomer gets wrong: what stood before is taken from the servers before the run, and never from the program's records.

use serde_json::{Value, json};

use super::ended::{Ended, files};
use super::harness::Harness;
use super::population::{Population, address};

pub(super) const PEOPLE: [&str; 3] = ["ada", "grace", "alan"];
/// The products whose simulators rename an account.
const RENAMED: [&str; 2] = ["confluence", "bitbucket"];
pub(super) const TARGETS: [&str; 3] = ["jira", "confluence", "bitbucket"];

/// Three people in three products; Grace has chosen a picture in each.
fn harness() -> Harness {
    let harness = Harness::connected(Population::of(&PEOPLE).everywhere().world());
    TARGETS.iter().for_each(|target| _ = harness.by_hand_in(target, "grace", "hand"));
    harness
}

/// What every account is served.
pub(super) fn served(harness: &Harness) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let all = TARGETS.into_iter().flat_map(|target| PEOPLE.map(|name| (target, name)));
    all.map(|(target, name)| (target, name, harness.account_in(target, name).now.bytes.to_vec())).collect()
}

/// Where somebody is served something else.
pub(super) fn differing(harness: &Harness, before: &[(&'static str, &'static str, Vec<u8>)]) -> Vec<String> {
    let both = before.iter().zip(served(harness));
    both.filter(|(was, is)| was.2 != is.2).map(|(was, _)| format!("{}/{}", was.0, was.1)).collect()
}

pub(super) fn undo(harness: &Harness, flags: &[&str]) -> Ended {
    harness.finish(&[&["undo", "pipeline.yaml", "--report", "report"], flags].concat())
}

pub(super) fn reason(ended: &Ended, target: &str, account: &str) -> Value {
    ended.line(target, account)["reason"].clone()
}

#[test]
fn what_stood_before_a_run_stands_again_byte_for_byte() {
    let harness = harness();
    undo(&harness, &[]).expect_exit(2).expect_error("no run that wrote is recorded yet");
    let before = served(&harness);
    harness.run().expect_exit(0);
    assert_eq!(differing(&harness, &before).len(), 9);

    harness.sandbox.reset_writes();
    let shown = undo(&harness, &[]).expect_exit(0).expect_answer("to revert (8)").expect_answer("--apply");
    assert_eq!(harness.sandbox.truth().writes, [], "a plan writes nothing");
    assert_eq!(
        (shown.report()["command"].as_str(), shown.report()["outcome"].as_str()),
        (Some("undo"), Some("planned"))
    );
    assert_eq!(reason(&shown, "bitbucket", "grace"), "undo_gone");

    let (done, _) = harness.counted(|harness| undo(harness, &["--apply"]));
    let done =
        done.expect_exit(0).expect_answer("reverted (8)").expect_answer("the next `run` puts the photos there again");
    assert_eq!(done.line("jira", "grace")["change"]["to"].as_str().map(|to| &to[..8]), Some("foreign:"));
    assert_eq!(differing(&harness, &before), ["bitbucket/grace"]);
    harness.expect_promises();
    let explained = harness.finish(&["explain", "pipeline.yaml", &address("grace")]).expect_exit(0);
    _ = explained.expect_answer("undone: what stood before is shown again");

    harness.sandbox.reset_writes();
    undo(&harness, &["--apply"]).expect_exit(3).expect_answer("nothing can be given back: 1;");
    assert_eq!(harness.sandbox.truth().writes, [], "a second one finds nothing to undo");
    harness.finish(&["status", "pipeline.yaml"]).expect_exit(0).expect_answer("undo");
    // A run serves everybody as ever.
    harness.run().expect_exit(0);
    assert_eq!(differing(&harness, &before).len(), 9);
}

#[test]
fn what_a_run_took_off_comes_back() {
    let harness = harness();
    harness.no_photo("grace");
    let before = served(&harness);
    harness.run().expect_exit(0);
    let done = undo(&harness, &["--apply"]).expect_exit(0);
    assert_eq!(differing(&harness, &before), ["bitbucket/grace"]);
    assert_eq!(reason(&done, "bitbucket", "grace"), "undo_gone");
}

/// Known to be gone before anything is planned, whether ours or the default stands there now, and no failure.
#[test]
fn what_its_owner_deleted_meanwhile_is_told() {
    for has_photo in [true, false] {
        let harness = Harness::connected(Population::of(&PEOPLE).everywhere().world());
        let upload = harness.by_hand("grace", "hand");
        harness.by_hand_in("confluence", "grace", "hand");
        if !has_photo {
            harness.no_photo("grace");
        }
        harness.run().expect_exit(0);
        harness.jira(&json!({ "delete": { "avatar": upload } }));
        let delete = json!({ "delete": { "name": "grace" } });
        harness.sandbox.command("confluence", &delete).unwrap_or_else(|fault| panic!("{fault}"));
        let now = ["jira", "confluence"].map(|target| harness.account_in(target, "grace").now);
        for (flags, code) in [(&[][..], 0), (&["--apply"], 0), (&["--apply"], 3)] {
            let told = undo(&harness, flags).expect_exit(code);
            for (target, now) in ["jira", "confluence"].into_iter().zip(&now) {
                assert_eq!(reason(&told, target, "grace"), "undo_gone", "{target}, {has_photo}");
                assert_eq!(harness.account_in(target, "grace").now, *now, "{target}, {has_photo}");
            }
        }
    }
}

/// What stood there was the face of whoever had the account (P1): it comes back to nobody else, whether ours or the default
/// stands there now.
#[test]
fn an_account_that_has_another_name_since_is_left_alone() {
    for has_photo in [true, false] {
        let harness = harness();
        if !has_photo {
            harness.no_photo("grace");
        }
        harness.run().expect_exit(0);
        for target in RENAMED {
            let rename = json!({ "rename": { "name": "grace", "to": "hilda" } });
            harness.sandbox.command(target, &rename).unwrap_or_else(|fault| panic!("{target}: {fault}"));
        }
        let now = RENAMED.map(|target| harness.account_in(target, "hilda").now);
        let done = undo(&harness, &["--apply"]).expect_exit(0);
        for (target, now) in RENAMED.into_iter().zip(now) {
            assert_eq!(reason(&done, target, "hilda"), "undo_changed", "{target}");
            assert_eq!(harness.account_in(target, "hilda").now, now, "{target}");
        }
    }
}

/// The name is the same, so only what else the account says of its owner tells.
#[test]
fn an_account_that_was_handed_on_under_its_name_is_left_alone() {
    let harness = harness();
    harness.no_photo("grace");
    harness.run().expect_exit(0);
    let hand_on = json!({ "hand_on": { "name": "grace", "display_name": "Hilda" } });
    harness.sandbox.command("confluence", &hand_on).unwrap_or_else(|fault| panic!("{fault}"));
    let now = harness.account_in("confluence", "grace").now;
    let done = undo(&harness, &["--apply"]).expect_exit(0);
    assert_eq!(reason(&done, "confluence", "grace"), "undo_changed");
    assert_eq!(harness.account_in("confluence", "grace").now, now);
    assert_eq!(reason(&done, "jira", "grace"), "undone", "nobody else has that one");
}

/// A picture that was found there, and that an earlier run took for the photo of whoever had the account then.
#[test]
fn the_face_of_the_former_owner_does_not_come_back() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| _ = pipe.jira("match", "{ map: users.csv }"));
    let map = |person: &str| format!("person,account\n{},grace\n", address(person));
    harness.write("users.csv", map("grace"));
    harness.by_hand("grace", "grace");
    harness.run().expect_exit(0).expect_answer("1 unchanged");
    harness.write("users.csv", map("ada"));
    assert_eq!(reason(&harness.run().expect_exit(0), "jira", "grace"), "reassigned");
    let shown = harness.account("grace").now;
    let done = undo(&harness, &["--apply"]).expect_exit(0);
    assert_eq!(reason(&done, "jira", "grace"), "undo_changed");
    assert_eq!(harness.account("grace").now, shown);
}

#[test]
fn a_run_is_undone_by_its_name_and_only_where_ours_is_shown() {
    let harness = Harness::with_people(&PEOPLE);
    let before: Vec<_> = PEOPLE.map(|name| harness.account(name).now.bytes.to_vec()).into();
    harness.by_hand("grace", "hand");
    let first = harness.run().expect_exit(0).report()["run"].as_str().expect("an id").to_owned();
    harness.new_photo("ada", "spare");
    harness.run().expect_exit(0);
    // What stood before the second run was ours, and went.
    let second = undo(&harness, &["--apply"]).expect_exit(3).expect_answer("nothing can be given back: 1;");
    assert_eq!(reason(&second, "jira", "ada"), "undo_gone");
    let back = format!("further back: `avatarpipe undo pipeline.yaml {first}` shows");
    second.expect_answer(&back);
    harness.by_hand("grace", "spare");
    let own = harness.account("grace").now;
    harness.sandbox.reset_writes();
    undo(&harness, &["no-such-run"]).expect_exit(2).expect_error("`status` lists them");
    let again = format!("`avatarpipe undo pipeline.yaml {first} --apply --only ada --allow reverts=9`");
    undo(&harness, &[&first, "--only", "ada", "--allow", "reverts=9"]).expect_exit(0).expect_answer(&again);
    let done = undo(&harness, &[&first, "--apply", "--only", "ada", "--only", "grace"]).expect_exit(0);
    assert_eq!(reason(&done, "jira", "grace"), "undo_changed");
    assert_eq!(reason(&done, "jira", "alan"), "not_selected");
    assert_eq!(harness.account("ada").now.bytes.to_vec(), before[0], "what stood before the first run of the two");
    assert_eq!(harness.account("grace").now, own, "her own choice stays");
    assert!(harness.account("alan").changed(), "not named");
}

#[test]
fn limits_and_a_dry_run_stop_it() {
    let mut harness = Harness::with_people(&PEOPLE);
    PEOPLE.iter().for_each(|name| _ = harness.by_hand(name, "hand"));
    PEOPLE.iter().for_each(|name| harness.no_photo(name));
    harness.run().expect_exit(0);
    harness.edit(|pipe| _ = pipe.top("limits", "{ reverts: { count: 1 } }"));
    harness.sandbox.reset_writes();
    let stopped = undo(&harness, &["--apply"]).expect_exit(4).expect_answer("--allow jira.reverts=3");
    stopped.expect_answer("found 3 of 3");
    harness.edit(|pipe| _ = pipe.jira("dry_run", "true"));
    let dry = undo(&harness, &["--apply", "--allow", "reverts=3"]).expect_exit(0).expect_answer("3 to revert");
    assert_eq!(harness.sandbox.truth().writes, []);
    let written =
        |name: &str| std::fs::read_to_string(harness.path("report").join(name)).expect("a file of the report");
    let (summary, metrics, page) = (written("summary.md"), written("metrics.prom"), written("pictures.html"));
    harness.finish(&["status", "pipeline.yaml"]).expect_answer("jira: 3 to give back, 0 failed");
    let on_dry_run =
        |line: &str| line.starts_with("avatarpipe_target_dry_run{") && line.ends_with("target=\"jira\"} 1");
    assert!(metrics.lines().any(on_dry_run), "{metrics}");
    assert!(page.contains("3 changes only planned"), "the contact sheet says that it was none");
    for told in [&dry.stdout, &summary] {
        assert!(!told.contains("reverted"), "nothing was: {told}");
    }
    assert_eq!(dry.line("jira", "ada")["result"], "planned");
    harness.edit(|pipe| _ = pipe.jira("dry_run", "false"));
    undo(&harness, &["--apply", "--allow", "reverts=3"]).expect_exit(0).expect_answer("reverted (3)");
    harness.expect_promises();
}

#[test]
fn files_of_ours_leave_a_folder_and_nobody_elses() {
    let mut harness = Harness::with_people(&PEOPLE);
    harness.edit(|pipe| {
        pipe.without_target("jira");
        pipe.target("folder").set("path", "out");
    });
    harness.edit(|pipe| _ = pipe.top("limits", "{ reverts: { count: 10 } }"));
    harness.write("out/theirs.png", "somebody's");
    let names =
        |harness: &Harness| -> Vec<String> { files(&harness.path("out")).into_iter().map(|(name, _)| name).collect() };
    harness.run().expect_exit(0);
    assert!(names(&harness).len() > 3, "{:?}", names(&harness));
    undo(&harness, &["--apply"]).expect_exit(0).expect_answer("reverted (");
    assert_eq!(names(&harness), ["index.json", "theirs.png"]);
    undo(&harness, &["--apply"]).expect_exit(0).expect_answer("nothing to do");
}

/// A folder has no account of whoever has no picture of ours there any more.
#[test]
fn nothing_is_left_to_undo_for_whom_all_was_given_back_and_a_name_of_nobody_is_a_mistake() {
    let mut harness = Harness::with_people(&PEOPLE);
    harness.edit(|pipe| {
        pipe.without_target("jira");
        pipe.target("folder").set("path", "out");
    });
    harness.run().expect_exit(0);
    let address = address("ada");
    undo(&harness, &["--apply", "--only", &address]).expect_exit(0).expect_answer("reverted (1)");
    for name in ["ada", &address] {
        let told = format!("nothing is left to give back to {name}");
        for flags in [&["--only", name][..], &["--only", name, "--apply"]] {
            undo(&harness, flags).expect_exit(0).expect_answer(&told);
        }
    }
    undo(&harness, &["--only", "adda"]).expect_exit(2).expect_error("no person and no account has this name");
}

/// A target that is frozen is told with what to switch, though no source says whose the accounts are.
#[test]
fn a_frozen_target_is_told_with_the_line_of_the_file() {
    let mut harness = Harness::with_people(&PEOPLE);
    harness.run().expect_exit(0);
    harness.edit(|pipe| _ = pipe.jira("freeze", "true"));
    harness.sandbox.reset_writes();
    for flags in [&[][..], &["--apply"]] {
        let told = undo(&harness, flags).expect_exit(0).expect_answer("nothing can be given back: 3;");
        assert_eq!(reason(&told, "jira", "ada"), "target_frozen");
        assert_eq!(reason(&told, "jira", "ada"), told.line("jira", "grace")["reason"]);
        let told = told.expect_answer("jira: `freeze` (pipeline.yaml:").expect_answer("keeps 3 from being given back");
        told.holds_no_answer("further back");
    }
    assert_eq!(harness.sandbox.truth().writes, []);
}

/// Where nobody's face comes back no source is asked, and what was known of people is known still.
#[test]
fn an_undoing_that_asks_no_source_names_people_and_forgets_none() {
    let names = |name: &str| format!("{}{} of Analysis", &name[..1].to_uppercase(), &name[1..]);
    let population = Population::of(&PEOPLE).person("ada", |person| person.name = names("ada"));
    let harness = Harness::of(population.world());
    let run = harness.run().expect_exit(0).report()["run"].as_str().expect("an id").to_owned();
    harness.new_photo("ada", "spare");
    harness.run().expect_exit(0);
    let asked = || harness.calls("entra").len();
    let before = asked();
    // Shown, of the picture of ours that is gone; and done, to the default.
    let gone = undo(&harness, &[]).expect_exit(3).expect_answer(&format!("  {}", names("ada")));
    assert_eq!(gone.line("jira", "ada")["person"]["name"], names("ada").as_str());
    let done = undo(&harness, &[&run, "--apply"]).expect_exit(0).expect_answer("reverted (3)");
    done.expect_answer(&format!("  {}", names("ada")));
    assert_eq!(asked(), before, "no source is asked");
    harness.finish(&["explain", "pipeline.yaml", &names("ada")]).expect_exit(0).expect_answer("ada@");
    harness.finish(&["report", "pipeline.yaml", &run]).expect_exit(0).expect_answer(&names("ada"));
    let forgotten = harness.finish(&["state", "pipeline.yaml", "forget", &address("ada")]).expect_exit(0);
    forgotten.expect_answer(": 1 photo mark, ");
}
