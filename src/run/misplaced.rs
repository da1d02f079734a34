//! A picture of this run that turned up on an account it was not meant for.
//!
//! Owns: what is known of it, and its line of the report. Leaves to others: finding it and taking it back (`take_back`).
//! A newcomer gets wrong: one that is still there is no failure of the write; the account it was meant for is another.

use crate::model::{AccountId, Fault, PictureRef, TargetId};
use crate::report::{AccountLine, MisplacedLine, PersonFailure};
use crate::secret::redact;
use crate::state::{DecisionCursor, Shifted, Written};

/// A picture on an account that it was not meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misplaced {
    pub(super) shifted: Shifted,
    pub(super) mark: PictureRef,
    pub(super) written: Written,
    /// Where the decision behind it stands.
    pub(super) at: DecisionCursor,
    /// Why it is still there.
    pub(super) still_there: Option<Fault>,
}

impl Misplaced {
    /// For the report.
    pub fn line(&self, target: &TargetId) -> MisplacedLine {
        let account = |id: &AccountId, name: &str| AccountLine { id: id.to_string(), name: name.to_owned() };
        let failure = |fault: &Fault| PersonFailure { code: fault.code.clone(), message: redact(&fault.message) };
        MisplacedLine {
            target: target.to_string(),
            account: account(&self.shifted.account, &self.shifted.name),
            meant_for: account(&self.written.account, &self.written.name),
            picture: self.mark.to_string(),
            taken_back: self.still_there.is_none(),
            error: self.still_there.as_ref().map(failure),
        }
    }
}
