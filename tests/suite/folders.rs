//! A folder of photos in place of a provider, and a folder in place of a server.

use super::harness::Harness;
use super::population::{address, face};
use super::truth::{Shows::Face, looks};

/// Photos from a folder, pictures to Jira and to another folder.
fn harness() -> Harness {
    let harness = Harness::with_people(&["ada", "grace"]).with(|pipe| {
        pipe.without_source("entra").source("folder").set("path", "people");
        pipe.target("folder").set("path", "out");
        pipe.top("limits", "{ reverts: { count: 10 } }");
    });
    let table = format!("id,email,photo\n1,{},ada.png\n2,{},grace.png\n", address("ada"), address("grace"));
    harness.write("people/people.csv", table);
    harness.write("people/ada.png", face("ada"));
    harness.write("people/grace.png", face("grace"));
    harness
}

#[test]
fn photos_go_from_a_folder_to_jira_and_to_a_folder() {
    let harness = harness();
    let ended = harness.run().expect_exit(0);
    for line in ended.report()["requests"].as_array().expect("a list") {
        assert_eq!(line["sent"], line["forecast"], "reading a folder costs no request: {line}");
    }
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
    for name in ["ada", "grace"] {
        let bytes = std::fs::read(harness.path(&format!("out/{name}.png"))).expect("a picture in the folder");
        assert!(looks(&bytes).fits(&looks(&face(name))), "{name}");
    }
    let index = std::fs::read_to_string(harness.path("out/index.json")).expect("an index");
    assert!(index.contains("ada.png") && index.contains("grace.png"), "{index}");
    harness.sandbox.requests().reset();
    harness.run().expect_exit(0).expect_answer("nothing to do");
    assert_eq!(harness.writes(), [""; 0]);
}

/// The address in the file can be changed after the review, and the state may know no server yet.
#[test]
fn a_plan_that_was_reviewed_for_another_folder_is_not_applied_there() {
    let mut harness = harness();
    harness.plan_with(&["--out", "plan.json"]).expect_exit(0);
    harness.edit(|pipe| _ = pipe.target("folder").set("path", "elsewhere"));
    let ended = harness.run_with(&["--plan", "plan.json"]).expect_exit(2);
    ended.expect_error("but the plan was reviewed for").expect_error("put back the `path` of the review");
    assert!(!harness.path("elsewhere/ada.png").exists());
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
    harness.edit(|pipe| _ = pipe.target("folder").set("path", "out"));
    harness.plan_with(&["--out", "plan.json"]).expect_exit(0);
    harness.run_with(&["--plan", "plan.json"]).expect_exit(0);
    assert!(harness.path("out/ada.png").exists());
}

/// A column that was emptied is like one that is not there.
#[test]
fn a_table_that_names_no_picture_any_more_proves_nothing() {
    let harness = harness();
    harness.run().expect_exit(0);
    let table = format!("id,email,photo\n1,{},\n2,{},\n", address("ada"), address("grace"));
    harness.write("people/people.csv", table);
    harness.run().expect_exit(6).expect_error("names no picture of anybody");
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
    assert!(harness.path("out/ada.png").exists() && harness.path("out/grace.png").exists());
}

#[test]
fn a_photo_that_leaves_the_folder_leaves_both_targets_and_files_of_others_stay() {
    let harness = harness();
    harness.write("out/notes.txt", "mine");
    harness.run().expect_exit(0);
    let table = format!("id,email,photo\n1,{},ada.png\n2,{},\n", address("ada"), address("grace"));
    harness.write("people/people.csv", table);
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada")), ("grace", super::truth::Shows::Default)]);
    assert!(!harness.path("out/grace.png").exists() && harness.path("out/ada.png").exists());
    assert_eq!(std::fs::read(harness.path("out/notes.txt")).expect("the file of somebody else"), b"mine");
    let index = std::fs::read_to_string(harness.path("out/index.json")).expect("an index");
    assert!(!index.contains("grace"), "{index}");
}

#[test]
fn a_folder_that_is_lost_is_written_again_and_a_file_that_somebody_deleted_is_not() {
    let harness = harness().with(|pipe| _ = pipe.target("folder").set("ownership", "ours"));
    harness.run().expect_exit(0);
    std::fs::remove_file(harness.path("out/grace.png")).expect("a picture in the folder");
    harness.run().expect_exit(0);
    assert!(!harness.path("out/grace.png").exists(), "a choice stays");
    std::fs::remove_dir_all(harness.path("out")).expect("the folder");
    _ = harness.run().expect_exit(0).expect_answer("has no index.json any more");
    assert!(["ada", "grace"].iter().all(|name| harness.path(&format!("out/{name}.png")).exists()));
}

