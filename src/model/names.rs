//! Names and addresses in a text that may not name anybody.
//!
//! Owns: finding them. Leaves to others: which texts those are (`state`, `report`).
//! A newcomer gets wrong: a name is replaced where it stands as a word, so that `ada` does not make `adamant` unreadable.

/// Replaces every word with an `@` in it by `…`.
pub(crate) fn without_addresses(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let blank = |c: char| c.is_whitespace() || "'\"<>()[]{},;:".contains(c);
        let start = rest[..at].rfind(blank).map_or(0, |i| i + rest[i..].chars().next().map_or(1, char::len_utf8));
        let end = rest[at..].find(blank).map_or(rest.len(), |i| at + i);
        out.push_str(&rest[..start]);
        out.push('…');
        rest = &rest[end..];
    }
    out + rest
}

/// Replaces the name, where it stands as a word, by something else; letters of ASCII in any case.
pub(crate) fn without_name(text: &str, name: &str, instead: &str) -> String {
    if name.is_empty() {
        return text.to_owned();
    }
    // ASCII folding keeps every byte in its place.
    let (folded, name) = (text.to_ascii_lowercase(), name.to_ascii_lowercase());
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, found) in folded.match_indices(&name) {
        let end = at + found.len();
        let before = folded[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let after = folded[end..].chars().next().is_some_and(char::is_alphanumeric);
        if !before && !after {
            out.push_str(&text[done..at]);
            out.push_str(instead);
            done = end;
        }
    }
    out + &text[done..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_words_lose_names_and_addresses() {
        for (text, name, clean) in [
            ("User 'ada' may not edit ADA.", "ada", "User '…' may not edit …."),
            ("adamant", "ada", "adamant"),
            ("mail to ada@example.com, please", "x", "mail to …, please"),
            ("403: j.doe-2 is not allowed", "j.doe-2", "403: … is not allowed"),
            ("the user Ada Lovelace", "Ada Lovelace", "the user …"),
            ("nothing", "", "nothing"),
        ] {
            assert_eq!(without_addresses(&without_name(text, name, "…")), clean);
        }
    }
}
