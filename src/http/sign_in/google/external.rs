//! Credential files of the type `external_account`, as CI platforms write them (docs/wire/google-directory.md §1.5).
//!
//! Owns: reading the file, and the subject token behind it. Leaves to others: exchanging it (`federated.rs`).
//! A newcomer gets wrong: the file's own `token_url` is not followed. Where tokens go is said in the pipeline file
//! (`endpoints`), so that whoever writes a credential file cannot send them elsewhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Deserialize;

use super::federated::{JWT, SubjectToken};
use crate::http::client::Route;
use crate::http::key_pair::contents;
use crate::http::sign_in::ci_token::{root, trimmed};
use crate::http::{Client, Failure, FailureKind, Request, Url};

/// What the file says.
pub(super) struct External {
    pub(super) source: SubjectToken,
    pub(super) audience: String,
    pub(super) token_type: String,
    pub(super) service_account: String,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    audience: String,
    subject_token_type: Option<String>,
    service_account_impersonation_url: Option<String>,
    #[serde(default)]
    credential_source: Source,
}

#[derive(Default, Deserialize)]
struct Source {
    url: Option<Url>,
    #[serde(default)]
    headers: BTreeMap<String, SecretString>,
    file: Option<PathBuf>,
    #[serde(default)]
    format: Format,
}

/// How the subject token stands where it comes from; plain text unless said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Format {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    subject_token_field_name: String,
}

impl External {
    /// Reads the file.
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let tried = format!("reading the credential file {}", file.display());
        let wrong =
            |found: &str, hint: &str| Failure::new(FailureKind::Misconfigured, tried.as_str(), found).hint(hint);
        let remake = "make it again: gcloud iam workload-identity-pools create-cred-config --service-account=…";
        let bytes = zeroize::Zeroizing::new(contents(&tried, file)?);
        let wire: Wire =
            serde_json::from_slice(&bytes).map_err(|_| wrong("it is not the JSON of a credential", remake))?;
        if wire.kind == "service_account" {
            return Err(wrong("it is a key file", "write `service_account_file` in place of `external_account_file`"));
        }
        if wire.kind != "external_account" || wire.audience.is_empty() {
            return Err(wrong("its type is not `external_account`, or it has no `audience`", remake));
        }
        let service_account = wire.service_account_impersonation_url.as_deref().and_then(account).ok_or_else(|| {
            wrong("it names no service account, without which the Directory API answers nobody", remake)
        })?;
        let Source { url, headers, file, format } = wire.credential_source;
        let source = match (url, file) {
            (Some(url), None) => SubjectToken::Url { url, headers: headers.into_iter().collect(), format },
            (None, Some(path)) => SubjectToken::File { path, format },
            _ => {
                return Err(wrong(
                    "its `credential_source` has neither `url` nor `file`",
                    "files for AWS, for executables and for certificates are not read here: use `federated`",
                ));
            }
        };
        let token_type = wire.subject_token_type.unwrap_or_else(|| JWT.to_owned());
        Ok(Self { source, audience: wire.audience, token_type, service_account })
    }
}

/// The account in `…/serviceAccounts/EMAIL:generateAccessToken`; Google's own client reads it so.
fn account(url: &str) -> Option<String> {
    let (_, rest) = url.rsplit_once("/serviceAccounts/")?;
    let email = rest.strip_suffix(":generateAccessToken")?;
    (!email.is_empty() && !email.contains('/')).then(|| email.to_owned())
}

/// The subject token from the server that the file names.
pub(super) async fn of_url(
    near: &Client,
    url: &Url,
    headers: &[(String, SecretString)],
    format: &Format,
) -> Result<SecretString, Failure> {
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
pub(super) fn of_file(path: &Path, format: &Format) -> Result<SecretString, Failure> {
    let tried = format!("reading the token file {}", path.display());
    format.token(&tried, &contents(&tried, path)?)
}

impl Format {
    fn token(&self, tried: &str, bytes: &[u8]) -> Result<SecretString, Failure> {
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
        trimmed(tried, SecretString::from(text))
    }
}
