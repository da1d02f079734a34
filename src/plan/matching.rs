//! Who an account belongs to, by the file's `match` pairs and nothing else.
//!
//! Owns: the rule of docs/architecture.md, "Matching": a later pair is tried only where the earlier one is empty on one
//! side; filled and different is a conflict, and so is a pair that names somebody else; two candidates are ambiguous.
//! Leaves to others: finding the candidates (`state` looks them up by key), and several sources (`decide`).
//! A newcomer gets wrong: one person for two accounts of a target is as ambiguous as two people for one account; that
//! second half is only known once every account was matched ([`told_apart`]). Whoever can edit an own key claims by it.

use std::collections::BTreeMap;

use crate::model::{Account, AccountId, Matched, Person, PersonId, PersonKey};
use crate::settings::{Matching, Pair};

/// Names told at once; a longer list has one cause.
const TOLD: usize = 5;

impl Matched {
    /// A person that fits several accounts of one target fits none of them.
    fn one_of_several(person: &Person, accounts: &[Account]) -> Self {
        let accounts = accounts.iter().map(|account| (account.name.as_str(), account.id.as_str()));
        Self::Ambiguous(format!("{} fits the accounts {}", called(person), list(accounts)))
    }

    /// Another account, which is disabled or whose keys contradict each other, claims the same person.
    fn claimed_twice(person: &Person, other: &Account) -> Self {
        let (person, other) = (called(person), &other.name);
        Self::Ambiguous(format!("{person} is claimed by the account {other}, too, and no later pair confirms this one"))
    }
}

/// What matching an account against one source found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claimed {
    /// Who the account belongs to.
    pub matched: Matched,
    /// The one person that the account's keys name first, even if it does not belong to them.
    pub claims: Option<PersonId>,
}

/// What one pair of keys says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PairVerdict {
    Fits(usize),
    Contradicts(usize),
    Silent,
}

/// Matches one account against everybody who shares any key with it.
///
/// `candidates` are all people of one source who have, under some pair, the account's value; repetitions are allowed.
pub(crate) fn matched(account: &Account, candidates: &[Person], matching: &Matching) -> Claimed {
    let (mut fits, mut contradicts) = (BTreeMap::new(), BTreeMap::new());
    for person in candidates {
        match judge(account, person, matching) {
            PairVerdict::Fits(pair) => _ = fits.insert(&person.id, (pair, person)),
            PairVerdict::Contradicts(pair) => _ = contradicts.insert(&person.id, (pair, person)),
            PairVerdict::Silent => {}
        }
    }
    let Some(first) = fits.values().map(|(pair, _)| *pair).min() else {
        let matched = contradicts.first_key_value().map_or(Matched::Nobody, |(_, (pair, person))| {
            Matched::Conflict(format!("{} differs in pair {} of `match`", called(person), pair + 1))
        });
        return Claimed { matched, claims: None };
    };
    let mut named = fits.values().filter(|(pair, _)| *pair == first).map(|(_, person)| *person);
    let (Some(person), None) = (named.next(), named.next()) else {
        let all = fits.values().filter(|(pair, _)| *pair == first).map(|(_, person)| *person);
        return Claimed { matched: fits_several(all), claims: None };
    };
    let others =
        fits.values().chain(contradicts.values()).map(|(_, other)| *other).filter(|other| other.id != person.id);
    let mut others = others.filter_map(|other| {
        let pair = differing(account, person, other, matching)?;
        Some(Matched::Conflict(format!(
            "pair {} of `match` names {}, pair {} names {}",
            first + 1,
            called(person),
            pair + 1,
            called(other)
        )))
    });
    let unsure = fits.len() > 1;
    let matched = match others.next() {
        Some(conflict) => conflict,
        None if unsure => fits_several(fits.values().map(|(_, person)| *person)),
        None => Matched::Person(person.id.clone()),
    };
    Claimed { matched, claims: Some(person.id.clone()) }
}

/// The pair by which the account names `other` and not `person`.
fn differing(account: &Account, person: &Person, other: &Person, matching: &Matching) -> Option<usize> {
    let Matching::Pairs(pairs) = matching else { return None };
    pairs.iter().position(|pair| agrees(account, other, pair) && !agrees(account, person, pair))
}

/// Of the accounts that claim one person, those that do not get it after all. `matched` are those matched to the person;
/// `claiming` are those that are disabled, or whose keys name somebody else as well.
///
/// Whoever can edit an own address gains nobody's face (docs/architecture.md, "Matching"): what only a key of one's own
/// says counts as little as what the other account says by the same key.
pub(crate) fn told_apart(
    person: &Person,
    matched: &[Account],
    claiming: &[Account],
    matching: &Matching,
) -> Vec<(AccountId, Matched)> {
    if let [account] = matched {
        let rival = claiming.iter().find(|other| !is_confirmed(person, account, other, matching));
        let rival = rival.map(|other| (account.id.clone(), Matched::claimed_twice(person, other)));
        return rival.into_iter().collect();
    }
    let several = Matched::one_of_several(person, matched);
    matched.iter().map(|account| (account.id.clone(), several.clone())).collect()
}

