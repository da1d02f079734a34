//! The `query` parameter of `users.list` (docs/wire/google-directory.md §2.2).
//!
//! Owns: parsing the clauses, and whether a user fits them.
//! Leaves to others: the lag of the search index (`users`).
//! A newcomer gets wrong: `orgUnitPath=/A` finds the users of `/A/B`, too.

use crate::google::world::{Role, User};

/// One clause; several are joined by a blank and must all fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clause {
    field: String,
    operator: Operator,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equals,
    Contains,
    Begins,
}

/// The fields that may be asked with `:prefix*`.
const PREFIXED: [&str; 3] = ["email", "givenName", "familyName"];
/// Fields that there are, but that no user of a world fills.
const EMPTY: [&str; 9] =
    ["im", "manager", "managerId", "directManager", "directManagerId", "phone", "orgName", "orgTitle", "orgDepartment"];

/// The clauses; none if the text is no query.
pub(super) fn parse(text: &str) -> Option<Vec<Clause>> {
    let mut rest = text.trim_start();
    let mut clauses = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(['=', ':'])?;
        let (field, more) = rest.split_at(end);
        let (equals, more) = (more.starts_with('='), &more[1..]);
        let (value, quoted, more) = value(more)?;
        let operator = match (equals, value.strip_suffix('*').filter(|_| !quoted)) {
            (true, _) => Operator::Equals,
            (false, Some(_)) if PREFIXED.contains(&field) => Operator::Begins,
            (false, Some(_)) => return None,
            (false, None) => Operator::Contains,
        };
        let value = if operator == Operator::Begins { value.trim_end_matches('*').to_owned() } else { value };
        let clause = Clause { field: field.to_owned(), operator, value };
        if !clause.is_known() {
            return None;
        }
        clauses.push(clause);
        rest = more.trim_start();
    }
    (!clauses.is_empty()).then_some(clauses)
}

/// A value in single quotes, with `\'` inside for a quote, or up to the next blank.
fn value(text: &str) -> Option<(String, bool, &str)> {
    let Some(inside) = text.strip_prefix('\'') else {
        let end = text.find(' ').unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (!value.is_empty() && !value.contains('\'')).then(|| (value.to_owned(), false, rest));
    };
    let (mut value, mut letters) = (String::new(), inside.char_indices());
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => value.push(letters.next()?.1),
            '\'' => return Some((value, true, &inside[at + 1..])),
            _ => value.push(letter),
        }
    }
    None
}

impl Clause {
    fn is_known(&self) -> bool {
        let flag = ["true", "false"].contains(&self.value.as_str());
        match self.field.as_str() {
            "isAdmin" | "isDelegatedAdmin" | "isSuspended" | "isArchived" => flag && self.operator == Operator::Equals,
            "orgUnitPath" => self.operator == Operator::Equals && self.value.starts_with('/'),
            "name" | "email" | "givenName" | "familyName" | "externalId" => true,
            other => EMPTY.contains(&other) || other.starts_with("address"),
        }
    }

    pub(super) fn fits(&self, user: &User) -> bool {
        let is = |flag: bool| self.value == if flag { "true" } else { "false" };
        match self.field.as_str() {
            "isAdmin" => is(user.role == Role::Super),
            "isDelegatedAdmin" => is(matches!(user.role, Role::ReadUsers | Role::Other)),
            "isSuspended" => is(user.suspended),
            "isArchived" => is(user.archived),
            "orgUnitPath" => is_in(&user.org_unit, &self.value),
            "name" => self.says(&format!("{} {}", user.given_name, user.family_name)),
            "givenName" => self.says(&user.given_name),
            "familyName" => self.says(&user.family_name),
            "email" => [&user.email].into_iter().chain(&user.aliases).any(|address| self.says(address)),
            "externalId" => user.employee_id.as_ref().is_some_and(|id| self.says(id)),
            _ => false,
        }
    }

    fn says(&self, text: &str) -> bool {
        let (text, value) = (text.to_lowercase(), self.value.to_lowercase());
        match self.operator {
            Operator::Equals => text == value,
            Operator::Contains => text.contains(&value),
            Operator::Begins => text.starts_with(&value),
        }
    }
}

fn is_in(unit: &str, top: &str) -> bool {
    let (unit, top) = (unit.to_lowercase(), top.trim_end_matches('/').to_lowercase());
    unit.strip_prefix(&top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_fit_or_do_not() {
        let mut user = User::new("ada@fabrikam.example", "Ada", "O'Hara").unit("/Corp/R'n'D/Lab");
        user.aliases.push("countess@fabrikam.example".into());
        for (text, wanted) in [
            ("orgUnitPath=/Corp", true),
            ("orgUnitPath=/Cor", false),
            ("orgUnitPath=/", true),
            ("orgUnitPath='/Corp/R\\'n\\'D' isSuspended=false", true),
            ("orgUnitPath=/Corp isSuspended=true", false),
            ("email:ada*", true),
            ("email:countess", true),
            ("email=ada", false),
            ("familyName='O\\'Hara'", true),
            ("name:'ada o'", true),
            ("manager=bob", false),
        ] {
            let clauses = parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(clauses.iter().all(|clause| clause.fits(&user)), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_query_is_refused() {
        for text in ["", "ada", "memberOf=staff", "name:ada*", "isSuspended=maybe", "orgUnitPath='/Corp", "email="] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
