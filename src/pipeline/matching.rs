//! `match`: which account belongs to which person.
//!
//! Owns: pairs of keys, their short forms, and the list of who is who.
//! Leaves to others: comparing (`plan`), where a cell of the list ends (`table`).
//! A newcomer gets wrong: `username` is one pair, `upn_local` with `username`, and not several that are tried.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::declare::{element, words};
use super::fault::{FileFault, Span};
use super::read::{At, List, Reader, Setting};
use super::scalar::FilePath;
use super::source::SourceSettings;
use super::tree::{Id, Kind};
use crate::model::{AccountKey, PersonKey, normalise_key};
use crate::settings::{self, MapRow};
use crate::table;

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
        match reader.word_of(id, &["email", "username"], "a key to match by")?.as_str() {
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
    /// The keys that are compared, the person's and the account's; of a list of who is who, which is compared by its rows, none.
    pub(super) fn compared(&self) -> Vec<(PersonKey, AccountKey)> {
        match self {
            Self::Pairs(pairs) => {
                pairs.0.iter().filter_map(At::get).map(|PairEntry(person, account)| (*person, *account)).collect()
            }
            Self::Map(_) => Vec::new(),
        }
    }

    /// Where it compares the immutable id of an account.
    pub(super) fn by_key(&self) -> Vec<Span> {
        match self {
            Self::Pairs(pairs) => {
                let by_key = |at: &&At<PairEntry>| at.get().is_some_and(|pair| pair.1 == AccountKey::Key);
                pairs.0.iter().filter(by_key).map(|at| at.span.clone()).collect()
            }
            Self::Map(map) => {
                let by_key = map.account.get().is_some_and(|word| word.0 == AccountKey::Key);
                by_key.then(|| map.account.span.clone()).into_iter().collect()
            }
        }
    }

    /// Refuses keys that none of these sources can fill, and sources of which no key is asked: nobody would ever match.
    pub(super) fn judge_sources(at: &At<Self>, reader: &mut Reader<'_>, sources: &[&dyn SourceSettings]) {
        let keys: Vec<(PersonKey, Span, bool)> = match at.get() {
            Some(Self::Pairs(pairs)) => {
                // `username` beside another pair is a way to write what most directories have.
                let pair = |pair: &At<PairEntry>| match pair.get() {
                    Some(PairEntry(person, account)) => {
                        let short = (*person, *account) == (PersonKey::UpnLocal, AccountKey::Username);
                        Some((*person, pair.span.clone(), short))
                    }
                    None => None,
                };
                pairs.0.iter().filter_map(pair).collect()
            }
            Some(Self::Map(map)) => {
                map.person.get().map(|person| (person.0, at.span.clone(), false)).into_iter().collect()
            }
            None => return,
        };
        if sources.is_empty() || keys.is_empty() {
            return;
        }
        let help = "a person of `google` has `email`, `email_local` and `id`";
        let mut told = false;
        for (key, span, _) in keys.iter().filter(|(_, _, short)| !short) {
            if !sources.iter().any(|source| source.fills(*key)) {
                let message = format!("no source of this file has people with the key `{}`", key.word());
                reader.fault(FileFault::new(span.clone(), message).help(help));
                told = true;
            }
        }
        let dumb = sources.iter().filter(|source| !keys.iter().any(|(key, ..)| source.fills(*key)));
        for id in dumb.filter_map(|source| source.shared().id.get()).filter(|_| !told) {
            let words: Vec<_> = keys.iter().map(|(key, ..)| format!("`{}`", key.word())).collect();
            let message = format!("nobody of the source `{}` can match: its people have no {}", id.0, words.join(", "));
            reader.fault(FileFault::new(at.span.clone(), message).help(help));
        }
    }

    /// Judges what stands there; the list of who is who is read when the pipeline runs.
    pub(super) fn settle(at: &At<Self>, reader: &mut Reader<'_>) -> Option<settings::Matching> {
        match at.get()? {
            Self::Pairs(pairs) => {
                if pairs.0.is_empty() {
                    let fault = FileFault::new(at.span.clone(), "nothing is matched by anything");
                    reader.fault(
                        fault.help(
                            "write `[email]`, `[username]` or pairs such as `{ person: sam, account: username }`",
                        ),
                    );
                }
                let pair = |at: &At<PairEntry>| {
                    let PairEntry(person, account) = *at.get()?;
                    Some(settings::Pair { person, account, place: at.place.clone() })
                };
                pairs.0.iter().map(pair).collect::<Option<_>>().map(settings::Matching::Pairs)
            }
            Self::Map(map) => map.settle(reader).map(settings::Matching::Map),
        }
    }
}

