//! Who of a source is in scope: `users` of the pipeline file.
//!
//! Owns: the order in which its rules hold.
//! Leaves to others: what follows from it (`transform.fallback`, in `plan`).
//! A newcomer gets wrong: nobody is hidden. A person out of scope is still listed, since ambiguity is judged over
//! everybody (docs/architecture.md, "Collect").

use std::collections::HashSet;

use crate::http::short;
use crate::model::Standing;
#[cfg(test)]
use crate::settings::{Chosen, Patterns};
use crate::settings::{Placed, UserType, Users};

/// Which rules a person meets by being in a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Belongs {
    /// Of `groups`; not looked at if there are none.
    pub in_scope: bool,
    /// Of `exclude`.
    pub excluded: bool,
    /// Of `opted_out`.
    pub opted_out: bool,
    /// Of `freeze`.
    pub frozen: bool,
}

/// Who is in the groups that the rules name, 16 bytes a person.
#[derive(Debug, Default)]
pub(super) struct GroupMembers {
    in_scope: Roll,
    excluded: Roll,
    opted_out: Roll,
    frozen: Roll,
}

/// The members of all groups of one rule.
#[derive(Debug, Default)]
struct Roll {
    each: HashSet<[u8; 16]>,
    everybody: bool,
}

/// Who is in a group.
#[derive(Clone, Copy, Debug)]
pub(super) enum Member<'a> {
    /// The person with this id.
    Person(&'a str),
    /// The whole customer (Google).
    Everybody,
}

impl GroupMembers {
    /// Somebody is in that group: every rule that names it holds.
    pub(super) fn add(&mut self, rules: &Users, group: &str, member: Member<'_>) {
        for (roll, groups) in [
            (&mut self.in_scope, &rules.groups),
            (&mut self.excluded, &rules.exclude.value.groups),
            (&mut self.opted_out, &rules.opted_out.value.groups),
            (&mut self.frozen, &rules.freeze.value.groups),
        ] {
            if !groups.iter().any(|named| named.value == group) {
                continue;
            }
            match member {
                Member::Person(id) => _ = roll.each.insert(short(id)),
                Member::Everybody => roll.everybody = true,
            }
        }
    }

    /// Which rules a person meets.
    pub(super) fn of(&self, id: &str) -> Belongs {
        let id = short(id);
        let has = |roll: &Roll| roll.everybody || roll.each.contains(&id);
        Belongs {
            in_scope: has(&self.in_scope),
            excluded: has(&self.excluded),
            opted_out: has(&self.opted_out),
            frozen: has(&self.frozen),
        }
    }
}

/// What the rules look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UserFacts<'a> {
    /// Enabled at the provider.
    pub active: bool,
    /// The type, where the provider has such a thing.
    pub user_type: Option<UserType>,
    /// What being in a group says.
    pub belongs: Belongs,
    /// User principal name, user name, every mail address, id.
    pub names: &'a [&'a str],
}

impl Users {
    /// Every group that a rule names, each once: it is listed once.
    pub(super) fn named_groups(&self) -> Vec<&str> {
        let mut named: Vec<&str> = Vec::new();
        for group in self.groups.iter().chain(self.groups_of_wishes()) {
            if !named.contains(&group.value.as_str()) {
                named.push(&group.value);
            }
        }
        named
    }

    /// Whether being in this group is a reason to be left alone or to show no photo.
    pub(crate) fn is_of_wishes(&self, group: &str) -> bool {
        self.groups_of_wishes().any(|named| named.value == group)
    }

    fn groups_of_wishes(&self) -> impl Iterator<Item = &Placed<String>> {
        let lists = [&self.exclude, &self.opted_out, &self.freeze];
        lists.into_iter().flat_map(|list| &list.value.groups)
    }

    /// Who is frozen is left as they are, whatever else holds. Then the wish of a person counts most, then the provider's
    /// switch, then our selection.
    pub(crate) fn standing(&self, facts: UserFacts<'_>) -> Standing {
        if facts.belongs.frozen || self.freeze.value.patterns.matches(facts.names) {
            Standing::Frozen
        } else if facts.belongs.opted_out || self.opted_out.value.patterns.matches(facts.names) {
            Standing::OptedOut
        } else if self.active && !facts.active {
            Standing::Inactive
        } else if self.selects(facts) {
            Standing::InScope
        } else {
            Standing::OutOfScope
        }
    }

    fn selects(&self, facts: UserFacts<'_>) -> bool {
        let typed = facts.user_type.is_none_or(|kind| self.types.contains(&kind));
        let excluded = facts.belongs.excluded || self.exclude.value.patterns.matches(facts.names);
        typed && (self.groups.is_empty() || facts.belongs.in_scope) && !excluded
    }
}

