//! What looks like a secret for its own form, whatever key it stands under.
//!
//! Owns: the words that sound like one, and the places in a text: queries of URLs, arguments of programs, comments, words
//! that nobody thought up.
//! Leaves to others: what stands under a key (`secret`), covering it (`fault`).
//! A newcomer gets wrong: a plain value stays visible, or a fault could not be found; so a comment without such a word is shown.

use std::ops::Range;

const SOUNDS: [&str; 17] = [
    "secret",
    "passw",
    "pasw",
    "passphrase",
    "token",
    "tokn",
    "credential",
    "authorization",
    "api-key",
    "api_key",
    "apikey",
    "cookie",
    "heartbeat",
    "kennwort",
    "bearer",
    "webhook",
    "keep_replaced",
];

/// The same as the last word of a key; within others they mean nothing (`mapping`, `author`).
const WORDS: [&str; 6] = ["pw", "pwd", "psw", "pass", "pin", "auth"];

/// Whether a value under this key is probably a secret.
pub(super) fn sounds_like_one(key: &str) -> bool {
    let key = key.to_lowercase();
    SOUNDS.iter().any(|sound| key.contains(sound)) || WORDS.contains(&last_word(&key))
}

fn last_word(key: &str) -> &str {
    key.rsplit(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).unwrap_or_default()
}

/// Whether it has the form of a key, and not of a secret that stands in a key's place.
pub(super) fn is_open_word(key: &str) -> bool {
    let word = key.len() <= 64 && key.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    word && !could_be_one(key)
}

/// A long word of letters and digits: a password more likely than a key or a word of a sentence.
pub(super) fn could_be_one(word: &str) -> bool {
    let has = |kind: fn(char) -> bool| word.chars().any(kind);
    word.chars().count() >= 8 && has(char::is_numeric) && has(char::is_alphabetic)
}

/// A long word as programs draw them: a client secret that was written under `client_id`, say. Paths, addresses and variables
/// are none, nor is a GUID or a digest, whose letters are of one case.
fn is_drawn(word: &str) -> bool {
    let has = |kind: fn(&char) -> bool| word.chars().any(|c| kind(&c));
    let spells = |c: char| c.is_ascii_alphanumeric() || "~._+=!^*-".contains(c);
    word.len() >= 20
        && word.chars().all(spells)
        && has(char::is_ascii_digit)
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_uppercase)
}

/// What is covered for its own form, whatever its key: the query of a URL, what a program of `${cmd:…}` is given, words as
/// programs draw them, and comments that speak of secrets or hold what could be one. Line by line, so that a text which is not YAML is covered, too.
pub(super) fn by_form(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        let mut cover = |span: Option<Range<usize>>| spans.extend(span.map(|span| at + span.start..at + span.end));
        content.match_indices("://").for_each(|(url, _)| cover(query(content, url)));
        content.match_indices("${cmd:").for_each(|(from, _)| cover(arguments(content, from)));
        drawn(content).into_iter().for_each(|span| cover(Some(span)));
        cover(comment(content).filter(|span| gives_away(&content[span.clone()])));
        at += line.len();
    }
    spans
}

/// The words of a line that are as programs draw them, without what YAML writes around them.
pub(super) fn drawn(line: &str) -> Vec<Range<usize>> {
    let mut next = 0;
    let words = line.split(|c: char| c.is_ascii_whitespace() || "\"'`,;:[]{}".contains(c)).map(move |word| {
        let from = next;
        next = from + word.len() + 1;
        from..from + word.len()
    });
    let is_variable = |from: usize| line[..from].ends_with("${");
    words.filter(|span| is_drawn(&line[span.clone()]) && !is_variable(span.start)).collect()
}

/// Behind the `?` of the URL that is at this place.
fn query(line: &str, url: usize) -> Option<Range<usize>> {
    let rest = &line[url..];
    let end = rest.find(|c: char| c.is_whitespace() || "\"'`<>".contains(c)).unwrap_or(rest.len());
    let from = rest[..end].find('?')? + 1;
    (from < end).then_some(url + from..url + end)
}

/// Behind the name of the program, to the last brace: one of the arguments may have braces of its own.
fn arguments(line: &str, from: usize) -> Option<Range<usize>> {
    let begin = from + line[from..].find(char::is_whitespace)?;
    let end = line.rfind('}').filter(|end| *end > begin).unwrap_or(line.len());
    Some(begin..end)
}

/// What stands behind a `#` that is in no quotes.
fn comment(line: &str) -> Option<Range<usize>> {
    let (mut quote, mut before) = (None, ' ');
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') if before.is_whitespace() => return Some(at + 1..line.len()),
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
        before = c;
    }
    None
}

fn gives_away(comment: &str) -> bool {
    sounds_like_one(comment) || comment.split(|c: char| c.is_whitespace() || "\"'`,;".contains(c)).any(could_be_one)
}

/// Whether it is a URL with a query, where tokens stand.
pub(super) fn has_query(text: &str) -> bool {
    text.find("://").is_some_and(|url| query(text, url).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stars(text: &str) -> String {
        let spans = by_form(text);
        let is_covered = |at: usize| spans.iter().any(|span| span.contains(&at));
        text.char_indices().map(|(at, c)| if is_covered(at) { '*' } else { c }).collect()
    }

    #[test]
    fn short_words_sound_like_a_secret_alone() {
        for key in ["Kennwort", "pw", "PIN", "auth", "bearer", "bearerValue", "- { \"pin\"", "my_pw"] {
            assert!(sounds_like_one(key), "{key}");
        }
        for key in ["mapping", "author", "pinned", "compass", "path"] {
            assert!(!sounds_like_one(key), "{key}");
        }
    }

    #[test]
    fn what_looks_like_a_secret_is_covered_whatever_its_key() {
        for (text, hidden, shown) in [
            ("bucket: \"az://c/p?sig=hunter2\"", "sig=hunter2", "az://c/p?"),
            ("base_url: https://jira.example?token=hunter2 # x", "token=hunter2", "https://jira.example?"),
            ("bogus: 1 # password hunter2", "hunter2", "bogus: 1"),
            ("bogus: 1 # Xy7-hunter2-long", "Xy7-hunter2-long", "bogus: 1"),
            ("password: \"${cmd:nosuch --password hunter2}\"", "hunter2", "${cmd:nosuch"),
            ("password: ${cmd:sh -c 'echo {hunter2} >&2; exit 3'}", "hunter2", "${cmd:sh"),
            ("a: [ ${cmd:sh hunter2", "hunter2", "${cmd:sh"),
            ("client_id: Xy78Q~abcdefghijklmnopqrstuv", "Xy78Q", "client_id: "),
            ("entra: { tenant: \"Xy78Q~abcdefghijklmnopqrstuv\" }", "Xy78Q", "entra: { tenant: \""),
        ] {
            let covered = stars(text);
            assert!(!covered.contains(hidden) && covered.contains(shown) && covered.len() == text.len(), "{covered}");
        }
        for plain in [
            "base_url: https://jira.example/jira # the old one",
            "pattern: 'a # b 12345678x'",
            "match: ['what?', '*@example.com']",
            "keep: 30d # thirty days",
            "id: a#b1234567",
            "tenant: 3F2504E0-4F89-11D3-9A0C-0305E82C3301",
            "placeholders: [b3:144f1feb81336df8a10f96803bbfbf81]",
            "file: fixtures/People-Of-2026/Faces-Of-All.csv",
            "groups: [Avatars-Users, ${GROUP_OF_2026_Users_All}]",
        ] {
            assert!(by_form(plain).is_empty(), "{plain}");
        }
    }
}
