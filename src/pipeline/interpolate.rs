//! `${…}` in a scalar: its syntax, and its value when the pipeline runs.
//!
//! Owns: `${NAME}`, `${NAME:-default}`, `${NAME:?why}`, `${file:path}`, `${cmd:program arguments}`, and `$${` for a literal `${`.
//! Leaves to others: which scalars may hold one (`scalar`), where variables, files and outputs come from (`Environment`).
//! A newcomer gets wrong: an empty variable counts as unset for `:-` and `:?`, as in a shell; any other `$` is a `$`.

use std::ops::Range;

use secrecy::{ExposeSecret, SecretString};

use super::environment::Environment;
use crate::secret::Secret;

/// How to write one.
const HELP: &str =
    "write `${NAME}`, `${NAME:-default}`, `${NAME:?why}`, `${file:path}` or `${cmd:program}`; `$${` is a literal `${`";

/// What to do about a quote that nothing closes.
const QUOTES: &str =
    "close it with the same quote; an apostrophe that is none stands between the other ones: `\"it's\"`";

/// The text of a scalar.
#[derive(Clone)]
pub(super) enum Text {
    /// As it stands in the file.
    Written(String),
    /// With `$${` in it: as it stands in the file, and what it means.
    Escaped(String, String),
    /// With `${…}` in it, not resolved yet.
    Later(String, Vec<TextPart>),
    /// With a `${` in it that is wrong, and reported.
    Broken(String),
    /// With `${…}` in it, resolved: as it stands in the file, its parts, and its value, which may be secret.
    Resolved(String, Vec<TextPart>, SecretString),
}

impl Text {
    /// As it stands in the file.
    pub(super) fn raw(&self) -> &str {
        match self {
            Self::Written(raw) | Self::Escaped(raw, _) | Self::Later(raw, _) | Self::Broken(raw) => raw,
            Self::Resolved(raw, ..) => raw,
        }
    }

    /// The value, once it is known.
    pub(super) fn value(&self) -> Option<&str> {
        match self {
            Self::Written(text) | Self::Escaped(_, text) => Some(text),
            Self::Resolved(.., text) => Some(text.expose_secret()),
            Self::Later(..) | Self::Broken(_) => None,
        }
    }

    /// The parts, if the value comes from outside of the file.
    pub(super) fn parts(&self) -> Option<&[TextPart]> {
        match self {
            Self::Later(_, parts) | Self::Resolved(_, parts, _) => Some(parts),
            Self::Written(_) | Self::Escaped(..) | Self::Broken(_) => None,
        }
    }
}

/// A piece of a scalar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TextPart {
    /// As it is.
    Text(String),
    /// An environment variable.
    Var(String, Otherwise),
    /// The text of a file, without the line breaks at its end.
    File(String),
    /// What a program prints, without one line break at its end: its name and arguments. No shell sees them.
    Command(Vec<String>),
}

/// What happens when a variable is not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// It is a fault.
    FileFault,
    /// This is its value.
    Default(String),
    /// It is a fault, and this says why.
    Because(String),
}

/// What is wrong, and where in the scalar.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxFault {
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) help: &'static str,
}

impl SyntaxFault {
    fn new(at: Range<usize>, message: String) -> Self {
        Self { at, message, help: HELP }
    }
}

/// Takes a scalar apart.
pub(super) fn parse(raw: &str) -> Result<Text, SyntaxFault> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(dollar) = raw[at..].find("${").map(|offset| at + offset) {
        if raw[at..dollar].ends_with('$') {
            literal.push_str(&raw[at..dollar]);
            literal.push('{');
            at = dollar + 2;
            continue;
        }
        literal.push_str(&raw[at..dollar]);
        let end = match end(&raw[dollar..]) {
            PartEnd::At(offset) => dollar + offset,
            PartEnd::Nowhere => return Err(SyntaxFault::new(dollar..raw.len(), "this `${` has no `}`".to_owned())),
            PartEnd::OpenQuote => {
                let message = "a quote in `${cmd:…}` is not closed".to_owned();
                return Err(SyntaxFault { help: QUOTES, ..SyntaxFault::new(dollar..raw.len(), message) });
            }
        };
        if !literal.is_empty() {
            parts.push(TextPart::Text(std::mem::take(&mut literal)));
        }
        let fault = |message: String| SyntaxFault::new(dollar..end + 1, message);
        parts.push(part(&raw[dollar + 2..end]).map_err(fault)?);
        at = end + 1;
    }
    literal.push_str(&raw[at..]);
    if parts.is_empty() {
        return Ok(match literal == raw {
            true => Text::Written(literal),
            false => Text::Escaped(raw.to_owned(), literal),
        });
    }
    if !literal.is_empty() {
        parts.push(TextPart::Text(literal));
    }
    Ok(Text::Later(raw.to_owned(), parts))
}

