//! A lost or old state is survivable: pictures that look alike are adopted without a write, and never deleted.

use avatarpipe_sandbox::entra::world::{NoPhoto, Photo};
use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use avatarpipe_sandbox::truth::ShownKind;

use super::harness::Harness;
use super::population::{Population, face, file};
use super::truth::Shows::{Default, Face};

const PEOPLE: [&str; 3] = ["ada", "grace", "alan"];

fn without_state() -> Harness {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| {
        pipe.top("limits", "{ reverts: { count: 10 } }");
    });
    harness.run().expect_exit(0);
    std::fs::remove_dir_all(harness.path("state")).expect("the state is lost");
    harness.sandbox.requests().reset();
    harness
}

#[test]
fn pictures_that_look_alike_are_adopted_without_a_write() {
    let harness = without_state();
    let (ended, _) = harness.counted(Harness::run);
    assert_eq!(ended.expect_exit(0).count("jira", "adopted"), 3);
    assert_eq!(harness.writes(), [""; 0]);
    harness.run().expect_exit(0).expect_answer("nothing to do");
    assert_eq!(harness.writes(), [""; 0]);
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", Face("alan"))]);
}

#[test]
fn adopted_pictures_are_replaced_and_reverted_and_never_deleted() {
    let harness = without_state();
    harness.run().expect_exit(0);
    let adopted: Vec<_> = ["ada", "grace"].map(|name| harness.account(name).now.id).into();
    harness.new_photo("ada", "spare");
    harness.no_photo("grace");
    harness.run().expect_exit(0);
    let truth = harness.sandbox.truth();
    for id in adopted {
        assert!(truth.avatars.iter().any(|avatar| avatar.id == id), "the adopted avatar {id} was deleted");
    }
    assert_eq!(truth.violations, [""; 0]);
    assert_eq!(harness.account("grace").now.kind, avatarpipe_sandbox::truth::ShownKind::Default);
    let spare = super::truth::looks(&super::population::face("spare"));
    assert!(super::truth::looks(&harness.account("ada").now.bytes).fits(&spare));
}

#[test]
fn a_picture_that_differs_is_replaced_after_a_look() {
    let harness = without_state();
    harness.new_photo("ada", "spare");
    let ended = harness.run().expect_exit(0).expect_line("ada", "replace", "photo_new", "done");
    assert_eq!((ended.count("jira", "adopted"), ended.count("jira", "replaced")), (2, 1));
}

/// Pictures that have the greys of the photo, or all of it but a few letters: another picture stands there, and the photo
/// replaces it.
#[test]
fn a_picture_that_differs_visibly_is_not_adopted() {
    let stand = |population: Population, name: &str, picture: Vec<u8>| {
        let of = format!("{name} by hand");
        population.picture(&of, picture).account(name, |account| account.avatars = vec![file(&of).as_str().into()])
    };
    let population = stand(Population::of(&PEOPLE), "ada", tinted(&face("ada")));
    let population = stand(population, "grace", captioned(&face("grace")));
    let population = stand(population, "alan", face("alan"));
    let harness = Harness::of(population.world());
    let ended = harness.run().expect_exit(0);
    let ended = ended.expect_line("ada", "replace", "photo_new", "done");
    let ended = ended.expect_line("grace", "replace", "photo_new", "done");
    assert_eq!(ended.count("jira", "adopted"), 1);
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", Face("alan"))]);
    assert!(!harness.account("alan").changed());
}

/// Another hue with the same greys.
fn tinted(picture: &[u8]) -> Vec<u8> {
    changed(picture, |_, _, grey| {
        let by = f32::from(grey.min(255 - grey).min(60));
        [by, (0.114 - 0.299) / 0.587 * by, -by].map(|by| (f32::from(grey) + by).round() as u8)
    })
}

/// Three strokes as high as small letters.
fn captioned(picture: &[u8]) -> Vec<u8> {
    changed(picture, |x, y, grey| {
        let ink = (84..90).contains(&y) && (40..52).contains(&x) && x % 4 < 2;
        [if ink { grey ^ 0x80 } else { grey }; 3]
    })
}

