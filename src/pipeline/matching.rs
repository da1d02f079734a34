//! `match`: which account belongs to which person.
//!
//! Owns: pairs of keys, their short forms, and the list of who is who. Leaves to others: comparing (`plan`).
//! A newcomer gets wrong: `username` is one pair, `upn_local` with `username`, and not several that are tried.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::declare::{element, words};
use super::fault::Fault;
use super::read::{At, List, Reader, Setting};
use super::resolved;
use super::scalar::FilePath;
use super::tree::{Id, Kind};
use crate::model::{AccountKey, PersonKey, normalise_key};

words! {
    /// A key of a person.
    PersonWord = PersonKey {
        /// Mail, proxy and alias addresses.
        "email" => Email,
        /// The user principal name.
        "upn" => Upn,
        /// The user principal name before its `@`.
        "upn_local" => UpnLocal,
        /// The main mail address before its `@`.
        "email_local" => EmailLocal,
        /// The on-premises sAMAccountName.
        "sam" => Sam,
        /// The employee id.
        "employee_id" => EmployeeId,
        /// The provider's immutable id.
        "id" => Id,
    }
}

words! {
    /// A key of an account.
    AccountWord = AccountKey {
        /// The name that the person signs in with.
        "username" => Username,
        /// The mail address, where the product shows it.
        "email" => Email,
        /// The immutable id.
        "key" => Key,
    }
}

element! {
    /// A key of the person that must equal a key of the account.
    Pair {
        /// Of the person.
        person: PersonWord = Required,
        /// Of the account.
        account: AccountWord = Required,
    }
}

element! {
    /// A list of who is who: a CSV file with the columns `person` and `account`.
    UserMap {
        /// The file.
        map: FilePath = Required,
        /// What the column `person` holds.
        person: PersonWord = Else("email"),
        /// What the column `account` holds.
        account: AccountWord = Else("username"),
    }
}

/// A pair, or the short form of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct PairEntry(PersonKey, AccountKey);

impl Setting for PairEntry {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        if matches!(reader.tree.node(id).kind, Kind::Map(_)) {
            let pair = Pair::read(reader, id)?;
            return Some(Self(pair.person.get()?.0, pair.account.get()?.0));
        }
        match reader.word(id, &["email", "username"])?.as_str() {
            "email" => Some(Self(PersonKey::Email, AccountKey::Email)),
            _ => Some(Self(PersonKey::UpnLocal, AccountKey::Username)),
        }
    }
}

impl JsonSchema for PairEntry {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PairEntry".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "const": "email", "description": "Short for `{ person: email, account: email }`." },
            { "const": "username", "description": "Short for `{ person: upn_local, account: username }`." },
            generator.subschema_for::<Pair>(),
        ] })
    }
}

/// A list of pairs, or a map.
#[derive(Debug)]
pub(super) enum Match {
    Pairs(List<PairEntry>),
    Map(UserMap),
}

impl Setting for Match {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        match reader.tree.node(id).kind {
            Kind::List(_) => List::read(reader, id).map(Self::Pairs),
            Kind::Map(_) => UserMap::read(reader, id).map(Self::Map),
            Kind::Scalar(_) => {
                reader.expected(id, "a list such as `[email, username]`, or `{ map: users.csv }`");
                None
            }
        }
    }
}

impl JsonSchema for Match {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Match".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "array", "minItems": 1, "items": generator.subschema_for::<PairEntry>() },
            generator.subschema_for::<UserMap>(),
        ] })
    }
}

impl Match {
    /// Judges what stands there; the list of who is who is read when the pipeline runs.
    pub(super) fn settle(at: &At<Self>, reader: &mut Reader<'_>) -> Option<resolved::Matching> {
        match at.get()? {
            Self::Pairs(pairs) => {
                if pairs.0.is_empty() {
                    let fault = Fault::new(at.span.clone(), "nothing is matched by anything");
                    reader.fault(
                        fault.help(
                            "write `[email]`, `[username]` or pairs such as `{ person: sam, account: username }`",
                        ),
                    );
                }
                let pair = |at: &At<PairEntry>| {
                    let PairEntry(person, account) = *at.get()?;
                    Some(resolved::Pair { person, account, place: at.place.clone() })
                };
                pairs.0.iter().map(pair).collect::<Option<_>>().map(resolved::Matching::Pairs)
            }
            Self::Map(map) => map.settle(reader).map(resolved::Matching::Map),
        }
    }
}

