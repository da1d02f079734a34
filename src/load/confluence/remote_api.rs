//! Confluence's remote API, as one of the two ways to set another person's picture.
//!
//! Owns: its login, its calls, what to switch on where it is closed, yes and no of each answer.
//! Leaves to others: the other way (`endpoint.rs`), its XML (`xmlrpc.rs`), what is recorded around a call (`session.rs`).
//! A newcomer gets wrong: a call that fails answers 200 with a fault, and an empty 200 can hide an exception: only `true`,
//! parsed to the end of the body, is a yes.

use crate::http::{Failure, FailureKind, Request, Response};
use crate::load::WriteError;
use crate::load::atlassian::client::{found, with_query};
use crate::load::atlassian::login::{Anonymous, contains};
use crate::model::{Fault, PictureRef, Rendition};
use crate::secret::{Secret, server_message};
use crate::settings::AtlassianCredential;

use super::answer::{CAP, Whom, judged, sent, unsaid};
use super::client::{ConfluenceClient, File};
use super::picture;
use super::version::ConfluenceVersion;
use super::xmlrpc::{self, Parameter, Reply, XmlRpcFault, XmlRpcValue};

/// Confluence's default limit on attachments.
pub(super) const BYTES: usize = 10 * 1024 * 1024;
/// The names of everybody, some millions of people.
const EVERYBODY: usize = 64 * 1024 * 1024;
/// The preference that names the picture (docs/wire/atlassian.md §4.4).
const PREFERENCE: &str = "confluence.user.profile.picture";
/// The code of a fault that the remote API itself answered with.
const FAULT: &str = "fault";
/// The same where it says that the account may not. The name of the exception is not translated.
pub(super) const NOT_PERMITTED: &str = "not_permitted";

const SWITCH_ON: &str = "let an administrator switch on General Configuration > Further Configuration > Remote API \
    (XML-RPC & SOAP), or install `pipelines/confluence-endpoint.groovy` in ScriptRunner and write `upload: endpoint`";
const INSTALL_INSTEAD: &str = "install `pipelines/confluence-endpoint.groovy` in ScriptRunner as it says at its top, \
    and write `upload: endpoint`";
const TOKEN_REFUSED: &str = "the remote API of this server knows no tokens: write `credential: { username: …, \
    password: … }`, or install `pipelines/confluence-endpoint.groovy` in ScriptRunner and write `upload: endpoint`";

/// `getServerInfo`: proves that the remote API is there, is switched on and knows our login.
pub(super) async fn version(client: &ConfluenceClient) -> Result<Option<ConfluenceVersion>, Failure> {
    let shared = client.shared();
    let probed = probe(client, None).await?;
    let info = match (probed, &shared.credential) {
        (Probed::Info(info), _) => info,
        (Probed::NotUs(failure), AtlassianCredential::Token(_)) => return Err(failure.hint(TOKEN_REFUSED)),
        (Probed::NotUs(_), AtlassianCredential::Password { username, password }) => {
            let token = log_in(client, username, password).await?;
            match probe(client, Some(&token)).await? {
                Probed::Info(info) => {
                    shared.learn(|known| known.token = Some(token));
                    info
                }
                Probed::NotUs(failure) => return Err(failure.hint("the remote API refuses its own login token")),
            }
        }
    };
    shared.learn(|known| known.probed = true);
    let number = |name| info.member(name);
    let text = match (number("majorVersion"), number("minorVersion"), number("patchLevel")) {
        (Some(major), Some(minor), Some(patch)) => format!("{major}.{minor}.{patch}"),
        (Some(major), Some(minor), None) => format!("{major}.{minor}"),
        _ => return Ok(None),
    };
    Ok(ConfluenceVersion::read(&text))
}

enum Probed {
    Info(XmlRpcValue),
    /// The remote API is there and does not know this login.
    NotUs(Failure),
}