/// Where a `${…}` ends.
enum PartEnd {
    At(usize),
    Nowhere,
    /// In the arguments of a program.
    OpenQuote,
}

/// A `}` between the quotes of a program's arguments is one of theirs.
fn end(from: &str) -> PartEnd {
    if !from.starts_with("${cmd:") {
        return from.find('}').map_or(PartEnd::Nowhere, PartEnd::At);
    }
    let mut quote = None;
    for (at, c) in from.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == '}' => return PartEnd::At(at),
            _ => {}
        }
    }
    if quote.is_some() { PartEnd::OpenQuote } else { PartEnd::Nowhere }
}

fn part(inside: &str) -> Result<TextPart, String> {
    if inside.contains("${") {
        return Err("`${` cannot stand inside of `${…}`".to_owned());
    }
    if let Some(path) = inside.strip_prefix("file:") {
        return match path.trim() {
            "" => Err("`${file:…}` names no file".to_owned()),
            path => Ok(TextPart::File(path.to_owned())),
        };
    }
    if let Some(command) = inside.strip_prefix("cmd:") {
        return arguments(command).map(TextPart::Command);
    }
    let (name, otherwise) = match inside.split_once(':') {
        None => (inside, Otherwise::FileFault),
        Some((name, rest)) => match (rest.strip_prefix('-'), rest.strip_prefix('?')) {
            (Some(default), _) => (name, Otherwise::Default(default.to_owned())),
            (_, Some(why)) => (name, Otherwise::Because(why.to_owned())),
            _ => return Err("after the name comes `:-` or `:?`".to_owned()),
        },
    };
    match is_name(name) {
        true => Ok(TextPart::Var(name.to_owned(), otherwise)),
        // Not quoted: a password with `${` in it must not come out in parts.
        false => Err("this is not the name of a variable".to_owned()),
    }
}

/// A program and its arguments: blanks part them, quotes of either kind keep what is between them together, and nothing else
/// means anything.
fn arguments(text: &str) -> Result<Vec<String>, String> {
    let mut all: Vec<String> = Vec::new();
    let (mut quote, mut within) = (None, false);
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                if !within {
                    all.push(String::new());
                }
                within = true;
            }
            None if c.is_whitespace() => within = false,
            _ => {
                if !within {
                    all.push(String::new());
                }
                within = true;
                all.iter_mut().next_back().into_iter().for_each(|last| last.push(c));
            }
        }
    }
    match all.first().map(String::as_str) {
        None | Some("") => Err("`${cmd:…}` names no program".to_owned()),
        Some(_) => Ok(all),
    }
}

/// Whether a variable can be named so.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A value that is not there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) message: String,
    pub(super) help: String,
}

/// Puts the values in.
pub(super) fn resolve(parts: &[TextPart], environment: &dyn Environment) -> Result<SecretString, Vec<Missing>> {
    let mut text = String::new();
    let mut missing = Vec::new();
    for part in parts {
        match value(part, environment) {
            Ok(value) => text.push_str(&value),
            Err(fault) => missing.push(fault),
        }
    }
    match missing.is_empty() {
        true => Ok(text.into()),
        false => Err(missing),
    }
}

