//! What `--sandbox` puts in place of what the file says, done in the tree so that everything after it is the usual way.
//!
//! Owns: which scalars are replaced. Leaves to others: reading the result (`file`).
//! A newcomer gets wrong: a scalar that is replaced is gone, and with it the need for its variable.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use url::Url;

use super::fault::{Fault, Span};
use super::interpolate::{Part, Text};
use super::tree::{Entry, Id, Kind, Tree};
use crate::model::{SourceId, TargetId};
use crate::secret::Secret;
use crate::settings::{AtlassianCredential, GoogleEndpoints};

/// What `--sandbox` puts in place of what the file says. A scalar that is replaced needs no value for its `${…}`.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// By the `id` of the source.
    pub sources: BTreeMap<SourceId, SourceOverride>,
    /// By the `id` of the target.
    pub targets: BTreeMap<TargetId, TargetOverride>,
    /// What becomes of the entries under `http`.
    pub http: HttpOverride,
    /// In place of `state.path`.
    pub state: Option<PathBuf>,
}

/// What stands in place of a source's own settings.
#[derive(Clone, Debug)]
pub enum SourceOverride {
    /// Another Entra, at these base URLs.
    Entra {
        /// In place of `tenant`.
        tenant: String,
        /// In place of `client_id`.
        client_id: String,
        /// In place of `credential`.
        client_secret: Secret,
        /// In place of `endpoints.login`.
        login: Url,
        /// In place of `endpoints.graph`.
        graph: Url,
    },
    /// Another Google, at these base URLs.
    Google {
        /// In place of `customer`.
        customer: String,
        /// In place of `subject`; `None`: the service account acts in its own name.
        subject: Option<String>,
        /// In place of `credential`: the key file of a service account.
        service_account_file: PathBuf,
        /// In place of `endpoints`.
        endpoints: GoogleEndpoints,
    },
    /// Another folder.
    Folder {
        /// In place of `path`.
        path: PathBuf,
    },
}

/// What stands in place of a target's own settings.
#[derive(Clone, Debug)]
pub enum TargetOverride {
    /// Another Jira.
    Jira {
        /// In place of `base_url`.
        base_url: Url,
        /// In place of `credential`.
        credential: AtlassianCredential,
    },
    /// Another Confluence.
    Confluence {
        /// In place of `base_url`.
        base_url: Url,
        /// In place of `credential`.
        credential: AtlassianCredential,
    },
    /// Another Bitbucket.
    Bitbucket {
        /// In place of `base_url`.
        base_url: Url,
        /// In place of `credential`.
        credential: AtlassianCredential,
    },
    /// Another folder.
    Folder {
        /// In place of `path`.
        path: PathBuf,
    },
}

/// What becomes of the entries under `http`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpOverride {
    /// They are used.
    #[default]
    AsWritten,
    /// Only their time-out is kept, and no proxy is used: simulators on loopback need neither certificates nor headers.
    Direct,
}

/// Puts everything in its place. An override that does not fit its element is a fault: nothing may reach a real server
/// because it was left out in silence.
pub(super) fn apply(tree: &mut Tree, overrides: &Overrides) -> Vec<Fault> {
    let mut faults = Vec::new();
    for Below { kind, id, settings, .. } in elements(tree, "extract") {
        let Some((_, wanted)) = overrides.sources.iter().find(|(source, _)| source.as_str() == id) else { continue };
        if !source(tree, settings, &kind, wanted) {
            faults.push(misfit(tree, settings, &id));
        }
    }
    for Below { kind, id, settings, .. } in elements(tree, "load") {
        let Some((_, wanted)) = overrides.targets.iter().find(|(target, _)| target.as_str() == id) else { continue };
        if !target(tree, settings, &kind, wanted) {
            faults.push(misfit(tree, settings, &id));
        }
    }
    if overrides.http == HttpOverride::Direct {
        direct(tree);
    }
    if let Some(path) = &overrides.state {
        let path = plain(tree, &text_of(path), &(0..0));
        let state = map(tree, vec![("path", path)], &(0..0));
        tree.set(tree.root, "state", state);
    }
    faults
}

fn misfit(tree: &Tree, settings: Id, id: &str) -> Fault {
    Fault::new(
        tree.node(settings).head.clone(),
        format!("nothing can stand in place of `{id}`: another kind was given"),
    )
}

/// What stands below a key that says a kind.
pub(super) struct Below {
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) credential: Option<String>,
    pub(super) settings: Id,
}

/// The elements of `extract` or `load`, in a file without a fault.
pub(super) fn elements(tree: &Tree, list: &str) -> Vec<Below> {
    let Some(Kind::List(items)) = tree.get(tree.root, list).map(|list| &tree.node(list).kind) else {
        return Vec::new();
    };
    let element = |item: &Id| match &tree.node(*item).kind {
        Kind::Map(entries) => entries.first().map(|entry| Below {
            kind: entry.key.clone(),
            id: id_of(tree, entry),
            credential: credential_of(tree, entry),
            settings: entry.value,
        }),
        Kind::Scalar(_) | Kind::List(_) => None,
    };
    items.iter().filter_map(element).collect()
}

fn id_of(tree: &Tree, element: &Entry) -> String {
    let written = tree.get(element.value, "id").map(|id| &tree.node(id).kind);
    match written {
        Some(Kind::Scalar(scalar)) => scalar.text.raw().to_owned(),
        // The default of every kind is its word.
        _ => element.key.clone(),
    }
}