/// A later pair says that the person is the account's, and does not say so of the other account.
fn is_confirmed(person: &Person, account: &Account, other: &Account, matching: &Matching) -> bool {
    let (Matching::Pairs(pairs), PairVerdict::Fits(first)) = (matching, judge(account, person, matching)) else {
        return false;
    };
    pairs.iter().skip(first + 1).any(|pair| agrees(account, person, pair) && !agrees(other, person, pair))
}

fn agrees(account: &Account, person: &Person, pair: &Pair) -> bool {
    account.key(pair.account).is_some_and(|value| person.values(pair.person).any(|theirs| theirs == value))
}

/// What the source displays; who has no such name is known by the id alone.
pub(crate) fn called(person: &Person) -> &str {
    if person.display_name.is_empty() { person.id.as_str() } else { &person.display_name }
}

fn fits_several<'a>(people: impl Iterator<Item = &'a Person>) -> Matched {
    Matched::Ambiguous(format!("fits {}", list(people.map(|person| (called(person), person.id.as_str())))))
}

/// Names with their ids, which are told where two have one name. Ten thousand accounts of one address have one cause: a
/// count and the first few tell it.
fn list<'a>(named: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let named: Vec<_> = named.collect();
    let told = |(name, id): &(&str, &str)| {
        let is_alone = named.iter().filter(|(other, _)| other == name).nth(1).is_none();
        if is_alone { (*name).to_owned() } else { format!("{name} ({id})") }
    };
    let told: Vec<_> = named.iter().take(TOLD).map(told).collect();
    match (named.len(), &*told) {
        (2, [one, other]) => format!("{one} and {other}"),
        (all, told) if all > TOLD => format!("{} and {} more, {all} in all", told.join(", "), all - TOLD),
        (_, told) => told.join(", "),
    }
}

fn judge(account: &Account, person: &Person, matching: &Matching) -> PairVerdict {
    match matching {
        Matching::Pairs(pairs) => judge_by_pairs(account, person, pairs),
        Matching::Map(map) => {
            let wanted = account.key(map.account).and_then(|name| map.people.get(&name));
            match wanted {
                Some(wanted) if person.values(map.person).any(|value| value == wanted.person) => PairVerdict::Fits(0),
                _ => PairVerdict::Silent,
            }
        }
    }
}

/// The account's key by which it was matched to the person, in words for a digest: which key, and its value.
pub(crate) fn matched_by(account: &Account, person: &Person, matching: &Matching) -> Option<Vec<String>> {
    let PairVerdict::Fits(first) = judge(account, person, matching) else { return None };
    match matching {
        Matching::Pairs(pairs) => pairs.get(first).and_then(|pair| carries(account, pair)),
        Matching::Map(_) => carried(account, matching).pop(),
    }
}

/// Every key that the account carries now, as [`matched_by`] words it.
pub(crate) fn carried(account: &Account, matching: &Matching) -> Vec<Vec<String>> {
    match matching {
        Matching::Pairs(pairs) => pairs.iter().filter_map(|pair| carries(account, pair)).collect(),
        Matching::Map(map) => {
            let named = account.key(map.account).and_then(|name| Some((map.people.get(&name)?.person.clone(), name)));
            let words = named.map(|(person, name)| vec![map.account.word().to_owned(), name, person]);
            words.into_iter().collect()
        }
    }
}

fn carries(account: &Account, pair: &Pair) -> Option<Vec<String>> {
    account.key(pair.account).map(|value| vec![pair.account.word().to_owned(), value])
}

/// The keys by which candidates for an account are looked up: every pair that is filled on the account's side.
pub(crate) fn lookups(account: &Account, matching: &Matching) -> Vec<(PersonKey, String)> {
    match matching {
        Matching::Pairs(pairs) => {
            pairs.iter().filter_map(|pair| account.key(pair.account).map(|value| (pair.person, value))).collect()
        }
        Matching::Map(map) => account
            .key(map.account)
            .and_then(|name| map.people.get(&name))
            .map(|row| vec![(map.person, row.person.clone())])
            .unwrap_or_default(),
    }
}

