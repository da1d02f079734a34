//! Whether an answer that proves an absence names another error besides, or is an old one (promise P2).
//!
//! Owns: where in an answer an error may be named, which headers take its word away. Leaves to others: which code is a proof (`entra`, `google`).
//! A newcomer gets wrong: this only ever takes a proof away, so it may read messages, which prove nothing themselves.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde_json::Value;

use crate::http::Sparse;

/// Words of a message that tell of trouble, and not of a photo that is not there.
const TROUBLE: [&str; 19] = [
    "unavailable",
    "busy",
    "overload",
    "throttl",
    "too many requests",
    "try again",
    "timed out",
    "timeout",
    "denied",
    "forbidden",
    "unauthorized",
    "internal error",
    "internal server error",
    "maintenance",
    "offline",
    "mailbox",
    "database",
    "failover",
    "temporar",
];

/// All of them in one pass: each text of each answer that says that there is no photo is gone through.
static IN_TROUBLE: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(TROUBLE).expect("the words are a short list"));

/// Whether a header says that the answer is not to be believed yet: come back later, or one out of a store on the way, which was
/// true once.
pub(super) fn takes_back(name: &str, value: &str) -> bool {
    let (name, value) = (name.to_ascii_lowercase(), value.to_ascii_lowercase());
    match name.as_str() {
        "retry-after" | "warning" | "age" => true,
        _ => name.contains("cache") && ["hit", "stale"].iter().any(|word| value.contains(word)),
    }
}

/// Whether something in an answer, at whatever depth, names an error that is none of these. `is_it` tells whether a code is
/// the proof, or says no more than "not found".
pub(super) fn names_another(value: &Value, is_it: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(key, value)| match value {
            // `@type` and `@odata.…` tell of the form.
            _ if key.starts_with('@') => false,
            Value::String(text) if is_code(key) => !text.is_empty() && !is_it(text),
            Value::Number(number) if is_code(key) => !is_it(&number.to_string()),
            value => names_another(value, is_it),
        }),
        Value::Array(each) => each.iter().any(|value| names_another(value, is_it)),
        Value::String(text) => tells_of_another(text, is_it),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_code(key: &str) -> bool {
    ["code", "errorcode", "reason", "status", "statuscode"].iter().any(|name| key.eq_ignore_ascii_case(name))
}

/// Whether a message does: by a code or an exception that it names, by words of trouble, or by JSON of its own.
fn tells_of_another(text: &str, is_it: &dyn Fn(&str) -> bool) -> bool {
    if text.trim_start().starts_with('{')
        && let Ok(Sparse(inner)) = serde_json::from_str(text)
    {
        return names_another(&inner, is_it);
    }
    let folded = text.to_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    IN_TROUBLE.is_match(&folded) || words.any(|word| is_error(word) && !is_it(word))
}

/// `ErrorServerBusy`, `StorageTransientException`; the words themselves name none.
fn is_error(word: &str) -> bool {
    let error = word.strip_prefix("Error").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    error || word.strip_suffix("Exception").is_some_and(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_old_answer_and_one_that_asks_to_come_later_prove_nothing() {
        for (name, value, back) in [
            ("Retry-After", "120", true),
            ("Warning", "110 - \"Response is Stale\"", true),
            ("Age", "86400", true),
            ("X-Cache", "HIT", true),
            ("X-Cache", "MISS", false),
            ("Cache-Control", "private", false),
            ("Content-Type", "application/json", false),
        ] {
            assert_eq!(takes_back(name, value), back, "{name}: {value}");
        }
    }

    #[test]
    fn another_error_is_found_wherever_it_stands() {
        let is_it = |code: &str| ["ImageNotFound", "ImageNotFoundException", "404"].contains(&code);
        let with =
            |name: &str, value: Value| json!({ "error": { "code": "ImageNotFound", "message": "m", name: value } });
        for (body, another) in [
            (with("innerError", json!({ "request-id": "b1d9", "date": "2026-11-23T08:00:00" })), false),
            (with("innerError", json!({ "code": "404", "status": 404 })), false),
            (with("details", json!([])), false),
            (with("@type", json!("google.rpc.ErrorInfo")), false),
            (
                with("message", json!("Exception of type 'Microsoft.Exception.ImageNotFoundException' was thrown.")),
                false,
            ),
            (with("message", json!("The specified object was not found in the store.")), false),
            (with("innerError", json!({ "code": "MailboxNotEnabledForRESTAPI" })), true),
            (with("innererror", json!({ "innererror": { "code": "ErrorServerBusy" } })), true),
            (with("innerError", json!({ "status": 503 })), true),
            (with("innerError", json!({ "errorCode": "503" })), true),
            (with("details", json!([{ "code": "ImageNotFound" }, { "code": "ErrorServerBusy" }])), true),
            (with("message", json!("Service Unavailable")), true),
            (with("message", json!("The mailbox database is offline")), true),
            (with("message", json!("x: ErrorServerBusy")), true),
            (with("message", json!("A 'Storage.StorageTransientException' was thrown.")), true),
            (with("message", json!(r#"{"error":{"code":"NoPermissionsInAccessToken"}}"#)), true),
            (json!({ "error": { "code": "ImageNotFound" }, "errors": [{ "code": "ServiceUnavailable" }] }), true),
        ] {
            assert_eq!(names_another(&body, &is_it), another, "{body}");
        }
    }
}