#[test]
fn a_later_source_serves_those_whom_the_first_provably_cannot() {
    let harness = Harness::with_people(&["ada", "grace", "alan"]).with(|pipe| {
        pipe.source("folder").set("path", "people");
    });
    let row = |id: u8, name: &str| format!("{id},{},spare.png\n", address(name));
    harness
        .write("people/people.csv", format!("id,email,photo\n{}{}{}", row(1, "ada"), row(2, "grace"), row(3, "alan")));
    harness.write("people/spare.png", face("spare"));
    harness.no_photo("grace");
    harness.photo_fails("alan", "no_mailbox");
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("spare")), ("alan", super::truth::Shows::Start)]);
}

#[test]
fn a_folder_that_is_not_there_changes_nothing() {
    let harness = harness();
    harness.run().expect_exit(0);
    std::fs::rename(harness.path("people"), harness.path("elsewhere")).expect("the share is gone");
    harness.sandbox.requests().reset();
    // The path stands in the file, and there is nothing under it.
    harness.run().expect_exit(6).expect_answer("people/people.csv");
    assert_eq!(harness.writes(), [""; 0]);
    harness.expect_shown(&[("ada", Face("ada"))]);
    assert!(harness.path("out/ada.png").exists());
}

fn read(harness: &Harness, name: &str) -> Vec<u8> {
    std::fs::read(harness.path(name)).unwrap_or_default()
}

