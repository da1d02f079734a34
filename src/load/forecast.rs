//! What a target needs to know of a plan to say what it will cost.
//!
//! Owns: the counts of what is to be applied. Leaves to others: counting (`run`), the requests of each (`*/forecast.rs`).
//! A newcomer gets wrong: only what is still to come counts; what was asked before the plan was whole is no part of it.

/// The shape of what is to be applied, for the forecast.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Replacements that leave an old picture of ours to delete.
    pub replace_over_ours: u64,
    /// Replacements with nothing of ours to delete.
    pub replace: u64,
    /// Reverts of pictures that we made.
    pub revert_made: u64,
    /// Reverts of pictures that we adopted.
    pub revert_adopted: u64,
    /// Of the reverts, those that show an earlier upload again.
    pub given_back: u64,
    /// Pictures that are fetched to be kept, right before they are replaced or taken off.
    pub kept: u64,
    /// Mendings that show a picture and leave an old one of ours to delete.
    pub finish_over_ours: u64,
    /// Mendings that show a picture, with nothing of ours to delete.
    pub finish: u64,
    /// Mendings that take one away; also those of a picture that is shown already, whose old one is to go.
    pub tidy: u64,
    /// Replacements that are looked at once they are shown, because people choose pictures there, too (`ownership: ours`),
    /// where the target names a picture no sooner than in a listing ([`Target::confirm`](super::Target::confirm)).
    pub looked_after: u64,
    /// The number of replacements of each session, in order.
    pub sessions: Vec<u64>,
    /// Accounts of the survey, for the confirming one.
    pub accounts: u64,
}

impl Changes {
    /// How many there are.
    pub fn count(&self) -> u64 {
        let shown = self.replace_over_ours + self.replace + self.finish_over_ours + self.finish;
        shown + self.revert_made + self.revert_adopted + self.tidy
    }
}
