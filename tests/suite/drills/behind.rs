//! Photos that come under another marker than the provider told of them in the same run: a store that is behind, and a batch
//! whose answers were mixed up (docs/wire/microsoft-graph.md §3.6, §7).
//!
//! Owns: that nobody gets another's face of it, and that what was missed is made good by the next run.
//! Leaves to others: markers that differ for everybody (`sources`), contradictions of a photo and none (`refusals`).
//! A newcomer gets wrong: both answers are whole and right, each by itself.

use std::collections::BTreeMap;

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use base64::Engine as _;
use serde_json::{Value, json};

use super::super::harness::Harness;
use super::super::population::address;
use super::super::truth::Shows::{Default, Face};
use super::PEOPLE;

/// An answer about one person's photo, as often as is said.
struct Dialled<'a> {
    harness: &'a Harness,
    id: String,
}

impl<'a> Dialled<'a> {
    fn of(harness: &'a Harness, name: &str) -> Self {
        let people = harness.sandbox.truth().people;
        let person = people.into_iter().find(|person| person.user_name == address(name)).expect("a person");
        Self { harness, id: person.id }
    }

    fn bytes(&self) -> Vec<u8> {
        let people = self.harness.sandbox.truth().people;
        let person = people.into_iter().find(|person| person.id == self.id).expect("a person");
        person.photo.expect("a photo").0.to_vec()
    }

    fn answers(&self, path: &str, answer: Answer, times: u32) {
        let fault = Fault::new(Effect::Answer(answer)).at("graph").in_parts().times(times);
        self.harness.sandbox.fault(fault.on("GET", &format!("*/users/{}/{path}", self.id)));
    }

    /// What the metadata say in the next run.
    fn metadata(&self, marker: &str) {
        let context = format!("https://graph.microsoft.com/v1.0/$metadata#users('{}')/photo/$entity", self.id);
        let body = json!({ "@odata.context": context, "@odata.mediaContentType": "image/png", "@odata.mediaEtag": marker,
            "id": "240X240", "width": 240, "height": 240 });
        self.answers("photo", Answer { status: 200, body, ..Answer::default() }, 1);
    }

    /// The bytes that come, and the marker beside them.
    fn value(&self, bytes: &[u8], marker: Option<&str>, times: u32) {
        let mut headers = BTreeMap::from([("Content-Type".to_owned(), "image/png".to_owned())]);
        headers.extend(marker.map(|marker| ("ETag".to_owned(), marker.to_owned())));
        let body: Value = base64::engine::general_purpose::STANDARD.encode(bytes).into();
        self.answers("photo/$value", Answer { status: 200, headers, body }, times);
    }
}

/// Everybody's photo is known, and by its marker.
fn known() -> Harness {
    let harness = Harness::with_people(&PEOPLE);
    harness.run().expect_exit(0);
    harness
}

#[test]
fn a_store_that_is_behind_once_is_asked_again_by_the_next_run() {
    for marker in [None, Some("W/\"then\""), Some("W/\"now\"")] {
        let harness = known();
        let ada = Dialled::of(&harness, "ada");
        let then = ada.bytes();
        harness.new_photo("ada", "spare");
        ada.metadata("W/\"now\"");
        // Twice: whoever comes under a marker that does not fit is asked again in the same run.
        ada.value(&then, marker, 2);
        harness.run().expect_exit(0);
        harness.expect_shown_in("jira", &[("ada", Face("ada"))]);
        harness.sandbox.faults().clear();
        harness.run().expect_exit(0);
        harness.expect_shown_in("jira", &[("ada", Face("spare"))]);
        // And then no more.
        harness.run().expect_exit(0).expect_answer("nothing to do");
        assert_eq!(harness.run().report()["sources"][0]["downloaded"], 0);
    }
}

#[test]
fn a_batch_that_mixed_its_answers_up_puts_nobodys_face_on_another() {
    for (times, exit) in [(1, 0), (2, 6)] {
        let harness = known();
        let everybody = PEOPLE.map(|name| Dialled::of(&harness, name));
        let faces = everybody.each_ref().map(Dialled::bytes);
        // Each photo is new, and comes under the marker of the next one, with its bytes.
        for (name, person) in PEOPLE.iter().zip(&everybody) {
            harness.new_photo(name, name);
            person.metadata(&format!("W/\"{name}\""));
        }
        for (at, person) in everybody.iter().enumerate() {
            let next = (at + 1) % PEOPLE.len();
            person.value(&faces[next], Some(&format!("\"{}\"", PEOPLE[next])), times);
        }
        harness.run().expect_exit(exit);
        harness.expect_shown_in("jira", &PEOPLE.map(|name| (name, Face(name))));
        harness.sandbox.faults().clear();
        harness.run().expect_exit(0);
        harness.expect_shown_in("jira", &PEOPLE.map(|name| (name, Face(name))));
    }
}

/// Metadata without a marker are of a photo all the same.
#[test]
fn a_photo_that_is_described_and_not_there_is_not_absent() {
    let harness = known();
    let ada = Dialled::of(&harness, "ada");
    ada.metadata("");
    let body = json!({ "error": { "code": "ImageNotFound", "message": "It was not found." } });
    ada.answers("photo/$value", Answer { status: 404, body, ..Answer::default() }, 9);
    harness.run().expect_exit(0);
    harness.expect_shown_in("jira", &[("ada", Face("ada"))]);
    harness.sandbox.faults().clear();
    harness.no_photo("ada");
    harness.run().expect_exit(0);
    harness.expect_shown_in("jira", &[("ada", Default)]);
}