fn changed(picture: &[u8], colour: impl Fn(u32, u32, u8) -> [u8; 3]) -> Vec<u8> {
    let grey = image::load_from_memory(picture).expect("a picture").into_luma8();
    let changed = image::RgbImage::from_fn(grey.width(), grey.height(), |x, y| {
        image::Rgb(colour(x, y, grey.get_pixel(x, y).0[0]))
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    changed.write_to(&mut bytes, image::ImageFormat::Png).expect("a picture in memory");
    bytes.into_inner()
}

#[test]
fn an_old_state_does_not_bring_old_pictures_back() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| {
        pipe.top("limits", "{ reverts: { count: 10 }, target_drift: { count: 10 } }");
    });
    harness.run().expect_exit(0);
    std::fs::copy(harness.path("state/stage.db"), harness.path("old.db")).expect("a copy");
    harness.new_photo("ada", "spare");
    harness.no_photo("grace");
    harness.run().expect_exit(0);
    std::fs::rename(harness.path("old.db"), harness.path("state/stage.db")).expect("the old state");
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("spare")), ("grace", Default), ("alan", Face("alan"))]);
}

/// The state cannot tell a choice from a face that an unknown run put there: that is told once, and not in every run.
#[test]
fn who_opted_out_and_shows_a_picture_of_an_unknown_run_is_told() {
    let mut harness = without_state();
    harness.edit(|pipe| _ = pipe.entra("users", "{ opted_out: [\"ada@contoso.example\"] }"));
    let told = "1 person who opted out shows an uploaded picture that is not in this state: put there by somebody, or by a run that \
                this state has not seen";
    harness.plan_with(&[]).expect_exit(0).expect_answer(told);
    let run = harness.run().expect_exit(0).expect_answer(told).expect_line("ada", "keep", "not_ours", "none");
    run.holds_no_answer("own picture");
    harness.run().expect_exit(0).holds_no_answer("who opted out");
    let explained = harness.finish(&["explain", "pipeline.yaml", "ada"]).expect_exit(0);
    explained.expect_answer("an uploaded picture that is not in this state: put there by somebody, or by a run");
}

/// Where people may choose, a picture that looks like their photo is taken for ours, but only while the state knows
/// nothing at all; what looks otherwise is theirs.
#[test]
fn a_lost_state_does_not_turn_our_pictures_into_choices() {
    let population = Population::of(&PEOPLE).chose_by_hand("alan");
    let harness = Harness::of(population.world()).with(|pipe| _ = pipe.jira("ownership", "ours"));
    harness.run().expect_exit(0);
    std::fs::remove_dir_all(harness.path("state")).expect("the state is lost");
    let (ended, _) = harness.counted(Harness::run);
    let ended = ended.expect_exit(0).expect_line("alan", "keep", "chosen_by_hand", "none");
    assert_eq!(ended.count("jira", "adopted"), 2);
    assert_eq!(harness.writes(), [""; 0]);

    harness.new_photo("ada", "spare");
    harness.new_photo("alan", "spare");
    harness.run().expect_exit(0);
    let shown = |name: &str| super::truth::looks(&harness.account(name).now.bytes);
    assert!(shown("ada").fits(&super::truth::looks(&super::population::face("spare"))));
    assert!(!harness.account("alan").changed());
    // From now on nobody's choice is looked at again (promise P5).
    harness.sandbox.requests().reset();
    harness.run().expect_exit(0).expect_answer("nothing to do");
    let calls = harness.calls("jira");
    assert!(calls.iter().all(|call| !call.contains("useravatar")), "{calls:?}");
}

