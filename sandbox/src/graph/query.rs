//! The query of a Graph call.
//!
//! Owns: decoding, `$select`, `$top`, `$filter` in the forms of docs/wire/microsoft-graph.md §2.3.
//! Leaves to others: applying them (`users`).
//! A newcomer gets wrong: `+` is a space in a query but not in a path.

use crate::entra::LivePerson;

/// The parameters in the order they were sent, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|p| !p.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(&value.replace('+', " ")))
        });
        Self(pairs.collect())
    }

    /// A parameter; the `$` before its name may be left out, as the service allows.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let bare = name.trim_start_matches('$');
        self.0.iter().find(|(n, _)| n.trim_start_matches('$').eq_ignore_ascii_case(bare)).map(|(_, v)| v.as_str())
    }

    pub(super) fn select(&self) -> Option<Vec<&str>> {
        self.get("$select").map(|s| s.split(',').map(str::trim).filter(|f| !f.is_empty()).collect())
    }

    pub(super) fn counted(&self) -> bool {
        self.get("$count") == Some("true")
    }

    /// The query again, with another `$skiptoken`, as a next link carries it: commas as `%2c` (§2.1).
    pub(super) fn with_skip_token(&self, token: &str) -> String {
        let kept = self.0.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("$skiptoken"));
        let mut pairs: Vec<String> = kept.map(|(name, value)| format!("{name}={}", encode(value))).collect();
        pairs.push(format!("$skiptoken={token}"));
        pairs.join("&")
    }
}

/// Percent-decoding; what is no valid escape stays as it is.
pub(super) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()).filter(|_| byte == b'%') {
            Some(decoded) => (out.push(decoded), at += 3),
            None => (out.push(byte), at += 1),
        };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Percent-encoding with small letters, as the service writes its links.
fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'$' | b'\'' | b'(' | b')' | b'/' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}

/// One condition of a `$filter`; several are joined by `and`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Enabled(bool),
    TypeIs(String),
    TypeIsNot(String),
    MailEndsWith(String),
    Licensed,
}

impl Condition {
    /// The conditions of a filter; none if the simulator cannot parse it.
    pub(super) fn parse(filter: &str) -> Option<Vec<Self>> {
        filter.split(" and ").map(|part| Self::one(part.trim())).collect()
    }

    fn one(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["accountEnabled", "eq", "true"] => Some(Self::Enabled(true)),
            ["accountEnabled", "eq", "false"] => Some(Self::Enabled(false)),
            ["userType", "eq", value] => quoted(value).map(Self::TypeIs),
            ["userType", "ne", value] => quoted(value).map(Self::TypeIsNot),
            ["assignedLicenses/$count", "ne", "0"] => Some(Self::Licensed),
            _ => {
                let inner = text.strip_prefix("endsWith(")?.strip_suffix(')')?;
                let (field, value) = inner.split_once(',')?;
                (field.trim() == "mail").then(|| quoted(value.trim()).map(Self::MailEndsWith))?
            }
        }
    }

    /// Whether it needs `ConsistencyLevel: eventual` and `$count=true`.
    pub(super) fn advanced(&self) -> bool {
        matches!(self, Self::TypeIsNot(_) | Self::MailEndsWith(_) | Self::Licensed)
    }

    pub(super) fn holds(&self, live: &LivePerson) -> bool {
        let kind = live.person.user_type.as_deref();
        match self {
            Self::Enabled(wanted) => live.enabled == *wanted,
            Self::TypeIs(wanted) => kind.is_some_and(|k| k.eq_ignore_ascii_case(wanted)),
            Self::TypeIsNot(unwanted) => kind.is_none_or(|k| !k.eq_ignore_ascii_case(unwanted)),
            Self::MailEndsWith(end) => {
                live.person.mail.as_deref().is_some_and(|m| m.to_lowercase().ends_with(&end.to_lowercase()))
            }
            // The world knows no licences: whoever has a mail address has one.
            Self::Licensed => live.person.mail.is_some(),
        }
    }
}

fn quoted(text: &str) -> Option<String> {
    text.strip_prefix('\'')?.strip_suffix('\'').map(|inner| inner.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_of_the_reference_are_understood() {
        for (filter, advanced) in [
            ("accountEnabled eq true", Some(false)),
            ("userType eq 'Member'", Some(false)),
            ("userType ne 'Guest'", Some(true)),
            ("accountEnabled eq true and userType eq 'Member'", Some(false)),
            ("assignedLicenses/$count ne 0", Some(true)),
            ("endsWith(mail,'@contoso.com')", Some(true)),
            ("startswith(photo,'x')", None),
            ("accountEnabled eq yes", None),
        ] {
            let parsed = Condition::parse(filter).map(|all| all.iter().any(Condition::advanced));
            assert_eq!(parsed, advanced, "{filter}");
        }
    }

    #[test]
    fn a_link_carries_the_query_in_small_escapes() {
        let query = Query::parse("$select=id,mail&$top=2&$filter=userType%20eq%20'Member'&$skiptoken=old");
        assert_eq!(
            query.with_skip_token("new"),
            "$select=id%2cmail&$top=2&$filter=userType%20eq%20'Member'&$skiptoken=new"
        );
        assert_eq!(Query::parse(&query.with_skip_token("old")), query);
        assert_eq!(decode("%2523a%"), "%23a%");
    }
}
