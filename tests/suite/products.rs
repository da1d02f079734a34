//! Every source and target of a world in one pipeline file.
//!
//! Owns: which products there are, and where the secrets of a test lie.
//! Leaves to others: Entra and Jira, which every harness has (`harness`), and the keys themselves, which are those of
//! `--sandbox`.
//! A newcomer gets wrong: the key of a Google service account is a file in the test's folder, as it is with a customer.

use avatarpipe::inside::{Keeper, simulated_keys};
use avatarpipe_sandbox::{Secret, World};

use super::harness::Harness;

impl Harness {
    /// Entra, then Google; Jira, Confluence and Bitbucket, as far as the world has them.
    pub(super) fn connected(world: World) -> Self {
        Self::of(world).connect_all()
    }

    /// Whatever the world has besides Entra and Jira.
    pub(super) fn connect_all(mut self) -> Self {
        self.connect_google();
        self.connect_wiki();
        self.connect_git();
        self.edit(|pipe| _ = pipe.top("limits", "{ reverts: { count: 50, share: 100% } }"));
        self
    }

    /// A second Jira, with the keys of the first.
    pub(super) fn connect_jira_again(&mut self, id: &str) {
        let url = self.url(id);
        self.edit(|pipe| {
            pipe.jira_again(id).last_target().set("base_url", &url);
        });
    }

    fn url(&self, simulator: &str) -> String {
        format!("'{}'", self.sandbox.endpoint(simulator).unwrap_or_else(|| panic!("no simulator {simulator}")))
    }

    fn connect_google(&mut self) {
        // Whoever acts in its own name is another test's.
        let account = self.sandbox.credentials().into_iter().find_map(|credential| match credential.secret {
            Secret::ServiceAccount { key_file, subject: Some(subject), .. } => Some((key_file, subject)),
            _ => None,
        });
        let Some((key_file, subject)) = account else { return };
        let Some(keys) = self.reach("google", None) else { return };
        self.write("google-key.json", key_file.to_string());
        self.edit(|pipe| {
            // The customer is that of the subject.
            let keys = keys.iter().filter(|(key, _)| !["customer", "subject"].contains(key));
            pipe.source("google").lay(keys).set("subject", &subject).set("rate", "fast");
        });
    }

    /// Confluence, if the world has one.
    pub(super) fn connect_wiki(&mut self) {
        // Confluence lists no addresses.
        self.connect("confluence", "[{ person: email_local, account: username }]");
    }

    /// Bitbucket, if the world has one.
    pub(super) fn connect_git(&mut self) {
        self.connect("bitbucket", "[email]");
    }

    fn connect(&mut self, product: &str, keys: &str) {
        let Some(reached) = self.reach(product, None) else { return };
        self.edit(|pipe| {
            pipe.target(product).lay(&reached).set("match", keys).set("rate", "fast");
        });
    }

    /// The keys of an element with the kind's own id, with its simulator behind it, if the world has one. What is secret is
    /// kept.
    pub(super) fn reach(
        &mut self,
        kind: &str,
        credential: Option<&str>,
    ) -> Option<Vec<(&'static str, Option<String>)>> {
        let prefix = match kind {
            "confluence" => "WIKI",
            "bitbucket" => "GIT",
            kind => kind,
        };
        let mut kept = Kept { prefix: prefix.to_uppercase(), variables: Vec::new(), files: Vec::new() };
        let keys = simulated_keys(&self.sandbox, kind, kind, credential, &mut kept).ok()?;
        kept.variables.iter().for_each(|(name, value)| self.set(name, value));
        kept.files.iter().for_each(|(name, text)| self.write(name, text));
        Some(keys)
    }
}

/// What the file of a test only names.
struct Kept {
    prefix: String,
    variables: Vec<(String, String)>,
    files: Vec<(String, String)>,
}

impl Keeper for Kept {
    fn secret(&mut self, key: &'static str, value: &str) -> String {
        let name = format!("{}_{}", self.prefix, key.trim_start_matches("client_").to_uppercase());
        self.variables.push((name.clone(), value.to_owned()));
        format!("${{{name}}}")
    }

    fn file(&mut self, name: &str, text: &str) -> Result<String, String> {
        self.files.push((name.to_owned(), text.to_owned()));
        Ok(name.to_owned())
    }
}