/// What stands in a folder.
fn names(harness: &Harness, folder: &str) -> Vec<String> {
    let there = std::fs::read_dir(harness.path(folder)).into_iter().flatten().flatten();
    let mut names: Vec<_> = there.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_damaged_copy_is_made_good() {
    let harness = harness();
    harness.run().expect_exit(0);
    let (picture, index) = (read(&harness, "out/ada.png"), read(&harness, "out/index.json"));
    let hidden = format!("out/.{}.avatarpipe-part", "0".repeat(32));
    for damaged in [&b""[..], &picture[..picture.len() / 2], b"no picture", &face("grace")] {
        harness.write("out/ada.png", damaged);
        harness.write("out/index.json", &index[..index.len() / 2]);
        harness.write(&hidden, "half");
        harness.run().expect_exit(0);
        assert!(read(&harness, "out/ada.png") == picture && read(&harness, "out/index.json") == index);
        assert_eq!(names(&harness, "out"), ["ada.png", "grace.png", "index.json"]);
    }
    // The index alone, where nothing else is to do.
    std::fs::remove_file(harness.path("out/index.json")).expect("an index");
    harness.run().expect_exit(0).expect_answer("nothing to do");
    assert!(read(&harness, "out/index.json") == index);
}

/// A file that was there before is gone once it is written over: that is told in time.
#[test]
fn what_a_folder_loses_is_told_before() {
    let harness = harness();
    harness.write("out/ada.png", face("hand"));
    let lost = "folder: a folder keeps no earlier file: 1 that stood there cannot be put back, and nothing is kept of them (`keep_replaced`)";
    harness.plan_with(&[]).expect_exit(0).expect_answer(lost);
    harness.run().expect_exit(0).expect_answer(lost);
    // What is ours can be made again.
    harness.write("people/ada.png", face("spare"));
    harness.run().expect_exit(0).holds_no_answer("a folder keeps");
}

#[test]
fn what_people_put_there_stays_their_choice_unless_it_is_no_picture() {
    let mut harness = harness();
    harness.edit(|pipe| _ = pipe.target("folder").set("ownership", "ours"));
    harness.run().expect_exit(0);
    let picture = read(&harness, "out/ada.png");
    harness.write("out/ada.png", face("hand"));
    harness.write("out/grace.png", "");
    harness.run().expect_exit(0);
    assert!(read(&harness, "out/ada.png") == face("hand") && !read(&harness, "out/grace.png").is_empty());
    assert!(picture != face("hand"));
}

/// Whoever opted out is known by the state alone.
#[test]
fn a_picture_goes_though_the_index_is_lost() {
    let mut harness = harness();
    harness.run().expect_exit(0);
    harness.edit(|pipe| {
        pipe.source("folder").set("users", "{ opted_out: ['ada@*'] }");
    });
    std::fs::remove_file(harness.path("out/index.json")).expect("an index");
    harness.run().expect_exit(0);
    assert_eq!(names(&harness, "out"), ["grace.png", "index.json"]);
}

#[test]
fn links_lead_out_of_no_folder() {
    let harness = harness();
    harness.write("outside/index", "mine");
    harness.write("outside/ada", face("hand"));
    std::fs::create_dir(harness.path("out")).expect("a folder");
    std::os::unix::fs::symlink("../outside/index", harness.path("out/index.json")).expect("a link");
    std::os::unix::fs::symlink("../outside/ada", harness.path("out/ada.png")).expect("a link");
    let ended = harness.run().expect_exit(0);
    ended.holds(ended.line("folder", "ada")["detail"].to_string().contains("a link, and no file"), "the link is told");
    assert!(read(&harness, "outside/index") == b"mine" && read(&harness, "outside/ada") == face("hand"));
    assert!(read(&harness, "out/index.json").windows(9).any(|text| text == b"grace.png"));
}

/// Three people whose names are no plain file names, and the rules of a target.
fn copy(keys: &[(&str, &str)]) -> Harness {
    let harness = Harness::with_people(&["ada"]).with(|pipe| {
        pipe.without_source("entra").source("folder").set("path", "people");
        pipe.without_target("jira").target("folder").set("path", "out");
        for (key, value) in keys {
            pipe.target("folder").set(key, value);
        }
    });
    let row = |id: &str, local: &str| format!("{id},{local}@ex.org,{id}@corp.example,{id}.png\n");
    let rows = [row("1001", "O'Brien"), row("1002", "Zo\u{eb}"), row("1003", "r&d")].concat();
    harness.write("people/people.csv", format!("id,email,upn,photo\n{rows}"));
    for (id, of) in [("1001", "ada"), ("1002", "grace"), ("1003", "alan")] {
        harness.write(&format!("people/{id}.png"), face(of));
    }
    harness.write("users.csv", "person,account\no'brien@ex.org,boss\n");
    harness
}

#[test]
fn a_folder_keeps_what_its_keys_say() {
    for (keys, written) in [
        (&[][..], &["o%27brien.png", "r%26d.png", "zo%c3%ab.png"][..]),
        (&[("accounts", "{ exclude: [\"o'*\", zo*] }")], &["r%26d.png"]),
        (&[("accounts", "{ rollout: 0% }")], &[]),
        (&[("match", "[{ person: id, account: username }]")], &["1001.png", "1002.png", "1003.png"]),
        (&[("match", "[username]")], &["1001.png", "1002.png", "1003.png"]),
        (
            &[("match", "[{ person: sam, account: username }, email]")],
            &["o%27brien%40ex.org.png", "r%26d%40ex.org.png", "zo%c3%ab%40ex.org.png"],
        ),
        (&[("match", "{ map: users.csv }")], &["boss.png"]),
    ] {
        let harness = copy(keys);
        let ended = harness.run().expect_exit(0);
        let mut there = names(&harness, "out");
        there.retain(|name| name != "index.json");
        assert_eq!(there, written, "{keys:?}");
        assert_eq!(ended.count("folder", "replaced"), written.len() as u64);
        harness.run().expect_exit(0).expect_answer("nothing to do");
    }
    let harness = copy(&[("match", "{ map: users.csv }")]);
    harness.run().expect_answer("2 people in scope have nothing that `match` names a file by");
    for (key, value, told) in [
        ("accounts", "{ groups: [staff] }", "a folder has no groups"),
        ("accounts", "{ active: false }", "a folder has no disabled accounts"),
        ("match", "[{ person: id, account: key }]", "have names and no keys"),
        ("match", "[{ person: sam, account: username }]", "names a file by"),
    ] {
        let harness = copy(&[(key, value)]);
        let ended = harness.run().expect_exit(2);
        ended.holds(ended.stdout.contains(told) || ended.stderr.contains(told), told);
        assert_eq!(names(&harness, "out"), [""; 0]);
    }
}

#[test]
fn one_folder_is_one_target() {
    for path in ["out", "./out/", "x/../out", "link", "people", "./people/new", "in", "in/new"] {
        let harness = harness().with(|pipe| {
            let mut second = pipe.target("folder").clone();
            second.set("id", "second").set("path", path);
            pipe.add_target(second);
        });
        std::fs::create_dir(harness.path("out")).expect("a folder");
        std::os::unix::fs::symlink("out", harness.path("link")).expect("a link");
        std::os::unix::fs::symlink("people", harness.path("in")).expect("a link");
        let told = match path {
            "people" | "./people/new" => "a target writes where a source reads",
            "in" => "which is the folder that the source `folder` reads from",
            "in/new" => "which lies in the folder that the source `folder` reads from",
            "link" => "the target `folder` writes to",
            _ => "two targets write to one server, the folder out",
        };
        harness.run().expect_exit(2).expect_error(told);
        assert_eq!(names(&harness, "out"), [""; 0], "{path}");
        assert_eq!(harness.writes(), [""; 0], "{path}");
    }
}

#[test]
fn a_sandbox_writes_no_folder_of_the_file() {
    let harness = harness();
    harness.write("out/ada.png", face("hand"));
    let ended = harness.finish(&["run", "pipeline.yaml", "--sandbox", "--report", "report"]);
    let ended = ended.expect_exit(0).expect_error("sandbox: `folder` writes to state/sandbox/");
    assert_eq!(ended.count("folder", "replaced"), 2);
    assert_eq!(names(&harness, "out"), ["ada.png"]);
    assert!(read(&harness, "out/ada.png") == face("hand"));
    let below = super::ended::files(&harness.path("state/sandbox"));
    assert!(below.iter().any(|(name, _)| name.ends_with("stage.folders/folder/grace.png")));
}

#[test]
fn pipes_keep_nobody_waiting() {
    let pipe = |path: std::path::PathBuf| {
        assert!(std::process::Command::new("mkfifo").arg(path).status().is_ok_and(|made| made.success()));
    };
    let mut harness = harness();
    std::fs::remove_file(harness.path("people/ada.png")).expect("a picture");
    pipe(harness.path("people/ada.png"));
    pipe(harness.path("secret"));
    let ended = harness.run().expect_exit(0);
    ended.holds(ended.line("jira", "ada")["detail"].to_string().contains("a pipe, and no file"), "the pipe is told");
    harness.expect_shown(&[("ada", super::truth::Shows::Start), ("grace", Face("grace"))]);
    harness.edit(|file| _ = file.jira("credential", "{ token: '${file:secret}' }"));
    harness.run().expect_exit(2).expect_error("a pipe, and no file");
    harness.edit(|file| {
        file.by_token().top("http", "{ default: { ca_file: secret } }");
    });
    let ended = harness.run();
    ended.holds(!ended.succeeded() && ended.stderr.contains("a pipe, and no file"), "the pipe is told");
}

/// Somebody's `grace.png` shows the photo already, and ours would be `grace.jpg`: never two pictures of one person, and none is
/// deleted without another one in its place.
#[test]
fn a_picture_of_another_form_is_replaced_and_never_just_deleted() {
    let adopted = || {
        let harness = Harness::with_people(&["ada", "grace"]).with(|pipe| {
            pipe.without_target("jira").target("folder").set("path", "out");
            pipe.top("transform", "{ resize: { format: jpeg } }");
            pipe.top("limits", "{ reverts: { count: 10 } }");
        });
        harness.write("out/grace.png", face("grace"));
        harness.write("out/ada.png", face("hand"));
        harness.write("out/theirs.png", face("hand"));
        harness
    };
    let pictures = |harness: &Harness| -> Vec<String> {
        super::ended::files(&harness.path("out"))
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| name != "index.json")
            .collect()
    };
    let harness = adopted();
    let planned = harness.plan_with(&[]).expect_exit(0);
    assert_eq!(planned.line("folder", "ada")["detail"], "`ada.png` there goes: the new picture has another form");
    harness.run().expect_exit(0);
    assert_eq!(pictures(&harness), ["ada.jpg", "grace.png", "theirs.png"], "what is alike is adopted");
    harness.new_photo("grace", "spare");
    harness.run().expect_exit(0);
    assert_eq!(pictures(&harness), ["ada.jpg", "grace.jpg", "theirs.png"]);
    let index = std::fs::read_to_string(harness.path("out/index.json")).expect("an index");
    assert!(index.contains("grace.jpg") && !index.contains("grace.png"), "{index}");
    harness.run().expect_exit(0).expect_answer("nothing to do");

    let harness = adopted();
    harness.run().expect_exit(0);
    harness.no_photo("grace");
    let gone = harness.run().expect_exit(0);
    assert_eq!(gone.line("folder", "grace")["reason"], "recognised");
    assert_eq!(pictures(&harness), ["ada.jpg", "grace.png", "theirs.png"]);
}

