//! Names in a report that may not name anybody (`report: { names: pseudonym }`).
//!
//! Owns: the pseudonym of a name, and taking names out of sentences. Leaves to others: finding all names (`run`).
//! A newcomer gets wrong: a digest alone is undone by whoever can list the names, so it is keyed with the state's key.

use std::collections::HashSet;

use super::{MisplacedLine, PersonLine};
use crate::model::{StateKey, without_addresses, without_name};

/// A shorter name names nobody, and stands in many a sentence.
const SHORTEST: usize = 3;

/// Gives pseudonyms; of one state, the same name always gets the same one, so that two reports can be compared.
pub struct Pseudonyms(StateKey);

impl Pseudonyms {
    /// Keyed with the key of a state.
    pub fn new(key: StateKey) -> Self {
        Self(key)
    }

    /// What stands for a name or an id.
    pub fn of(&self, name: &str) -> String {
        format!("p-{}", &self.0.digest("pseudonym", &[name]).hex()[..12])
    }

    /// Whatever in a text looks like one.
    pub fn within(text: &str) -> impl Iterator<Item = String> {
        text.match_indices("p-").filter_map(|(at, _)| {
            let digits = text.get(at + 2..at + 14)?;
            digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| format!("p-{digits}"))
        })
    }

    /// Nobody in it has a name any more; `names` are all that the person and the account have.
    pub fn line(&self, mut line: PersonLine, names: &[String]) -> PersonLine {
        if let Some(error) = &mut line.error {
            error.message = self.sentence(&error.message, names.iter().map(String::as_str));
        }
        for picture in [&mut line.change.from, &mut line.change.to] {
            // A file's name may be somebody's.
            if let Some(mark) = picture.strip_prefix("foreign:") {
                *picture = format!("foreign:{}", self.of(mark));
            }
        }
        line.account.name = self.of(&line.account.name);
        line.account.id = self.of(&line.account.id);
        if let Some(person) = &mut line.person {
            person.id = self.of(&person.id);
            person.name = person.name.as_deref().map(|name| self.of(name));
        }
        line.detail = None;
        line
    }

    /// Nobody in it has a name any more.
    pub fn misplaced(&self, mut line: MisplacedLine) -> MisplacedLine {
        let names = [&line.account, &line.meant_for].map(|account| [account.name.clone(), account.id.clone()]).concat();
        if let Some(error) = &mut line.error {
            error.message = self.sentence(&error.message, names.iter().map(String::as_str));
        }
        for account in [&mut line.account, &mut line.meant_for] {
            (account.name, account.id) = (self.of(&account.name), self.of(&account.id));
        }
        line
    }

    /// A sentence without these names, as they are or as a URL spells them, and without any address.
    pub fn sentence<'a>(&self, sentence: &str, names: impl IntoIterator<Item = &'a str>) -> String {
        let mut clean = sentence.to_owned();
        let folded = sentence.to_ascii_lowercase();
        let mut names: Vec<_> = names.into_iter().filter(|name| name.chars().count() >= SHORTEST).collect();
        // An account name may be a first name: of `Ada Lovelace` it would leave the rest.
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        for name in names {
            for spelled in spellings(name) {
                if folded.contains(&spelled.to_ascii_lowercase()) {
                    clean = without_name(&clean, &spelled, &self.of(name));
                }
            }
        }
        without_addresses(&clean)
    }
}

/// A name as it is, and as a URL spells it.
fn spellings(name: &str) -> [String; 3] {
    let form: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let path = form.replace('+', "%20");
    [name.to_owned(), form, path]
}

/// Which names some sentences may hold, told by the beginning of each: a directory of half a million is gone through while a
/// run that was asked to stop ends.
pub(crate) struct Beginnings(HashSet<[u8; Self::LONG]>);

impl Beginnings {
    const LONG: usize = 4;

    /// Of what stands in these.
    pub(crate) fn of(sentences: &[String]) -> Self {
        let windows = |sentence: &String| {
            let folded = sentence.to_ascii_lowercase().into_bytes();
            folded.windows(Self::LONG).filter_map(|window| window.try_into().ok()).collect::<Vec<_>>()
        };
        Self(sentences.iter().flat_map(windows).collect())
    }

    /// Whether this name may stand there.
    pub(crate) fn may_hold(&self, name: &str) -> bool {
        let begins = |spelled: &str| match spelled.as_bytes().first_chunk::<{ Self::LONG }>() {
            Some(begins) => self.0.contains(&begins.map(|byte| byte.to_ascii_lowercase())),
            None => true,
        };
        // A URL spells these as they are, so every spelling begins so.
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"*-._".contains(byte);
        match name.as_bytes().first_chunk::<{ Self::LONG }>() {
            Some(first) if first.iter().all(plain) => begins(name),
            _ => spellings(name).iter().any(|spelled| begins(spelled)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PersonResult;
    use crate::report::{AccountLine, ChangeLine, PersonFailure, PersonWho};

    #[test]
    fn a_name_that_may_stand_there_is_not_passed_over() {
        let sentences = ["GET /user?username=Ada%20Love+Lace: 404".to_owned(), "no zoë".to_owned()];
        let beginnings = Beginnings::of(&sentences);
        for (name, may) in [
            ("ada love", true),
            ("ADA", true),
            ("Lace: 405", true),
            ("zoë", true),
            ("USER", true),
            ("bob@example.com", false),
            ("lovelace", true),
            ("Curie", false),
        ] {
            assert_eq!(beginnings.may_hold(name), may, "{name}");
        }
    }

    #[test]
    fn a_short_name_leaves_nothing_of_a_longer_one() {
        let pseudonyms = Pseudonyms::new(StateKey::new([1; 32]));
        let clean = pseudonyms.sentence("fits Ada Lovelace", ["ada", "Ada Lovelace"]);
        assert_eq!(clean, format!("fits {}", pseudonyms.of("Ada Lovelace")));
    }

    #[test]
    fn nothing_of_a_line_names_the_person() {
        let line = PersonLine {
            target: "jira".into(),
            account: AccountLine { id: "JIRAUSER10100".into(), name: "ada lovelace".into() },
            person: Some(PersonWho { source: "entra".into(), id: "b1f0".into(), name: Some("Ada Lovelace".into()) }),
            change: ChangeLine { kind: "replace".into(), from: "foreign:ada.jpg".into(), to: "b3:00".into() },
            reason: "photo_new".into(),
            rule: "x.yaml:1".into(),
            detail: Some("fits ada@example.com".into()),
            result: PersonResult::Failed,
            error: Some(PersonFailure {
                code: "refused".into(),
                message: "GET /user?username=ada%20lovelace: 404 no JIRAUSER10100, Ada Lovelace, ada@example.com"
                    .into(),
            }),
            left_out: false,
        };
        let names = ["ada lovelace", "JIRAUSER10100", "b1f0"].map(str::to_owned);
        let with = |key: u8| {
            let pseudonyms = Pseudonyms::new(StateKey::new([key; 32]));
            serde_json::to_string(&pseudonyms.line(line.clone(), &names)).unwrap()
        };
        for name in ["ada", "Lovelace", "JIRAUSER", "b1f0", "example"] {
            assert!(!with(1).contains(name), "{name} in {}", with(1));
        }
        assert_eq!(with(1), with(1));
        assert_ne!(with(1), with(2), "another state, other pseudonyms");
    }
}
