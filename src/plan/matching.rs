//! Who an account belongs to, by the file's `match` pairs and nothing else.
//!
//! Owns: the rule of design §5: a later pair is tried only where the earlier one is empty on one side; filled and
//! different is a conflict; two candidates are ambiguous.
//! Leaves to others: finding the candidates (`state` looks them up by key), and several sources (`decide`).
//! A newcomer gets wrong: one person for two accounts of a target is as ambiguous as two people for one account; that
//! second half is only known once every account was matched ([`Matched::one_of_several`]).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Account, AccountId, Person, PersonId, PersonKey};
use crate::pipeline::{Matching, Pair};

/// Who of one source an account belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matched {
    /// This person.
    Person(PersonId),
    /// Several people fit, or the person fits several accounts; in words.
    Ambiguous(String),
    /// A later key fits, but an earlier one is filled on both sides and different; in words.
    Conflict(String),
    /// Nobody.
    Nobody,
}

impl Matched {
    /// A person that fits several accounts of one target fits none of them.
    pub fn one_of_several(person: &PersonId, accounts: &[AccountId]) -> Self {
        let few = first_few(accounts.iter().map(AccountId::as_str), accounts.len());
        Self::Ambiguous(format!("{person} fits the accounts {few}"))
    }
}

/// The first five, and how many there are: one address of thousands must not become as many lines as long.
fn first_few<'a>(ids: impl Iterator<Item = &'a str>, count: usize) -> String {
    const FEW: usize = 5;
    let few = ids.take(FEW).collect::<Vec<_>>().join(", ");
    if count > FEW { format!("{few} and {} more, {count} in all", count - FEW) } else { few }
}

/// What one pair of keys says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    Fits,
    Contradicts(usize),
    Silent,
}

/// Matches one account against everybody who shares any key with it.
///
/// `candidates` are all people of one source who have, under some pair, the account's value; repetitions are allowed.
pub fn matched(account: &Account, candidates: &[Person], matching: &Matching) -> Matched {
    let mut fits = BTreeSet::new();
    let mut contradicts = BTreeMap::new();
    for person in candidates {
        match judge(account, person, matching) {
            Judged::Fits => _ = fits.insert(person.id.clone()),
            Judged::Contradicts(pair) => _ = contradicts.insert(person.id.clone(), pair),
            Judged::Silent => {}
        }
    }
    match (fits.len(), contradicts.pop_first()) {
        (1, _) => fits.pop_first().map_or(Matched::Nobody, Matched::Person),
        (0, Some((id, pair))) => Matched::Conflict(format!("{id} differs in pair {} of `match`", pair + 1)),
        (0, None) => Matched::Nobody,
        (count, _) => Matched::Ambiguous(format!("fits {}", first_few(fits.iter().map(PersonId::as_str), count))),
    }
}

fn judge(account: &Account, person: &Person, matching: &Matching) -> Judged {
    match matching {
        Matching::Pairs(pairs) => judge_by_pairs(account, person, pairs),
        Matching::Map(map) => {
            let wanted = account.key(map.account).and_then(|name| map.people.get(&name));
            match wanted {
                Some(wanted) if person.values(map.person).any(|value| value == wanted) => Judged::Fits,
                _ => Judged::Silent,
            }
        }
    }
}

/// The keys by which candidates for an account are looked up: every pair that is filled on the account's side.
pub fn lookups(account: &Account, matching: &Matching) -> Vec<(PersonKey, String)> {
    match matching {
        Matching::Pairs(pairs) => {
            pairs.iter().filter_map(|pair| account.key(pair.account).map(|value| (pair.person, value))).collect()
        }
        Matching::Map(map) => account
            .key(map.account)
            .and_then(|name| map.people.get(&name))
            .map(|value| vec![(map.person, value.clone())])
            .unwrap_or_default(),
    }
}