fn credential_of(tree: &Tree, element: &Entry) -> Option<String> {
    let credential = tree.get(element.value, "credential")?;
    match &tree.node(credential).kind {
        Kind::Map(entries) => entries.first().map(|entry| entry.key.clone()),
        Kind::Scalar(_) | Kind::List(_) => None,
    }
}

fn source(tree: &mut Tree, settings: Id, kind: &str, wanted: &SourceOverride) -> bool {
    let at = tree.node(settings).head.clone();
    match (kind, wanted) {
        ("entra", SourceOverride::Entra { tenant, client_id, client_secret, login, graph }) => {
            let secret = outside(tree, client_secret, &at);
            let credential = map(tree, vec![("client_secret", secret)], &at);
            let login = plain(tree, login.as_str(), &at);
            let graph = plain(tree, graph.as_str(), &at);
            let endpoints = map(tree, vec![("login", login), ("graph", graph)], &at);
            let tenant = plain(tree, tenant, &at);
            let client_id = plain(tree, client_id, &at);
            for (key, value) in
                [("tenant", tenant), ("client_id", client_id), ("credential", credential), ("endpoints", endpoints)]
            {
                tree.set(settings, key, value);
            }
            true
        }
        ("google", SourceOverride::Google { customer, subject, service_account_file, endpoints }) => {
            let file = plain(tree, &text_of(service_account_file), &at);
            let credential = map(tree, vec![("service_account_file", file)], &at);
            let mut url = |url: &url::Url| plain(tree, url.as_str(), &at);
            let urls = vec![
                ("token", url(&endpoints.token)),
                ("directory", url(&endpoints.directory)),
                ("sts", url(&endpoints.sts)),
                ("iam_credentials", url(&endpoints.iam_credentials)),
            ];
            let endpoints = map(tree, urls, &at);
            let customer = plain(tree, customer, &at);
            for (key, value) in [("customer", customer), ("credential", credential), ("endpoints", endpoints)] {
                tree.set(settings, key, value);
            }
            match subject.as_ref().map(|subject| plain(tree, subject, &at)) {
                Some(subject) => tree.set(settings, "subject", subject),
                None => tree.unset(settings, "subject"),
            }
            true
        }
        ("folder", SourceOverride::Folder { path }) => {
            let path = plain(tree, &text_of(path), &at);
            tree.set(settings, "path", path);
            true
        }
        _ => false,
    }
}

fn target(tree: &mut Tree, settings: Id, kind: &str, wanted: &TargetOverride) -> bool {
    let at = tree.node(settings).head.clone();
    match (kind, wanted) {
        ("jira", TargetOverride::Jira { base_url, credential })
        | ("confluence", TargetOverride::Confluence { base_url, credential })
        | ("bitbucket", TargetOverride::Bitbucket { base_url, credential }) => {
            let credential = atlassian(tree, credential, &at);
            let base_url = plain(tree, base_url.as_str(), &at);
            tree.set(settings, "base_url", base_url);
            tree.set(settings, "credential", credential);
            true
        }
        ("folder", TargetOverride::Folder { path }) => {
            let path = plain(tree, &text_of(path), &at);
            tree.set(settings, "path", path);
            true
        }
        _ => false,
    }
}

fn atlassian(tree: &mut Tree, credential: &AtlassianCredential, at: &Span) -> Id {
    let keys = match credential {
        AtlassianCredential::Token(token) => vec![("token", outside(tree, token, at))],
        AtlassianCredential::Password { username, password } => {
            let username = plain(tree, username, at);
            vec![("username", username), ("password", outside(tree, password, at))]
        }
    };
    map(tree, keys, at)
}

/// Leaves of every entry under `http` its time-out.
fn direct(tree: &mut Tree) {
    let http = tree.get(tree.root, "http");
    let written = match http.map(|http| &tree.node(http).kind) {
        Some(Kind::Map(entries)) => entries.clone(),
        _ => Vec::new(),
    };
    let mut entries = Vec::new();
    for entry in written {
        let timeout = tree.get(entry.value, "timeout").map(|timeout| ("timeout", timeout));
        let value = reached_directly(tree, timeout, &entry.key_span);
        entries.push(Entry { value, ..entry });
    }
    if !entries.iter().any(|entry| entry.key == "default") {
        let value = reached_directly(tree, None, &(0..0));
        entries.push(Entry { key: "default".to_owned(), key_span: 0..0, value });
    }
    let at = http.map_or(0..0, |http| tree.node(http).head.clone());
    let http = tree.add(Kind::Map(entries), &at);
    tree.set(tree.root, "http", http);
}

fn reached_directly(tree: &mut Tree, timeout: Option<(&str, Id)>, at: &Span) -> Id {
    let proxy = plain(tree, "none", at);
    map(tree, timeout.into_iter().chain([("proxy", proxy)]).collect(), at)
}

fn map(tree: &mut Tree, entries: Vec<(&str, Id)>, at: &Span) -> Id {
    let entry = |(key, value): (&str, Id)| Entry { key: key.to_owned(), key_span: at.clone(), value };
    tree.add(Kind::Map(entries.into_iter().map(entry).collect()), at)
}

fn plain(tree: &mut Tree, text: &str, at: &Span) -> Id {
    tree.add_scalar(Text::Written(text.to_owned()), at)
}

/// A secret that was handed in counts as one that came through `${…}`.
fn outside(tree: &mut Tree, secret: &Secret, at: &Span) -> Id {
    let part = Part::File("override".to_owned());
    tree.add_scalar(Text::Resolved("override".to_owned(), vec![part], secret.expose().into()), at)
}

fn text_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
