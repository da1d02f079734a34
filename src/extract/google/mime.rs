//! Several HTTP calls in one body: `multipart/mixed` of `application/http` (docs/wire/google-directory.md §4).
//!
//! Owns: writing such a body, and reading one in all the forms that servers send. Leaves to others: what a part says
//! (`photo.rs`).
//! A newcomer gets wrong: parts are told apart by their `Content-ID` alone. A part without one belongs to nobody: by
//! guessing from the order, a face could land on another account (promise P1).

use std::fmt::Write as _;

use crate::extract::doubt::takes_back;

/// Stands in no path that is sent.
const BOUNDARY: &str = "avatarpipe-batch";

/// The type of a body that [`compose`] makes.
pub(super) const MIME: &str = "multipart/mixed; boundary=avatarpipe-batch";

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MimePart<'a> {
    /// As it was sent: without brackets and `response-`.
    pub(super) id: Option<String>,
    pub(super) status: u16,
    pub(super) retry_after: Option<String>,
    pub(super) challenge: Option<String>,
    /// A header says to come back later, or that the answer is an old one.
    pub(super) taken_back: bool,
    pub(super) body: &'a [u8],
}

/// A body that asks for these paths, each under its id.
pub(super) fn compose<'a>(calls: impl Iterator<Item = (&'a str, String)>) -> String {
    let mut body = String::new();
    for (id, path) in calls {
        // Writing to a string does not fail.
        let _ = write!(
            body,
            "--{BOUNDARY}\r\nContent-Type: application/http\r\nContent-ID: <{id}>\r\n\r\nGET {path}\r\n\r\n"
        );
    }
    let _ = write!(body, "--{BOUNDARY}--\r\n");
    body
}

/// The boundary in a content type; `None` if that is no multipart.
pub(super) fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().get(..10)?.eq_ignore_ascii_case("multipart/") {
        return None;
    }
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (name.trim().eq_ignore_ascii_case("boundary") && !value.is_empty()).then_some(value)
    })
}

/// The parts of an answer; what is not an HTTP answer is left out.
pub(super) fn parse<'a>(body: &'a [u8], boundary: &str) -> Vec<MimePart<'a>> {
    sections(body, boundary).into_iter().filter_map(part).collect()
}

/// What stands between the delimiters; the preamble and the epilogue do not.
fn sections<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let mut sections = Vec::new();
    let (mut begins, mut at) = (None, 0);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii_end();
        let rest = text.strip_prefix(b"--").and_then(|text| text.strip_prefix(boundary.as_bytes()));
        if let Some(rest @ (b"" | b"--")) = rest {
            sections.extend(begins.map(|begins: usize| &body[begins..at]));
            begins = rest.is_empty().then_some(at + line.len());
        }
        at += line.len();
    }
    // Without the last delimiter the last part may be cut off.
    sections
}

fn part(section: &[u8]) -> Option<MimePart<'_>> {
    let (head, inner) = split_head(section);
    let id = header(head, "content-id").and_then(|value| {
        let bare = value.trim().trim_start_matches('<').trim_end_matches('>');
        let sent = bare.strip_prefix("response-").unwrap_or(bare);
        (!sent.is_empty()).then(|| sent.to_owned())
    });
    let inner = inner.trim_ascii_start();
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let mut lenient = httparse::ParserConfig::default();
    lenient.allow_obsolete_multiline_headers_in_responses(true).ignore_invalid_headers_in_responses(true);
    let httparse::Status::Complete(length) = lenient.parse_response(&mut response, inner).ok()? else { return None };
    let named = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(found.value).trim().to_owned())
    };
    let taken_back =
        response.headers.iter().any(|header| takes_back(header.name, &String::from_utf8_lossy(header.value)));
    let (retry_after, challenge) = (named("retry-after"), named("www-authenticate"));
    Some(MimePart { id, status: response.code?, retry_after, challenge, taken_back, body: inner.get(length..)? })
}

/// Head and rest around the first empty line.
fn split_head(section: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    for line in section.split_inclusive(|byte| *byte == b'\n') {
        let begins = at;
        at += line.len();
        if line.trim_ascii().is_empty() {
            return (&section[..begins], &section[at..]);
        }
    }
    (section, &[])
}

/// One header, its folded lines joined; `None` also where it stands there twice, since nobody knows which counts.
fn header(head: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(head).replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ");
    let mut found = text.lines().filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    });
    let only = found.next()?;
    found.next().is_none().then_some(only)
}

#[cfg(test)]
mod tests;