async fn probe(client: &ConfluenceClient, token: Option<&Secret>) -> Result<Probed, Failure> {
    let token = token.map_or("", |token| token.expose());
    let response = ask(client, "getServerInfo", &[Parameter::Text(token)]).await?;
    Ok(match response.status {
        401 => Probed::NotUs(response.failure(FailureKind::Refused, found(&response))),
        200 if token.is_empty() && response.header("x-ausername") == Some("anonymous") => Probed::NotUs(
            response.failure(FailureKind::Refused, "200, X-AUSERNAME: anonymous: the remote API does not know us"),
        ),
        200 => match xmlrpc::read(&response.body) {
            Ok(Reply::Value(info)) => Probed::Info(info),
            Ok(Reply::Fault(words)) => Probed::NotUs(response.failure(FailureKind::Refused, words)),
            Err(odd) => return Err(response.failure(FailureKind::Odd, format!("{}: {odd}", response.excerpt()))),
        },
        _ => return Err(closed(&response).unwrap_or_else(|| client.failed(&response))),
    })
}

/// Whether we are a Confluence administrator; `None` if the server does not tell. Setting the pictures of others takes
/// one (§4.4), and a picture of our own would go there without.
pub(super) async fn is_administrator(client: &ConfluenceClient) -> Result<Option<bool>, Failure> {
    let shared = client.shared();
    let token = shared.known().token;
    let token = Parameter::Text(token.as_ref().map_or("", |token| token.expose()));
    let request = rpc(client, "getActiveUsers", &[token, Parameter::Flag(true)]).map(|request| request.cap(EVERYBODY));
    let Some(request) = request else { return Ok(None) };
    let response = client.atlassian().ask(request, Anonymous::Allowed).await?;
    Ok(match (response.status, xmlrpc::read(&response.body)) {
        (200, Ok(Reply::Value(XmlRpcValue::Array(_))) | Err(XmlRpcFault::TooMuch)) => Some(true),
        (200, Ok(Reply::Fault(words))) if words.contains("NotPermittedException") => Some(false),
        _ => None,
    })
}

async fn log_in(client: &ConfluenceClient, username: &str, password: &Secret) -> Result<Secret, Failure> {
    let parameters = [Parameter::Text(username), Parameter::Text(password.expose())];
    let response = ask(client, "login", &parameters).await?;
    let refused = |words: String| {
        let failure = response.failure(FailureKind::Refused, words);
        client
            .atlassian()
            .circuit_breaker()
            .trip(failure.hint("the remote API does not take this user name and password"))
    };
    match xmlrpc::read(&response.body) {
        Ok(Reply::Value(XmlRpcValue::Text(token))) if !token.is_empty() => Ok(Secret::new(token)),
        Ok(Reply::Fault(words)) => Err(refused(words)),
        Ok(_) => Err(refused("an answer without a token".to_owned())),
        Err(odd) => Err(response.failure(FailureKind::Odd, format!("{}: {odd}", response.excerpt()))),
    }
}

