//! `keep_replaced`: what a run replaces and the product does not keep comes back by `undo`, our own pictures of earlier runs
//! among it.
//!
//! Owns: what is kept, what opens it, when it goes, and to whom it comes back. Leaves to others: what products keep (`undo`).
//! A newcomer gets wrong: our earlier picture is ours again when it is back, so whoever opts out loses it.

use super::ended::files;
use super::harness::Harness;
use super::population::{Population, address, face_of};
use super::undo::{PEOPLE, TARGETS, differing, reason, served, undo};

/// What a secret of the file encrypts, 32 characters of it.
const KEY: &str = "canary-kept-0123456789abcdefghij";

/// Three people in a Bitbucket and a folder, which keep nothing; Grace has a picture of her own in both, as large as Bitbucket
/// serves any.
fn forgetful() -> Harness {
    let hand = face_of("hand", 512);
    let population = Population::of(&PEOPLE).picture("hand", hand.clone()).everywhere();
    let mut harness = Harness::connected(population.world());
    harness.edit(|pipe| {
        pipe.without_target("jira").without_target("confluence");
        pipe.target("folder").set("path", "out");
        pipe.top("state", "{ keep_replaced: { for: 30d, key: '${KEPT_KEY}' } }");
    });
    harness.set("KEPT_KEY", KEY);
    harness.by_hand_in("bitbucket", "grace", "hand");
    harness.write("out/grace.png", hand);
    harness
}

#[test]
fn what_a_run_replaced_comes_back_of_what_was_kept() {
    let mut harness = forgetful();
    let there = |harness: &Harness| {
        let file = std::fs::read(harness.path("out/grace.png")).expect("a file");
        (harness.account_in("bitbucket", "grace").now.bytes, file)
    };
    let stood = there(&harness);
    let (run, _) = harness.counted(Harness::run);
    run.expect_exit(0);
    assert!(there(&harness).0 != stood.0 && there(&harness).1 != stood.1);
    harness.finish(&["state", "pipeline.yaml", "show"]).expect_exit(0).expect_answer("2 replaced pictures");
    let kept: Vec<_> = files(&harness.path("state/stage.kept"));
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|(_, bytes)| !bytes.windows(8).any(|part| part == &stood.1[..8])), "nothing in clear");

    harness.sandbox.reset_writes();
    let shown = undo(&harness, &[]).expect_exit(0);
    assert_eq!(harness.sandbox.truth().writes, [], "a plan writes nothing");
    for target in ["bitbucket", "folder"] {
        assert_eq!(reason(&shown, target, "grace"), "undone", "{target}");
    }
    let (done, _) = harness.counted(|harness| undo(harness, &["--apply"]));
    done.expect_exit(0).holds_no_answer("keeps no earlier");
    assert!(there(&harness) == stood, "byte for byte");
    harness.expect_promises();
    undo(&harness, &["--apply"]).expect_exit(0).expect_answer("nothing to do");
    // It is hers again, and none of ours.
    harness.edit(|pipe| _ = pipe.target("bitbucket").set("ownership", "ours"));
    assert_eq!(reason(&harness.run().expect_exit(0), "bitbucket", "grace"), "chosen_by_hand");
    assert!(there(&harness).0 == stood.0);
}

