//! Addresses and secrets.
//!
//! Owns: base URLs, proxies, headers, and the rule that a secret stands outside of the file.
//! Leaves to others: what a snippet covers (`secret`).
//! A newcomer gets wrong: a default inside of `${NAME:-…}` is written out too, so a secret may have none.

use url::Url;

use super::fault::{FileFault, Span};
use super::interpolate::{Otherwise, TextPart};
use super::read::{Reader, Setting};
use super::scalar::scalar_schema;
use super::secret::has_password;
use super::settle::settled_as_written;
use super::tree::{Id, Kind};
use crate::secret::Secret;
use crate::settings::{Proxy, ProxyUrl};

/// The base URL of a server.
#[derive(Clone, Debug)]
pub(super) struct BaseUrl(pub(super) Url);

impl Setting for BaseUrl {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let url = reader.parsed(id, "a URL with `https://` or `http://`", web_url)?;
        if has_password(url.as_str()) {
            let fault = FileFault::new(reader.spot(id), "a name or password stands in the URL");
            reader.fault(fault.help("write it under `credential`, as `${NAME}`"));
            return None;
        }
        if url.query().is_some() || url.fragment().is_some() {
            let fault = FileFault::new(reader.spot(id), "a base URL has no `?` and no `#`");
            reader.fault(fault.help("write the address of the server, with its context path if it has one"));
            return None;
        }
        if let Some((found, help)) = is_elsewhere(&url) {
            let fault = FileFault::new(reader.spot(id), found);
            reader.fault(fault.help(help));
            return None;
        }
        Some(Self(url))
    }
}

/// What is copied from a browser in place of the address of a server.
fn is_elsewhere(url: &Url) -> Option<(&'static str, &'static str)> {
    const SERVER: &str = "write the address of the server, with its context path if it has one";
    let is_cloud = url.host_str().is_some_and(|host| host.ends_with(".atlassian.net"));
    let path = url.path();
    let is_page = [".jspa", ".action"].iter().any(|end| path.ends_with(end)) || path.contains("/rest/api");
    match (is_cloud, is_page) {
        (true, _) => {
            Some(("a site of Atlassian Cloud, which keeps its pictures elsewhere", "name a Data Center server"))
        }
        (false, true) => Some(("the address of a page or a call, not of a server", SERVER)),
        (false, false) => None,
    }
}