impl UserMap {
    fn settle(&self, reader: &mut Reader<'_>) -> Option<settings::UserMap> {
        let path = self.map.get()?.0.to_str()?.to_owned();
        let (person, account) = (self.person.get()?.0, self.account.get()?.0);
        let shown = path.escape_debug();
        let people = match reader.environment()?.file(&path) {
            Ok(text) => people(&text).map_err(|faults| {
                faults.into_iter().map(|fault| format!("{shown}:{}: {}", fault.line, fault.found)).collect()
            }),
            Err(found) => Err(vec![format!("`{shown}` cannot be read: {found}")]),
        };
        match people {
            Ok(people) => {
                let (list, place) = (path.into(), self.map.place.clone());
                Some(settings::UserMap { person, account, people, list, place })
            }
            Err(faults) => {
                let faults: Vec<String> = faults;
                for message in faults {
                    let help = "a CSV file with the columns `person` and `account`, each value once";
                    reader.fault(FileFault::new(self.map.span.clone(), message).help(help));
                }
                None
            }
        }
    }
}

/// What is wrong in the text of a map, line by line.
pub(crate) fn map_faults(text: &str) -> Vec<table::RowFault> {
    people(text).err().unwrap_or_default()
}

/// Account to person. A value that stands there twice would be a guess (promise P1).
fn people(text: &str) -> Result<BTreeMap<String, MapRow>, Vec<table::RowFault>> {
    let mut rows = table::TableReader::new(text.as_bytes()).map_err(|fault| vec![fault])?;
    let header = table::header(&mut rows, &["person", "account"]).map_err(|fault| vec![fault])?;
    let column = |name: &str| {
        let mut there = header.cells.iter().enumerate().filter(|(_, cell)| cell.trimmed().eq_ignore_ascii_case(name));
        let found = match (there.next(), there.next()) {
            (Some((at, _)), None) => return Ok(at),
            (None, _) => format!("the column `{name}` is missing"),
            (Some(_), Some(_)) => format!("the column `{name}` stands twice"),
        };
        Err(vec![table::RowFault::new(header.line, found)])
    };
    let (person, account) = (column("person")?, column("account")?);
    let mut list = WhoIsWho::default();
    loop {
        match rows.row() {
            Ok(None) => break,
            Ok(Some(row)) => {
                let pair = row.misfits(header.cells.len()).map_or_else(|| pair(&row, person, account), Err);
                if let Err(fault) = pair.and_then(|(person, account)| list.add(row.line, person, account)) {
                    list.faults.push(fault);
                }
            }
            Err(fault) => list.faults.push(fault),
        }
    }
    if list.faults.is_empty() { Ok(list.people) } else { Err(list.faults) }
}

/// The two values of a row, as they stand there.
fn pair(row: &table::Row, person: usize, account: usize) -> Result<(&str, &str), table::RowFault> {
    for (name, at) in [("person", person), ("account", account)] {
        let cell = &row.cells[at];
        let found = match (cell.is_broken(), table::odd_sign(&cell.text)) {
            (true, _) => format!("`{name}` has a line break: is a quote missing?"),
            (false, Some(sign)) => format!("`{name}` has {sign}: write it without"),
            (false, None) if cell.trimmed().is_empty() => format!("`{name}` is empty: fill it, or delete the row"),
            (false, None) => continue,
        };
        return Err(table::RowFault::new(cell.line, found));
    }
    if let Some(cut) = row.key_may_be_cut(person, "person").or_else(|| row.key_may_be_cut(account, "account")) {
        return Err(cut);
    }
    let pair = (row.cells[person].trimmed(), row.cells[account].trimmed());
    row.swallowed().map_or(Ok(pair), Err)
}