/// Whoever has one of these patterns.
#[cfg(test)]
pub(super) fn by_patterns(patterns: &[&str]) -> Placed<Chosen> {
    Placed::somewhere(Chosen { patterns: Patterns::somewhere(patterns), groups: Vec::new() })
}

/// Whoever is in one of these groups.
#[cfg(test)]
pub(super) fn by_groups(groups: &[&str]) -> Placed<Chosen> {
    Placed::somewhere(Chosen { groups: named(groups), ..Chosen::default() })
}

/// The names of these groups.
#[cfg(test)]
pub(super) fn named(groups: &[&str]) -> Vec<Placed<String>> {
    groups.iter().map(|group| Placed::somewhere((*group).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: UserFacts<'static> = UserFacts {
        active: true,
        user_type: Some(UserType::Member),
        belongs: Belongs { in_scope: false, excluded: false, opted_out: false, frozen: false },
        names: &["ada@corp.example", "Ada.L@Example.com", "b1f0"],
    };

    fn rules(change: impl Fn(&mut Users)) -> Users {
        let mut rules = Users::default();
        change(&mut rules);
        rules
    }

    #[test]
    fn the_first_rule_that_holds_counts() {
        let none = |_: &mut Users| {};
        let opted = |r: &mut Users| r.opted_out = by_patterns(&["ada@*"]);
        let frozen = |r: &mut Users| (r.opted_out, r.freeze) = (by_patterns(&["ada@*"]), by_patterns(&["ada@*"]));
        let member = |belongs: Belongs| UserFacts { belongs, ..ADA };
        let (excluded, opted_out) =
            (Belongs { excluded: true, ..ADA.belongs }, Belongs { opted_out: true, ..ADA.belongs });
        let table: [(&str, Users, UserFacts, Standing); 17] = [
            ("no rules", rules(none), ADA, Standing::InScope),
            ("disabled", rules(none), UserFacts { active: false, ..ADA }, Standing::Inactive),
            ("disabled may be", rules(|r| r.active = false), UserFacts { active: false, ..ADA }, Standing::InScope),
            ("frozen, opted out and disabled", rules(frozen), UserFacts { active: false, ..ADA }, Standing::Frozen),
            ("of a frozen group", rules(none), member(Belongs { frozen: true, ..opted_out }), Standing::Frozen),
            ("opted out", rules(opted), ADA, Standing::OptedOut),
            ("of an opted-out group", rules(none), member(opted_out), Standing::OptedOut),
            (
                "of an opted-out group and excluded",
                rules(none),
                member(Belongs { excluded: true, ..opted_out }),
                Standing::OptedOut,
            ),
            ("of an excluded group", rules(none), member(excluded), Standing::OutOfScope),
            ("opted out and disabled", rules(opted), UserFacts { active: false, ..ADA }, Standing::OptedOut),
            ("of the type", rules(|r| r.types = vec![UserType::Member]), ADA, Standing::InScope),
            ("of another type", rules(|r| r.types = vec![UserType::Guest]), ADA, Standing::OutOfScope),
            (
                "without a type",
                rules(|r| r.types = vec![UserType::Guest]),
                UserFacts { user_type: None, ..ADA },
                Standing::InScope,
            ),
            ("outside the groups", rules(|r| r.groups = named(&["g"])), ADA, Standing::OutOfScope),
            (
                "inside the groups",
                rules(|r| r.groups = named(&["g"])),
                UserFacts { belongs: Belongs { in_scope: true, ..ADA.belongs }, ..ADA },
                Standing::InScope,
            ),
            ("excluded", rules(|r| r.exclude = by_patterns(&["B1F0"])), ADA, Standing::OutOfScope),
            (
                "excluded and disabled",
                rules(|r| r.exclude = by_patterns(&["*"])),
                UserFacts { active: false, ..ADA },
                Standing::Inactive,
            ),
        ];
        for (name, rules, facts, standing) in table {
            assert_eq!(rules.standing(facts), standing, "{name}");
        }
    }

    #[test]
    fn a_group_is_listed_once_and_counts_for_every_rule_that_names_it() {
        let rules = Users {
            groups: named(&["staff", "guests"]),
            exclude: by_groups(&["guests"]),
            opted_out: by_groups(&["shy", "guests"]),
            ..Users::default()
        };
        assert_eq!(rules.named_groups(), ["staff", "guests", "shy"]);
        let mut members = GroupMembers::default();
        members.add(&rules, "staff", Member::Person("ada"));
        members.add(&rules, "guests", Member::Person("bob"));
        members.add(&rules, "shy", Member::Everybody);
        let belongs = |in_scope, excluded| Belongs { in_scope, excluded, opted_out: true, frozen: false };
        assert_eq!((members.of("ada"), members.of("bob")), (belongs(true, false), belongs(true, true)));
        assert_eq!(members.of("eve"), belongs(false, false));
    }
}
