//! Who of a source is in scope: `users` of the pipeline file.
//!
//! Owns: the order in which its rules hold, and the patterns.
//! Leaves to others: what follows from it (`transform.fallback`, in `plan`).
//! A newcomer gets wrong: nobody is hidden. A person out of scope is still listed, since ambiguity is judged over
//! everybody (docs/architecture.md, "Collect").

use std::collections::HashSet;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::wire::short;
use crate::model::{Standing, normalise_key};

/// Whether disabled people are in scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Activity {
    /// `active: true`: enabled people only.
    #[default]
    Required,
    /// `active: false`: everybody.
    Any,
}

/// What Entra calls the type of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserType {
    /// Of this tenant.
    Member,
    /// Invited.
    Guest,
}

/// Patterns such as `*-admin@example.com`, compared as match keys are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Globs(GlobSet);

/// A pattern that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is not a pattern: {found}")]
pub(crate) struct GlobError {
    /// As it was written.
    pub pattern: String,
    /// What is wrong with it.
    pub found: String,
}

impl Globs {
    /// Reads the patterns; the first wrong one is told.
    pub(crate) fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Self, GlobError> {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns.iter().map(AsRef::as_ref) {
            let wrong =
                |error: globset::Error| GlobError { pattern: pattern.to_owned(), found: error.kind().to_string() };
            // The same on every system; a name is no path, so `*` crosses `/`.
            let folded = normalise_key(pattern);
            set.add(GlobBuilder::new(&folded).backslash_escape(true).literal_separator(false).build().map_err(wrong)?);
        }
        let all = |error: globset::Error| GlobError { pattern: String::new(), found: error.kind().to_string() };
        set.build().map(Self).map_err(all)
    }

    fn matches(&self, names: &[&str]) -> bool {
        !self.0.is_empty() && names.iter().any(|name| self.0.is_match(normalise_key(name)))
    }
}

/// `users` of a source.
#[derive(Clone, Debug, Default)]
pub(crate) struct UserRules {
    /// Whether disabled people are in scope.
    pub active: Activity,
    /// Types in scope; empty: all.
    pub types: Vec<UserType>,
    /// Groups whose members are in scope, nested ones included; empty: everybody.
    pub groups: Vec<String>,
    /// Never in scope.
    pub exclude: Chosen,
    /// Wants no picture.
    pub opted_out: Chosen,
}

/// Some people, by patterns and by groups.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chosen {
    /// Any of these names.
    pub patterns: Globs,
    /// Members of any of these groups, nested ones included.
    pub groups: Vec<String>,
}

impl From<Globs> for Chosen {
    fn from(patterns: Globs) -> Self {
        Self { patterns, groups: Vec::new() }
    }
}

/// Which rules a person meets by being in a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Belongs {
    /// Of `groups`; not looked at if there are none.
    pub in_scope: bool,
    /// Of `exclude`.
    pub excluded: bool,
    /// Of `opted_out`.
    pub opted_out: bool,
}

/// Who is in the groups that the rules name, 16 bytes a person.
#[derive(Debug, Default)]
pub(super) struct Members {
    in_scope: Roll,
    excluded: Roll,
    opted_out: Roll,
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

impl Members {
    /// Somebody is in that group: every rule that names it holds.
    pub(super) fn add(&mut self, rules: &UserRules, group: &str, member: Member<'_>) {
        for (roll, groups) in [
            (&mut self.in_scope, &rules.groups),
            (&mut self.excluded, &rules.exclude.groups),
            (&mut self.opted_out, &rules.opted_out.groups),
        ] {
            if !groups.iter().any(|named| named == group) {
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
        Belongs { in_scope: has(&self.in_scope), excluded: has(&self.excluded), opted_out: has(&self.opted_out) }
    }
}

/// What the rules look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    /// Enabled at the provider.
    pub active: bool,
    /// The type, where the provider has such a thing.
    pub user_type: Option<UserType>,
    /// What being in a group says.
    pub belongs: Belongs,
    /// User principal name, every mail address, id.
    pub names: &'a [&'a str],
}

impl UserRules {
    /// Every group that a rule names, each once: it is listed once.
    pub(crate) fn named_groups(&self) -> Vec<&str> {
        let mut named: Vec<&str> = Vec::new();
        for group in self.groups.iter().chain(&self.exclude.groups).chain(&self.opted_out.groups) {
            if !named.contains(&group.as_str()) {
                named.push(group);
            }
        }
        named
    }

    /// Whether being in this group is a reason to show no photo.
    pub(super) fn is_of_wishes(&self, group: &str) -> bool {
        self.exclude.groups.iter().chain(&self.opted_out.groups).any(|named| named == group)
    }

    /// The wish of a person counts most, then the provider's switch, then our selection.
    pub(crate) fn standing(&self, facts: Facts<'_>) -> Standing {
        if facts.belongs.opted_out || self.opted_out.patterns.matches(facts.names) {
            Standing::OptedOut
        } else if self.active == Activity::Required && !facts.active {
            Standing::Inactive
        } else if self.selects(facts) {
            Standing::InScope
        } else {
            Standing::OutOfScope
        }
    }