/// The same portrait uploaded by hand after ours was there is taken for ours, as after an older state, and never deleted: what
/// goes is our former one. Another picture is looked at once.
#[test]
fn a_choice_is_a_choice_while_the_state_knows_our_pictures() {
    let harness = Harness::with_people(&PEOPLE).with(|pipe| {
        pipe.jira("ownership", "ours").top("limits", "{ target_drift: { count: 0 } }");
    });
    harness.run().expect_exit(0);
    harness.by_hand("ada", "hand");
    harness.by_hand("grace", "grace");
    harness.sandbox.reset_writes();
    // The second look is at our former one, before it goes.
    for looks in [2, 1, 0] {
        harness.sandbox.requests().reset();
        // A choice is no sign of a restored server.
        harness.run().expect_exit(0).expect_line("ada", "keep", "chosen_by_hand", "none");
        let calls = harness.calls("jira");
        let looked_at = calls.iter().filter(|call| call.contains("useravatar")).count();
        assert_eq!(looked_at, looks, "{calls:?}");
    }
    let writes = harness.sandbox.truth().writes;
    assert!(matches!(&writes[..], [one] if one.what.starts_with("delete ")), "{writes:#?}");
    assert!(harness.account("grace").changed() && harness.account("grace").now.kind == ShownKind::Custom);
    assert_eq!(harness.sandbox.truth().violations, [""; 0]);
}

