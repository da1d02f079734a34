//! A person of a source, as every provider's wire types are translated into.
//!
//! Owns: the keys a person can be matched by, and whether the file's `users` puts the person in scope.
//! Leaves to others: photos (`photo.rs`) and matching (`plan`).
//! A newcomer gets wrong: people out of scope are listed too, since ambiguity is judged over everybody
//! (docs/architecture.md, "Collect").

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PersonId, Version, normalise_key};

/// What a person can be matched by (pipelines/README.md, "Targets").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonKey {
    /// Mail, proxy and alias addresses.
    Email,
    /// The user principal name.
    Upn,
    /// The user principal name before its `@`.
    UpnLocal,
    /// The main mail address before its `@`.
    EmailLocal,
    /// The on-premises sAMAccountName.
    Sam,
    /// The employee id.
    EmployeeId,
    /// The provider's immutable id.
    Id,
}

impl PersonKey {
    /// The word in the pipeline file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Upn => "upn",
            Self::UpnLocal => "upn_local",
            Self::EmailLocal => "email_local",
            Self::Sam => "sam",
            Self::EmployeeId => "employee_id",
            Self::Id => "id",
        }
    }
}

/// What `users` of the source says about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The person's photo decides.
    InScope,
    /// Disabled at the provider.
    Inactive,
    /// Not selected by `types`, `groups` or `exclude`.
    OutOfScope,
    /// Named under `opted_out`.
    OptedOut,
    /// Named under `freeze`.
    Frozen,
}

/// What the listing alone already says about the photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhotoHint {
    /// Nothing (Graph): it must be asked for.
    Silent,
    /// There is one, with this change marker (Google).
    Version(Version),
    /// No marker. That proves that there is none, but only if others of the same listing have one (Google).
    Unmarked,
    /// The person's record is not as documented, in these words: nothing is known of the photo, and nothing is asked.
    Odd(String),
}

/// One user of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Immutable inside the source.
    pub id: PersonId,
    /// For reports only; never compared.
    pub display_name: String,
    /// What `users` says.
    pub standing: Standing,
    /// What the listing says of the photo.
    pub hint: PhotoHint,
    keys: Vec<(PersonKey, String)>,
}

impl Person {
    /// A person without keys but the id.
    pub fn new(id: PersonId, display_name: impl Into<String>, standing: Standing) -> Self {
        let mut person =
            Self { id, display_name: display_name.into(), standing, hint: PhotoHint::Silent, keys: Vec::new() };
        let id = person.id.as_str().to_owned();
        person.add_key(PersonKey::Id, &id);
        person
    }

    /// A person whose keys were put down in their compared form, the id among them: nothing is folded again.
    pub(crate) fn with_keys(
        id: PersonId,
        display_name: String,
        standing: Standing,
        hint: PhotoHint,
        keys: Vec<(PersonKey, String)>,
    ) -> Self {
        Self { id, display_name, standing, hint, keys }
    }

    /// Adds a key in its compared form; blanks and repetitions are dropped.
    pub fn add_key(&mut self, key: PersonKey, value: &str) {
        let value = normalise_key(value);
        if !value.is_empty() && !self.keys.iter().any(|(k, v)| *k == key && *v == value) {
            // The values of one key beside each other, in the order in which they came.
            self.keys.insert(self.keys.partition_point(|(k, _)| *k <= key), (key, value));
        }
    }

    /// Adds the user principal name and its local part.
    pub fn add_upn(&mut self, upn: &str) {
        self.add_key(PersonKey::Upn, upn);
        self.add_key(PersonKey::UpnLocal, local_part(upn));
    }

    /// Adds the main mail address and its local part.
    pub fn add_main_email(&mut self, email: &str) {
        self.add_key(PersonKey::Email, email);
        self.add_key(PersonKey::EmailLocal, local_part(email));
    }

    /// All keys, each in its compared form.
    pub fn keys(&self) -> &[(PersonKey, String)] {
        &self.keys
    }

    /// The values of one key; empty when the key is not filled.
    pub fn values(&self, key: PersonKey) -> impl Iterator<Item = &str> {
        self.keys.iter().filter(move |(k, _)| *k == key).map(|(_, v)| v.as_str())
    }
}

fn local_part(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(local, _)| local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_folded_once_and_blank_ones_dropped() {
        let mut person = Person::new("b1".into(), "Ada", Standing::InScope);
        person.add_main_email("Ada@Example.com");
        person.add_key(PersonKey::Email, "ada@example.com");
        person.add_key(PersonKey::Sam, "  ");
        person.add_upn("no-at-sign");
        assert_eq!(person.values(PersonKey::Email).collect::<Vec<_>>(), ["ada@example.com"]);
        assert_eq!(person.values(PersonKey::EmailLocal).collect::<Vec<_>>(), ["ada"]);
        assert_eq!(person.values(PersonKey::Sam).count(), 0);
        assert_eq!(person.values(PersonKey::UpnLocal).count(), 0);
    }
}
