//! What is wrong with a text that is no YAML, in the words of whoever typed it.
//!
//! Owns: telling slips of indentation, of blanks and of quotes apart. Leaves to others: finding where YAML ends (the parser, `tree`).
//! A newcomer gets wrong: of a line only what stands before its first `:` may be told; what stands behind it may be a secret.

/// What to do where nothing more is known.
const HELP: &str = "text with `:`, `#`, `{`, `[`, `*`, `&` or `@` needs quotes; indent with spaces";

/// What is said, and what to do.
pub(super) struct Told {
    pub(super) message: String,
    pub(super) help: String,
}

/// From the parser's own words, and the byte at which it gave up.
pub(super) fn told(info: &str, text: &str, at: usize) -> Told {
    let begin = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let line = text[begin..].lines().next().unwrap_or_default();
    let said = |message: String, help: String| Told { message: format!("this is not YAML: {message}"), help };
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let found = match info {
        _ if line.trim_start_matches(' ').starts_with('\t') => Some(said(
            "a tab stands in front of this line".to_owned(),
            "indent with spaces alone: most editors can turn tabs into spaces".to_owned(),
        )),
        info if info.contains("mapping values are not allowed") => {
            let above = above(&text[..begin]);
            match key_of(line) {
                // The second colon of the line.
                Some(key) if at - begin > colon(line) => Some(said(
                    format!("a second colon with a blank behind it stands in the line of `{key}`"),
                    "put the whole value in quotes, or begin a new line in front of the second key".to_owned(),
                )),
                Some(key) if above.is_some_and(|above| indent(line) > indent(above)) => Some(said(
                    format!("`{key}` is indented further than the line above it, which has its value already"),
                    place(above.unwrap_or_default()),
                )),
                _ => None,
            }
        }
        info if info.contains("did not find expected key") || info.contains("did not find expected '-' indicator") => {
            let word = key_of(line).map_or("this line".to_owned(), |key| format!("`{key}`"));
            Some(said(
                format!("{word} is indented by {}, unlike the lines that it stands with", blanks(indent(line))),
                "keys of one element, and the `-` of one list, begin in the same column".to_owned(),
            ))
        }
        info if info.contains("simple key expected") => Some(match key_of(line) {
            Some(key) => said(
                format!("no blank stands behind the colon of `{key}`"),
                format!("write `{key}: …`, with a blank behind the colon"),
            ),
            None => said("this line has no colon".to_owned(), "write `key: value`".to_owned()),
        }),
        _ => None,
    };
    found.unwrap_or_else(|| said(info.to_owned(), HELP.to_owned()))
}

/// The last line that says something.
fn above(text: &str) -> Option<&str> {
    text.lines().rev().find(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
}

fn blanks(count: usize) -> String {
    if count == 1 { "1 blank".to_owned() } else { format!("{count} blanks") }
}

fn place(above: &str) -> String {
    let begins = above.len() - above.trim_start_matches([' ', '-']).len() + 1;
    match key_of(above) {
        Some(key) => format!("begin it in column {begins}, where `{key}` begins, if both belong to one element"),
        None => HELP.to_owned(),
    }
}

fn colon(line: &str) -> usize {
    line.find(':').unwrap_or(line.len())
}

/// What stands before the first colon of a line, if it looks like a key.
fn key_of(line: &str) -> Option<&str> {
    let key = line.get(..line.find(':')?)?.trim_start_matches([' ', '-']).trim_end();
    let is_key =
        !key.is_empty() && key.len() <= 40 && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_key.then_some(key)
}

#[cfg(test)]
mod tests {
    use crate::pipeline::parse;

    #[test]
    fn slips_of_the_pen_are_told_in_plain_words() {
        let file = |element: &str| {
            format!("version: 1\npipeline: t\nextract:\n  - folder:\n{element}\nload:\n  - folder:\n      path: o\n")
        };
        for (text, words, help) in [
            (
                file("      path: hr\n       id: x"),
                "`id` is indented further than the line above it",
                "begin it in column 7",
            ),
            (file("      path: hr\n     id: x"), "`id` is indented by 5 blanks, unlike", "same column"),
            (file("\tpath: hr"), "a tab stands in front", "spaces alone"),
            (
                file("      path: hr: x"),
                "a second colon with a blank behind it stands in the line of `path`",
                "in quotes",
            ),
            (
                "version: 1\npipeline:t\nextract: []\n".to_owned(),
                "no blank stands behind the colon of `pipeline`",
                "write `pipeline: …`",
            ),
            ("version: 1\npipeline\nextract: []\n".to_owned(), "this line has no colon", "write `key: value`"),
            ("version: 1\nextract:\n - a: 1\n  - b: 1\n".to_owned(), "is indented", "column"),
            (file("      path:hr"), "expected keys and values", "with a blank behind the colon"),
            (file("      path: hr").replace("- folder", "-folder"), "expected a list", "a blank behind the `-`"),
        ] {
            let faults = parse(&text, "p.yaml").unwrap_err();
            let shown = faults.render(crate::pipeline::Colour::Plain);
            assert!(shown.contains(words) && shown.contains(help), "{text}\n{shown}");
        }
        let secret = parse("version: 1\npassword:hunter2\nextract: []\n", "p.yaml").unwrap_err();
        assert!(!secret.render(crate::pipeline::Colour::Plain).contains("hunter2"));
    }
}
