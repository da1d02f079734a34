//! What the person does between the kill and the next run: uploads another picture, or the very portrait that the run
//! was at.
//!
//! Owns: that nothing of the person's own is ever deleted, then or later, and that a choice stands where `ownership: ours`
//! says so.
//! Leaves to others: kills with nobody about (the products).
//! A newcomer gets wrong: by its looks the person's upload of the same portrait cannot be told from ours. So it may be
//! taken for ours, and must never be deleted as ours.

use std::time::Duration;

use avatarpipe::inside::{DecodeLimits, Resize, render};
use avatarpipe_sandbox::truth::ShownKind;

use super::elsewhere::kill_at_the_store;
use super::kills::{
    Begins, Calm, Case, Killed, MULTIPART, ONE_STEP, OVER_OURS, REVERT, RUN, SESSION, Way, XMLRPC, kill_at,
};
use crate::suite::harness::Harness;
use crate::suite::population::{Population, face};
use crate::suite::stores::KilledAt;
use crate::suite::truth::{Shows, looks};

/// What the person uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Uploads {
    /// Some other picture, at once.
    Another,
    /// The bytes that the run sends, minutes later.
    TheSameBytes,
    /// The same portrait, encoded anew, minutes later.
    TheSamePortrait,
}

/// Every upload, under the ownership that has more to lose by it.
const TURNS: [(Uploads, &str); 4] = [
    (Uploads::Another, "ours"),
    (Uploads::Another, "provider"),
    (Uploads::TheSameBytes, "provider"),
    (Uploads::TheSamePortrait, "ours"),
];

/// When the run is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// At a request to the product.
    Product(u32, Killed),
    /// At one to the store of the state.
    Store(KilledAt),
}

/// The face that the write under test is about.
fn wanted(case: &Case) -> &'static str {
    match (case.shows)(0) {
        Shows::Face(face) => face,
        _ => "ada",
    }
}

fn harness(way: &Way, case: &Case, ownership: &str) -> Harness {
    let side = (way.upload == Some("one_step")).then_some(48);
    let sent = render(&face(wanted(case)), &Resize::default(), side, &DecodeLimits::default()).expect("a face");
    let population =
        Population::of(&["ada"]).with_picture("sent", sent.bytes.to_vec()).with_picture("last", face("last"));
    let mut harness = way.harness_of(population, Begins::WithOurs);
    (case.change)(&harness, way, 0);
    harness.edit(|pipe| _ = pipe.target(way.target).set("ownership", ownership));
    harness
}

/// The person uploads; the id of the picture comes back.
fn upload(harness: &Harness, way: &Way, case: &Case, uploads: Uploads) -> String {
    let picture = match uploads {
        Uploads::Another => "hand",
        Uploads::TheSameBytes => "sent",
        Uploads::TheSamePortrait => wanted(case),
    };
    if uploads != Uploads::Another {
        harness.sandbox.advance(Duration::from_secs(600));
    }
    harness.by_hand_in(way.target, "ada", picture);
    harness.account_in(way.target, "ada").now.id
}

fn interfere(way: &Way, case: &Case, moments: &[(u32, Killed)]) {
    for (nth, killed) in moments {
        for turn in TURNS {
            interfere_once(way, case, Moment::Product(*nth, *killed), turn);
        }
    }
}

fn interfere_once(way: &Way, case: &Case, moment: Moment, (uploads, ownership): (Uploads, &str)) {
    println!("{way:?}, {}: killed at {moment:?}, {uploads:?}, {ownership}", case.name);
    let mut harness = harness(way, case, ownership);
    match moment {
        Moment::Product(nth, killed) => kill_at(&mut harness, way, nth, killed),
        Moment::Store(killed) => kill_at_the_store(&mut harness, &RUN, killed),
    }
    let own = upload(&harness, way, case, uploads);
    if case.name == REVERT.name {
        every_picture_may_go(&harness, way, ownership);
    }
    harness.run().expect_exit(0);
    expect_settled(&harness, way, case, (uploads, ownership), &own);
    expect_the_own_one(&harness, way, ownership, &own);
    // Later in life: what is taken for ours would be deleted now.
    harness.no_photo("ada");
    every_picture_may_go(&harness, way, ownership);
    harness.run();
    expect_the_own_one(&harness, way, ownership, &own);
}

/// Every write that a person comes between.
pub(super) const INTERFERED: [(Way, &Case); 7] = [
    (SESSION, &OVER_OURS),
    (SESSION, &REVERT),
    (ONE_STEP, &OVER_OURS),
    (XMLRPC, &OVER_OURS),
    (XMLRPC, &REVERT),
    (MULTIPART, &OVER_OURS),
    (MULTIPART, &REVERT),
];

