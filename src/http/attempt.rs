//! What became of one request, and what is said of it where that ends a call.
//!
//! Owns: the kinds of end, reading a body up to its cap, the words of failures that no answer explains. Leaves to others: sending (`client.rs`), how an
//! answer reads (`response.rs`).
//! A newcomer gets wrong: only `Never` proves that nothing arrived.

use bytes::{Bytes, BytesMut};
use reqwest::Response as HttpResponse;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use super::retry;
use super::{Failure, FailureKind, Request, Response};
use crate::model::Fault;
use crate::secret::{holds_secret, redact};

/// How one exchange ended without failing.
pub(super) enum Attempt {
    Response(Response),
    TooLarge(u16),
    /// It holds a secret of ours, and nothing of it is kept.
    Echo(Failure),
}

/// How one exchange failed.
pub(super) enum Broken {
    /// We do not send such a thing.
    Ours(Failure),
    /// It surely never left.
    Never(String),
    /// It may have arrived.
    Lost(&'static str, String),
    /// It did not leave: the run is asked to stop.
    Stopped,
}

/// A failure for a server that gives back what it was sent.
pub(super) fn echo(request: &Request, status: u16, body: &[u8]) -> Failure {
    // A refused sign-in is not tried again: that could lock the account out. An object says so (RFC 6749 §5.2); a proxy's page
    // does not.
    let says_no = matches!(status, 401 | 403) || body.trim_ascii().starts_with(b"{");
    let refused = request.returns_secrets && matches!(status, 400..=499) && status != 429 && says_no;
    let kind = if refused { FailureKind::Refused } else { FailureKind::Odd };
    Failure::new(kind, request.describe(), format!("{status}, and the answer holds a secret of this pipeline"))
        .hint("the server, or something before it, gives back credentials: nothing of the answer was kept; change that secret")
}

pub(super) const ASKED: &str = "the run is asked to stop";

pub(super) fn stopped(request: &Request) -> Failure {
    Failure::new(FailureKind::Stopped, request.describe(), ASKED).hint("run again to go on: what was done is saved")
}

/// A failure for a server that asked for a time no run can wait.
pub(super) fn blocked(response: &Response) -> Failure {
    let asked = format!("{}, Retry-After: {}", response.status, response.header("retry-after").unwrap_or_default());
    if !retry::is_throttled(response.status) {
        return response.failure(FailureKind::Unreachable, format!("{asked}: down for longer")).hint("run again later");
    }
    response
        .failure(FailureKind::Refused, format!("{asked}: blocked by rate limiting"))
        .hint("an administrator of that server has to exempt this account from rate limiting, or raise its limit; a vendor's cloud wants less: lower `units` of the rate, and run again after that time")
}

pub(super) fn fault(code: &str, request: &Request, found: &str) -> Fault {
    Fault::new(code, format!("{}: {}", request.describe(), redact(found)))
}

/// Whether a server gives back a secret of ours: as a name, a version, an id. Nothing of such an answer may be kept, for it
/// would end in a state or a report under another name.
pub(super) fn gives_a_secret_back(request: &Request, status: u16, headers: &HeaderMap, body: &[u8]) -> bool {
    let excused = is_picture(headers, body) || (request.returns_secrets && grants(status, body));
    holds_secret(headers.values().map(HeaderValue::as_bytes).chain((!excused).then_some(body)))
}

/// The bytes of a picture are nobody's name. What is only called one may be read as something else.
fn is_picture(headers: &HeaderMap, body: &[u8]) -> bool {
    let mime = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let begins: [&[u8]; 6] = [b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM", b"\0\0"];
    mime.starts_with(b"image/") && begins.iter().any(|magic| body.starts_with(magic))
}

/// Whether this is how a sign-in gives a credential: an object, Amazon's XML or the bare token, which may be the one that is
/// known already. Of none of them anything is quoted.
fn grants(status: u16, body: &[u8]) -> bool {
    let body = body.trim_ascii();
    let opens = [&b"{"[..], b"<?xml", b"<AssumeRole"].iter().any(|opening| body.starts_with(opening));
    (200..300).contains(&status) && (opens || !body.iter().any(u8::is_ascii_whitespace))
}

/// The body, or `None` if it is larger than the cap. Stops reading there.
pub(super) async fn take_body(mut http_response: HttpResponse, cap: usize) -> Result<Option<Bytes>, reqwest::Error> {
    let announced = http_response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    if announced > cap {
        return Ok(None);
    }
    let mut body = BytesMut::with_capacity(announced);
    while let Some(chunk) = http_response.chunk().await? {
        if body.len() + chunk.len() > cap {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body.freeze()))
}

/// Whether it says to ask elsewhere.
pub(super) fn is_redirect(response: &Response) -> bool {
    matches!(response.status, 301 | 302 | 303 | 307 | 308)
}
