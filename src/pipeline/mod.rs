//! The pipeline file: as written, with places; it ends in `settings`.
//!
//! Owns: every option's type, default, meaning and schema; the faults of a file, all at once; `${…}`.
//! Leaves to others: what a setting does; reading files and variables ([`Environment`] is an argument).
//! A newcomer gets wrong: `${…}` is resolved in the scalars of the parsed file, never in its text, and `check` works
//! without any variable being set.

mod bitbucket;
mod certificate;
mod confluence;
mod credential;
mod declare;
mod entra;
mod fallback;
mod fault;
mod file;
mod folder_source;
mod folder_target;
mod google;
mod http;
mod interpolate;
mod jira;
mod limits;
mod matching;
mod overrides;
mod rate;
mod read;
mod report;
mod scalar;
mod secret;
mod source;
mod state;
mod target;
mod token_from;
mod transform;
mod tree;
mod web;

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

use crate::model::{SourceId, TargetId};
use crate::settings::{AtlassianCredential, GoogleEndpoints};

pub use fault::{Colour, Faults};
pub use file::parse;
pub(crate) use file::{Document, Element, schema};

/// Where `${…}` takes its values from.
pub trait Environment {
    /// An environment variable; `None` if it is not set or not text.
    fn var(&self, name: &str) -> Option<String>;

    /// A text file; the error says what was found, without the path.
    fn file(&self, path: &str) -> Result<String, String>;
}

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
        client_secret: SecretString,
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

#[cfg(test)]
mod tests;
