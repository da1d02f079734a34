//! Credential files of the type `external_account`, as CI platforms write them (docs/wire/google-directory.md §1.5).
//!
//! Owns: reading the file. Leaves to others: the subject token behind it (`subject.rs`), exchanging that (`federated.rs`).
//! A newcomer gets wrong: the file's own `token_url` is not followed. Where tokens go is said in the pipeline file
//! (`endpoints`), so that whoever writes a credential file cannot send them elsewhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::api::GoogleApi;
use super::subject::{JWT, SubjectFormat, SubjectToken};
use crate::http::key_pair::contents;
use crate::http::{Failure, FailureKind, Url};
use crate::secret::Secret;

/// What the file says.
pub(super) struct External {
    pub(super) source: SubjectToken,
    pub(super) audience: String,
    pub(super) token_type: String,
    /// `None`: somebody of the pool acts in its own name.
    pub(super) service_account: Option<String>,
}

#[derive(Deserialize)]
struct ExternalAccount {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    audience: String,
    subject_token_type: Option<String>,
    service_account_impersonation_url: Option<String>,
    #[serde(default)]
    credential_source: CredentialSource,
}

#[derive(Default, Deserialize)]
struct CredentialSource {
    url: Option<Url>,
    #[serde(default)]
    headers: BTreeMap<String, Secret>,
    file: Option<PathBuf>,
    #[serde(default)]
    format: SubjectFormat,
}

impl External {
    /// Reads the file.
    pub(super) fn read(file: &Path, api: GoogleApi) -> Result<Self, Failure> {
        let tried = format!("reading the credential file {}", file.display());
        let wrong =
            |found: &str, hint: &str| Failure::new(FailureKind::Misconfigured, tried.as_str(), found).hint(hint);
        let remake = "make it again: gcloud iam workload-identity-pools create-cred-config --service-account=…";
        let bytes = zeroize::Zeroizing::new(contents(&tried, file)?);
        let wire: ExternalAccount =
            serde_json::from_slice(&bytes).map_err(|_| wrong("it is not the JSON of a credential", remake))?;
        if wire.kind == "service_account" {
            return Err(wrong("it is a key file", "write `service_account_file` in place of `external_account_file`"));
        }
        if wire.kind != "external_account" || wire.audience.is_empty() {
            return Err(wrong("its type is not `external_account`, or it has no `audience`", remake));
        }
        let service_account = wire.service_account_impersonation_url.as_deref().and_then(account);
        if service_account.is_none() && !(api.answers_the_pool() && wire.service_account_impersonation_url.is_none()) {
            return Err(wrong("it names no service account, without which the Directory API answers nobody", remake));
        }
        let CredentialSource { url, headers, file, format } = wire.credential_source;
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

/// Whether a credential file is one of these; whatever else is wrong with it is told by whoever reads it.
#[cfg(feature = "bucket")]
pub(crate) fn is_of_a_pool(file: &Path) -> bool {
    let kind = contents("", file).ok().and_then(|bytes| serde_json::from_slice::<ExternalAccount>(&bytes).ok());
    kind.is_some_and(|wire| wire.kind == "external_account")
}

/// The account in `…/serviceAccounts/EMAIL:generateAccessToken`; Google's own client reads it so.
fn account(url: &str) -> Option<String> {
    let (_, rest) = url.rsplit_once("/serviceAccounts/")?;
    let email = rest.strip_suffix(":generateAccessToken")?;
    (!email.is_empty() && !email.contains('/')).then(|| email.to_owned())
}
