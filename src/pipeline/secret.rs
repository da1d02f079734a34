//! Where in a file secrets may stand, so that no snippet shows one.
//!
//! Owns: the spans to cover for the key they stand under. Leaves to others: what looks like a secret for its own form (`forms`), the
//! fault itself (`scalar`).
//! A newcomer gets wrong: a misspelt key (`pasword`) holds a secret too, so words are looked for and not known keys.

use std::collections::HashSet;

use super::fault::Span;
use super::forms::{could_be_one, is_open_word, sounds_like_one};
use super::interpolate::{Otherwise, Text, TextPart};
use super::tree::{Kind, MapEntry, Tree};

/// Known not to be secret, wherever they stand.
const OPEN: [&str; 7] = ["username", "from", "audience", "service_account", "service_connection", "on", "for"];

/// Whether a key may be quoted. Where nothing stands behind it, or it is no word, it may be a value without its key.
pub(super) fn may_be_shown(tree: &Tree, entry: &MapEntry) -> bool {
    let nothing = matches!(&tree.node(entry.value).kind, Kind::Scalar(scalar) if scalar.is_null());
    is_open_word(&entry.key) && (!nothing || sounds_like_one(&entry.key))
}

/// What to cover in a file that could be read.
pub(super) fn in_tree(tree: &Tree) -> Vec<Span> {
    let mut seen = HashSet::new();
    let mut todo = vec![(tree.root, false)];
    // Where a second value stands says nothing of what it is: all of it is covered but for what is known to be open.
    todo.extend(tree.dropped.iter().map(|entry| (entry.value, !is_known_open(tree, entry))));
    let odd = tree.dropped.iter().filter(|entry| entry.key != "<<" && !is_open_word(&entry.key));
    let mut spans: Vec<Span> = odd.map(|entry| entry.key_span.clone()).collect();
    while let Some((id, secret)) = todo.pop() {
        if !seen.insert((id, secret)) {
            continue;
        }
        match &tree.node(id).kind {
            Kind::Scalar(scalar) if is_clear(&scalar.text, secret) => spans.push(tree.node(id).span.clone()),
            Kind::Scalar(_) => {}
            Kind::List(items) => todo.extend(items.iter().map(|item| (*item, secret))),
            Kind::Map(entries) => {
                let odd = entries.iter().filter(|entry| secret && !may_be_shown(tree, entry));
                let keys = entries.iter().filter(|entry| could_be_one(&entry.key));
                spans.extend(odd.chain(keys).map(|entry| entry.key_span.clone()));
                let below = |entry: &MapEntry| {
                    !is_known_open(tree, entry) && (secret || sounds_like_one(&entry.key) || entry.key == "notify")
                };
                todo.extend(entries.iter().map(|entry| (entry.value, below(entry))));
            }
        }
    }
    spans
}

/// Whether what stands under the key is no secret, wherever it stands.
fn is_known_open(tree: &Tree, entry: &MapEntry) -> bool {
    let plain = match &tree.node(entry.value).kind {
        Kind::Scalar(scalar) => is_plain(&entry.key, scalar.text.raw()),
        Kind::List(_) | Kind::Map(_) => false,
    };
    plain || OPEN.contains(&entry.key.as_str())
}

/// `keep_replaced: 30d`: a time in the place of the keys, of which one has a secret.
fn is_plain(key: &str, value: &str) -> bool {
    let digits = value.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = value.len() - digits.len();
    key == "keep_replaced"
        && (1..=4).contains(&number)
        && digits.len() <= 5
        && digits.trim_start().chars().all(|c| c.is_ascii_lowercase())
}

/// Whether the text would give a secret away.
fn is_clear(text: &Text, secret: bool) -> bool {
    let Some(parts) = text.parts() else {
        return secret || has_password(text.raw());
    };
    let clear = |part: &TextPart| match part {
        TextPart::Text(text) => secret && !text.trim().is_empty() || has_password(text),
        TextPart::Var(_, Otherwise::Default(default)) => secret && !default.is_empty() || has_password(default),
        TextPart::Var(_, Otherwise::FileFault | Otherwise::Because(_)) | TextPart::File(_) | TextPart::Command(_) => {
            false
        }
    };
    parts.iter().any(clear)
}

/// What stands in front of somebody's address, with a colon: a link, or a proxy address of Entra ID.
const BEFORE_ADDRESSES: [&str; 4] = ["mailto", "smtp", "sip", "acct"];

/// `mailto:ada@example.com`: what somebody is called, with what kind of address it is.
pub(super) fn before_address(text: &str) -> Option<&'static str> {
    let (kind, address) = text.split_once(':')?;
    let known = BEFORE_ADDRESSES.into_iter().find(|known| known.eq_ignore_ascii_case(kind.trim_start()));
    known.filter(|_| !address.contains([':', '/']))
}

/// `https://name:password@host`, or what may have been meant so.
pub(super) fn has_password(text: &str) -> bool {
    let (scheme, rest) = text.split_once("://").map_or((false, text), |(_, rest)| (true, rest));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_password = |user: &str| scheme || user.contains(':') && before_address(authority).is_none();
    authority.rsplit_once('@').is_some_and(|(user, _)| is_password(user))
}

/// An address of a person behind a key, `email: [ada@example.com`, has no password.
fn line_has_password(line: &str) -> bool {
    if line.contains("://") { has_password(line) } else { line.split_whitespace().any(has_password) }
}