/// A state that is older than what stands on the servers: what is shown is looked at before it is written to, in every
/// product, and what is right already is not written again.
#[test]
fn an_old_state_is_brought_up_to_date_by_looks() {
    let harness = Harness::connected(Population::of(&PEOPLE).everywhere().world());
    harness.run().expect_exit(0);
    std::fs::copy(harness.path("state/stage.db"), harness.path("old.db")).expect("a copy");
    harness.new_photo("ada", "spare");
    harness.run().expect_exit(0);
    std::fs::rename(harness.path("old.db"), harness.path("state/stage.db")).expect("the old state");
    harness.sandbox.reset_writes();
    let ended = harness.run().expect_exit(0);
    assert_eq!(harness.sandbox.truth().writes, []);
    for target in ["jira", "confluence", "bitbucket"] {
        assert_eq!(ended.count(target, "adopted"), 1, "{target}");
        harness.expect_shown_in(target, &[("ada", Face("spare")), ("grace", Face("grace")), ("alan", Face("alan"))]);
    }
    harness.run().expect_exit(0).expect_answer("nothing to do");

    // An adopted face goes with the photo, in Bitbucket too, which goes back to the default by deleting alone.
    harness.no_photo("ada");
    let ended = harness.run().expect_exit(0);
    assert_eq!(["jira", "confluence", "bitbucket"].map(|target| ended.count(target, "reverted")), [1, 1, 1]);
    for target in ["jira", "confluence", "bitbucket"] {
        // Where the product keeps it, an adopted picture is not deleted.
        assert_eq!(harness.account_in(target, "ada").now.kind, ShownKind::Default, "{target}");
    }
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

/// The same people under another source: whom a picture of ours stands for is recorded in a run that adopts nothing, too.
#[test]
fn whom_a_picture_stands_for_is_recorded_though_nothing_is_adopted() {
    let mut harness = Harness::with_people(&PEOPLE);
    harness.run().expect_exit(0);
    harness.edit(|pipe| _ = pipe.entra("id", "directory"));
    harness.sandbox.reset_writes();
    let ended = harness.run().expect_exit(0).expect_answer("nothing to do");
    assert_eq!((ended.count("jira", "adopted"), ended.count("jira", "unchanged")), (0, 3));
    assert_eq!(harness.sandbox.truth().writes, []);
    let state = rusqlite::Connection::open(harness.path("state/stage.db")).expect("the state");
    let recorded = "SELECT count(*) FROM placement JOIN word ON id = source WHERE text = 'directory'";
    let recorded: u32 = state.query_row(recorded, [], |row| row.get(0)).expect("a count");
    assert_eq!(recorded, 3);
}

/// A target that goes away amid the looks is told of with all that was decided, whether or not one look came to its end.
#[test]
fn a_target_that_goes_away_amid_the_looks_is_told_of_whole() {
    let away = Effect::Answer(Answer::retry_after(503, "864000"));
    for seen in 0..2 {
        let harness = Harness::with_people(&PEOPLE).with(|pipe| {
            pipe.top("rates", "{ fast: { units: 100000, per: 1s, burst: 100000, concurrency: 1 } }");
        });
        PEOPLE.iter().for_each(|name| _ = harness.by_hand(name, "hand"));
        harness.sandbox.reset_writes();
        harness.sandbox.fault(Fault::new(away.clone()).at("jira").on("GET", "*/useravatar").after(seen));
        let ended = harness.run().expect_exit(6).expect_answer("jira (failed)");
        assert_eq!((ended.count("jira", "accounts"), ended.count("jira", "matched")), (4, 3), "{seen} seen");
        assert_eq!(harness.sandbox.truth().writes, []);
    }
}

/// Two runners with copies of one state: what each made stays on record until it is seen gone.
#[test]
fn two_runners_leave_no_stray_picture_for_good() {
    let harness = Harness::with_people(&PEOPLE);
    harness.run().expect_exit(0);
    let (state, other) = (harness.path("state/stage.db"), harness.path("other.db"));
    let swap = || {
        let third = harness.path("third.db");
        for (from, to) in [(&state, &third), (&other, &state), (&third, &other)] {
            std::fs::rename(from, to).expect("another runner's state");
        }
    };
    std::fs::copy(&state, &other).expect("a copy");
    // Each makes the new picture over what it takes for somebody's own.
    harness.new_photo("ada", "spare");
    harness.run().expect_exit(0);
    harness.new_photo("ada", "hand");
    swap();
    harness.run().expect_exit(0);
    swap();
    for _ in 0..2 {
        // The picture of the other is adopted, and the own one is over.
        harness.run().expect_exit(0);
    }
    harness.expect_shown(&[("ada", Face("hand")), ("grace", Face("grace")), ("alan", Face("alan"))]);
    harness.run().expect_exit(0).expect_answer("nothing to do");
}

/// As the next, where the photos are the same, and only our pictures are newer than the state.
#[test]
fn pictures_of_ours_that_were_written_again_are_no_choices() {
    let mut harness = Harness::with_people(&PEOPLE).with(|pipe| _ = pipe.jira("ownership", "ours"));
    harness.run().expect_exit(0);
    std::fs::copy(harness.path("state/stage.db"), harness.path("old.db")).expect("a copy");
    harness.run_with(&["--rerender"]).expect_exit(0);
    harness.by_hand("alan", "hand");
    std::fs::rename(harness.path("old.db"), harness.path("state/stage.db")).expect("the old state");
    let (ended, _) = harness.counted(Harness::run);
    ended.expect_exit(0).expect_line("alan", "keep", "chosen_by_hand", "none");
    harness.edit(|pipe| _ = pipe.entra("users", "{ opted_out: ['ada@*'] }"));
    harness.run().expect_exit(0).expect_line("ada", "remove", "opted_out", "done");
    // What was adopted is not deleted.
    assert_eq!(harness.account("ada").now.kind, ShownKind::Default);
    let hand = super::truth::looks(&face("hand"));
    assert!(super::truth::looks(&harness.account("alan").now.bytes).fits(&hand));
}

/// Who opts out after a lost state, in every product and in a folder: the face goes where a run may take it off, and where it may
/// not, that is no success, and whoever has to do it is told.
#[test]
fn a_recognised_picture_of_who_opted_out_goes_or_is_told() {
    for ownership in ["provider", "ours"] {
        let stays = ownership == "ours";
        let mut harness = Harness::connected(Population::of(&PEOPLE).everywhere().world());
        harness.edit(|pipe| {
            pipe.target("folder").set("path", "out");
            pipe.target("bitbucket").set("ownership", ownership);
            pipe.top("limits", "{ reverts: { count: 10 } }");
        });
        harness.run().expect_exit(0);
        std::fs::remove_dir_all(harness.path("state")).expect("the state is lost");
        harness.run().expect_exit(0);
        harness.edit(|pipe| _ = pipe.entra("users", "{ opted_out: ['ada@*'] }"));
        harness.plan_with(&[]).expect_exit(3).expect_answer("to take off by hand");
        let ended = harness.run().expect_exit(3).expect_answer("a face has to be taken off by hand");
        let ended = ended.expect_answer(&format!("{} to take off by hand", 1 + u64::from(stays)));
        ended.holds_no_answer("the picture there is not on record as ours");
        let faces = ["jira", "confluence", "bitbucket", "folder"].map(|target| {
            let lines = ended.report()["targets"].as_array().cloned().unwrap_or_default();
            let line = lines.into_iter().find(|line| line["id"] == target).expect("a line of each target");
            line["still_shown"].as_u64().unwrap_or_default()
        });
        assert_eq!(faces, [0, 0, u64::from(stays), 1]);
        for target in ["jira", "confluence"] {
            assert_eq!(harness.account_in(target, "ada").now.kind, ShownKind::Default, "{target}");
        }
        // What Jira keeps beside the default is Ada's own by now: it was recognised, and not made.
        assert_eq!(harness.account_in("bitbucket", "ada").now.kind == ShownKind::Default, !stays, "{ownership}");
        let written = |name: &str| std::fs::read_to_string(harness.path(&format!("report/{name}"))).expect("a report");
        for (name, holds) in [
            ("junit.xml", "type=\"still_shown\""),
            ("metrics.prom", "avatarpipe_target_still_shown{pipeline=\"stage\",target=\"folder\"} 1"),
            ("summary.md", "## to take off by hand"),
            ("pictures.html", "id=\"by-hand\""),
        ] {
            assert!(written(name).contains(holds), "{name} has no {holds}");
        }
        let told = harness.finish(&["explain", "pipeline.yaml", "ada"]).expect_exit(0);
        let told = told.expect_answer("to do      take it off by hand").expect_answer("its file is in `out`");
        told.holds(told.stdout.contains("/users/ada is the account") == stays, "the page of the account");
        harness.finish(&["status", "pipeline.yaml"]).expect_answer("to take off by hand");
        // Once it is off by hand, all is well.
        std::fs::remove_file(harness.path("out/ada.png")).expect("the picture");
        if !stays {
            harness.run().expect_exit(0);
        }
    }
}

/// Where people may choose, pictures of ours that an older state does not know are no choices of theirs.
#[test]
fn an_old_state_does_not_turn_our_pictures_into_choices() {
    let population = Population::of(&PEOPLE).photo("grace", Photo::None(NoPhoto::ImageNotFound));
    let harness = Harness::of(population.world()).with(|pipe| _ = pipe.jira("ownership", "ours"));
    harness.run().expect_exit(0);
    std::fs::copy(harness.path("state/stage.db"), harness.path("old.db")).expect("a copy");
    // One gets another photo, one the first; a third chooses a picture.
    harness.new_photo("ada", "spare");
    harness.new_photo("grace", "grace");
    harness.run().expect_exit(0);
    harness.by_hand("alan", "hand");
    std::fs::rename(harness.path("old.db"), harness.path("state/stage.db")).expect("the old state");
    harness.sandbox.reset_writes();
    let (ended, _) = harness.counted(Harness::run);
    let ended = ended.expect_exit(0).expect_line("alan", "keep", "chosen_by_hand", "none");
    assert_eq!(ended.count("jira", "adopted"), 2);
    assert_eq!(harness.sandbox.truth().writes, []);
    // They are served as before, and nobody's choice is looked at again (promise P5).
    harness.new_photo("ada", "hand");
    harness.no_photo("grace");
    harness.run().expect_exit(0);
    let shown = |name: &str| super::truth::looks(&harness.account(name).now.bytes);
    let hand = super::truth::looks(&super::population::face("hand"));
    assert!(shown("ada").fits(&hand) && shown("alan").fits(&hand));
    assert_eq!(harness.account("grace").now.kind, avatarpipe_sandbox::truth::ShownKind::Default);
    harness.sandbox.requests().reset();
    harness.run().expect_exit(0).expect_answer("nothing to do");
    let calls = harness.calls("jira");
    assert!(calls.iter().all(|call| !call.contains("useravatar")), "{calls:?}");
}