fn judge_by_pairs(account: &Account, person: &Person, pairs: &[Pair]) -> Judged {
    for (index, pair) in pairs.iter().enumerate() {
        let Some(theirs) = account.key(pair.account) else { continue };
        let mut values = person.values(pair.person).peekable();
        if values.peek().is_none() {
            continue;
        }
        return if values.any(|value| value == theirs) { Judged::Fits } else { Judged::Contradicts(index) };
    }
    Judged::Silent
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountKey, AccountStanding, Place, Shown, Standing};

    fn account(name: &str, email: &str) -> Account {
        Account {
            handle: None,
            id: "JIRAUSER10100".into(),
            name: name.into(),
            email: (!email.is_empty()).then(|| email.to_owned()),
            display_name: "Somebody".into(),
            standing: AccountStanding::Active,
            shown: Shown::Default,
        }
    }

    fn person(id: &str, email: &str, upn: &str) -> Person {
        let mut person = Person::new(id.into(), id, Standing::InScope);
        person.add_key(PersonKey::Email, email);
        person.add_upn(upn);
        person
    }

    fn pairs() -> Matching {
        let place = Place { file: "p.yaml".into(), line: 1 };
        Matching::Pairs(vec![
            Pair { person: PersonKey::Email, account: AccountKey::Email, place: place.clone() },
            Pair { person: PersonKey::UpnLocal, account: AccountKey::Username, place },
        ])
    }

    fn hit(id: &str) -> Matched {
        Matched::Person(id.into())
    }

    fn differs(id: &str) -> Matched {
        Matched::Conflict(format!("{id} differs in pair 1 of `match`"))
    }

    #[test]
    fn an_account_belongs_to_one_person_or_to_nobody() {
        let ada = || person("ada", "ada@example.com", "ada@corp.example");
        let cases: Vec<(&str, Account, Vec<Person>, Matched)> = vec![
            ("e-mail", account("x", "ADA@example.com "), vec![ada()], hit("ada")),
            ("found twice", account("ada", "ada@example.com"), vec![ada(), ada()], hit("ada")),
            ("no e-mail there: the name", account("Ada", ""), vec![ada()], hit("ada")),
            ("no e-mail here: the name", account("ada", "a@b"), vec![person("ada", "", "ada@c")], hit("ada")),
            ("filled and different", account("ada", "other@example.com"), vec![ada()], differs("ada")),
            (
                "two with one address",
                account("x", "john@example.com"),
                vec![person("j1", "john@example.com", ""), person("j2", "john@example.com", "")],
                Matched::Ambiguous("fits j1, j2".into()),
            ),
            ("nobody", account("x", "x@example.com"), vec![], Matched::Nobody),
            ("a plus is not a blank", account("x", "a b@x"), vec![person("p", "a+b@x", "")], differs("p")),
        ];
        for (what, account, candidates, expected) in cases {
            assert_eq!(matched(&account, &candidates, &pairs()), expected, "{what}");
        }
    }

    #[test]
    fn of_many_only_the_first_few_are_named() {
        let ids = |count: usize| (0..count).map(|nth| AccountId::new(format!("k{nth}"))).collect::<Vec<_>>();
        for (count, words) in [
            (2, "ada fits the accounts k0, k1"),
            (5, "ada fits the accounts k0, k1, k2, k3, k4"),
            (8000, "ada fits the accounts k0, k1, k2, k3, k4 and 7995 more, 8000 in all"),
        ] {
            assert_eq!(Matched::one_of_several(&"ada".into(), &ids(count)), Matched::Ambiguous(words.into()));
        }
        let twins: Vec<Person> = (0..7).map(|nth| person(&format!("p{nth}"), "john@example.com", "")).collect();
        let words = "fits p0, p1, p2, p3, p4 and 2 more, 7 in all";
        assert_eq!(matched(&account("x", "john@example.com"), &twins, &pairs()), Matched::Ambiguous(words.into()));
    }

    #[test]
    fn candidates_are_looked_up_by_every_filled_pair() {
        assert_eq!(
            lookups(&account("Ada", "Ada@Example.com"), &pairs()),
            [(PersonKey::Email, "ada@example.com".to_owned()), (PersonKey::UpnLocal, "ada".to_owned())]
        );
        assert_eq!(lookups(&account("Ada", ""), &pairs()).len(), 1);
    }
}
