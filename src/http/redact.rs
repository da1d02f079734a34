//! Keeps secrets out of every text that leaves this room (promise P7).
//!
//! Owns: the list of the secrets this process has handed to a server, and the two ways a text is cleaned.
//! Leaves to others: holding secrets (`secrecy`) and choosing what to print.
//! A newcomer gets wrong: the list is of the whole process on purpose. A server may echo one system's credential in an
//! answer to another, and whoever prints it does not know where it came from.

use std::sync::{PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// What stands where a secret stood.
pub const REDACTED: &str = "***";

/// Shorter ones would turn ordinary words of a message into stars, which tells more than it hides.
const SHORTEST: usize = 4;

/// Names of parameters and members whose value is secret even when we have never seen it.
const SECRET_NAMES: [&str; 17] = [
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "client_assertion",
    "assertion",
    "os_password",
    "password",
    "passwd",
    "skiptoken",
    "deltatoken",
    "pagetoken",
    "nextpagetoken",
    "atl_token",
    "jsessionid",
    "authorization",
    "api_key",
];

static KNOWN: RwLock<Vec<SecretString>> = RwLock::new(Vec::new());

/// Remembers a secret, so that [`redact`] finds it in any text from now on.
pub fn know(secret: &SecretString) {
    let text = secret.expose_secret();
    if text.len() < SHORTEST || is_known(text) {
        return;
    }
    let quoted = serde_json::Value::from(text).to_string();
    let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let forms = [text.to_owned(), encoded, quoted.trim_matches('"').to_owned()];
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    for form in forms {
        if !known.iter().any(|k| k.expose_secret() == form) {
            known.push(SecretString::from(form));
        }
    }
    // The longest first: a secret that holds another one must not leave its rest behind.
    known.sort_by_key(|k| std::cmp::Reverse(k.expose_secret().len()));
}

fn is_known(text: &str) -> bool {
    KNOWN.read().unwrap_or_else(PoisonError::into_inner).iter().any(|k| k.expose_secret() == text)
}

/// The text without any secret this process knows, and without the value of any member that is named like one.
pub fn redact(text: &str) -> String {
    let mut clean = text.to_owned();
    for secret in KNOWN.read().unwrap_or_else(PoisonError::into_inner).iter() {
        if clean.contains(secret.expose_secret()) {
            clean = clean.replace(secret.expose_secret(), REDACTED);
        }
    }
    redact_named(&clean)
}

/// Replaces the value in `name=value`, `"name": "value"` and `name: value` for every secret name.
fn redact_named(text: &str) -> String {
    let folded = text.to_ascii_lowercase();
    let mut clean = String::with_capacity(text.len());
    let mut done = 0;
    while let Some((value, end)) = next_named(&folded, done) {
        clean.push_str(&text[done..value]);
        clean.push_str(REDACTED);
        done = end;
    }
    clean.push_str(&text[done..]);
    clean
}

/// Where the next value of a secret name begins and ends, from `from` on.
fn next_named(folded: &str, from: usize) -> Option<(usize, usize)> {
    SECRET_NAMES.iter().filter_map(|name| value_of(folded, name, from)).min()
}

fn value_of(folded: &str, name: &str, from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    while let Some(found) = folded[at..].find(name) {
        at += found + name.len();
        let rest = &folded[at..];
        let opened = rest.trim_start_matches(['"', '\'', ' ', '\\']);
        let Some(value) = opened.strip_prefix([':', '=']) else { continue };
        let value = value.trim_start_matches(['"', '\'', ' ', '\\']);
        let value = value.strip_prefix("bearer ").or_else(|| value.strip_prefix("basic ")).unwrap_or(value);
        let length = value.find(['"', '\'', '&', ',', '}', '<', ';', ' ', '\\', '\n', '\r']).unwrap_or(value.len());
        let start = folded.len() - value.len();
        if length > 0 {
            return Some((start, start + length));
        }
    }
    None
}

/// A URL for people: without user info and fragment, and without the values of secret parameters.
pub fn safe_url(url: &Url) -> String {
    let mut shown = url.clone();
    // Both can only fail for URLs that cannot hold user info in the first place.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_fragment(None);
    redact(shown.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_secret_is_found_in_every_form() {
        know(&SecretString::from("s3cr~t+/\"quoted\""));
        for text in [
            "plain s3cr~t+/\"quoted\" end",
            "form a=s3cr%7Et%2B%2F%22quoted%22&b=1",
            r#"json {"echo":"s3cr~t+/\"quoted\""}"#,
        ] {
            let clean = redact(text);
            assert!(clean.contains(REDACTED) && !clean.contains("s3cr"), "{clean}");
        }
    }

    #[test]
    fn a_secret_inside_a_longer_one_leaves_no_rest() {
        know(&SecretString::from("inner-value"));
        know(&SecretString::from("inner-value-and-more"));
        assert_eq!(redact("x inner-value-and-more y inner-value z"), "x *** y *** z");
    }

    #[test]
    fn values_of_secret_names_are_hidden_though_never_seen_before() {
        for (text, clean) in [
            (r#"{"access_token":"eyJ0","expires_in":3599}"#, r#"{"access_token":"***","expires_in":3599}"#),
            (r#"{"access_token" : "eyJ0"}"#, r#"{"access_token" : "***"}"#),
            ("client_secret=abc&scope=x", "client_secret=***&scope=x"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
            ("password is wrong", "password is wrong"),
            (r#"{"password":""}"#, r#"{"password":""}"#),
            ("\u{130} password=abc", "\u{130} password=***"),
        ] {
            assert_eq!(redact(text), clean);
        }
    }

    #[test]
    fn urls_lose_user_info_and_secret_parameters_only() {
        let url = Url::parse("https://me:pw@h.example/v1.0/users?$top=999&$skiptoken=RFNw&x=1#frag").unwrap();
        assert_eq!(safe_url(&url), "https://h.example/v1.0/users?$top=999&$skiptoken=***&x=1");
    }
}
