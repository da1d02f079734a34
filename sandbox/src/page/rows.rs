//! Who belongs on one line: a person of the directories, with the accounts in every product that seem to be theirs.
//!
//! Owns: this page's own guess, by e-mail address, or by user name where an account has no address.
//! Leaves to others: how a line looks (`row`).
//! A newcomer gets wrong: this knows nothing of how avatarpipe matches, and guesses no further: an account that fits two
//! people is a line of its own, and so is one that fits nobody.

use std::collections::{BTreeMap, HashMap};

use crate::truth::{Account, Person, Truth};

/// One line of the page.
pub(super) struct Row<'a> {
    /// One human in one or several directories; nobody where an account is alone.
    pub(super) people: Vec<&'a Person>,
    /// Of each product the accounts that belong here, by its place in the page.
    pub(super) cells: Vec<Vec<&'a Account>>,
    /// Whom an account without a person of its own fits.
    pub(super) fits: Vec<&'a Person>,
}

impl Row<'_> {
    /// By what the row is known as long as the sandbox runs.
    pub(super) fn key(&self) -> String {
        let account = || self.cells.iter().flatten().next().map(|a| format!("account {} {}", a.simulator, a.key));
        let person = self.people.first().map(|p| format!("person {} {}", p.simulator, p.id));
        person.or_else(account).unwrap_or_default()
    }

    pub(super) fn name(&self) -> &str {
        let account = self.cells.iter().flatten().next().map(|a| a.display_name.as_str());
        self.people.first().map(|p| p.display_name.as_str()).or(account).unwrap_or_default()
    }
}

/// Everybody of the directories by name, then the accounts that are nobody's, or more than one person's.
pub(super) fn rows<'a>(truth: &'a Truth, products: &[&str]) -> Vec<Row<'a>> {
    let mut known = Known::default();
    let mut rows: Vec<Row<'a>> = Vec::new();
    let row = |people, fits| Row { people, cells: vec![Vec::new(); products.len()], fits };
    for person in &truth.people {
        let humans = known.by_addresses(person);
        let elsewhere = |nth: &usize| rows[*nth].people.iter().all(|other| other.simulator != person.simulator);
        let at = match humans[..] {
            [one] if elsewhere(&one) => one,
            _ => rows.len(),
        };
        if at == rows.len() {
            rows.push(row(Vec::new(), Vec::new()));
        }
        rows[at].people.push(person);
        known.learn(person, at);
    }
    let mut alone: BTreeMap<String, Row<'a>> = BTreeMap::new();
    for account in &truth.accounts {
        let Some(product) = products.iter().position(|name| *name == account.simulator) else { continue };
        match known.of_account(account) {
            [one] => rows[*one].cells[product].push(account),
            several => {
                let fits = || several.iter().flat_map(|nth| rows[*nth].people.iter().copied()).collect();
                let own = alone.entry(folded(&account.name)).or_insert_with(|| row(Vec::new(), fits()));
                own.cells[product].push(account);
            }
        }
    }
    rows.sort_by_cached_key(|row| (folded(row.name()), row.key()));
    let mut alone: Vec<_> = alone.into_values().collect();
    alone.sort_by_cached_key(|row| (folded(row.name()), row.key()));
    rows.append(&mut alone);
    rows
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

fn leads(to: &mut HashMap<String, Vec<usize>>, text: String, row: usize) {
    let rows = to.entry(text).or_default();
    if !rows.contains(&row) {
        rows.push(row);
    }
}

/// Which rows an address or a user name leads to.
#[derive(Default)]
struct Known {
    addresses: HashMap<String, Vec<usize>>,
    names: HashMap<String, Vec<usize>>,
}

impl Known {
    fn learn(&mut self, person: &Person, row: usize) {
        let local = person.user_name.split('@').next().unwrap_or_default();
        for email in &person.emails {
            leads(&mut self.addresses, folded(email), row);
        }
        leads(&mut self.names, folded(local), row);
    }

    fn by_addresses(&self, person: &Person) -> Vec<usize> {
        let mut rows: Vec<usize> =
            person.emails.iter().filter_map(|email| self.addresses.get(&folded(email))).flatten().copied().collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    fn of_account(&self, account: &Account) -> &[usize] {
        let found = match &account.email {
            Some(email) => self.addresses.get(&folded(email)),
            None => self.names.get(&folded(&account.name)),
        };
        found.map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::{Shown, ShownKind};

    fn person(simulator: &str, name: &str, emails: &[&str]) -> Person {
        Person {
            simulator: simulator.to_owned(),
            id: name.to_owned(),
            display_name: name.to_owned(),
            user_name: format!("{name}@x"),
            emails: emails.iter().map(|&email| email.to_owned()).collect(),
            enabled: true,
            kind: String::new(),
            photo: None,
            instead: None,
            proven_absent: true,
        }
    }

    fn account(simulator: &str, name: &str, email: Option<&str>) -> Account {
        let kind = ShownKind::Default;
        let shown =
            Shown { kind, id: String::new(), owner: String::new(), bytes: "x".into(), content_type: String::new() };
        Account {
            simulator: simulator.to_owned(),
            key: name.to_owned(),
            name: name.to_owned(),
            display_name: name.to_owned(),
            email: email.map(str::to_owned),
            active: true,
            start: shown.clone(),
            now: shown,
        }
    }

    #[test]
    fn accounts_of_one_person_are_on_one_line_and_doubtful_ones_on_their_own() {
        let people = vec![
            person("graph", "ada", &["ada@x", "desk@x"]),
            person("graph", "bob", &["bob@x", "desk@x"]),
            person("google", "ada g", &["ADA@x"]),
            person("graph", "cleo", &["cleo@x"]),
        ];
        let accounts = vec![
            account("jira", "a1", Some("Ada@X ")),
            account("wiki", "a2", Some("ada@x")),
            account("wiki", "bob", None),
            account("jira", "desk", Some("desk@x")),
            account("jira", "robot", None),
            account("wiki", "robot", None),
        ];
        let truth = Truth { people, accounts, ..Truth::default() };
        let told: Vec<_> = rows(&truth, &["jira", "wiki"])
            .iter()
            .map(|row| {
                let names =
                    |people: &[&Person]| people.iter().map(|p| p.display_name.clone()).collect::<Vec<_>>().join("+");
                let cells =
                    row.cells.iter().map(|cell| cell.iter().map(|a| a.name.clone()).collect::<Vec<_>>().join("+"));
                format!("{}|{}|{}", names(&row.people), cells.collect::<Vec<_>>().join("|"), names(&row.fits))
            })
            .collect();
        assert_eq!(told, ["ada+ada g|a1|a2|", "bob||bob|", "cleo|||", "|desk||ada+ada g+bob", "|robot|robot|"]);
    }
}
