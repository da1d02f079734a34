//! The pipeline file that `init` writes: its elements with what somebody may want to change beside them.
//!
//! Owns: the text. Leaves to others: which elements (`command`), whether it is right (`pipeline`).
//! A newcomer gets wrong: what came from the command line is a literal, whatever stands in it: it is quoted, and its `${` kept.

use std::path::Path;

use super::super::ci::Platform;
use super::variables::{
    BITBUCKET, CLIENT, CLIENT_SECRET, CONFLUENCE, CREDENTIALS_FILE, ID_TOKEN, JIRA, ProductNames, SUBJECT, TENANT,
    TOKEN_FILE, Variables,
};

/// Where people come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Entra,
    Google,
    Folder(String),
}

/// Where pictures go. An address that is not known is a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Jira(Option<String>),
    Confluence(Option<String>),
    Bitbucket(Option<String>),
    Folder(String),
}

/// What a pipeline file is made of.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) name: String,
    pub(super) sources: Vec<Source>,
    pub(super) targets: Vec<Target>,
    pub(super) platform: Option<Platform>,
}

impl Source {
    fn title(&self) -> &'static str {
        match self {
            Self::Entra => "Entra ID",
            Self::Google => "Google",
            Self::Folder(_) => "a folder",
        }
    }
}

impl Target {
    fn title(&self) -> &'static str {
        match self {
            Self::Jira(_) => "Jira",
            Self::Confluence(_) => "Confluence",
            Self::Bitbucket(_) => "Bitbucket",
            Self::Folder(_) => "a folder",
        }
    }
}

impl Parts {
    /// From where to where.
    pub(super) fn title(&self) -> String {
        let sources: Vec<_> = self.sources.iter().map(Source::title).collect();
        let targets: Vec<_> = self.targets.iter().map(Target::title).collect();
        format!("{} → {}", sources.join(", "), targets.join(", "))
    }

    /// The folders below this one that pictures go to, of those whose names every platform takes as they are.
    pub(super) fn pictures(&self) -> Vec<String> {
        let is_plain = |path: &&str| {
            path.starts_with(|c: char| c.is_ascii_alphanumeric())
                && path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.'))
                && !path.split('/').any(|part| part == "..")
        };
        let folders = self.targets.iter().filter_map(|target| match target {
            Target::Folder(path) => Some(path.trim_end_matches('/')),
            _ => None,
        });
        folders.filter(is_plain).map(str::to_owned).collect()
    }

    /// The folders that somebody has to fill first.
    pub(super) fn folders_of_photos(&self) -> Vec<&str> {
        let folders = self.sources.iter().filter_map(|source| match source {
            Source::Folder(path) => Some(path.as_str()),
            _ => None,
        });
        folders.collect()
    }

    /// The whole file.
    pub(super) fn text(&self, set: &Variables) -> String {
        let mut out = format!(
            "# {}, begun by `avatarpipe init`.\n\
             # `avatarpipe check` shows every fault of this file at once, and needs no network and no secret.\n\
             version: 1\n",
            self.title()
        );
        noted(&mut out, &format!("pipeline: {}", self.name), "names the state: keep it");
        out += "\n";
        noted(&mut out, "extract:", "in order of preference: the first that has a photo counts");
        for source in &self.sources {
            match source {
                Source::Entra => self.entra(&mut out, set),
                Source::Google => google(&mut out),
                Source::Folder(path) => {
                    noted(&mut out, "  - folder:", "people.csv (id,name,email,photo) and the pictures");
                    if self.targets.iter().any(|target| matches!(target, Target::Folder(_))) {
                        noted(
                            &mut out,
                            "      id: people",
                            "its name in tables and messages, beside the folder of pictures",
                        );
                    }
                    out += &format!("      path: {}\n", literal(path));
                }
            }
        }
        out += "\nload:\n";
        for target in &self.targets {
            self.target(&mut out, target, set);
        }
        out += "\n# Whatever would change more than this is stopped before it writes; the message says what to write to let it pass.\n";
        out += "limits:\n";
        noted(&mut out, "  foreign: { count: 500 }", "pictures that people chose; without this line there is no limit");
        noted(&mut out, "  reverts: { count: 50, share: 5% }", "pictures that go back to the default");
        if matches!(self.platform, Some(Platform::AzureDevOps | Platform::Jenkins)) {
            // These jobs keep the state on the disk of an agent.
            out += &format!("\nstate: {{ path: \"${{STATE_DIR:-state}}/{}.db\" }}\n", self.name);
        }
        out
    }