#[test]
fn what_was_kept_opens_with_its_key_alone_and_goes_when_it_is_to() {
    let mut harness = forgetful();
    harness.run().expect_exit(0);
    let told = |harness: &Harness, exit: i32| {
        let ended = undo(harness, &[]).expect_exit(exit);
        let line = ended.line("bitbucket", "grace");
        [&line["reason"], &line["detail"]].map(|word| word.as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(told(&harness, 0)[0], "undone");
    harness.set("KEPT_KEY", "canary-other-0123456789abcdefghi");
    for flags in [&[][..], &["--apply"]] {
        let refused = undo(&harness, flags).expect_exit(2).expect_error("stage.kept: none of the pictures");
        refused
            .expect_error("`state.keep_replaced.key` of pipeline.yaml is another key than then")
            .expect_error("2 tried");
    }
    harness.set("KEPT_KEY", "too short");
    undo(&harness, &[]).expect_exit(2).expect_error("shorter than 32 characters");
    harness.set("KEPT_KEY", KEY);
    // A plan has learnt whose account it is.
    harness.plan_with(&[]).expect_exit(0);
    let address = address("grace");
    harness.finish(&["state", "pipeline.yaml", "forget", &address]).expect_exit(0).expect_answer("taken away: 2");
    assert_eq!(files(&harness.path("state/stage.kept")).len(), 0);
    // Without the option nothing is kept, and what was goes.
    harness.by_hand_in("bitbucket", "grace", "hand");
    harness.run().expect_exit(0);
    assert_eq!(files(&harness.path("state/stage.kept")).len(), 1);
    harness.finish(&["state", "pipeline.yaml", "purge"]).expect_exit(0);
    let [reason_of, why] = told(&harness, 3);
    assert_eq!(reason_of, "undo_gone");
    assert!(why.contains("`state purge`"), "{why}");
    harness.by_hand_in("bitbucket", "grace", "hand");
    harness.run().expect_exit(0);
    harness.edit(|pipe| _ = pipe.top("state", "{}"));
    let gone = "since the file keeps none (`keep_replaced`): 1, which `undo` cannot give back";
    harness.run().expect_exit(0).expect_answer(gone);
    harness.run().expect_exit(0).holds_no_answer("keeps none");
    assert!(!harness.path("state/stage.kept").exists());
    let why = told(&harness, 3)[1].clone();
    assert!(why.contains("`keep_replaced` is off"), "{why}");
}

#[test]
fn a_kept_picture_that_does_not_open_or_is_too_old_is_told_and_the_others_come_back() {
    let harness = forgetful();
    let stood = harness.account_in("bitbucket", "grace").now.bytes;
    harness.run().expect_exit(0);
    let kept = files(&harness.path("state/stage.kept"));
    let change = |at: usize, bytes: &[u8]| {
        let mut changed = kept[0].1.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        harness.write(&format!("state/stage.kept/{}", kept[0].0), changed);
    };
    // Since when it is kept stands at its head: the tenth day of 1970.
    change(8, &(10 * 86_400_u64).to_be_bytes());
    let old = undo(&harness, &[]).expect_exit(0);
    let lines = ["bitbucket", "folder"].map(|target| old.line(target, "grace"));
    let told = lines.iter().filter(|line| line["reason"] == "undo_gone").map(|line| line["detail"].to_string());
    let told: Vec<_> = told.collect();
    assert!(matches!(&*told, [one] if one.contains("until 1970-02-10")), "{told:?}");
    change(30, &[kept[0].1[30] ^ 1]);
    let done = undo(&harness, &["--apply"]).expect_exit(3).expect_answer("1 kept picture cannot be opened");
    let mut reasons = ["bitbucket", "folder"].map(|target| reason(&done, target, "grace"));
    reasons.sort_by_key(ToString::to_string);
    assert_eq!(reasons, ["undo_locked", "undone"]);
    let now = harness.account_in("bitbucket", "grace").now.bytes;
    assert_eq!(now == stood, reason(&done, "bitbucket", "grace") == "undone");
}

/// Three people everywhere and in a folder, and all that a run replaces is kept.
fn keeping() -> Harness {
    let mut harness = Harness::connected(Population::of(&PEOPLE).everywhere().world());
    harness.edit(|pipe| {
        pipe.target("folder").set("path", "out");
        pipe.top("state", "{ keep_replaced: { for: 30d, key: '${KEPT_KEY}' } }");
        pipe.top("limits", "{ reverts: { count: 30 }, replacements: { count: 30 } }");
    });
    harness.set("KEPT_KEY", KEY);
    harness
}

/// Whether two pictures look the same, whatever their size.
fn are_alike(one: &[u8], other: &[u8]) -> bool {
    let [one, other] = [one, other].map(|bytes| {
        let picture = image::load_from_memory(bytes).expect("a picture").to_luma8();
        image::imageops::resize(&picture, 8, 8, image::imageops::FilterType::Triangle)
    });
    one.pixels().zip(other.pixels()).all(|(one, other)| one.0[0].abs_diff(other.0[0]) < 12)
}

/// The run that everybody wants to take back: it replaced our own good pictures of last month, and took one off.
#[test]
fn what_a_run_replaced_of_our_own_comes_back_and_is_ours() {
    let mut harness = keeping();
    harness.run().expect_exit(0);
    let ada = |harness: &Harness| std::fs::read(harness.path("out/ada.png")).ok();
    let (good, file) = (served(&harness), ada(&harness));
    assert!(!harness.path("state/stage.kept").exists(), "the default is kept by nobody");
    harness.new_photo("ada", "spare");
    harness.no_photo("alan");
    let (bad, _) = harness.counted(Harness::run);
    bad.expect_exit(0);
    assert_eq!(differing(&harness, &good).len(), 6);
    assert_ne!(ada(&harness), file);

    let (done, _) = harness.counted(|harness| undo(harness, &["--apply"]));
    let done = done.expect_exit(0).expect_answer("reverted (8)");
    done.holds_no_answer("keeps no earlier");
    assert_eq!(reason(&done, "jira", "ada"), "undone");
    assert!(done.stdout.contains("our picture → our earlier picture"), "{}", done.stdout);
    // Bitbucket serves a small picture enlarged, so that is what was kept.
    for at in differing(&harness, &good) {
        let (target, name) = at.split_once('/').expect("a target");
        assert_eq!(target, "bitbucket");
        let was = good.iter().find(|(target, of, _)| (*target, *of) == ("bitbucket", name)).expect("an account");
        assert!(are_alike(&was.2, &harness.account_in(target, name).now.bytes), "{at}");
    }
    assert_eq!(ada(&harness), file);
    assert!(harness.path("out/alan.png").exists());
    harness.expect_promises();
    harness.sandbox.reset_writes();
    undo(&harness, &["--apply"]).expect_exit(0).expect_answer("nothing to do");
    assert_eq!(harness.sandbox.truth().writes, []);

    // It is ours: whoever opts out loses it.
    harness.edit(|pipe| _ = pipe.entra("users", "{ opted_out: ['ada@*', 'alan@*'] }"));
    let run = harness.run().expect_exit(0);
    for (target, name) in TARGETS.into_iter().chain(["folder"]).flat_map(|target| [(target, "ada"), (target, "alan")]) {
        assert_eq!(run.line(target, name)["change"]["kind"].as_str(), Some("remove"), "{target}/{name}");
    }
    assert_eq!(ada(&harness), None);
    harness.expect_promises();
    // What was taken off for that reason is not kept, and a picture of ours is not put there.
    let kept = files(&harness.path("state/stage.kept")).len();
    assert_eq!(kept, 8, "of the run before alone");
    let left = undo(&harness, &[]).expect_exit(3).expect_answer("opted out, another person's account");
    assert_eq!(reason(&left, "jira", "ada"), "undo_gone");
}

#[test]
fn what_the_endpoint_of_a_confluence_replaced_is_kept_and_comes_back() {
    let mut harness = keeping().switch("confluence", "endpoint", "installed");
    harness.edit(|pipe| {
        pipe.without_target("jira").without_target("bitbucket").without_target("folder");
        pipe.target("confluence").set("upload", "endpoint");
    });
    harness.by_hand_in("confluence", "grace", "hand");
    let stood = harness.account_in("confluence", "grace").now.bytes;
    harness.counted(Harness::run).0.expect_exit(0);
    assert!(harness.account_in("confluence", "grace").now.bytes != stood);
    harness.counted(|harness| undo(harness, &["--apply"])).0.expect_exit(0);
    assert!(harness.account_in("confluence", "grace").now.bytes == stood);
    harness.expect_promises();
}

/// To nobody but whom it was of, and to whom a run would put a photo (P1).
#[test]
fn our_earlier_picture_comes_back_to_nobody_else() {
    for whose in ["another's", "out of scope", "disabled", "opted out"] {
        let mut harness = keeping();
        harness.edit(|pipe| {
            pipe.without_target("confluence").without_target("bitbucket").without_target("folder");
            pipe.jira("match", "{ map: users.csv }");
            pipe.top("transform", "{ fallback: { opted_out: keep, inactive: keep } }");
        });
        let map = |person: &str| format!("person,account\n{},ada\n{},alan\n", address(person), address("alan"));
        harness.write("users.csv", map("ada"));
        harness.run().expect_exit(0);
        ["ada", "alan"].iter().for_each(|name| harness.new_photo(name, "spare"));
        harness.run().expect_exit(0);
        let shown = harness.account("ada").now;
        match whose {
            "another's" => harness.write("users.csv", map("grace")),
            "disabled" => harness.enabled("ada", false),
            "out of scope" => harness.edit(|pipe| _ = pipe.entra("users", "{ exclude: ['ada@*'] }")),
            _ => harness.edit(|pipe| _ = pipe.entra("users", "{ opted_out: ['ada@*'] }")),
        }
        let done = undo(&harness, &["--apply"]).expect_exit(0);
        assert_eq!(harness.account("ada").now, shown, "{whose}");
        let why = reason(&done, "jira", "ada");
        assert!(
            ["undo_passed_on", "out_of_scope", "inactive", "opted_out"].contains(&why.as_str().expect("a reason")),
            "{whose}: {why}"
        );
        assert_eq!(reason(&done, "jira", "alan"), "undone", "{whose}");
        harness.expect_promises();
    }
}

/// The name of a file need not tell its form, and is what links lead to.
#[test]
fn a_file_comes_back_under_its_own_name() {
    let harness = forgetful();
    let mut jpeg = Vec::new();
    let face = image::load_from_memory(&face_of("hand", 512)).expect("a picture");
    face.write_to(&mut std::io::Cursor::new(&mut jpeg), image::ImageFormat::Jpeg).expect("a picture in memory");
    harness.write("out/grace.png", &jpeg);
    let names = || -> Vec<String> { files(&harness.path("out")).into_iter().map(|(name, _)| name).collect() };
    harness.run().expect_exit(0);
    undo(&harness, &["--apply"]).expect_exit(0);
    assert_eq!(names(), ["grace.png", "index.json"]);
    assert!(std::fs::read(harness.path("out/grace.png")).expect("a file") == jpeg);
}

/// What cannot be read may be anything: it is not told as not kept.
#[test]
fn a_folder_of_kept_pictures_that_cannot_be_read_is_no_success() {
    let harness = forgetful();
    harness.run().expect_exit(0);
    let (kept, aside) = (harness.path("state/stage.kept"), harness.path("aside"));
    std::fs::rename(&kept, &aside).expect("moved");
    std::os::unix::fs::symlink(&aside, &kept).expect("a link");
    harness.sandbox.reset_writes();
    undo(&harness, &["--apply"]).expect_exit(1).expect_error("is not a folder of its own");
    undo(&harness, &[]).expect_exit(2).expect_error("none of the pictures");
    assert_eq!(harness.sandbox.truth().writes, []);
}

/// What goes and what comes back are both on the contact sheet; after a run what was kept is, and what was not is told.
#[test]
fn the_contact_sheet_shows_what_is_lost_and_what_comes_back() {
    let mut harness = keeping();
    harness.edit(|pipe| _ = pipe.without_target("confluence").without_target("folder"));
    harness.run().expect_exit(0);
    harness.no_photo("alan");
    harness.by_hand("grace", "hand");
    harness.no_photo("grace");
    harness.run().expect_exit(0);
    let sheet = |harness: &Harness| std::fs::read_to_string(harness.path("report/pictures.html")).expect("a page");
    let rows = |page: &str, name: &str| -> Vec<usize> {
        let rows = page
            .split("<li data-f=")
            .skip(1)
            .filter(|row| row.contains(&format!("<bdi>{name}</bdi>")) && row.contains(">revert<"));
        rows.map(|row| row.split("</li>").next().unwrap_or_default().matches("<img").count()).collect()
    };
    let run = sheet(&harness);
    assert_eq!(rows(&run, "alan"), [1, 1], "what was kept");
    assert_eq!(rows(&run, "grace"), [0, 1], "Jira keeps it, so nobody had to");
    assert!(run.contains("1 picture that goes is not shown, since a run asks for no picture more"), "{run}");
    undo(&harness, &[]).expect_exit(0);
    let plan = sheet(&harness);
    assert_eq!((rows(&plan, "alan"), rows(&plan, "grace")), (vec![1, 1], vec![1, 1]), "what comes back");
    undo(&harness, &["--apply"]).expect_exit(0);
    assert_eq!(rows(&sheet(&harness), "alan"), [1, 1]);
}