fn judge_by_pairs(account: &Account, person: &Person, pairs: &[Pair]) -> PairVerdict {
    for (index, pair) in pairs.iter().enumerate() {
        let Some(theirs) = account.key(pair.account) else { continue };
        let mut values = person.values(pair.person).peekable();
        if values.peek().is_none() {
            continue;
        }
        return if values.any(|value| value == theirs) {
            PairVerdict::Fits(index)
        } else {
            PairVerdict::Contradicts(index)
        };
    }
    PairVerdict::Silent
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
        let ceo = || person("ceo", "ceo@example.com", "ceo@corp.example");
        let names = |first: &str, second: &str| {
            Matched::Conflict(format!("pair 1 of `match` names {first}, pair 2 names {second}"))
        };
        let cases: Vec<(&str, Account, Vec<Person>, Matched)> = vec![
            ("e-mail", account("x", "ADA@example.com "), vec![ada()], hit("ada")),
            ("found twice", account("ada", "ada@example.com"), vec![ada(), ada()], hit("ada")),
            ("no e-mail there: the name", account("Ada", ""), vec![ada()], hit("ada")),
            ("no e-mail here: the name", account("ada", "a@b"), vec![person("ada", "", "ada@c")], hit("ada")),
            ("filled and different", account("ada", "other@example.com"), vec![ada()], differs("ada")),
            ("the e-mail is another's", account("ada", "ceo@example.com"), vec![ada(), ceo()], names("ceo", "ada")),
            (
                "the e-mail is another's, and the name's owner has none",
                account("ada", "ceo@example.com"),
                vec![person("ada", "", "ada@corp.example"), ceo()],
                names("ceo", "ada"),
            ),
            (
                "both pairs name the same, and the second somebody else as well",
                account("ada", "ada@example.com"),
                vec![ada(), person("twin", "twin@example.com", "ada@other.example")],
                hit("ada"),
            ),
            (
                "both pairs name the same, and the second somebody without an e-mail as well",
                account("ada", "ada@example.com"),
                vec![ada(), person("twin", "", "ada@other.example")],
                Matched::Ambiguous("fits ada and twin".into()),
            ),
            (
                "two with one address",
                account("x", "john@example.com"),
                vec![person("j1", "john@example.com", ""), person("j2", "john@example.com", "")],
                Matched::Ambiguous("fits j1 and j2".into()),
            ),
            ("nobody", account("x", "x@example.com"), vec![], Matched::Nobody),
            ("a plus is not a blank", account("x", "a b@x"), vec![person("p", "a+b@x", "")], differs("p")),
        ];
        for (what, account, candidates, expected) in cases {
            assert_eq!(matched(&account, &candidates, &pairs()).matched, expected, "{what}");
        }
    }

    /// docs/architecture.md, "Matching": a disabled account that carries the same key makes the active one ambiguous,
    /// unless a later pair confirms it.
    #[test]
    fn who_claims_a_person_by_a_key_of_ones_own_gains_nobodys_face() {
        let ada = person("ada", "ada@example.com", "ada@corp.example");
        let named = |id: &str, name: &str| Account { id: id.into(), ..account(name, "ada@example.com") };
        let (own, other, third) = (named("1", "ada"), named("2", "ada.old"), named("3", "mallory"));
        let told = |matched: &[&Account], claiming: &[&Account]| {
            let all = |accounts: &[&Account]| accounts.iter().map(|account| (*account).clone()).collect::<Vec<_>>();
            let lost = told_apart(&ada, &all(matched), &all(claiming), &pairs());
            lost.into_iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(told(&[&own], &[]), [""; 0]);
        assert_eq!(told(&[&own], &[&other]), [""; 0], "its name confirms it");
        assert_eq!(told(&[&third], &[&other]), ["3"], "nothing confirms it");
        assert_eq!(told(&[&third], &[&own]), ["3"], "the name confirms the disabled one");
        assert_eq!(told(&[&own, &third], &[]), ["1", "3"], "both are in use");
        // A pair that the other account shares confirms nothing.
        let twice = Matching::Pairs([pairs_of(&pairs())[0].clone(), pairs_of(&pairs())[0].clone()].to_vec());
        assert_eq!(told_apart(&ada, &[own], &[other], &twice).len(), 1);
    }

    fn pairs_of(matching: &Matching) -> &[Pair] {
        match matching {
            Matching::Pairs(pairs) => pairs,
            Matching::Map(_) => &[],
        }
    }

    #[test]
    fn of_many_only_the_first_few_are_named() {
        let ada = person("ada", "", "");
        let accounts = |count: usize| (0..count).map(|nth| account(&format!("k{nth}"), "")).collect::<Vec<_>>();
        for (count, words) in [
            (2, "ada fits the accounts k0 and k1"),
            (5, "ada fits the accounts k0, k1, k2, k3, k4"),
            (8000, "ada fits the accounts k0, k1, k2, k3, k4 and 7995 more, 8000 in all"),
        ] {
            assert_eq!(Matched::one_of_several(&ada, &accounts(count)), Matched::Ambiguous(words.into()));
        }
        let karens = ["p1", "p2"].map(|id| Person::new(id.into(), "Karen Oyelaran", Standing::InScope));
        let words = "fits Karen Oyelaran (p1) and Karen Oyelaran (p2)";
        assert_eq!(fits_several(karens.iter()), Matched::Ambiguous(words.into()), "two of one name");
        let twins: Vec<Person> = (0..7).map(|nth| person(&format!("p{nth}"), "john@example.com", "")).collect();
        let words = "fits p0, p1, p2, p3, p4 and 2 more, 7 in all";
        assert_eq!(
            matched(&account("x", "john@example.com"), &twins, &pairs()).matched,
            Matched::Ambiguous(words.into())
        );
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