/// What was read so far: each value in its compared form.
#[derive(Default)]
struct WhoIsWho {
    people: BTreeMap<String, MapRow>,
    /// The line of each value, and how it was written there.
    seen: BTreeMap<(&'static str, String), (u64, String)>,
    faults: Vec<table::RowFault>,
}

impl WhoIsWho {
    fn add(&mut self, line: u64, person: &str, account: &str) -> Result<(), table::RowFault> {
        for (what, text) in [("person", person), ("account", account)] {
            let first = self.seen.entry((what, normalise_key(text))).or_insert((line, text.to_owned()));
            if first.0 != line {
                let but = if first.1 == text { "" } else { ", but for case or Unicode form" };
                return Err(table::RowFault::new(line, format!("names the {what} of line {} again{but}", first.0)));
            }
        }
        let row = MapRow { person: normalise_key(person), line: u32::try_from(line).unwrap_or(u32::MAX) };
        self.people.insert(normalise_key(account), row);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tests::refused;

    #[test]
    fn a_map_is_read_in_the_compared_form() {
        let people =
            people("\u{feff}sep=,\nAccount,note,person\n,,\nADA, x, Ada@Example.com\nalan,,alan@example.com\n")
                .unwrap();
        assert_eq!(people["ada"], MapRow { person: "ada@example.com".to_owned(), line: 4 });
        assert_eq!(people.len(), 2);
    }

    #[test]
    fn a_map_that_would_be_a_guess_is_refused() {
        for (text, line, words) in [
            ("", 1, "the header is missing: write `person,account`"),
            ("who,account\n", 1, "the column `person` is missing"),
            ("ada,x\n", 1, "no column of the table is named here"),
            ("person,account,person\na,x,b\n", 1, "the column `person` stands twice"),
            ("person,account\na,\n", 2, "`account` is empty"),
            ("person,account\na,x\n\na,y\n", 4, "the person of line 2 again"),
            ("person,account\na,x\nA,y\n", 3, "the person of line 2 again, but for case"),
            ("person,account\na,x\nb,X\n", 3, "the account of line 2 again, but for case"),
            ("person,account\nzo\u{eb},x\nzoe\u{308},y\n", 3, "but for case or Unicode form"),
            ("person,account\na\n", 2, "1 field where the header has 2"),
            ("person,account\na,x\nb", 3, "the last line is cut"),
            ("person,account\na,grace\nb,gr", 3, "the file ends within `account` without a line end"),
            ("account,person\nx,a\ny,b", 3, "the file ends within `person` without a line end"),
            ("person,account\n\"a,x\nb\",y\n", 2, "`person` has a line break"),
            ("person,account\n\"a,x\n\"b\",y\n", 2, "closed in line 3 with text behind it"),
        ] {
            let faults = people(text).unwrap_err();
            let fits = faults.iter().any(|fault| fault.line == line && fault.found.contains(words));
            assert!(fits, "{text:?}: {faults:?}");
        }
    }

    #[test]
    fn what_matches_nothing_is_refused() {
        refused(
            &[
                ("[]", "nothing is matched by anything"),
                ("email", "expected a list such as"),
                ("[mail]", "`mail` is not a key to match by"),
                ("[{ person: sam }]", "`account` is missing"),
                ("[{ person: name, account: email }]", "`name` is not a value of this key"),
                ("{ map: users.csv, persons: upn }", "unknown key `persons`"),
            ],
            Match::settle,
        );
    }
}