impl UserMap {
    fn settle(&self, reader: &mut Reader<'_>) -> Option<resolved::UserMap> {
        let path = self.map.get()?.0.to_str()?.to_owned();
        let (person, account) = (self.person.get()?.0, self.account.get()?.0);
        let people = match reader.environment()?.file(&path) {
            Ok(text) => people(&text),
            Err(found) => Err(vec![format!("cannot be read: {found}")]),
        };
        match people {
            Ok(people) => Some(resolved::UserMap { person, account, people, place: self.map.place.clone() }),
            Err(faults) => {
                for fault in faults {
                    let message = format!("`{}` {fault}", path.escape_debug());
                    let help = "a CSV file with the columns `person` and `account`, each value once";
                    reader.fault(Fault::new(self.map.span.clone(), message).help(help));
                }
                None
            }
        }
    }
}

/// Account to person. A value that stands there twice would be a guess (promise P1).
fn people(text: &str) -> Result<BTreeMap<String, String>, Vec<String>> {
    let mut rows =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let headers = rows.headers().map_err(|error| vec![format!("is not CSV: {error}")])?;
    let column = |name: &str| headers.iter().position(|header| header == name);
    let (Some(person_column), Some(account_column)) = (column("person"), column("account")) else {
        return Err(vec!["has no columns `person` and `account` in its first line".to_owned()]);
    };
    let mut people = BTreeMap::new();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut faults = Vec::new();
    for row in rows.records() {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                faults.push(format!("is not CSV: {error}"));
                break;
            }
        };
        let line = row.position().map_or(0, csv::Position::line);
        let person = normalise_key(row.get(person_column).unwrap_or_default());
        let account = normalise_key(row.get(account_column).unwrap_or_default());
        if person.is_empty() || account.is_empty() {
            faults.push(format!("has an empty value in line {line}"));
        } else if let Some(first) = seen.get(&person) {
            faults.push(format!("names the person of line {first} again in line {line}"));
        } else if people.insert(account, person.clone()).is_some() {
            faults.push(format!("names an account again in line {line}"));
        } else {
            seen.insert(person, line);
        }
    }
    if faults.is_empty() { Ok(people) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tests::refused;

    #[test]
    fn a_map_is_read_in_the_compared_form() {
        let people = people("\u{feff}account,note,person\nADA, x, Ada@Example.com\nalan,,alan@example.com\n").unwrap();
        assert_eq!(people.get("ada").map(String::as_str), Some("ada@example.com"));
        assert_eq!(people.len(), 2);
    }

    #[test]
    fn a_map_that_would_be_a_guess_is_refused() {
        for (text, words) in [
            ("who,account\n", "no columns"),
            ("person,account\na,\n", "empty value in line 2"),
            ("person,account\na,x\nA,y\n", "person of line 2 again in line 3"),
            ("person,account\na,x\nb,X\n", "account again in line 3"),
            ("person,account\na\n", "not CSV"),
        ] {
            let faults = people(text).unwrap_err();
            assert!(faults.iter().any(|fault| fault.contains(words)), "{text:?}: {faults:?}");
        }
    }

    #[test]
    fn what_matches_nothing_is_refused() {
        refused(
            &[
                ("[]", "nothing is matched by anything"),
                ("email", "expected a list such as"),
                ("[mail]", "`mail` has no meaning here"),
                ("[{ person: sam }]", "`account` is missing"),
                ("[{ person: name, account: email }]", "`name` has no meaning here"),
                ("{ map: users.csv, persons: upn }", "unknown key `persons`"),
            ],
            Match::settle,
        );
    }
}
