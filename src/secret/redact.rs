//! Keeps secrets out of every text that leaves this room (promise P7).
//!
//! Owns: the list of the secrets this process has handed to a server, and the two ways a text is cleaned.
//! Leaves to others: holding secrets (`secrecy`) and choosing what to print.
//! A newcomer gets wrong: the list is of the whole process on purpose. A server may echo one system's credential in an
//! answer to another, and whoever prints it does not know where it came from.

use std::ops::Range;
use std::sync::{LazyLock, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::cookies;
use super::echoes::{self, Echoes};
use super::spellings::{encodings, spellings};
use super::windows::Marks;

/// What stands where a secret stood.
pub(crate) const REDACTED: &str = "***";

/// Shorter ones would turn ordinary words of a message into stars, which tells more than it hides.
const SHORTEST: usize = 4;

/// Names of parameters and members whose value is secret even when we have never seen it.
const SECRET_NAMES: [&str; 22] = [
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
    "xsrf.token",
    "subject_token",
    "signedjwt",
    "authorization",
    "api_key",
    "signature",
    "signatureprovided",
];

/// What stands before a credential, and is none.
const SCHEMES: [&str; 3] = ["bearer ", "basic ", "aws4-hmac-sha256 "];

/// What the values of [`SECRET_NAMES`] are found by.
static NAMES: LazyLock<Marks> = LazyLock::new(|| {
    let mut names = Marks::default();
    SECRET_NAMES.iter().for_each(|name| names.add_beginning(name));
    names
});

/// Each spelling of each secret, the longest first, and what they begin with.
static KNOWN: LazyLock<RwLock<(Vec<SecretString>, Marks)>> = LazyLock::new(RwLock::default);

/// Every form of the longer ones of the first and the latest.
static ECHOES: LazyLock<RwLock<Echoes>> = LazyLock::new(RwLock::default);

/// Remembers a secret, so that [`redact`] finds it in any text from now on, and [`holds_secret`] in any answer.
pub(super) fn know(text: &str) {
    if text.len() >= SHORTEST && !is_known(text) {
        cover(text);
        listen_for(text);
    }
}

/// Has a secret covered that is not ours to keep: whoever issues it may give it again, so no answer is held against it.
pub(crate) fn cover(text: &str) {
    if text.len() < SHORTEST || is_known(text) {
        return;
    }
    let mut guard = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    let (known, beginnings) = &mut *guard;
    for form in spellings(text) {
        beginnings.add_beginning(&form);
        if !known.iter().any(|k| k.expose_secret() == form) {
            known.push(SecretString::from(form));
        }
    }
    // The longest first: a secret that holds another one must not leave its rest behind.
    known.sort_by_key(|k| std::cmp::Reverse(k.expose_secret().len()));
}

/// From now on answers that hold this secret are found, however it is encoded.
fn listen_for(text: &str) {
    if text.len() >= echoes::SHORTEST {
        let mut echoes = ECHOES.write().unwrap_or_else(PoisonError::into_inner);
        echoes.listen_for(encodings(text));
    }
}

/// Whether one of these texts holds a secret of ours, however it is encoded.
pub(crate) fn holds_secret<'t>(texts: impl IntoIterator<Item = &'t [u8]>) -> bool {
    let echoes = ECHOES.read().unwrap_or_else(PoisonError::into_inner);
    texts.into_iter().any(|text| echoes.are_in(text))
}

fn is_known(text: &str) -> bool {
    KNOWN.read().unwrap_or_else(PoisonError::into_inner).0.iter().any(|k| k.expose_secret() == text)
}

/// How much of a server's own words goes into a message.
const TOLD: usize = 400;