/// A path may come from a secret store. Earlier versions wrote it into the state.
#[test]
fn the_state_does_not_hold_the_path_of_a_folder_and_one_that_does_is_read() {
    let mut harness = harness();
    harness.edit(|pipe| _ = pipe.target("folder").set("path", "'${OUT}'"));
    let secret = "folder-that-a-store-names";
    harness.tell("OUT", secret);
    let holds = |harness: &Harness| {
        let state = std::fs::read(harness.path("state/stage.db")).expect("the state");
        state.windows(secret.len()).any(|part| part == secret.as_bytes())
    };
    harness.run().expect_exit(0);
    assert!(!holds(&harness));
    let state = rusqlite::Connection::open(harness.path("state/stage.db")).expect("the state");
    let in_clear =
        format!("UPDATE target SET server = 'folder:{secret}' WHERE id = 'folder'; PRAGMA secure_delete = ON");
    state.execute_batch(&in_clear).expect("as an earlier version wrote it");
    drop(state);
    assert!(holds(&harness));
    harness.plan_with(&[]).expect_exit(0).expect_answer("nothing to do");
    harness.run().expect_exit(0).expect_answer("nothing to do");
    assert!(!holds(&harness));
    harness.tell("OUT", "elsewhere");
    harness.run().expect_exit(2).expect_answer("put back the right `path`");
}
