//! A lost or old state is survivable: pictures that look alike are adopted without a write, and never deleted.

use avatarpipe_sandbox::entra::world::{NoPhoto, Photo};
use avatarpipe_sandbox::truth::ShownKind;

use super::company::{Company, face, file};
use super::stage::Stage;
use super::truth::Shows::{Default, Face};

const PEOPLE: [&str; 3] = ["ada", "grace", "alan"];

fn without_state() -> Stage {
    let stage = Stage::company(&PEOPLE).with(|pipe| {
        pipe.top("limits", "{ reverts: { count: 10 } }");
    });
    stage.run().expect_exit(0);
    std::fs::remove_dir_all(stage.path("state")).expect("the state is lost");
    stage.sandbox.requests().reset();
    stage
}

#[test]
fn pictures_that_look_alike_are_adopted_without_a_write() {
    let stage = without_state();
    let (ended, _) = stage.counted(Stage::run);
    assert_eq!(ended.expect_exit(0).count("jira", "adopted"), 3);
    assert_eq!(stage.writes(), [""; 0]);
    stage.run().expect_exit(0).expect_answer("nothing to do");
    assert_eq!(stage.writes(), [""; 0]);
    stage.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", Face("alan"))]);
}

#[test]
fn adopted_pictures_are_replaced_and_reverted_and_never_deleted() {
    let stage = without_state();
    stage.run().expect_exit(0);
    let adopted: Vec<_> = ["ada", "grace"].map(|name| stage.account(name).now.id).into();
    stage.new_photo("ada", "spare");
    stage.no_photo("grace");
    stage.run().expect_exit(0);
    let truth = stage.sandbox.truth();
    for id in adopted {
        assert!(truth.avatars.iter().any(|avatar| avatar.id == id), "the adopted avatar {id} was deleted");
    }
    assert_eq!(truth.violations, [""; 0]);
    assert_eq!(stage.account("grace").now.kind, avatarpipe_sandbox::truth::ShownKind::Default);
    let spare = super::truth::looks(&super::company::face("spare"));
    assert!(super::truth::looks(&stage.account("ada").now.bytes).fits(&spare));
}

#[test]
fn a_picture_that_differs_is_replaced_after_a_look() {
    let stage = without_state();
    stage.new_photo("ada", "spare");
    let ended = stage.run().expect_exit(0).expect_line("ada", "replace", "photo_new", "done");
    assert_eq!((ended.count("jira", "adopted"), ended.count("jira", "replaced")), (2, 1));
}

/// Pictures that have the greys of the photo, or all of it but a few letters: another picture stands there, and the photo
/// replaces it.
#[test]
fn a_picture_that_differs_visibly_is_not_adopted() {
    let stand = |company: Company, name: &str, picture: Vec<u8>| {
        let of = format!("{name} by hand");
        company.picture(&of, picture).account(name, |account| account.avatars = vec![file(&of).as_str().into()])
    };
    let company = stand(Company::of(&PEOPLE), "ada", tinted(&face("ada")));
    let company = stand(company, "grace", captioned(&face("grace")));
    let company = stand(company, "alan", face("alan"));
    let stage = Stage::of(company.world());
    let ended = stage.run().expect_exit(0);
    let ended = ended.expect_line("ada", "replace", "photo_new", "done");
    let ended = ended.expect_line("grace", "replace", "photo_new", "done");
    assert_eq!(ended.count("jira", "adopted"), 1);
    stage.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace")), ("alan", Face("alan"))]);
    assert!(!stage.account("alan").changed());
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
    let stage = Stage::company(&PEOPLE).with(|pipe| {
        pipe.top("limits", "{ reverts: { count: 10 }, target_drift: { count: 10 } }");
    });
    stage.run().expect_exit(0);
    std::fs::copy(stage.path("state/stage.db"), stage.path("old.db")).expect("a copy");
    stage.new_photo("ada", "spare");
    stage.no_photo("grace");
    stage.run().expect_exit(0);
    std::fs::rename(stage.path("old.db"), stage.path("state/stage.db")).expect("the old state");
    stage.run().expect_exit(0);
    stage.expect_shown(&[("ada", Face("spare")), ("grace", Default), ("alan", Face("alan"))]);
}

/// Where people may choose, a picture that looks like their photo is taken for ours, but only while the state knows
/// nothing at all; what looks otherwise is theirs.
#[test]
fn a_lost_state_does_not_turn_our_pictures_into_choices() {
    let company = Company::of(&PEOPLE).chose_by_hand("alan");
    let stage = Stage::of(company.world()).with(|pipe| _ = pipe.jira("ownership", "ours"));
    stage.run().expect_exit(0);
    std::fs::remove_dir_all(stage.path("state")).expect("the state is lost");
    let (ended, _) = stage.counted(Stage::run);
    let ended = ended.expect_exit(0).expect_line("alan", "keep", "chosen_by_hand", "none");
    assert_eq!(ended.count("jira", "adopted"), 2);
    assert_eq!(stage.writes(), [""; 0]);

    stage.new_photo("ada", "spare");
    stage.new_photo("alan", "spare");
    stage.run().expect_exit(0);
    let shown = |name: &str| super::truth::looks(&stage.account(name).now.bytes);
    assert!(shown("ada").fits(&super::truth::looks(&super::company::face("spare"))));
    assert!(!stage.account("alan").changed());
    // From now on nobody's choice is looked at again (promise P5).
    stage.sandbox.requests().reset();
    stage.run().expect_exit(0).expect_answer("nothing to do");
    let calls = stage.calls("jira");
    assert!(calls.iter().all(|call| !call.contains("useravatar")), "{calls:?}");
}

