//! Object stores as a pipeline file names them, and a program that is killed at a request to one.
//!
//! Owns: the keys of each vendor, with a credential that somebody believes. Leaves to others: what stands there, and why.
//! A newcomer gets wrong: the simulator asks whether a request is signed and not by whom; stores of other makers
//! (`.ci/run stores`) judge it.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use avatarpipe_sandbox::s3::{BUCKET, ObjectStore, Then};
use serde_json::json;
use tempfile::TempDir;

use super::harness::Harness;

/// A prefix of a store.
pub(super) struct Place {
    keys: Vec<(&'static str, Option<String>)>,
    secret: &'static str,
    /// With a key file.
    folder: Option<Arc<TempDir>>,
}

pub(super) fn store() -> ObjectStore {
    ObjectStore::start().expect("a port")
}

/// In a store that speaks S3.
pub(super) fn s3(endpoint: &str, prefix: &str) -> Place {
    let keys = [
        ("bucket", format!("'s3://{BUCKET}/{prefix}'")),
        ("region", "us-east-1".to_owned()),
        ("endpoint", format!("'{endpoint}'")),
        ("credential", "{ access_key_id: AKIA, secret_access_key: '${STORE_KEY}' }".to_owned()),
    ];
    Place { keys: written(keys), secret: "a-key-that-nobody-may-see", folder: None }
}

/// The same, by a role that a CI token becomes.
pub(super) fn s3_by_role(endpoint: &str, prefix: &str) -> Place {
    let role = "arn:aws:iam::123456789012:role/avatars";
    let credential = format!("{{ federated: {{ from: env, name: STORE_KEY, role: '{role}' }} }}");
    let mut place = s3(endpoint, prefix);
    place.keys.retain(|(key, _)| *key != "credential");
    place.keys.push(("credential", Some(credential)));
    place
}

/// The same, by a key that ends.
pub(super) fn s3_for_a_while(endpoint: &str, prefix: &str) -> Place {
    let mut place = s3(endpoint, prefix);
    place.keys.retain(|(key, _)| *key != "credential");
    // It stands in for both.
    let credential = "{ access_key_id: ASIA, secret_access_key: '${STORE_KEY}', session_token: '${STORE_KEY}/token' }";
    place.keys.push(("credential", Some(credential.to_owned())));
    place
}

/// In Azurite.
pub(super) fn azure(endpoint: &str, prefix: &str) -> Place {
    let keys = [
        ("bucket", format!("'az://{BUCKET}/{prefix}'")),
        ("account", "devstoreaccount1".to_owned()),
        ("endpoint", format!("'{endpoint}'")),
        ("credential", "{ account_key: '${STORE_KEY}' }".to_owned()),
    ];
    // Azurite's own account, which everybody knows.
    let secret = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    Place { keys: written(keys), secret, folder: None }
}

/// In Azure, by a shared access signature.
pub(super) fn azure_by_signature(endpoint: &str, prefix: &str) -> Place {
    let mut place = azure(endpoint, prefix);
    place.keys.retain(|(key, _)| *key != "credential");
    place.keys.push(("credential", Some("{ sas_token: '${STORE_KEY}' }".to_owned())));
    Place { secret: "sv=2024-11-04&sp=racwd&sig=canary%2Fsignature%2B0123456789%3D", ..place }
}

/// In a store that speaks as Google's does.
pub(super) fn google(endpoint: &str, prefix: &str) -> Place {
    let pair = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/test_keys/pair.pem");
    let key = json!({ "type": "service_account", "client_email": "state@p.iam.gserviceaccount.com", "private_key_id": "9b1c",
        "private_key": std::fs::read_to_string(pair).expect("a key of the tests") });
    let folder = tempfile::tempdir().expect("a folder for a key");
    let file = folder.path().join("key.json");
    std::fs::write(&file, key.to_string()).expect("a key");
    let keys = [
        ("bucket", format!("'gs://{BUCKET}/{prefix}'")),
        ("endpoint", format!("'{endpoint}'")),
        ("credential", format!("{{ service_account_file: '{}' }}", file.display())),
    ];
    Place { keys: written(keys), secret: "not-asked-for", folder: Some(Arc::new(folder)) }
}

fn written<const N: usize>(keys: [(&'static str, String); N]) -> Vec<(&'static str, Option<String>)> {
    keys.into_iter().map(|(key, value)| (key, Some(value))).collect()
}

impl Place {
    /// The same, by another key.
    pub(super) fn by_key(mut self, id: &str, key: String) -> Self {
        self.keys.retain(|(key, _)| *key != "credential");
        let credential = format!("{{ access_key_id: '{id}', secret_access_key: '${{STORE_KEY}}' }}");
        self.keys.push(("credential", Some(credential)));
        // Until the tests end.
        Self { secret: key.leak(), ..self }
    }

    /// The same; who we are says the environment.
    pub(super) fn by_the_environment(mut self) -> Self {
        self.keys.retain(|(key, _)| !matches!(*key, "credential" | "account"));
        self
    }

    /// The state stands there.
    pub(super) fn for_state(&self, harness: &mut Harness, more: &str) {
        self.prepare(harness);
        harness.edit(|pipe| _ = pipe.top("state", &self.mapping(more)));
    }

    /// Reports go there.
    pub(super) fn for_reports(&self, harness: &mut Harness, more: &str) {
        self.prepare(harness);
        harness.edit(|pipe| _ = pipe.top("report", &self.mapping(more)));
    }

    /// Pictures go there and nowhere else.
    pub(super) fn for_pictures(&self, harness: &mut Harness) {
        self.prepare(harness);
        harness.edit(|pipe| {
            let folder = pipe.without_target("jira").target("folder").lay(&self.keys);
            folder.set("names", "email_sha256").set("quiet", "0s");
            pipe.top("limits", "{ reverts: { count: 10 } }");
        });
    }

    fn prepare(&self, harness: &mut Harness) {
        harness.set("STORE_KEY", self.secret);
        harness.keep_beside(self.folder.clone());
        harness.edit(|pipe| _ = pipe.top("http", "{ default: { retry_pause: 1ms } }"));
    }

    /// `more`: other keys, each with a comma before it.
    fn mapping(&self, more: &str) -> String {
        let keys = self.keys.iter().filter_map(|(key, value)| Some(format!("{key}: {}", value.as_ref()?)));
        format!("{{ {}{more} }}", keys.collect::<Vec<_>>().join(", "))
    }
}

/// The program, killed at one of the requests to a store that begin so.
#[derive(Clone, Copy, Debug)]
pub(super) struct KilledAt {
    pub(super) begins: &'static str,
    /// Of these, from 1.
    pub(super) nth: usize,
    /// Whether the store does it all the same.
    pub(super) done_first: bool,
}

impl KilledAt {
    /// Before each of so many and after it.
    pub(super) fn each(begins: &'static str, all: usize) -> impl Iterator<Item = Self> {
        (1..=all).flat_map(move |nth| [false, true].map(|done_first| Self { begins, nth, done_first }))
    }

    pub(super) fn run(self, store: &ObjectStore, harness: &Harness) {
        self.command(store, harness, &["run", "pipeline.yaml"]);
    }

    /// The same of another command.
    pub(super) fn command(self, store: &ObjectStore, harness: &Harness, command: &[&str]) {
        let Self { begins, nth, done_first } = self;
        println!("killed at {begins} {nth}, {}", if done_first { "done" } else { "not done" });
        let (process, mut count) = (Arc::new(AtomicU32::new(0)), 0);
        let victim = Arc::clone(&process);
        store.judge(move |asked| {
            count += usize::from(asked.starts_with(begins));
            if count < nth {
                return Then::Answer;
            }
            while victim.load(Ordering::Acquire) == 0 {
                std::thread::yield_now();
            }
            let pid = victim.load(Ordering::Acquire).to_string();
            // It may be dead already.
            _ = Command::new("kill").args(["-KILL", &pid]).output();
            if count == nth && done_first { Then::Answer } else { Then::Refuse(503) }
        });
        let mut child = harness.spawn(command);
        process.store(child.id(), Ordering::Release);
        assert!(!child.wait().expect("it ends").success());
        // The server may still be at the request amid which the program was killed.
        harness.until("the request is answered", |_| answered(store, begins) >= nth);
        store.judge(|_| Then::Answer);
    }
}

/// How many requests that begin so the store has answered.
pub(super) fn answered(store: &ObjectStore, begins: &str) -> usize {
    store.log().iter().filter(|asked| asked.starts_with(begins)).count()
}
