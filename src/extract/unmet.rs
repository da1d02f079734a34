//! Entries of `users` that fit nobody of a whole listing: most are slips of the pen.
//!
//! Owns: which were met, and what is said of the rest. Leaves to others: what follows from an entry (`rules`), whom a slip meant and telling it (`run`).
//! A newcomer gets wrong: a slip under `opted_out` shows the face of somebody who asked for the contrary, and nothing else would
//! ever say so.

use std::collections::HashMap;

use crate::model::Place;
use crate::settings::{Chosen, Met, Placed, Users};

/// What is said of a pattern.
const NO_PATTERN: &str = "nobody fits the pattern";

/// An entry that fits nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unmet {
    /// Its line.
    pub place: Place,
    /// The list that it stands in.
    pub key: &'static str,
    /// What is compared with names, where it is that.
    pub pattern: Option<String>,
    /// What is said of it.
    pub words: String,
}

/// What fits somebody, in one listing.
pub(super) struct Seen<'a> {
    users: &'a Users,
    patterns: [Met; 3],
    groups: HashMap<String, u64>,
    units: Vec<bool>,
}

impl<'a> Seen<'a> {
    /// Nobody was listed yet.
    pub(super) fn nobody(users: &'a Users) -> Self {
        let patterns = lists(users).map(|(_, list)| Met::none(&list.value.patterns));
        Self { users, patterns, groups: HashMap::new(), units: vec![false; users.org_units.len()] }
    }

    /// Somebody has these names.
    pub(super) fn person(&mut self, names: &[&str]) {
        for (met, (_, list)) in self.patterns.iter_mut().zip(lists(self.users)) {
            met.see(&list.value.patterns, names);
        }
    }

    /// Somebody is in this group.
    pub(super) fn group(&mut self, group: &str) {
        match self.groups.get_mut(group) {
            Some(members) => *members += 1,
            None => _ = self.groups.insert(group.to_owned(), 1),
        }
    }

    /// Every group that a rule names, with how many were seen in it.
    pub(super) fn groups(&self) -> Vec<(String, u64)> {
        let members = |group: &&str| self.groups.get(*group).copied().unwrap_or_default();
        self.users.named_groups().iter().map(|group| ((*group).to_owned(), members(group))).collect()
    }

    /// Somebody is in this organisational unit, counted in the order of the file.
    pub(super) fn unit(&mut self, nth: usize) {
        if let Some(met) = self.units.get_mut(nth) {
            *met = true;
        }
    }

    /// What fits nobody, in the order of the keys.
    pub(super) fn unmet(&self) -> Vec<Unmet> {
        let mut all = Vec::new();
        let units = self.users.org_units.iter().zip(&self.units).filter(|(_, met)| !**met);
        told(&mut all, "org_units", units.map(|(unit, _)| (unit, "nobody is in the organisational unit")));
        told(&mut all, "groups", self.empty(&self.users.groups));
        for (met, (key, list)) in self.patterns.iter().zip(lists(self.users)) {
            let patterns = met.missed(&list.value.patterns).map(|pattern| (pattern, NO_PATTERN));
            told(&mut all, key, patterns.chain(self.empty(&list.value.groups)));
        }
        all
    }

    fn empty<'g>(&'g self, groups: &'g [Placed<String>]) -> impl Iterator<Item = (&'g Placed<String>, &'static str)> {
        groups
            .iter()
            .filter(|group| !self.groups.contains_key(&group.value))
            .map(|group| (group, "nobody is in the group"))
    }
}

fn lists(users: &Users) -> [(&'static str, &Placed<Chosen>); 3] {
    [("exclude", &users.exclude), ("opted_out", &users.opted_out), ("freeze", &users.freeze)]
}

fn told<'e>(
    all: &mut Vec<Unmet>,
    key: &'static str,
    entries: impl Iterator<Item = (&'e Placed<String>, &'static str)>,
) {
    all.extend(entries.map(|(entry, what)| Unmet {
        place: entry.place.clone(),
        key,
        pattern: (what == NO_PATTERN).then(|| entry.value.clone()),
        words: format!("{what} `{}` of `users.{key}`", entry.value),
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::rules::{by_groups, by_patterns};

    #[test]
    fn what_fits_nobody_is_told_and_nothing_else() {
        let users = Users {
            org_units: vec![Placed::somewhere("/Sales".into()), Placed::somewhere("/Sale".into())],
            groups: vec![Placed::somewhere("staff".into())],
            exclude: by_patterns(&["svc-*", "*-admin"]),
            opted_out: by_patterns(&["ada@contso.example"]),
            freeze: by_groups(&["board", "staff"]),
            ..Users::default()
        };
        let mut seen = Seen::nobody(&users);
        seen.unit(0);
        seen.group("staff");
        seen.person(&["ada@contoso.example", "SVC-1"]);
        assert_eq!(
            seen.unmet().iter().map(|unmet| unmet.words.as_str()).collect::<Vec<_>>(),
            [
                "nobody is in the organisational unit `/Sale` of `users.org_units`",
                "nobody fits the pattern `*-admin` of `users.exclude`",
                "nobody fits the pattern `ada@contso.example` of `users.opted_out`",
                "nobody is in the group `board` of `users.freeze`",
            ]
        );
    }
}
