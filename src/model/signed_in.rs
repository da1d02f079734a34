//! What a sign-in gave: who we are there, and what we may do.

/// What a source or target says of us, for the command `auth`. Holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedIn {
    /// Who we are there.
    pub who: String,
    /// What we may do of all that is needed or too much.
    pub may: Vec<String>,
    /// What is needed and not granted.
    pub missing: Vec<String>,
    /// What is granted and not needed.
    pub too_much: Vec<String>,
    /// What expires when, in Unix seconds.
    pub expires: Vec<(String, u64)>,
    /// What else there is to know.
    pub notes: Vec<String>,
}

impl SignedIn {
    /// Somebody of whom nothing else is known yet.
    pub fn of(who: impl Into<String>) -> Self {
        Self { who: who.into(), ..Self::default() }
    }

    /// Something that is needed.
    pub fn needs(&mut self, what: &str, has: bool) {
        let list = if has { &mut self.may } else { &mut self.missing };
        if !list.iter().any(|known| known == what) {
            list.push(what.to_owned());
        }
    }
}