/// A server's own words, for a message: without secrets, on one line, cut where they go on for too long.
pub(crate) fn server_message(words: &str) -> String {
    // Redacted before it is cut: half a secret is not recognised any more. Secrets are far shorter than the margin.
    let head: String = words.chars().take(32 * TOLD).collect();
    let clean = redact(&head);
    let blank = |c: char| c.is_whitespace() || c.is_control() || c == char::REPLACEMENT_CHARACTER;
    let line = clean.split(blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(TOLD) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

/// How long a sentence about a failure may be, with what it quotes: room for a URL with its cursor.
const LONGEST: usize = 1000;

/// A text without secrets, cut where it goes on for too long: a server may answer megabytes where a word was expected, and what
/// becomes an error is printed, reported and kept in the state.
pub(crate) fn brief(text: &str) -> String {
    // As in `server_message`.
    let head = text.char_indices().nth(32 * LONGEST).map_or(text, |(cut, _)| &text[..cut]);
    cut(redact(head))
}

/// A clean text, cut where it goes on for too long.
pub(crate) fn cut(mut clean: String) -> String {
    if let Some((end, _)) = clean.char_indices().nth(LONGEST) {
        clean.truncate(end);
        clean.push('…');
    }
    clean
}

/// The text without any secret this process knows, and without the value of any member that is named like one.
pub(crate) fn redact(text: &str) -> String {
    redact_named(&redact_known(text))
}

/// The text without any secret this process knows, however it is encoded.
pub(crate) fn redact_known(text: &str) -> String {
    let mut places = Vec::new();
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let sought: &[SecretString] = if known.1.may_be_in(text) { known.0.as_slice() } else { &[] };
    for secret in sought {
        let secret = secret.expose_secret();
        if text.contains(secret) {
            places.extend(text.match_indices(secret).map(|(at, found)| at..at + found.len()));
        }
    }
    cookies::each_in(text, |value| places.extend(text.match_indices(value).map(|(at, _)| at..at + value.len())));
    let echoes = ECHOES.read().unwrap_or_else(PoisonError::into_inner);
    if echoes.are_in(text.as_bytes()) {
        places.extend(echoes.places(text.as_bytes()));
    }
    covered(text, places)
}

/// The text with stars in these places. Of those that overlap one is left, so that no rest stays of a secret in a longer one.
fn covered(text: &str, mut places: Vec<Range<usize>>) -> String {
    places.sort_unstable_by_key(|place| place.start);
    let (mut clean, mut done) = (String::with_capacity(text.len()), 0);
    for Range { mut start, mut end } in places {
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        while !text.is_char_boundary(end) {
            end += 1;
        }
        if start >= done {
            clean.push_str(&text[done..start]);
            clean.push_str(REDACTED);
        }
        done = done.max(end);
    }
    clean.push_str(&text[done..]);
    clean
}

/// Replaces the value in `name=value`, `"name": "value"` and `name: value` for every secret name.
fn redact_named(text: &str) -> String {
    if !NAMES.may_be_in(text) {
        return text.to_owned();
    }
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
        let Some(value) = opened.strip_prefix([':', '=', '>']).or_else(|| opened.strip_prefix("%3d")) else { continue };
        let value = value.trim_start_matches(['"', '\'', ' ', '\\']);
        // A variable of a pipeline file is the place of a secret, and tells nothing; nor does what is covered already.
        if ["${", "…", REDACTED].iter().any(|shown| value.starts_with(shown)) {
            continue;
        }
        let value = SCHEMES.iter().find_map(|scheme| value.strip_prefix(scheme)).unwrap_or(value);
        let length = value.find(['"', '\'', '&', ',', '}', '<', ';', ' ', '\\', '\n', '\r']).unwrap_or(value.len());
        let start = folded.len() - value.len();
        if length > 0 {
            return Some((start, start + length));
        }
    }
    None
}

/// A URL for people: without user info and fragment, and without the values of secret parameters.
pub(crate) fn safe_url(url: &Url) -> String {
    let mut shown = url.clone();
    // Both can only fail for URLs that cannot hold user info in the first place.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_fragment(None);
    redact(shown.as_str())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_known_secret_is_found_in_every_form() {
        know("s3cr~t+/\"quoted\"");
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
    fn a_known_secret_is_found_however_a_server_gives_it_back() {
        know("p+a/s's<w>&\"=~ x");
        for text in [
            "p&#43;a/s&#39;s&lt;w&gt;&amp;&#34;=~ x",
            "p+a/s&#39;s&lt;w&gt;&amp;&quot;=~ x",
            r"p\u002Ba\/s\u0027s\u003Cw\u003E\u0026\u0022=~ x",
            r"p\u002ba/s\u0027s\u003cw\u003e\u0026\u0022=~ x",
            "p%2Ba%2Fs%27s%3Cw%3E%26%22%3D%7E%20x",
            "p%2ba%2fs%27s%3cw%3e%26%22%3d%7e%20x",
            "p%2Ba%2Fs%27s%3Cw%3E%26%22%3D%7E+x",
            "p%2Ba%2Fs%27s%3Cw%3E%26%22%3D%7E&#43;x",
        ] {
            assert_eq!(redact(&format!("<{text}>")), "<***>", "{text}");
        }
    }

    /// What a server may make of a text, by what it is called.
    fn echoes_of(secret: &str) -> Vec<(&'static str, String)> {
        let each = |form: &dyn Fn(char) -> String| secret.chars().map(form).collect::<String>();
        let bytes = |form: &dyn Fn(&u8) -> String, between: &str| {
            secret.as_bytes().iter().map(form).collect::<Vec<_>>().join(between)
        };
        let latin: Vec<u8> = secret.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let utf_16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let json = serde_json::Value::from(secret).to_string();
        vec![
            ("plain", secret.to_owned()),
            ("letters of another case", secret.to_ascii_uppercase()),
            ("form", form.clone()),
            ("form with ~", form.replace("%7E", "~")),
            ("form twice", url::form_urlencoded::byte_serialize(form.as_bytes()).collect()),
            ("each byte as in a URL", bytes(&|byte| format!("%{byte:02x}"), "")),
            ("base64", STANDARD.encode(secret)),
            ("base64 of a pair", STANDARD.encode(format!("svc:{secret}"))),
            ("base64 of a line", STANDARD.encode(format!("x {secret} and more"))),
            ("base64 of a form", STANDARD.encode(format!("a=b&client_secret={form}&c=d"))),
            ("base64 in a URL", STANDARD.encode(format!("b:{secret}")).replace('+', "%2B").replace('/', "%2F")),
            ("base64 of Latin-1", STANDARD.encode([b"svc:", latin.as_slice()].concat())),
            ("base64 of UTF-16", STANDARD.encode(&utf_16)),
            ("hex", bytes(&|byte| format!("{byte:02X}"), "")),
            ("hex with colons", bytes(&|byte| format!("{byte:02x}"), ":")),
            ("hex of Latin-1", latin.iter().map(|byte| format!("{byte:02x}")).collect()),
            ("JSON", json.trim_matches('"').to_owned()),
            ("JSON with \\/", json.trim_matches('"').replace('/', "\\/")),
            ("JSON, all escaped", each(&|c| format!("\\u{:04x}", u32::from(c)))),
            ("JSON in JSON", each(&|c| format!("\\\\u{:04X}", u32::from(c)))),
            ("page, all escaped", each(&|c| format!("&#{};", u32::from(c)))),
            ("page, all escaped in hex", each(&|c| format!("&#x{:x};", u32::from(c)))),
            ("page with names", secret.replace('&', "&amp;").replace('ä', "&auml;")),
            ("UTF-8 as Latin-1", secret.bytes().map(char::from).collect()),
            ("composed otherwise", secret.replace('ä', "a\u{308}")),
            ("octal", bytes(&|byte| format!("\\{byte:03o}"), "")),
            ("letters in braces", each(&|c| format!("\\u{{{:x}}}", u32::from(c)))),
            ("numbers", format!("[{}]", bytes(&|byte| byte.to_string(), ", "))),
            ("numbers of Java", format!("[{}]", bytes(&|byte| byte.cast_signed().to_string(), ", "))),
            ("numbers in hex", format!("{{{}}}", bytes(&|byte| format!("0x{byte:02x}"), ", "))),
            ("quoted-printable", bytes(&|byte| format!("={byte:02X}"), "")),
            ("an ASCII log", secret.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()),
            ("a log that leaves signs out", secret.chars().filter(char::is_ascii).collect()),
            ("UTF-8 as windows-1252", secret.replace('ä', "Ã¤").replace('ß', "ÃŸ").replace('…', "â€¦")),
        ]
    }

    #[test]
    fn a_secret_is_found_and_covered_whatever_a_server_makes_of_it() {
        for secret in ["tok-CANARY-99x7?>", "gr@ph~s3cret+/=Zz9", "pässw0rd&Geheim/42", "pass\"w0rd\\42 xyz"] {
            know(secret);
            for (what, echoed) in echoes_of(secret) {
                for text in [echoed.clone(), format!("{{\"é\":\"{echoed}\"}}")] {
                    assert!(holds_secret([text.as_bytes()]), "{what}: {text}");
                    let clean = redact_known(&text);
                    assert!(clean.contains(REDACTED) && !holds_secret([clean.as_bytes()]), "{what}: {clean}");
                    assert!(clean.len() < text.len() - secret.len() / 2, "{what}: {clean}");
                }
            }
        }
        let bytes: Vec<u8> = "pässw0rd&Geheim/42".chars().map(|c| c as u8).collect();
        assert!(holds_secret([bytes.as_slice()]), "a header in Latin-1");
    }

    #[test]
    fn a_server_s_words_are_one_line_and_end() {
        know("told-secret");
        assert_eq!(server_message(" a\n\tb \u{0} told-secret "), "a b ***");
        let long = server_message(&"word ".repeat(9000));
        assert!(long.ends_with('…') && long.chars().count() == TOLD + 1, "{long}");
    }

    #[test]
    fn a_secret_inside_a_longer_one_leaves_no_rest() {
        know("inner-value");
        know("inner-value-and-more");
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
            ("write `{ username: …, password: … }`", "write `{ username: …, password: … }`"),
            ("GET /users?$skiptoken=RFNw&x=1: 410", "GET /users?$skiptoken=***&x=1: 410"),
            ("GET /users?$skiptoken=***: 410", "GET /users?$skiptoken=***: 410"),
            (
                "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/20261130/x/s3/aws4_request, SignedHeaders=host, Signature=5d67",
                "Authorization: AWS4-HMAC-SHA256 ***, SignedHeaders=host, Signature=***",
            ),
            ("<SignatureProvided>5d67</SignatureProvided>", "<SignatureProvided>***</SignatureProvided>"),
            ("/b?X-Amz-Signature=5d67&a=b", "/b?X-Amz-Signature=***&a=b"),
            ("X-Amz-Signature%3D5d67%26a", "X-Amz-Signature%3D***"),
        ] {
            assert_eq!(redact(text), clean);
            assert_eq!(redact(clean), clean, "once more changes nothing");
        }
    }

    #[test]
    fn urls_lose_user_info_and_secret_parameters_only() {
        let url = Url::parse("https://me:pw@h.example/v1.0/users?$top=999&$skiptoken=RFNw&x=1#frag").unwrap();
        assert_eq!(safe_url(&url), "https://h.example/v1.0/users?$top=999&$skiptoken=***&x=1");
    }
}