fn value(part: &TextPart, environment: &dyn Environment) -> Result<String, Missing> {
    match part {
        TextPart::Text(text) => Ok(text.clone()),
        TextPart::File(path) => {
            let text = environment.file(path).map_err(|found| Missing {
                message: format!("the file `{}` cannot be read: {found}", path.escape_debug()),
                help: "paths count from the working directory".to_owned(),
            })?;
            // Some editors put a mark before every text.
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        TextPart::Command(command) => output(command, environment),
        TextPart::Var(name, otherwise) => match (environment.var(name), otherwise) {
            (Some(value), Otherwise::FileFault) => Ok(value),
            (Some(value), _) if !value.is_empty() => Ok(value),
            (_, Otherwise::Default(default)) => Ok(default.clone()),
            (_, Otherwise::Because(why)) => Err(Missing {
                message: format!("the environment variable `{name}` is not set: {}", why.escape_debug()),
                help: format!("set `{name}` where the pipeline runs"),
            }),
            (None, Otherwise::FileFault) => Err(Missing {
                message: format!("the environment variable `{name}` is not set"),
                help: environment.where_set(name),
            }),
        },
    }
}

/// Whatever a program prints is taken for a secret.
fn output(command: &[String], environment: &dyn Environment) -> Result<String, Missing> {
    let printed = environment.output(command).and_then(|printed| {
        let line = printed.strip_suffix('\n').map_or(printed.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        if line.is_empty() { Err("it printed nothing".to_owned()) } else { Ok(Secret::new(line)) }
    });
    let program = command.first().map(String::as_str).unwrap_or_default();
    printed.map(|secret| secret.expose().to_owned()).map_err(|found| Missing {
        message: format!("the program `{}` gave no value: {found}", program.escape_debug()),
        help: "run it by hand, where the pipeline runs, to see what it says; nothing that it prints is shown"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Environment for Fixed {
        fn var(&self, name: &str) -> Option<String> {
            match name {
                "SET" => Some("value".to_owned()),
                "EMPTY" => Some(String::new()),
                _ => None,
            }
        }

        fn file(&self, path: &str) -> Result<String, String> {
            match path {
                "key.txt" => Ok(" key \r\n\n".to_owned()),
                "marked.txt" => Ok("\u{feff}key\r\n".to_owned()),
                _ => Err("no such file".to_owned()),
            }
        }

        fn output(&self, command: &[String]) -> Result<String, String> {
            match command.first().map(String::as_str) {
                Some("print") => Ok(format!("<{}>\r\n\n", command[1..].join("|"))),
                Some("line") => Ok("one\r\n".to_owned()),
                Some("quiet") => Ok("\n".to_owned()),
                _ => Err("it ended in 1".to_owned()),
            }
        }
    }

    #[test]
    fn every_form_has_its_value() {
        for (raw, expected) in [
            ("plain", "plain"),
            ("5 $ and $NAME", "5 $ and $NAME"),
            ("$${SET}", "${SET}"),
            ("a$${b}${SET}", "a${b}value"),
            ("${SET}", "value"),
            ("<${SET}/${SET}>", "<value/value>"),
            ("${SET:-x}", "value"),
            ("${EMPTY}", ""),
            ("${EMPTY:-x}", "x"),
            ("${NONE:-}", ""),
            ("${NONE:-a:b-c?d}", "a:b-c?d"),
            ("${SET:?why}", "value"),
            ("${file:key.txt}", " key "),
            ("${file: key.txt }", " key "),
            ("${file:marked.txt}", "key"),
            ("${cmd:line}", "one"),
            ("${cmd: print a  b=c/d }", "<a|b=c/d>\r\n"),
            ("${cmd:print 'a b' c\"d'e\"f ''}", "<a b|cd'ef|>\r\n"),
            ("${cmd:print $HOME;x|y}", "<$HOME;x|y>\r\n"),
            ("${cmd:print '{a}' \"b}\"}", "<{a}|b}>\r\n"),
            ("x${cmd:line}y", "xoney"),
        ] {
            let text = parse(raw).unwrap();
            assert_eq!(text.raw(), raw);
            let value = match text.parts() {
                None => text.value().unwrap().to_owned(),
                Some(parts) => resolve(parts, &Fixed).unwrap().expose_secret().to_owned(),
            };
            assert_eq!(value, expected, "{raw}");
        }
    }

    #[test]
    fn faults_of_syntax_have_their_place() {
        for (raw, at, words) in [
            ("a ${SET", 2..7, "no `}`"),
            ("${}", 0..3, "not the name of"),
            ("x${1A}y", 1..6, "not the name of"),
            ("${A B}", 0..6, "not the name of"),
            ("${A:=b}", 0..7, "comes `:-` or `:?`"),
            ("${file:}", 0..8, "names no file"),
            ("${cmd:}", 0..7, "names no program"),
            ("${cmd:''}", 0..9, "names no program"),
            ("${cmd:a 'b}", 0..11, "is not closed"),
            ("x${cmd:a 'b} \"c\"", 1..16, "is not closed"),
            ("${cmd:a b", 0..9, "no `}`"),
            ("${A:-${B}}", 0..9, "inside"),
        ] {
            let fault = parse(raw).err().unwrap_or_else(|| panic!("{raw} was taken"));
            assert_eq!(fault.at, at, "{raw}");
            assert!(fault.message.contains(words), "{raw}: {}", fault.message);
        }
    }

    #[test]
    fn everything_missing_is_named_at_once() {
        let text = parse("${NONE}${EMPTY:?ask Ada}${file:gone}${cmd:false x}${cmd:quiet}${SET}").unwrap();
        let missing = resolve(text.parts().unwrap(), &Fixed).unwrap_err();
        let words: Vec<_> = missing.iter().map(|missing| missing.message.as_str()).collect();
        assert_eq!(
            words,
            [
                "the environment variable `NONE` is not set",
                "the environment variable `EMPTY` is not set: ask Ada",
                "the file `gone` cannot be read: no such file",
                "the program `false` gave no value: it ended in 1",
                "the program `quiet` gave no value: it printed nothing",
            ]
        );
    }
}
