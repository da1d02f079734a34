//! The token that a CI platform gives its job, which proves the job to Entra and to Google.
//!
//! Owns: getting it. Leaves to others: trading it for a token of the provider (`entra`, `google`).
//! A newcomer gets wrong: it lives for minutes; one is taken for each sign-in and none is kept
//! (docs/wire/microsoft-graph.md §1.3).

use std::path::Path;

use bytes::Bytes;
use serde::Deserialize;
use url::Url;

use crate::http::client::Route;
use crate::http::key_pair::contents;
use crate::http::{Authorization, Client, Failure, FailureKind, Request, Response};
use crate::secret::Secret;
use crate::settings::TokenFrom;

#[derive(Deserialize)]
struct Issued {
    value: Secret,
}

/// As Azure Pipelines names it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfConnection {
    oidc_token: Secret,
}

/// The token now; `near` is a line of the same source. The audience matters to GitHub only: elsewhere whoever wrote the job
/// has chosen it.
pub(super) async fn token(from: &TokenFrom, near: &Client, audience: &str) -> Result<Secret, Failure> {
    match from {
        TokenFrom::Github { url, token } => github(near, url, token, audience).await,
        TokenFrom::AzureDevops { url, token } => azure_devops(near, url, token).await,
        TokenFrom::Env { name, token } => trimmed(&format!("reading the token in `{name}`"), token.expose()),
        TokenFrom::File { path } => of_file(path),
    }
}

async fn github(near: &Client, url: &Url, token: &Secret, audience: &str) -> Result<Secret, Failure> {
    let mut asked = url.clone();
    asked.query_pairs_mut().append_pair("audience", audience);
    let hint = "the job needs `permissions: id-token: write`; jobs that come from a fork get no token, and one that ran for long gets none any more";
    Ok(issued(near, Request::get(asked), token, hint).await?.json::<Issued>()?.value)
}

/// docs/wire/microsoft-graph.md §1.3.
async fn azure_devops(near: &Client, url: &Url, token: &Secret) -> Result<Secret, Failure> {
    // Without it whoever is not let in is sent to a page for people to sign in.
    let request =
        Request::post(url.clone()).bytes("application/json", Bytes::new()).header("X-TFS-FedAuthRedirect", "Suppress");
    let hint = "the step needs `env: { SYSTEM_ACCESSTOKEN: $(System.AccessToken) }`, and the service connection must be open to this pipeline";
    Ok(issued(near, request, token, hint).await?.json::<OfConnection>()?.oidc_token)
}

/// What the platform answers to a job's own token.
async fn issued(near: &Client, request: Request, token: &Secret, hint: &'static str) -> Result<Response, Failure> {
    let client = near.beside(root(&request.url), Route::Foreign)?;
    let request = request.returns_secrets().accept("application/json").auth(&Authorization::Bearer(token.clone()));
    let response = client.read(request).await?;
    if response.status == 200 { Ok(response) } else { Err(refused(&response, hint)) }
}

fn refused(response: &Response, hint: &'static str) -> Failure {
    let kind = match response.status {
        400..=499 if response.status != 429 => FailureKind::Refused,
        _ => FailureKind::Unreachable,
    };
    response.failure(kind, response.excerpt()).hint(hint)
}

/// The server of a URL.
pub(super) fn root(url: &Url) -> Url {
    let mut root = url.clone();
    root.set_path("");
    root.set_query(None);
    root.set_fragment(None);
    root
}

fn of_file(path: &Path) -> Result<Secret, Failure> {
    let tried = format!("reading the token file {}", path.display());
    let bytes = contents(&tried, path)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::new(FailureKind::Misconfigured, tried.as_str(), "it is not text"))?;
    trimmed(&tried, &text)
}

/// Files and variables often end in a line break, which no header and no form may hold.
pub(super) fn trimmed(tried: &str, token: &str) -> Result<Secret, Failure> {
    match token.trim() {
        "" => Err(Failure::new(FailureKind::Misconfigured, tried, "it is empty")
            .hint("does the job declare the token (GitLab: `id_tokens`)?")),
        text => match text.chars().find(|c| !c.is_ascii_graphic()) {
            // No token has one, and nobody sees it where it was pasted.
            Some(odd) => Err(Failure::new(
                FailureKind::Misconfigured,
                tried,
                format!("it holds the character U+{:04X}, which no token has", u32::from(odd)),
            )
            .hint("take the token again, without what stands before, behind or between")),
            None => Ok(Secret::new(text)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_loses_its_line_break_and_no_more() {
        let read = |text: &str| trimmed("reading", text);
        for text in ["a.b.c", "a.b.c\n", " a.b.c\r\n"] {
            assert_eq!(read(text).unwrap().expose(), "a.b.c");
        }
        for (text, found) in
            [("", "it is empty"), ("a.\u{200b}b", "U+200B"), ("\u{feff}a.b", "U+FEFF"), ("a.b c", "U+0020")]
        {
            assert!(read(text).unwrap_err().found.contains(found), "{text:?}");
        }
    }
}
