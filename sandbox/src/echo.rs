//! Answers that give back what was sent, credentials included: what debug pages, gateways and careless services do.
//!
//! Owns: the forms in which servers do so, each with its own escaping. Leaves to others: when (`faults`).
//! A newcomer gets wrong: a secret comes back in another spelling than it was sent in. A page escapes `+` as `&#43;`,
//! JSON as `\u002B`.

use std::fmt::Write as _;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// How the request is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Plain text, as it came.
    Text,
    /// A page for people.
    Page,
    /// The `error` of an API, an object, with the request for a message; and the other members in which messages stand.
    Json,
    /// The `error` of a sign-in, a word, with the request for a description.
    Oauth,
    /// The headers of the answer; the body is empty.
    Headers,
}

/// The most of a body that is given back.
const LARGEST: usize = 64 << 10;

pub(super) async fn answer(request: Request, status: u16, form: Form) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut told = format!("{} {}\n", parts.method, parts.uri);
    for (name, value) in &parts.headers {
        _ = writeln!(told, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    _ = write!(told, "\n{}", String::from_utf8_lossy(&body[..body.len().min(LARGEST)]));
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match form {
        Form::Text => (status, told).into_response(),
        Form::Page => {
            let page = format!("<!DOCTYPE html><html><body><pre>{}</pre></body></html>", in_page(&told));
            (status, [(header::CONTENT_TYPE, "text/html")], page).into_response()
        }
        Form::Json => {
            json(status, "{\"code\":\"TOLD\",\"message\":\"TOLD\",\"errors\":[{\"reason\":\"TOLD\"}]}", &told)
        }
        Form::Oauth => json(status, "\"invalid_client\"", &told),
        Form::Headers => (status, headers(&parts.headers, &told)).into_response(),
    }
}

fn json(status: StatusCode, error: &str, told: &str) -> Response {
    let all = "{\"error\":ERROR,\"error_description\":\"TOLD\",\"message\":\"TOLD\",\"errorMessages\":[\"TOLD\"],\
        \"errors\":[{\"message\":\"TOLD\"}],\"reason\":\"TOLD\"}";
    let body = all.replace("ERROR", error).replace("TOLD", &in_json(told));
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// In every header that a client of these systems looks at.
fn headers(sent: &HeaderMap, told: &str) -> HeaderMap {
    let credential = [header::AUTHORIZATION, header::COOKIE]
        .iter()
        .filter_map(|name| sent.get(name)?.to_str().ok())
        .chain(told.lines().last())
        .collect::<Vec<_>>()
        .join(" ");
    let credential: String = credential.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
    let query: String = url::form_urlencoded::byte_serialize(credential.as_bytes()).collect();
    let mut answer = HeaderMap::new();
    for (name, value) in [
        ("location", format!("/login?from={query}")),
        ("www-authenticate", format!("Bearer realm=\"{credential}\", scope=\"{credential}\"")),
        ("x-authentication-denied-reason", format!("CAPTCHA_CHALLENGE; login-url=/login?from={credential}")),
        ("x-ausername", credential.clone()),
        ("retry-after", credential.clone()),
        ("content-type", format!("text/plain; boundary={credential}")),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.insert(name, value);
        }
    }
    answer
}

/// As ASP.NET and Go escape text in a page.
fn in_page(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        '+' => "&#43;".to_owned(),
        c => c.to_string(),
    });
    escaped.collect()
}

/// As .NET escapes text in JSON, and with the `\/` of PHP and Java.
fn in_json(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '/' => "\\/".to_owned(),
        '\\' => "\\\\".to_owned(),
        '"' | '&' | '\'' | '+' | '<' | '>' | '`' | '\0'..='\x1f' | '\x7f'..='\u{ffff}' => {
            format!("\\u{:04X}", c as u32)
        }
        c => c.to_string(),
    });
    escaped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_spells_in_its_own_way() {
        assert_eq!(in_page("a+b&\"c'<d>"), "a&#43;b&amp;&quot;c&#39;&lt;d&gt;");
        assert_eq!(in_json("a+b/\"\n"), "a\\u002Bb\\/\\u0022\\u000A");
        let read: String = serde_json::from_str(&format!("\"{}\"", in_json("a+b/\\\"\n'é"))).unwrap();
        assert_eq!(read, "a+b/\\\"\n'é");
    }
}
