//! The token that is exchanged: from the CI platform, a server or a file (docs/wire/google-directory.md §1.5).
//!
//! Owns: getting it. Leaves to others: exchanging it (`federated.rs`).
//! A newcomer gets wrong: a server that a credential file names is foreign: it gets what that file says, and nothing of ours.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::http::client::Route;
use crate::http::key_pair::contents;
use crate::http::sign_in::ci_token::{root, trimmed};
use crate::http::{Client, Failure, FailureKind, Request, Url};
use crate::secret::Secret;
use crate::settings::TokenFrom;

/// The type of an OIDC token.
pub(super) const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// Where the token that is exchanged comes from.
#[derive(Clone, Debug)]
pub(super) enum SubjectToken {
    /// The CI platform.
    Ci(TokenFrom),
    /// A server that the credential file names.
    Url { url: Url, headers: Vec<(String, Secret)>, format: SubjectFormat },
    /// A file that the credential file names.
    File { path: PathBuf, format: SubjectFormat },
}

/// How the subject token stands where it comes from; plain text unless said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct SubjectFormat {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    subject_token_field_name: String,
}

/// The subject token from the server that the file names.
pub(super) async fn of_url(
    near: &Client,
    url: &Url,
    headers: &[(String, Secret)],
    format: &SubjectFormat,
) -> Result<Secret, Failure> {
    let client = near.beside(root(url), Route::Foreign)?;
    let request = headers
        .iter()
        .fold(Request::get(url.clone()).returns_secrets(), |request, (name, value)| request.secret_header(name, value));
    let response = client.read(request).await?;
    if response.status != 200 {
        let kind = if response.status < 500 { FailureKind::Refused } else { FailureKind::Unreachable };
        return Err(response
            .failure(kind, response.excerpt())
            .hint("the CI platform gives no token: on GitHub the job needs `permissions: id-token: write`"));
    }
    format.token(response.tried(), &response.body)
}

/// The subject token from the file that the file names.
pub(super) fn of_file(path: &Path, format: &SubjectFormat) -> Result<Secret, Failure> {
    let tried = format!("reading the token file {}", path.display());
    format.token(&tried, &contents(&tried, path)?)
}

impl SubjectFormat {
    fn token(&self, tried: &str, bytes: &[u8]) -> Result<Secret, Failure> {
        let odd = |found: String| Failure::new(FailureKind::Odd, tried, found);
        let text = if self.kind == "json" {
            let field = self.subject_token_field_name.as_str();
            let body: serde_json::Value =
                serde_json::from_slice(bytes).map_err(|_| odd("it is not JSON, as the credential file says".into()))?;
            body[field]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| odd(format!("its JSON has no text under `{field}`")))?
        } else {
            std::str::from_utf8(bytes).map_err(|_| odd("it is not text".into()))?.to_owned()
        };
        trimmed(tried, &text)
    }
}
