//! One request, taken apart.
//!
//! Owns: reading path, query, headers, cookies and a multipart part from what axum hands over.
//! Leaves to others: every meaning, except the words of the faults that these simulators know.
//! A newcomer gets wrong: the path comes without the base path; the sandbox cuts it off.

use axum::RequestExt;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Multipart, Request as HttpRequest};
use axum::http::{HeaderMap, Method, header};
use url::form_urlencoded;

use crate::simulator::Special;

const LARGEST_BODY: usize = 64 * 1024 * 1024;

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub method: Method,
    /// Path segments, percent-decoded.
    pub path: Vec<String>,
    /// Query pairs, decoded.
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    /// Body; empty for a multipart one, which is in `part`.
    pub body: Bytes,
    /// The part named `avatar` of a multipart body.
    pub part: Option<Part>,
    pub fault: Option<Fault>,
}

/// Faults that only these simulators know, dialled in as `{ special: WORD }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `session_lost`: the sessions are gone before the request, as on a restart.
    SessionLost,
    /// `affinity_lost`: the affinity cookie is dropped on the way, so the request comes to a node without its session.
    AffinityLost,
    /// `page_skips`: somebody before the page that is asked for was deleted since the last one, so one is skipped.
    PageSkips,
    /// `page_repeats`: somebody before the page that is asked for was added since the last one, so one comes again.
    PageRepeats,
    /// `login_refused`: whoever asks is not let in; endpoints open to anonymous answer 200 as nobody.
    LoginRefused,
    /// `empty_answer`: the request is handled, and the answer is 200 with nothing in it (Confluence's RPC,
    /// docs/wire/atlassian.md §4.4).
    EmptyAnswer,
    /// `wrong_picture`: an avatar that this request makes holds another picture (Jira).
    WrongPicture,
    /// `wrong_owner`: an avatar that this request makes belongs to somebody else (Jira).
    WrongOwner,
    /// `name_passes`: before the request whoever it names is renamed, and somebody new has the name (Jira).
    NamePasses,
}

impl Fault {
    fn named(word: &str) -> Option<Fault> {
        match word {
            "session_lost" => Some(Fault::SessionLost),
            "affinity_lost" => Some(Fault::AffinityLost),
            "page_skips" => Some(Fault::PageSkips),
            "page_repeats" => Some(Fault::PageRepeats),
            "login_refused" => Some(Fault::LoginRefused),
            "empty_answer" => Some(Fault::EmptyAnswer),
            "wrong_picture" => Some(Fault::WrongPicture),
            "wrong_owner" => Some(Fault::WrongOwner),
            "name_passes" => Some(Fault::NamePasses),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// `filename` of the part.
    pub file_name: String,
    /// `Content-Type` of the part.
    pub mime: String,
    pub bytes: Bytes,
}

impl Request {
    /// Takes a request apart. An error is a body that could not be read.
    pub(crate) async fn read(http: HttpRequest) -> Result<Request, String> {
        let (method, uri, headers) = (http.method().clone(), http.uri().clone(), http.headers().clone());
        let fault = http.extensions().get::<Special>().and_then(|special| Fault::named(&special.0));
        let path = uri.path().split('/').filter(|s| !s.is_empty()).map(decode).collect();
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let multipart = header_of(&headers, header::CONTENT_TYPE.as_str())
            .is_some_and(|mime| mime.to_ascii_lowercase().starts_with("multipart/form-data"));
        let (body, part) = match multipart {
            true => (Bytes::new(), avatar_part(http).await?),
            false => (to_bytes(http.into_body(), LARGEST_BODY).await.map_err(|e| e.to_string())?, None),
        };
        Ok(Request { method, path, query, headers, body, part, fault })
    }

    /// A query value; the first of several.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A query value as a number, `default` if absent; an odd one is an error.
    pub(crate) fn number(&self, name: &str, default: usize) -> Result<usize, String> {
        match self.query(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| format!("{name}: \"{text}\" is no number")),
        }
    }

    /// Where a page begins in a listing by offset, once somebody before it came or went.
    pub(crate) fn drifted(&self, start: usize) -> usize {
        match self.fault {
            Some(Fault::PageSkips) if start > 0 => start + 1,
            Some(Fault::PageRepeats) => start.saturating_sub(1),
            _ => start,
        }
    }

    /// A query value as Java reads booleans: `true` in any case, everything else is false.
    pub(crate) fn flag(&self, name: &str, default: bool) -> bool {
        self.query(name).map_or(default, |text| text.eq_ignore_ascii_case("true"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header_of(&self.headers, name)
    }

    /// The media type of the body, without parameters, lower-cased.
    pub(crate) fn mime(&self) -> Option<String> {
        let mime = self.header("content-type")?.split(';').next().unwrap_or_default();
        Some(mime.trim().to_ascii_lowercase()).filter(|mime| !mime.is_empty())
    }

    /// A cookie; the first of that name.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub(crate) fn is_mutating(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }
}

async fn avatar_part(http: HttpRequest<Body>) -> Result<Option<Part>, String> {
    let mut parts: Multipart = http.extract().await.map_err(|e| format!("multipart: {e}"))?;
    let mut found = None;
    while let Some(field) = parts.next_field().await.map_err(|e| format!("multipart: {e}"))? {
        if field.name() == Some("avatar") {
            let file_name = field.file_name().unwrap_or_default().to_owned();
            let mime = field.content_type().unwrap_or("application/octet-stream").to_ascii_lowercase();
            let bytes = field.bytes().await.map_err(|e| format!("multipart: {e}"))?;
            found = Some(Part { file_name, mime, bytes });
        }
    }
    Ok(found)
}

fn header_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Percent-decoding of a path segment; a plus sign stays a plus sign.
fn decode(segment: &str) -> String {
    let data = segment.replace('+', "%2B");
    form_urlencoded::parse(format!("s={data}").as_bytes()).next().map(|(_, s)| s.into_owned()).unwrap_or_default()
}

pub(crate) fn encode(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}
