//! Every source and target of a world in one pipeline file.
//!
//! Owns: addresses, credentials and key files of Google, Confluence and Bitbucket.
//! Leaves to others: Entra and Jira, which every harness has (`harness`).
//! A newcomer gets wrong: the key of a Google service account is a file in the test's folder, as it is with a customer.

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
        let account = self.sandbox.credentials().into_iter().find_map(|credential| match credential.secret {
            Secret::ServiceAccount { key_file, subject: Some(subject), .. } => Some((key_file, subject)),
            _ => None,
        });
        let Some((key_file, subject)) = account else { return };
        self.write("google-key.json", key_file.to_string());
        let endpoints =
            [("token", "token"), ("directory", "directory"), ("sts", "sts"), ("iam_credentials", "iamcredentials")];
        let endpoints = endpoints.map(|(key, simulator)| format!("{key}: {}", self.url(simulator))).join(", ");
        self.edit(|pipe| {
            let google = pipe.source("google");
            google.set("subject", &subject).set("rate", "fast");
            google.set("credential", "{ service_account_file: google-key.json }");
            google.set("endpoints", &format!("{{ {endpoints} }}"));
        });
    }

    /// Confluence, if the world has one.
    pub(super) fn connect_wiki(&mut self) {
        // Confluence lists no addresses.
        self.connect("confluence", "WIKI_PASSWORD", "[{ person: email_local, account: username }]");
    }

    /// Bitbucket, if the world has one.
    pub(super) fn connect_git(&mut self) {
        self.connect("bitbucket", "GIT_PASSWORD", "[email]");
    }

    fn connect(&mut self, product: &str, variable: &str, keys: &str) {
        let password = self.sandbox.credentials().into_iter().find_map(|credential| match credential.secret {
            Secret::Password(password) if credential.simulator == product => Some(password),
            _ => None,
        });
        let Some(password) = password else { return };
        self.set(variable, &password);
        let url = self.url(product);
        self.edit(|pipe| {
            let target = pipe.target(product);
            target.set("base_url", &url).set("match", keys).set("rate", "fast");
            target.set("credential", &format!("{{ username: svc-avatars, password: '${{{variable}}}' }}"));
        });
    }
}