impl BaseUrl {
    /// Reports a credential that would go over the network in clear (docs/architecture.md, "Where tokens may go").
    pub(super) fn refuse_clear(&self, reader: &mut Reader<'_>, span: &Span) {
        if self.0.scheme() == "http" && !is_loopback(&self.0) {
            let fault =
                FileFault::new(span.clone(), "a credential would go there in clear: plain `http` is for loopback only");
            reader.fault(fault.help("write `https://`"));
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

pub(super) fn web_url(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
}

scalar_schema!(BaseUrl, "BaseUrl", { "type": "string", "pattern": "^https?://|\\$\\{" });

/// A value that stands outside of the file.
#[derive(Clone, Debug)]
pub(super) struct SecretValue(pub(super) Secret);

impl Setting for SecretValue {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        const HELP: &str = "write `${NAME}` or `${file:path}` and keep the value outside of the file; \
                            a value that stood here counts as known: change it";
        if !matches!(reader.tree.node(id).kind, Kind::Scalar(_)) {
            reader.expected(id, "a secret: `${NAME}` or `${file:path}`");
            return None;
        }
        if is_written_out(reader, id) {
            reader.fault(FileFault::new(reader.spot(id), "a secret is written out").help(HELP));
            return None;
        }
        let value = reader.scalar(id, "a secret: `${NAME}` or `${file:path}`")?;
        if value.text.is_empty() {
            let fault = FileFault::new(reader.spot(id), format!("{} is empty", value.shown));
            reader.fault(fault);
            return None;
        }
        if value.text.chars().any(char::is_control) {
            let fault = FileFault::new(
                reader.spot(id),
                format!("{} has a line break or another control character", value.shown),
            );
            reader.fault(fault.help(one_line(reader, id)));
            return None;
        }
        if let Some(what) = unseen(&value.text) {
            let fault = FileFault::new(reader.spot(id), format!("{} {what}", value.shown));
            reader.fault(fault.help("nobody sees that where it was pasted: store the value again, without it"));
            return None;
        }
        let length = value.text.chars().count();
        if length < SHORTEST_COVERED {
            let fault = FileFault::new(reader.spot(id), format!("{} has {length} characters", value.shown));
            reader.fault(
                fault.help("so short a secret cannot be told from words and covered in messages: set a longer one"),
            );
            return None;
        }
        if length < LIKE_A_WORD {
            let place = reader.place(&reader.spot(id));
            reader.short_secrets.push(place);
        }
        Some(Self(Secret::new(value.text)))
    }
}

/// A shorter secret would have to be covered in half of all words.
const SHORTEST_COVERED: usize = 4;

/// A shorter secret may be a word that messages hold anyway.
const LIKE_A_WORD: usize = 8;

/// How a value comes to hold one line alone.
fn one_line(reader: &Reader<'_>, id: Id) -> &'static str {
    let Kind::Scalar(scalar) = &reader.tree.node(id).kind else { return "" };
    match scalar.text.parts().into_iter().flatten().any(|part| matches!(part, TextPart::Command(_))) {
        true => "`${cmd:…}` leaves one line break at the end out; let the program print that one line alone",
        false => "a variable keeps the line break at its end; `${file:path}` leaves it out",
    }
}

/// Whether any of a value stands in the file itself.
pub(super) fn is_written_out(reader: &Reader<'_>, id: Id) -> bool {
    let Kind::Scalar(scalar) = &reader.tree.node(id).kind else { return false };
    let clear = match scalar.text.parts() {
        None => !scalar.is_null(),
        Some(parts) => parts.iter().any(|part| match part {
            TextPart::Var(_, Otherwise::Default(default)) => !default.is_empty(),
            TextPart::Text(text) => !text.trim().is_empty(),
            TextPart::Var(_, Otherwise::FileFault | Otherwise::Because(_))
            | TextPart::File(_)
            | TextPart::Command(_) => false,
        }),
    };
    clear && !reader.is_broken(id)
}

/// What stands in a secret that nobody sees, and that no vendor makes.
fn unseen(secret: &str) -> Option<String> {
    let named = |c: char| format!("U+{:04X}", u32::from(c));
    if let Some(odd) = secret.chars().find(|c| is_unseen(*c)) {
        return Some(format!("holds the invisible character {}", named(odd)));
    }
    let (first, last) = (secret.chars().next()?, secret.chars().next_back()?);
    match (first.is_whitespace(), last.is_whitespace()) {
        (true, _) => Some(format!("begins with a blank ({})", named(first))),
        (_, true) => Some(format!("ends with a blank ({})", named(last))),
        _ => None,
    }
}

/// Characters without a shape: marks of order, joiners, fillers, tags.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

settled_as_written!(SecretValue => Secret);

scalar_schema!(SecretValue, "Secret", { "type": "string", "pattern": "^\\$\\{[^}]+\\}$" });

/// `system`, `none`, or the URL of a proxy.
impl Setting for Proxy {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let outside = reader.is_from_outside(id);
        let parse = |text: &str| match text {
            "system" => Some((Proxy::System, false)),
            "none" => Some((Proxy::None, false)),
            url => web_url(url).map(|url| {
                let password = has_password(url.as_str());
                (Proxy::Url(ProxyUrl::new(url)), password)
            }),
        };
        let (proxy, password) = reader.parsed(id, "`system`, `none` or the URL of a proxy", parse)?;
        if password && !outside {
            let fault = FileFault::new(reader.spot(id), "a secret is written out");
            reader.fault(fault.help("take the whole URL from outside: `proxy: ${PROXY_URL}`"));
            return None;
        }
        Some(proxy)
    }
}

settled_as_written!(Proxy);

scalar_schema!(Proxy, "Proxy", { "type": "string", "pattern": "^(system|none)$|^https?://|\\$\\{" });

/// The value of a header: any text, for some headers a secret.
#[derive(Clone, Debug)]
pub(super) struct HeaderValue {
    pub(super) text: Secret,
    /// It came through `${…}`.
    pub(super) from_outside: bool,
}

impl Setting for HeaderValue {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let value = reader.scalar(id, "a text")?;
        let from_outside = reader.is_from_outside(id);
        let usable = value.text.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
        if !usable {
            let fault =
                FileFault::new(reader.spot(id), "a header's value has only visible ASCII characters and blanks");
            reader.fault(fault);
        }
        usable.then(|| Self { text: Secret::new(value.text), from_outside })
    }
}

scalar_schema!(HeaderValue, "HeaderValue", { "type": "string" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_in_a_secret_is_named() {
        for (secret, told) in [
            ("hunter2", None),
            ("hun ter2", None),
            ("žluťoučký", None),
            (" hunter2", Some("begins with a blank (U+0020)")),
            ("hunter2\u{a0}", Some("ends with a blank (U+00A0)")),
            ("hun\u{200b}ter2", Some("holds the invisible character U+200B")),
            ("\u{feff}hunter2", Some("holds the invisible character U+FEFF")),
            ("hunter2\u{2060}", Some("holds the invisible character U+2060")),
        ] {
            assert_eq!(unseen(secret).as_deref(), told, "{secret:?}");
        }
    }

    #[test]
    fn a_page_a_call_or_a_cloud_is_no_server() {
        for (url, expected) in [
            ("https://jira.example.com/secure/Dashboard.jspa", true),
            ("https://wiki.example.com/confluence/index.action", true),
            ("https://jira.example.com/rest/api/2", true),
            ("https://example.atlassian.net/", true),
            ("https://jira.example.com/jira", false),
            ("https://atlassian.net.example.com/", false),
        ] {
            assert_eq!(is_elsewhere(&Url::parse(url).unwrap()).is_some(), expected, "{url}");
        }
    }

    #[test]
    fn loopback_is_judged_by_the_host() {
        for (url, expected) in [
            ("http://localhost:1", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]:80/", true),
            ("http://localhost.example.com/", false),
            ("http://10.0.0.1/", false),
            ("http://128.0.0.1/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
