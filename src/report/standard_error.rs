//! Standard error: the way there, as lines for people or as one JSON object a line (docs/command-line.md, "Streams").
//!
//! Owns: both forms, and what `-q` leaves. Leaves to others: log lines (the subscriber of `cli::log`, in the same form).
//! A newcomer gets wrong: every line of the stream has the form that was asked for, usage errors and last words included.

use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::model::rfc3339;
use crate::secret::{outlet, redact};

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Failures only.
    Quiet,
    /// The way there.
    #[default]
    Normal,
    /// The way there, and each decision.
    Verbose,
}

/// Where standard output goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum AnswerPlace {
    /// To the same terminal.
    Beside,
    /// To a file or a program, as far as can be told.
    #[default]
    Elsewhere,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// How far the work is.
    Progress,
    /// Something odd that stops nothing.
    Note,
    /// Something that will stop something.
    Warning,
    /// Something that stopped something.
    Failure,
}

impl Severity {
    fn prefix(self) -> &'static str {
        match self {
            Self::Progress => "",
            Self::Note => "note: ",
            Self::Warning => "warning: ",
            Self::Failure => "error: ",
        }
    }

    fn level(self) -> &'static str {
        match self {
            Self::Progress | Self::Note => "INFO",
            Self::Warning => "WARN",
            Self::Failure => "ERROR",
        }
    }
}

/// The stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StandardError {
    /// How lines are written.
    pub form: Form,
    /// How much is said.
    pub verbosity: Verbosity,
    /// Where the answer goes.
    pub answer: AnswerPlace,
}

impl StandardError {
    /// Whether it is read without the answer: by a program, by whoever asked for failures alone, or where the answer goes
    /// elsewhere. No end but a good one is without a word there.
    pub(crate) fn is_read_alone(self) -> bool {
        self.form == Form::Json || self.verbosity == Verbosity::Quiet || self.answer == AnswerPlace::Elsewhere
    }

    /// Says a line.
    pub(crate) fn tell(self, severity: Severity, message: &str) {
        self.tell_with(severity, message, Map::new());
    }

    /// Says a line; `fields` stand in its object, and are in the words of `message` for people.
    pub(crate) fn tell_with(self, severity: Severity, message: &str, fields: Map<String, Value>) {
        if self.verbosity == Verbosity::Quiet && severity != Severity::Failure {
            return;
        }
        let line = match self.form {
            Form::Human => outlet::text(&redact(&format!("{}{message}", severity.prefix()))),
            Form::Json => outlet::json(&object(SystemTime::now(), severity, &redact(message), fields)),
        };
        // Whoever read the beginning may have gone away: nothing ends for that, as `eprintln!` would have it.
        _ = writeln!(std::io::stderr(), "{line}");
    }
}

/// The members that log lines have, too.
fn object(now: SystemTime, severity: Severity, message: &str, fields: Map<String, Value>) -> String {
    let time = rfc3339(now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()));
    let mut line = json!({ "timestamp": time, "level": severity.level(), "message": message });
    if let Value::Object(members) = &mut line {
        members.extend(fields);
    }
    line.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_sees_the_answer_beside_it_reads_failures_there() {
        for (form, verbosity, answer, alone) in [
            (Form::Human, Verbosity::Normal, AnswerPlace::Beside, false),
            (Form::Human, Verbosity::Verbose, AnswerPlace::Beside, false),
            (Form::Human, Verbosity::Normal, AnswerPlace::Elsewhere, true),
            (Form::Human, Verbosity::Quiet, AnswerPlace::Beside, true),
            (Form::Json, Verbosity::Normal, AnswerPlace::Beside, true),
            (Form::Json, Verbosity::Quiet, AnswerPlace::Elsewhere, true),
        ] {
            let stream = StandardError { form, verbosity, answer };
            assert_eq!(stream.is_read_alone(), alone, "{stream:?}");
        }
    }

    #[test]
    fn an_object_stands_on_one_line_whatever_it_says() {
        let line = object(UNIX_EPOCH, Severity::Failure, "two\nlines \"quoted\"", Map::new());
        assert_eq!(line, r#"{"level":"ERROR","message":"two\nlines \"quoted\"","timestamp":"1970-01-01T00:00:00Z"}"#);
    }
}
