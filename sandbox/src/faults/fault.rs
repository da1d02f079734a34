//! A fault: which requests it may strike, and what it does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::echo::Form;

/// A fault as it is dialled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which requests it may strike.
    #[serde(default)]
    pub on: Match,
    /// How many matching requests pass before it strikes.
    #[serde(default)]
    pub skip: u32,
    /// How often it strikes; without it, from then on always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// What it does.
    pub effect: Effect,
}

/// Which requests a fault may strike. What is not said matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// The simulator's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulator: Option<String>,
    /// The HTTP method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The path, in which `*` stands for any text. With a `?` in it, path and query are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A text in path, query or body: a person's id, an account's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Parts of a batch instead of whole requests; `path` is then the part's `url`.
    pub part: bool,
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Answers this instead of handling the request.
    Answer(Answer),
    /// Closes the connection; the request is not handled.
    Drop {},
    /// Handles the request, then closes the connection: done, but the client cannot know.
    HandleThenDrop {},
    /// Closes the connection at once and handles the request only later.
    HandleLate {
        /// How much later.
        after_ms: u64,
    },
    /// Handles and answers, but waits before handling.
    Delay {
        /// How long.
        ms: u64,
    },
    /// Handles and answers, but only once the sandbox is told to ([`Faults::release`]), as a slow server does: whether
    /// or not the client still waits.
    HandleOnRelease {},
    /// Handles and answers, but the connection ends after so many bytes of the body.
    Truncate {
        /// How many bytes arrive.
        after_bytes: usize,
    },
    /// Handles and answers, the body in small pieces.
    Drip {
        /// The size of a piece.
        bytes: usize,
        /// The pause between two.
        every_ms: u64,
    },
    /// Handles and answers, but the body never ends: blanks follow it until the client leaves.
    Endless {},
    /// Handles the request, then answers this: a gateway that lost patience with the server behind it.
    HandleThenAnswer(Answer),
    /// Answers 200 with an HTML login page, as proxies and single sign-on do.
    LoginPage {},
    /// Answers with what was sent, credentials included.
    Echo {
        /// The status.
        status: u16,
        /// How it is given back.
        form: Form,
    },
    /// An effect that only the simulator knows, such as `anonymous`.
    Special(String),
}

/// An answer in place of the simulator's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// The status; 0 stands for 200.
    pub status: u16,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// The body: a text is sent as it is, anything else as JSON.
    pub body: serde_json::Value,
}

impl Answer {
    /// A refusal with a `Retry-After` as given; the vendors' own spelling varies, so it is a text.
    pub fn retry_after(status: u16, after: &str) -> Self {
        let headers = BTreeMap::from([("Retry-After".to_owned(), after.to_owned())]);
        Self { status, headers, body: serde_json::Value::Null }
    }
}

impl Effect {
    /// A plain answer with this status and no body.
    pub fn status(status: u16) -> Self {
        Self::Answer(Answer { status, ..Answer::default() })
    }

    /// The effect in words, for the log.
    pub fn word(&self) -> String {
        match self {
            Self::Answer(answer) => match answer.headers.get("Retry-After") {
                Some(after) => format!("answer {}, Retry-After: {after}", answer.status),
                None => format!("answer {}", answer.status),
            },
            Self::Drop {} => "drop".into(),
            Self::HandleThenDrop {} => "handle_then_drop".into(),
            Self::HandleLate { after_ms } => format!("handle_late {after_ms} ms"),
            Self::Delay { ms } => format!("delay {ms} ms"),
            Self::HandleOnRelease {} => "handle_on_release".into(),
            Self::Truncate { after_bytes } => format!("truncate {after_bytes}"),
            Self::Drip { bytes, every_ms } => format!("drip {bytes} every {every_ms} ms"),
            Self::Endless {} => "endless".into(),
            Self::HandleThenAnswer(answer) => format!("handle_then_answer {}", answer.status),
            Self::LoginPage {} => "login_page".into(),
            Self::Echo { status, form } => format!("echo {status} {form:?}"),
            Self::Special(word) => word.clone(),
        }
    }
}

impl Fault {
    /// A fault that strikes always, whatever is asked.
    pub fn new(effect: Effect) -> Self {
        Self { on: Match::default(), skip: 0, times: None, effect }
    }

    /// Only at this simulator.
    #[must_use]
    pub fn at(mut self, simulator: &str) -> Self {
        self.on.simulator = Some(simulator.to_owned());
        self
    }

    /// Only this method and path, in which `*` stands for any text.
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.on.method = Some(method.to_owned());
        self.on.path = Some(path.to_owned());
        self
    }

    /// Only where path, query or body hold this text.
    #[must_use]
    pub fn about(mut self, text: &str) -> Self {
        self.on.text = Some(text.to_owned());
        self
    }

    /// Parts of batches instead of whole requests.
    #[must_use]
    pub fn in_parts(mut self) -> Self {
        self.on.part = true;
        self
    }

    /// Only so often.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Only after so many matching requests.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }
}

/// A request, or a part of one, as faults look at it.
pub struct RequestFacts<'a> {
    /// The simulator's name.
    pub simulator: &'a str,
    /// The HTTP method.
    pub method: &'a str,
    /// Path and query; of a part, its `url`.
    pub target: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// Whether it is a part of a batch.
    pub part: bool,
}

impl Match {
    pub(super) fn fits(&self, facts: &RequestFacts<'_>) -> bool {
        let path = facts.target.split('?').next().unwrap_or_default();
        self.part == facts.part
            && self.simulator.as_ref().is_none_or(|s| s == facts.simulator)
            && self.method.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(facts.method))
            && self.path.as_ref().is_none_or(|p| glob(p, if p.contains('?') { facts.target } else { path }))
            && self.text.as_ref().is_none_or(|t| facts.target.contains(t.as_str()) || contains(facts.body, t))
    }
}

fn contains(body: &[u8], text: &str) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Whether `text` fits `pattern`, in which `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("/v1.0/users", "/v1.0/users", true),
            ("/v1.0/users", "/v1.0/users/1", false),
            ("/v1.0/users*", "/v1.0/users/1", true),
            ("*/photo/$value", "/users/1/photo/$value", true),
            ("/users/*/photo", "/users/1/photo", true),
            ("/users/*/photo", "/users/1/photo/$value", false),
            ("*a*b*", "xaxbx", true),
            ("*a*b*", "xbxax", false),
            ("a*a", "a", false),
            ("*", "", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} on {text}");
        }
    }

    #[test]
    fn effects_are_written_as_they_are_read() {
        for text in [
            r#"{"effect":{"answer":{"status":429,"headers":{"Retry-After":"0.249"}}}}"#,
            r#"{"effect":{"drop":{}},"on":{"simulator":"jira","part":false},"skip":2,"times":1}"#,
            r#"{"effect":{"special":"anonymous"}}"#,
            r#"{"effect":{"handle_late":{"after_ms":200}}}"#,
            r#"{"effect":{"handle_on_release":{}}}"#,
            r#"{"effect":{"endless":{}}}"#,
            r#"{"effect":{"handle_then_answer":{"status":504}}}"#,
            r#"{"effect":{"echo":{"status":403,"form":"page"}}}"#,
        ] {
            let fault: Fault = serde_json::from_str(text).unwrap();
            let again: Fault = serde_json::from_str(&serde_json::to_string(&fault).unwrap()).unwrap();
            assert_eq!(fault, again);
        }
    }
}
