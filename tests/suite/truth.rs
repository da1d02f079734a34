//! What must stand on the servers, read from the simulators.
//!
//! Owns: the right face on every account, the promises that hold after every run, and requests as they arrived.
//! Leaves to others: what the program says of it (`ended`).
//! A newcomer gets wrong: pictures are compared by looks, as an eye would; sizes and encodings differ and do not matter.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use avatarpipe::inside::Luma;
use avatarpipe::inside::{DecodeLimits, luma};
use avatarpipe_sandbox::Running;
use avatarpipe_sandbox::requests::Entry;
use avatarpipe_sandbox::truth::{Account, ShownKind};
use serde_json::json;

use super::ended::Ended;
use super::harness::Harness;
use super::population::file;

/// The simulators behind each endpoint of a report.
const ENDPOINTS: [(&str, &[&str]); 5] = [
    ("entra", &["login", "graph"]),
    ("google", &["token", "directory", "sts", "iamcredentials"]),
    ("jira", &["jira"]),
    ("confluence", &["confluence"]),
    ("bitbucket", &["bitbucket"]),
];

/// What an account is to show.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shows<'a> {
    /// The picture of whoever has none.
    Default,
    /// One of the product's own pictures.
    System,
    /// The face of this name.
    Face(&'a str),
    /// What it showed at the beginning of the world.
    Start,
}