/// A call that changes nothing.
async fn ask(client: &ConfluenceClient, method: &str, parameters: &[Parameter<'_>]) -> Result<Response, Failure> {
    let request = rpc(client, method, parameters).ok_or_else(|| {
        let tried = format!("confluence2.{method}");
        Failure::new(FailureKind::Misconfigured, tried, "the credential holds characters that XML cannot hold")
    })?;
    // Whether it knows us is what the probe finds out.
    client.atlassian().ask(request, Anonymous::Allowed).await
}

fn rpc(client: &ConfluenceClient, method: &str, parameters: &[Parameter<'_>]) -> Option<Request> {
    let body = xmlrpc::request(&format!("confluence2.{method}"), parameters)?;
    let url = with_query(client.atlassian().http().url("rpc/xmlrpc"), &[("os_authType", "basic")]);
    Some(Request::post(url).bytes("text/xml", body).cap(CAP))
}

/// The failure of a server whose remote API is off or gone.
fn closed(response: &Response) -> Option<Failure> {
    match response.status {
        403 if !contains(&response.body, "XSRF") => {
            Some(response.failure(FailureKind::Refused, "403, the remote API is switched off").hint(SWITCH_ON))
        }
        404 | 410 => {
            let found = format!("{}, this Confluence has no remote API", response.status);
            Some(response.failure(FailureKind::Refused, found).hint(INSTALL_INSTEAD))
        }
        _ => None,
    }
}

/// Stores the picture under this name with the person, and shows it.
pub(super) async fn add(
    client: &ConfluenceClient,
    whom: Whom<'_>,
    file: &PictureRef,
    rendition: &Rendition,
) -> Result<(), WriteError> {
    let picture = [
        Parameter::Text(whom.name),
        Parameter::Text(file.as_str()),
        Parameter::Text(rendition.media_type.word()),
        Parameter::Bytes(&rendition.bytes),
    ];
    yes(write(client, "addProfilePicture", &picture).await?)
}

/// Shows what this names: a file of the person's, or a path.
pub(super) async fn select(client: &ConfluenceClient, whom: Whom<'_>, what: &str) -> Result<(), WriteError> {
    let choice = [Parameter::Text(whom.name), Parameter::Text(PREFERENCE), Parameter::Text(what)];
    yes(write(client, "setUserPreferenceString", &choice).await?)
}

/// Takes a file away; one that is gone already is as good.
pub(super) async fn remove(client: &ConfluenceClient, which: File<'_>) -> Result<(), WriteError> {
    let File { content, file } = which;
    if !picture::is_id(content) {
        return Err(WriteError::Refused(Fault::new("content_odd", format!("`{content}` is no content id"))));
    }
    let which = [Parameter::Text(content), Parameter::Text(file.as_str())];
    match write(client, "removeAttachment", &which).await {
        Err(WriteError::Refused(no)) if no.code == FAULT && is_missing(&no.message) => Ok(()),
        other => yes(other?),
    }
}

/// Whether a fault says that there is no such file. The words are Confluence's own and in English.
fn is_missing(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    ["not found", "does not exist", "no attachment", "could not find", "doesn't exist", "no such"]
        .iter()
        .any(|missing| words.contains(missing))
}

fn yes((response, value): (Response, XmlRpcValue)) -> Result<(), WriteError> {
    if value == XmlRpcValue::Boolean(true) { Ok(()) } else { Err(unsaid(&response)) }
}

/// A call of the remote API that changes something, sent once. A token of its own that timed out is renewed once.
async fn write(
    client: &ConfluenceClient,
    method: &str,
    parameters: &[Parameter<'_>],
) -> Result<(Response, XmlRpcValue), WriteError> {
    match written(client, method, parameters).await {
        // Refused before anything was done: the call never ran.
        Err(WriteError::Refused(no)) if no.code == FAULT && no.message.contains("InvalidSessionException") => {
            let shared = client.shared();
            let (Some(_), AtlassianCredential::Password { username, password }) =
                (shared.known().token, &shared.credential)
            else {
                return Err(WriteError::Refused(no));
            };
            let token = log_in(client, username, password).await?;
            shared.learn(|known| known.token = Some(token));
            written(client, method, parameters).await
        }
        other => other,
    }
}

async fn written(
    client: &ConfluenceClient,
    method: &str,
    parameters: &[Parameter<'_>],
) -> Result<(Response, XmlRpcValue), WriteError> {
    let token = client.shared().known().token;
    let mut all = vec![Parameter::Text(token.as_ref().map_or("", |token| token.expose()))];
    all.extend_from_slice(parameters);
    let Some(request) = rpc(client, method, &all) else {
        return Err(WriteError::Refused(Fault::new(
            "name_not_xml",
            "the user name holds characters that XML cannot hold",
        )));
    };
    let response = sent(client, request).await?;
    let anonymous = if token.is_some() { Anonymous::Allowed } else { Anonymous::Refused };
    client.atlassian().circuit_breaker().check(&response, anonymous)?;
    if response.status == 200 {
        return match xmlrpc::read(&response.body) {
            Ok(Reply::Value(value)) => Ok((response, value)),
            Ok(Reply::Fault(words)) => {
                let code = if words.contains("NotPermittedException") { NOT_PERMITTED } else { FAULT };
                Err(WriteError::Refused(Fault::new(code, format!("confluence2.{method}: {}", server_message(&words)))))
            }
            Err(_) => Err(unsaid(&response)),
        };
    }
    Err(match closed(&response) {
        Some(failure) => WriteError::Stop(failure),
        None => judged(client, &response).await,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_told_from_a_refusal() {
        for (words, missing) in [
            ("java.lang.Exception: com.atlassian.confluence.rpc.RemoteException: The attachment does not exist", true),
            ("java.lang.Exception: RemoteException: No attachment named x", true),
            ("Attachment NOT FOUND", true),
            ("java.lang.Exception: com.atlassian.confluence.rpc.NotPermittedException: not permitted", false),
            ("", false),
        ] {
            assert_eq!(is_missing(words), missing, "{words}");
        }
    }
}