    fn selects(&self, facts: Facts<'_>) -> bool {
        let typed = self.types.is_empty() || facts.user_type.is_none_or(|kind| self.types.contains(&kind));
        let excluded = facts.belongs.excluded || self.exclude.patterns.matches(facts.names);
        typed && (self.groups.is_empty() || facts.belongs.in_scope) && !excluded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: Facts<'static> = Facts {
        active: true,
        user_type: Some(UserType::Member),
        belongs: Belongs { in_scope: false, excluded: false, opted_out: false },
        names: &["ada@corp.example", "Ada.L@Example.com", "b1f0"],
    };

    fn rules(change: impl Fn(&mut UserRules)) -> UserRules {
        let mut rules = UserRules::default();
        change(&mut rules);
        rules
    }

    fn globs(patterns: &[&str]) -> Globs {
        Globs::new(patterns).unwrap()
    }

    #[test]
    fn the_first_rule_that_holds_counts() {
        let none = |_: &mut UserRules| {};
        let opted = |r: &mut UserRules| r.opted_out = globs(&["ada@*"]).into();
        let member = |belongs: Belongs| Facts { belongs, ..ADA };
        let (excluded, opted_out) =
            (Belongs { excluded: true, ..ADA.belongs }, Belongs { opted_out: true, ..ADA.belongs });
        let table: [(&str, UserRules, Facts, Standing); 15] = [
            ("no rules", rules(none), ADA, Standing::InScope),
            ("disabled", rules(none), Facts { active: false, ..ADA }, Standing::Inactive),
            ("disabled may be", rules(|r| r.active = Activity::Any), Facts { active: false, ..ADA }, Standing::InScope),
            ("opted out", rules(opted), ADA, Standing::OptedOut),
            ("of an opted-out group", rules(none), member(opted_out), Standing::OptedOut),
            (
                "of an opted-out group and excluded",
                rules(none),
                member(Belongs { excluded: true, ..opted_out }),
                Standing::OptedOut,
            ),
            ("of an excluded group", rules(none), member(excluded), Standing::OutOfScope),
            ("opted out and disabled", rules(opted), Facts { active: false, ..ADA }, Standing::OptedOut),
            ("of the type", rules(|r| r.types = vec![UserType::Member]), ADA, Standing::InScope),
            ("of another type", rules(|r| r.types = vec![UserType::Guest]), ADA, Standing::OutOfScope),
            (
                "without a type",
                rules(|r| r.types = vec![UserType::Guest]),
                Facts { user_type: None, ..ADA },
                Standing::InScope,
            ),
            ("outside the groups", rules(|r| r.groups = vec!["g".into()]), ADA, Standing::OutOfScope),
            (
                "inside the groups",
                rules(|r| r.groups = vec!["g".into()]),
                Facts { belongs: Belongs { in_scope: true, ..ADA.belongs }, ..ADA },
                Standing::InScope,
            ),
            ("excluded", rules(|r| r.exclude = globs(&["B1F0"]).into()), ADA, Standing::OutOfScope),
            (
                "excluded and disabled",
                rules(|r| r.exclude = globs(&["*"]).into()),
                Facts { active: false, ..ADA },
                Standing::Inactive,
            ),
        ];
        for (name, rules, facts, standing) in table {
            assert_eq!(rules.standing(facts), standing, "{name}");
        }
    }

    #[test]
    fn a_group_is_listed_once_and_counts_for_every_rule_that_names_it() {
        let some = |groups: &[&str]| groups.iter().map(ToString::to_string).collect::<Vec<_>>();
        let rules = UserRules {
            groups: some(&["staff", "guests"]),
            exclude: Chosen { groups: some(&["guests"]), ..Chosen::default() },
            opted_out: Chosen { groups: some(&["shy", "guests"]), ..Chosen::default() },
            ..UserRules::default()
        };
        assert_eq!(rules.named_groups(), ["staff", "guests", "shy"]);
        let mut members = Members::default();
        members.add(&rules, "staff", Member::Person("ada"));
        members.add(&rules, "guests", Member::Person("bob"));
        members.add(&rules, "shy", Member::Everybody);
        let belongs = |in_scope, excluded| Belongs { in_scope, excluded, opted_out: true };
        assert_eq!((members.of("ada"), members.of("bob")), (belongs(true, false), belongs(true, true)));
        assert_eq!(members.of("eve"), belongs(false, false));
    }

    #[test]
    fn patterns_match_any_name_folded_and_whole() {
        for (pattern, matches) in [
            ("ADA@CORP.example", true),
            ("ada.l@*", true),
            ("b?f0", true),
            ("*@{corp,other}.example", true),
            ("ada", false),
            ("*@example.org", false),
        ] {
            assert_eq!(globs(&[pattern]).matches(ADA.names), matches, "{pattern}");
        }
        assert!(!globs(&[]).matches(ADA.names));
    }

    #[test]
    fn a_wrong_pattern_is_named() {
        let wrong = Globs::new(&["fine@*", "[a-"]).unwrap_err();
        assert_eq!(wrong.pattern, "[a-");
        assert!(!wrong.found.is_empty());
    }
}