/// What to cover in a text that is not YAML: line by line, rather too much than too little.
pub(super) fn in_text(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut at = 0;
    // The indent of the last key that sounds like a secret; deeper lines belong to it.
    let mut inside: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        let indent = content.len() - content.trim_start().len();
        if inside.is_some_and(|key| indent <= key) && !content.is_empty() {
            inside = None;
        }
        let from = match content.find(':') {
            Some(colon) if is_plain(content[..colon].trim(), content[colon + 1..].trim()) => None,
            Some(colon) if sounds_like_one(&content[..colon]) || inside.is_some() => Some(colon + 1),
            Some(_) if sounds_like_one(content) || line_has_password(content) => Some(indent),
            Some(_) => None,
            None => inside.map(|_| indent),
        };
        if let Some(from) = from {
            inside = inside.or(Some(indent));
            if from < content.len() {
                spans.push(at + from..at + content.len());
            }
        }
        at += line.len();
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::fault::cover;

    #[test]
    fn passwords_in_addresses_are_found() {
        for (text, expected) in [
            ("https://svc:pw@host/x", true),
            ("https://svc@host", true),
            ("svc:pw@proxy:3128", true),
            ("https://host/@x", false),
            ("ada@example.com", false),
            ("https://host:80/a?b=c@d", false),
        ] {
            assert_eq!(has_password(text), expected, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_not_yaml_is_covered_line_by_line() {
        for (text, hidden, shown) in [
            ("token: hunter2, : ]\nname: x", "hunter2", "name"),
            ("a:\n  password: |\n    hunter2\n  name: x\n", "hunter2", "name"),
            ("credential:\n  tokn hunter2\nname: x", "hunter2", "name"),
            ("- { id: a, token: hunter2\n  , b: ]\nname: x", "hunter2", "name"),
            ("url: https://svc:hunter2@host\nname: x", "hunter2", "name"),
        ] {
            let spans = in_text(text);
            let covered = |word: &str| {
                let at = text.find(word).unwrap();
                spans.iter().any(|span| span.start <= at && at + word.len() <= span.end)
            };
            assert!(covered(hidden) && !covered(shown), "{text}: {spans:?}");
        }
    }

    #[test]
    fn an_address_of_a_message_and_a_key_that_could_be_a_secret_are_covered() {
        for (text, hidden) in [
            ("notify: { webhok: { url: 'https://hooks.example/hunter2' } }", "hunter2"),
            ("credential: { username: svc, Hunter2-literal: x }", "Hunter2-literal"),
            ("Hunter2-literal: x", "Hunter2-literal"),
        ] {
            let (tree, _) = Tree::parse(text);
            let covered = cover(text, &in_tree(&tree.unwrap()));
            assert!(!covered.contains(hidden), "{covered}");
        }
    }

    #[test]
    fn a_second_value_of_a_key_is_covered() {
        for text in [
            "credential: { token: a, token: hunter2 }",
            "credential: { foo: a, foo: hunter2 }",
            "load: []\nload: [ { jira: { credential: { token: hunter2 } } } ]",
            "extract: []\nextract: [ { bogus: hunter2 } ]",
            "a: 1\na: &x\n  b: [ hunter2, { c: |\n    hunter2\n } ]",
            "a: { b: 1, b: { c: 1, c: hunter2 } }",
            "notify: { a: 1 }\nnotify: { webhook: { url: 'https://hooks.example/hunter2' } }",
            "credential: { <<: hunter2 }",
            "a: { token: 1, <<: { token: hunter2 } }\nb: 1\nb: 1",
            "credential: { <<: [ { a: 1 }, hunter2 ] }",
            "credential: { hunter2-ab: 1, hunter2-ab: 2 }",
        ] {
            let (Some(tree), faults) = Tree::parse(text) else { continue };
            let covered = cover(text, &in_tree(&tree));
            assert!(!faults.is_empty() && !covered.contains("hunter2"), "{covered}");
            assert!(!faults.iter().any(|fault| fault.message.contains("hunter2")), "{faults:?}");
        }
        let text = "username: ada\nusername: bob";
        assert!(in_tree(&Tree::parse(text).0.unwrap()).is_empty());
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        for (text, shown) in [
            ("state: { keep_replaced: 30d }", true),
            ("keep_replaced: 30 days", true),
            ("keep_replaced: { for: 30d }", true),
            ("keep_replaced: hunter2", false),
            ("keep_replaced: 12345678", false),
            ("password: 30d", false),
            ("opted_out: ['mailto:ada@x.example']", true),
            ("exclude: ['SMTP:ada@x.example']", true),
            ("password: 'mailto:ada@x.example'", false),
            ("proxy: 'mailto:hunter2:x@host'", false),
            ("proxy: 'svc:hunter2@host'", false),
        ] {
            let (tree, _) = Tree::parse(text);
            assert_eq!(in_tree(&tree.unwrap()).is_empty(), shown, "{text}");
        }
        assert!(in_text("keep_replaced: 30d\nx: ]").is_empty());
        assert!(in_text("        email: [a@x.example }").is_empty());
        assert!(in_text("        opted_out: [ mailto:a@x.example }").is_empty());
        assert!(!in_text("proxy: svc:hunter2@host }").is_empty());
    }

    #[test]
    fn a_value_without_its_key_is_not_quoted() {
        for (text, expected) in [
            ("a: 1", true),
            ("token:", true),
            ("hunter2:", false),
            ("token hunter2: 1", false),
            ("Hunter2-literal: 1", false),
            ("base_url: 1", true),
        ] {
            let (tree, _) = Tree::parse(text);
            let tree = tree.unwrap();
            let Kind::Map(entries) = &tree.node(tree.root).kind else { panic!("{text}") };
            assert_eq!(may_be_shown(&tree, &entries[0]), expected, "{text}");
        }
    }
}