/// The same portrait uploaded by hand after ours was there is a choice like any other.
#[test]
fn a_choice_is_a_choice_while_the_state_knows_our_pictures() {
    let stage = Stage::company(&PEOPLE).with(|pipe| {
        pipe.jira("ownership", "ours").top("limits", "{ target_drift: { count: 0 } }");
    });
    stage.run().expect_exit(0);
    stage.by_hand("ada", "hand");
    stage.by_hand("grace", "grace");
    stage.sandbox.reset_writes();
    for _ in 0..2 {
        // A choice is no sign of a restored server.
        stage.run().expect_exit(0).expect_line("ada", "keep", "chosen_by_hand", "none");
    }
    assert_eq!(stage.sandbox.truth().writes, []);
    assert_eq!(stage.sandbox.truth().violations, [""; 0]);
}

/// A state that is older than what stands on the servers: what is shown is looked at before it is written to, in every
/// product, and what is right already is not written again.
#[test]
fn an_old_state_is_brought_up_to_date_by_looks() {
    let stage = Stage::connected(Company::of(&PEOPLE).everywhere().world());
    stage.run().expect_exit(0);
    std::fs::copy(stage.path("state/stage.db"), stage.path("old.db")).expect("a copy");
    stage.new_photo("ada", "spare");
    stage.run().expect_exit(0);
    std::fs::rename(stage.path("old.db"), stage.path("state/stage.db")).expect("the old state");
    stage.sandbox.reset_writes();
    let ended = stage.run().expect_exit(0);
    assert_eq!(stage.sandbox.truth().writes, []);
    for target in ["jira", "confluence", "bitbucket"] {
        assert_eq!(ended.count(target, "adopted"), 1, "{target}");
        stage.expect_shown_in(target, &[("ada", Face("spare")), ("grace", Face("grace")), ("alan", Face("alan"))]);
    }
    stage.run().expect_exit(0).expect_answer("nothing to do");

    // An adopted face goes with the photo, in Bitbucket too, which goes back to the default by deleting alone.
    stage.no_photo("ada");
    let ended = stage.run().expect_exit(0);
    assert_eq!(["jira", "confluence", "bitbucket"].map(|target| ended.count(target, "reverted")), [1, 1, 1]);
    for target in ["jira", "confluence", "bitbucket"] {
        // Where the product keeps it, an adopted picture is not deleted.
        assert_eq!(stage.account_in(target, "ada").now.kind, ShownKind::Default, "{target}");
    }
    stage.run().expect_exit(0).expect_answer("nothing to do");
}

/// Two runners with copies of one state: what each made stays on record until it is seen gone.
#[test]
fn two_runners_leave_no_stray_picture_for_good() {
    let stage = Stage::company(&PEOPLE);
    stage.run().expect_exit(0);
    let (state, other) = (stage.path("state/stage.db"), stage.path("other.db"));
    let swap = || {
        let third = stage.path("third.db");
        for (from, to) in [(&state, &third), (&other, &state), (&third, &other)] {
            std::fs::rename(from, to).expect("another runner's state");
        }
    };
    std::fs::copy(&state, &other).expect("a copy");
    // Each makes the new picture over what it takes for somebody's own.
    stage.new_photo("ada", "spare");
    stage.run().expect_exit(0);
    stage.new_photo("ada", "hand");
    swap();
    stage.run().expect_exit(0);
    swap();
    for _ in 0..2 {
        // The picture of the other is adopted, and the own one is over.
        stage.run().expect_exit(0);
    }
    stage.expect_shown(&[("ada", Face("hand")), ("grace", Face("grace")), ("alan", Face("alan"))]);
    stage.run().expect_exit(0).expect_answer("nothing to do");
}

/// Where people may choose, pictures of ours that an older state does not know are no choices of theirs.
#[test]
fn an_old_state_does_not_turn_our_pictures_into_choices() {
    let company = Company::of(&PEOPLE).photo("grace", Photo::None(NoPhoto::ImageNotFound));
    let stage = Stage::of(company.world()).with(|pipe| _ = pipe.jira("ownership", "ours"));
    stage.run().expect_exit(0);
    std::fs::copy(stage.path("state/stage.db"), stage.path("old.db")).expect("a copy");
    // One gets another photo, one the first; a third chooses a picture.
    stage.new_photo("ada", "spare");
    stage.new_photo("grace", "grace");
    stage.run().expect_exit(0);
    stage.by_hand("alan", "hand");
    std::fs::rename(stage.path("old.db"), stage.path("state/stage.db")).expect("the old state");
    stage.sandbox.reset_writes();
    let (ended, _) = stage.counted(Stage::run);
    let ended = ended.expect_exit(0).expect_line("alan", "keep", "chosen_by_hand", "none");
    assert_eq!(ended.count("jira", "adopted"), 2);
    assert_eq!(stage.sandbox.truth().writes, []);
    // They are served as before, and nobody's choice is looked at again (promise P5).
    stage.new_photo("ada", "hand");
    stage.no_photo("grace");
    stage.run().expect_exit(0);
    let shown = |name: &str| super::truth::looks(&stage.account(name).now.bytes);
    let hand = super::truth::looks(&super::company::face("hand"));
    assert!(shown("ada").fits(&hand) && shown("alan").fits(&hand));
    assert_eq!(stage.account("grace").now.kind, avatarpipe_sandbox::truth::ShownKind::Default);
    stage.sandbox.requests().reset();
    stage.run().expect_exit(0).expect_answer("nothing to do");
    let calls = stage.calls("jira");
    assert!(calls.iter().all(|call| !call.contains("useravatar")), "{calls:?}");
}