/// With the state in a bucket: before each write and after it, and around each request to the store, at those whose number
/// is chosen.
pub(super) fn interfere_at_each(way: &Way, case: &Case, chosen: impl Fn(usize) -> bool) {
    let mut number = 0;
    let calm = |ownership| Calm::of(&harness(way, case, ownership), way);
    let calm = [("ours", calm("ours")), ("provider", calm("provider"))];
    for turn in TURNS {
        let (_, calm) = calm.iter().find(|(ownership, _)| *ownership == turn.1).expect("both were looked at");
        let around = |nth| [Killed::Before, Killed::After].map(|killed| Moment::Product(nth, killed));
        let moments = calm.writes().into_iter().flat_map(around);
        for moment in moments.chain(calm.turns_at_the_store().into_iter().map(Moment::Store)) {
            if chosen(number) {
                interfere_once(way, case, moment, turn);
            }
            number += 1;
        }
    }
}

/// With `ownership: provider` a proven absence takes any picture off; in Bitbucket that deletes it
/// (docs/write-protocols.md).
fn every_picture_may_go(harness: &Harness, way: &Way, ownership: &str) {
    if way.target == "bitbucket" && ownership == "provider" {
        harness.sandbox.switch("bitbucket", "others_pictures", "may_go").unwrap_or_else(|fault| panic!("{fault}"));
    }
}

/// What is shown after the next run.
#[track_caller]
fn expect_settled(harness: &Harness, way: &Way, case: &Case, (uploads, ownership): (Uploads, &str), own: &str) {
    let now = harness.account_in(way.target, "ada").now;
    if ownership == "provider" && case.name == REVERT.name {
        assert_eq!(now.kind, ShownKind::Default, "whoever provably has no photo goes back to the default");
    } else {
        assert_eq!(now.kind, ShownKind::Custom, "a picture is shown");
        let replaced = uploads == Uploads::Another && ownership == "provider";
        let face_of = match uploads {
            Uploads::Another if !replaced => "hand",
            _ => wanted(case),
        };
        assert!(looks(&now.bytes).fits(&looks(&face(face_of))), "it is the face of {face_of}");
    }
    if ownership == "ours" {
        assert_eq!(now.id, own, "the choice of the person stands");
    }
    let strays =
        harness.sandbox.truth().avatars.into_iter().filter(|avatar| avatar.creator != "world" && !avatar.selected);
    // Beside the same portrait of the person's own, ours cannot be told apart and is left.
    if uploads == Uploads::Another {
        let shown_once = |id: &str| {
            let select = format!("select {id}");
            harness.sandbox.truth().writes.iter().any(|write| write.what == select)
        };
        let strays: Vec<_> = strays.map(|avatar| avatar.id).filter(|id| !shown_once(id)).collect();
        assert_eq!(strays, [""; 0], "pictures of ours that nobody ever saw");
    }
}

/// No rule was broken, and the upload of the person is there. Bitbucket keeps nothing that is replaced.
#[track_caller]
fn expect_the_own_one(harness: &Harness, way: &Way, ownership: &str, own: &str) {
    let truth = harness.sandbox.truth();
    assert_eq!(truth.violations, [""; 0], "the simulators saw rules broken");
    if way.target != "bitbucket" || ownership == "ours" {
        let there = truth.avatars.iter().any(|avatar| avatar.simulator == way.target && avatar.id == own);
        assert!(there, "the picture {own} of the person's own is gone: {:#?}", truth.writes);
    }
}

/// Before each write, and after it with the answer lost.
fn moments(way: &Way, case: &Case) -> Vec<(u32, Killed)> {
    let harness = harness(way, case, "provider");
    let writes = Calm::of(&harness, way).writes().into_iter();
    writes.flat_map(|nth| [(nth, Killed::Before), (nth, Killed::After)]).collect()
}

#[test]
fn around_a_replacement_at_jira_nothing_of_the_persons_own_is_deleted() {
    interfere(&SESSION, &OVER_OURS, &moments(&SESSION, &OVER_OURS));
}

#[test]
fn around_a_revert_at_jira_nothing_of_the_persons_own_is_deleted() {
    interfere(&SESSION, &REVERT, &moments(&SESSION, &REVERT));
}

#[test]
fn around_a_picture_made_in_one_step_nothing_of_the_persons_own_is_deleted() {
    // Made, or not.
    interfere(&ONE_STEP, &OVER_OURS, &moments(&ONE_STEP, &OVER_OURS)[..2]);
}

#[test]
fn at_confluence_nothing_of_the_persons_own_is_deleted() {
    interfere(&XMLRPC, &OVER_OURS, &moments(&XMLRPC, &OVER_OURS));
    interfere(&XMLRPC, &REVERT, &moments(&XMLRPC, &REVERT));
}

#[test]
fn at_bitbucket_nothing_of_the_persons_own_is_deleted() {
    let replace = moments(&MULTIPART, &OVER_OURS);
    // Sent and recorded, and its mark not known yet: the next request is the listing that would tell it.
    let unconfirmed = replace.last().map(|(nth, _)| (nth + 1, Killed::Before));
    interfere(&MULTIPART, &OVER_OURS, &replace.into_iter().chain(unconfirmed).collect::<Vec<_>>());
    interfere(&MULTIPART, &REVERT, &moments(&MULTIPART, &REVERT));
}