    fn entra(&self, out: &mut String, set: &Variables) {
        *out += "  - entra:\n";
        *out += &format!("      tenant: ${{{}}}\n", set.named(TENANT));
        *out += &format!("      client_id: ${{{}}}\n", set.named(CLIENT));
        let federated = match self.platform {
            Some(Platform::GitHub) => Some("{ from: github }"),
            Some(Platform::GitLab) => Some("{ from: env, name: ENTRA_ID_TOKEN }"),
            Some(Platform::AzureDevOps) => Some("{ from: azure_devops, service_connection: ID-OF-THE-CONNECTION }"),
            Some(Platform::Jenkins) | None => None,
        };
        let secret = set.set_of(CLIENT_SECRET);
        if secret.is_none() && set.has(TOKEN_FILE) {
            *out += &format!("      credential: {{ federated: {{ from: file, path: \"${{{TOKEN_FILE}}}\" }} }}\n");
        } else if secret.is_none() && set.has(ID_TOKEN) {
            *out += &format!("      credential: {{ federated: {{ from: env, name: {ID_TOKEN} }} }}\n");
        } else {
            let secret = secret.unwrap_or(CLIENT_SECRET[0]);
            *out += &format!("      credential: {{ client_secret: \"${{{secret}}}\" }}\n");
            if let Some(federated) = federated {
                *out +=
                    "      # In the CI job without a secret, once the app registration trusts the platform's token:\n";
                *out += &format!("      # credential: {{ federated: {federated} }}\n");
            }
        }
        *out += "      users:\n";
        noted(out, "        opted_out: []", "who asked to show no photo, such as [{ group: OBJECT-ID }]");
        noted(out, "        exclude: []", "who is left alone, such as [\"svc-*@*\"]");
    }

    fn target(&self, out: &mut String, target: &Target, set: &Variables) {
        let title = target.title();
        let (names, url) = match target {
            Target::Jira(url) => (&JIRA, url),
            Target::Confluence(url) => (&CONFLUENCE, url),
            Target::Bitbucket(url) => (&BITBUCKET, url),
            Target::Folder(path) => {
                noted(out, "  - folder:", "takes NAME.png for each person, and is nobody else's");
                *out += &format!("      path: {}\n", literal(path));
                noted(out, "      ownership: ours", "leaves files that are there already; `provider` replaces them");
                return;
            }
        };
        *out += &format!("  - {}:\n", title.to_lowercase());
        *out += &match url {
            Some(url) => format!("      base_url: {}\n", literal(url)),
            None => format!("      base_url: ${{{}:?the address of your {title}}}\n", set.named(names.url)),
        };
        credential(out, target, names, set);
        match target {
            Target::Confluence(_) => {
                let by_upn = self.sources.iter().all(|source| *source == Source::Entra);
                let pair = if by_upn { "username" } else { "{ person: email_local, account: username }" };
                noted(out, &format!("      match: [{pair}]"), "what both share; from Confluence 9.3 on also `email`");
                noted(out, "      upload: xmlrpc", "or `endpoint`: docs/guide/rights.md, Confluence");
            }
            _ => noted(out, "      match: [email]", "what a person and an account share"),
        }
        noted(out, "      ownership: ours", "leaves what people chose; `provider` replaces it");
        noted(out, "      accounts: { rollout: 100% }", "10% begins with a tenth of the accounts");
    }
}

fn credential(out: &mut String, target: &Target, names: &ProductNames, set: &Variables) {
    let ProductNames { username, password, token, .. } = names;
    // A token of Bitbucket sets no other person's picture.
    if set.has(token) && !set.has(password) && !matches!(target, Target::Bitbucket(_)) {
        *out += &format!("      credential: {{ token: \"${{{token}}}\" }}\n");
        if matches!(target, Target::Jira(_)) {
            *out += "      # Pictures are 48 px with a token, 256 px with `username` and `password`: docs/guide/rights.md, Jira.\n";
        }
        return;
    }
    let username = match set.set_of(username) {
        Some(name) => format!("\"${{{name}}}\""),
        None => "svc-avatars".to_owned(),
    };
    *out += &format!("      credential: {{ username: {username}, password: \"${{{password}}}\" }}\n");
}

fn google(out: &mut String) {
    *out += "  - google:\n";
    noted(out, &format!("      subject: ${{{SUBJECT}}}"), "the administrator in whose name the service account reads");
    let kind = match std::env::var_os(CREDENTIALS_FILE).is_some_and(|file| is_external_account(Path::new(&file))) {
        true => "external_account_file",
        false => "service_account_file",
    };
    *out += &format!("      credential: {{ {kind}: \"${{{CREDENTIALS_FILE}}}\" }}\n");
    *out += "      # In a CI job without a key: `federated`, see docs/guide/rights.md, Google.\n";
    *out += "      users:\n";
    noted(out, "        opted_out: []", "who asked to show no photo, such as [{ group: no-photo@example.com }]");
    noted(out, "        exclude: []", "who is left alone, such as [\"svc-*@*\"]");
}

/// Whether a file says that it is one that CI platforms make; nothing else of it is looked at.
fn is_external_account(path: &Path) -> bool {
    let Ok(bytes) = crate::input::bytes(path, 1 << 20) else { return false };
    let found: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
    found.is_some_and(|found| found["type"] == "external_account")
}

/// A line with what there is to know about it.
fn noted(out: &mut String, line: &str, note: &str) {
    *out += &format!("{line:<35} # {note}\n");
}

/// Text that stands for itself: JSON's strings are YAML's, and `$${` is a `${`.
fn literal(text: &str) -> String {
    serde_json::Value::from(text.replace("${", "$${")).to_string()
}