impl Harness {
    /// The accounts must show this, nothing may be left over, and no promise may be broken.
    #[track_caller]
    pub(super) fn expect_shown(&self, expected: &[(&str, Shows<'_>)]) {
        self.expect_shown_in("jira", expected);
    }

    /// The accounts of that target must show this, nothing may be left over, and no promise may be broken.
    #[track_caller]
    pub(super) fn expect_shown_in(&self, target: &str, expected: &[(&str, Shows<'_>)]) {
        for (name, shows) in expected {
            let account = self.account_in(target, name);
            let holds = match shows {
                Shows::Default => account.now.kind == ShownKind::Default,
                Shows::System => account.now.kind == ShownKind::System,
                Shows::Start => !account.changed(),
                Shows::Face(of) => {
                    let photo = self.world.pictures.get(&file(of)).expect("a face of this world");
                    account.now.kind == ShownKind::Custom && looks(&account.now.bytes).fits(&looks(&photo))
                }
            };
            assert!(holds, "{target}/{name} is to show {shows:?}, and shows {}", self.told(&account));
        }
        self.expect_promises();
    }

    /// What an account shows, for a failing test: the faces it looks most like come first.
    fn told(&self, account: &Account) -> String {
        let shown = looks(&account.now.bytes);
        let mut names =
            self.sandbox.truth().people.iter().map(|person| person.display_name.clone()).collect::<Vec<_>>();
        names.extend(["spare", "hand"].map(str::to_owned));
        let photos = names.into_iter().filter_map(|name| Some((self.world.pictures.get(&file(&name))?, name)));
        let mut apart: Vec<_> = photos.map(|(photo, name)| (looks(&photo).distance(&shown), name)).collect();
        apart.sort_by(|a, b| a.0.total_cmp(&b.0));
        let apart = apart.iter().take(3).map(|(apart, name)| format!("{apart:.1} from {name}")).collect::<Vec<_>>();
        format!("{:?} {}: {}", account.now.kind, account.now.id, apart.join(", "))
    }

    /// An account of the Jira as it stands on the server.
    #[track_caller]
    pub(super) fn account(&self, name: &str) -> Account {
        self.account_in("jira", name)
    }

    /// An account as it stands on the server.
    #[track_caller]
    pub(super) fn account_in(&self, target: &str, name: &str) -> Account {
        self.sandbox.truth().account(target, name).unwrap_or_else(|| panic!("no account {target}/{name}")).clone()
    }

    /// Everything of P1 and P4 that can be seen from outside.
    #[track_caller]
    pub(super) fn expect_promises(&self) {
        expect_tidy(&self.sandbox);
        expect_own_sessions(&self.sandbox.requests().entries());
    }

    /// Runs, and counts at the simulators what the run says that it sent and forecast.
    #[track_caller]
    pub(super) fn counted(&self, act: impl FnOnce(&Self) -> Ended) -> (Ended, BTreeMap<String, u64>) {
        self.sandbox.requests().reset();
        let ended = act(self);
        let requests = self.sandbox.requests();
        let arrived = ENDPOINTS.map(|(endpoint, simulators)| {
            (endpoint.to_owned(), simulators.iter().map(|simulator| requests.of(simulator)).sum::<u64>())
        });
        let arrived = BTreeMap::from(arrived);
        let lines = ended.report()["requests"].as_array().cloned().unwrap_or_default();
        for (endpoint, arrived) in &arrived {
            let line = lines.iter().find(|line| line["endpoint"] == endpoint.as_str()).cloned().unwrap_or_default();
            let said = [&line["sent"], &line["forecast"]].map(|count| count.as_u64().unwrap_or_default());
            let log: Vec<String> = requests.entries().iter().map(words).collect();
            ended.holds(
                said == [*arrived; 2],
                &format!("{arrived} sent and forecast for {endpoint}, found {said:?}:\n{}", log.join("\n")),
            );
        }
        (ended, arrived)
    }

    /// Calls of a simulator since the log was last reset, without their queries.
    pub(super) fn calls(&self, simulator: &str) -> Vec<String> {
        let entries = self.sandbox.requests().entries();
        let calls = entries.iter().filter(|entry| entry.simulator == simulator);
        calls.map(|entry| format!("{} {}", entry.method, entry.path)).collect()
    }

    /// Writes to the Jira since the log was last reset: everything but `GET`.
    pub(super) fn writes(&self) -> Vec<String> {
        let entries = self.sandbox.requests().entries();
        entries.iter().filter(|entry| entry.simulator == "jira" && entry.method != "GET").map(words).collect()
    }
}

/// No rule of a product was broken, no picture of ours lies unshown, and none of others was deleted.
#[track_caller]
pub(super) fn expect_tidy(sandbox: &Running) {
    let truth = sandbox.truth();
    assert_eq!(truth.violations, [""; 0], "the simulators saw rules broken");
    for avatar in &truth.avatars {
        let ours = avatar.creator != "world";
        assert!(!ours || avatar.selected, "{} {} of {} is a stray", avatar.simulator, avatar.id, avatar.owner);
    }
    // Bitbucket keeps one picture for each account: a new one replaces whatever was there.
    for (simulator, pictures, gone) in [("jira", "avatars", "deleted_by"), ("confluence", "files", "removed_by")] {
        if sandbox.endpoint(simulator).is_none() {
            continue;
        }
        let report = sandbox.command(simulator, &json!({ "report": {} })).unwrap_or_else(|fault| panic!("{fault}"));
        let pictures = report[pictures].as_array().unwrap_or_else(|| panic!("no {pictures} in {report}"));
        for picture in pictures {
            let taken = picture[gone].as_str().is_some_and(|who| who != "world");
            assert!(!(picture["creator"] == "world" && taken), "a picture that is not ours was deleted: {picture}");
        }
    }
}

/// What a picture looks like. The same few pictures are looked at in many worlds, so each is read once.
#[track_caller]
pub(super) fn looks(picture: &[u8]) -> Luma {
    static SEEN: Mutex<BTreeMap<[u8; 32], Luma>> = Mutex::new(BTreeMap::new());
    let seen = || SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let digest = *blake3::hash(picture).as_bytes();
    if let Some(known) = seen().get(&digest) {
        return known.clone();
    }
    let read = luma(picture, &DecodeLimits::default()).expect("a picture that can be read");
    seen().insert(digest, read.clone());
    read
}

/// A request as a person would tell it.
pub(super) fn words(entry: &Entry) -> String {
    let query = entry.query.as_ref().map_or_else(String::new, |query| format!("?{query}"));
    format!("{} {} {}{query} {:?}", entry.simulator, entry.method, entry.path, entry.status)
}

/// Between an upload and its confirmation, no other upload may go through the same web session.
#[track_caller]
fn expect_own_sessions(entries: &[Entry]) {
    let mut pending: BTreeMap<&str, (&Entry, Option<&str>)> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.simulator == "jira" && entry.method == "POST") {
        let Some(session) = entry.session.as_deref() else { continue };
        if entry.path.ends_with("/user/avatar/temporary") {
            if let Some((other, _)) = pending.insert(session, (entry, username(entry))) {
                let ended = other.ended_ms.is_some_and(|ended| ended <= entry.began_ms);
                assert!(ended, "two uploads at once in session {session}: {} and {}", words(other), words(entry));
            }
        } else if entry.path.ends_with("/user/avatar")
            && let Some((upload, name)) = pending.remove(session)
        {
            assert_eq!(name, username(entry), "{} was confirmed by {}", words(upload), words(entry));
        }
    }
}

fn username(entry: &Entry) -> Option<&str> {
    entry.query.as_deref()?.split('&').find_map(|pair| pair.strip_prefix("username="))
}
