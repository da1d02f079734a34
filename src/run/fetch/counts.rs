//! What a round of questions to one source came to.
//!
//! Owns: the counts, and telling one person's failure from the provider's. Leaves to others: the questions.
//! A newcomer gets wrong: `lost` counts only those who were known last time: a photo that never could be read is no loss.

use crate::extract::{DENIED, PERSONAL};
use crate::http::{Failure, FailureKind};
use crate::model::Fault;
use crate::run::source_run::PhotoCounts;

/// What one round of questions to one source came to.
#[derive(Default)]
pub(super) struct FetchCounts {
    /// What was learnt.
    pub photos: PhotoCounts,
    /// Asked about and answered, in whatever way.
    pub answered: u64,
    /// Asked about in vain.
    pub missed: Missed,
}

/// Questions that were not answered.
#[derive(Default)]
pub(super) struct Missed {
    count: u64,
    /// Of these, by no matter of the person: throttled, a server in trouble, a sign-in page in the photo's place.
    elsewhere: u64,
    first: Option<Fault>,
    /// Some for another reason than the first.
    mixed: bool,
}

impl Missed {
    /// So many that the rest need not be asked.
    const ENOUGH: u64 = 20;

    /// Counts one.
    pub(super) fn count(&mut self, fault: &Fault) {
        self.count += 1;
        self.elsewhere += u64::from(fault.code != DENIED && !PERSONAL.contains(&fault.code.as_str()));
        self.mixed |= self.first.get_or_insert_with(|| fault.clone()).code != fault.code;
    }
}

impl FetchCounts {
    /// One person's failure is that person's; all of them at once are the provider's.
    pub(super) fn everybody_lost(&self, first: Option<Fault>, look_at: &str) -> Option<Failure> {
        let PhotoCounts { present, absent, unknown, known_before, lost, .. } = self.photos;
        let answered = present + absent + (unknown - lost);
        let first = first.filter(|_| lost > 1 && lost == known_before && answered == 0)?;
        let tried = format!("learn the photos of {lost} people");
        let found = format!("all were known last time and none is now, the first: [{}] {}", first.code, first.message);
        Some(Failure::new(FailureKind::Odd, tried, found).hint(no_proof(look_at)))
    }

    /// Photos are denied to all, which is a matter of the permission: `remedy` says what to grant. A few whose own photos
    /// are denied are nobody else's matter, also where they alone were asked about.
    pub(super) fn everybody_denied(&self, remedy: impl FnOnce() -> Option<String>) -> Option<Failure> {
        let first = self.one_reason().filter(|first| first.code == DENIED)?;
        let failure =
            Failure::new(FailureKind::Refused, format!("reading {} photos", self.missed.count), &*first.message);
        Some(match remedy() {
            Some(remedy) => failure.hint(remedy),
            None => failure,
        })
    }

    /// The same, as soon as the rest need not be asked.
    pub(super) fn denied_so_far(&self, remedy: impl FnOnce() -> Option<String>) -> Option<Failure> {
        if self.missed.count < Missed::ENOUGH { None } else { self.everybody_denied(remedy) }
    }

    /// Nobody could be learnt, and no photo of the source is known (docs/wire/microsoft-graph.md §3.5). Of a few it may
    /// be their own matter.
    pub(super) fn everybody_missed(&self, look_at: &str) -> Option<Failure> {
        let few = self.missed.count < Missed::ENOUGH;
        let first = self.one_reason().filter(|first| !(few && PERSONAL.contains(&first.code.as_str())))?;
        let tried = format!("learn the photos of {} people", self.missed.count);
        let found = format!("none could be, all for one reason: [{}] {}", first.code, first.message);
        Some(Failure::new(FailureKind::Odd, tried, found).hint(no_proof(look_at)))
    }

    /// Why not one photo of the source is known, if whoever was asked about was missed for the same reason.
    fn one_reason(&self) -> Option<&Fault> {
        let Missed { count, first, mixed, .. } = &self.missed;
        first.as_ref().filter(|_| *count > 1 && !mixed && self.answered == 0 && self.photos.present == 0)
    }

    /// More photos were missed by no matter of the person than are known: the source answered, and the run is no success.
    pub(super) fn mostly_missed(&self) -> bool {
        self.missed.elsewhere > 1 && self.missed.elsewhere > self.photos.present
    }

    /// The same in words.
    pub(super) fn note_of_most_missed(&self) -> Option<String> {
        let first = self.missed.first.as_ref().filter(|_| self.mostly_missed())?;
        let (missed, present) = (self.missed.elsewhere, self.photos.present);
        Some(format!(
            "{missed} photos could not be learnt and {present} could: that proves no absence, and those pictures were not \
             touched; run again later. The first: [{}] {}",
            first.code, first.message
        ))
    }
}

/// `look_at`: what to do about it.
fn no_proof(look_at: &str) -> String {
    format!("that proves no absence, and no picture was touched: {look_at}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::GONE;

    fn round(present: u64, answered: u64, missed: &[&str]) -> FetchCounts {
        let mut counts = FetchCounts {
            photos: PhotoCounts { present, ..PhotoCounts::default() },
            answered,
            ..FetchCounts::default()
        };
        missed.iter().for_each(|code| counts.missed.count(&Fault::new(*code, "why")));
        counts
    }

    /// §3.5: if everybody fails the same way, the run fails.
    #[test]
    fn all_at_once_are_the_provider_and_a_few_are_not() {
        for (present, answered, missed, of_all) in [
            (0, 0, vec!["server_error"; 3], true),
            (0, 0, vec!["server_error"], false),
            (0, 0, vec!["mailbox_missing"; 19], false),
            (0, 0, vec!["mailbox_missing"; 20], true),
            (0, 0, vec![GONE; 3], false),
            (0, 0, vec!["mailbox_missing", "server_error"], false),
            (0, 1, vec!["server_error"; 3], false),
            // Known without a question: the listing shows the marker of last time.
            (1, 0, vec!["server_error"; 3], false),
            (0, 0, vec![], false),
        ] {
            let told = round(present, answered, &missed).everybody_missed("look there");
            assert_eq!(told.map(|failure| failure.kind), of_all.then_some(FailureKind::Odd), "{present} {missed:?}");
        }
    }

    #[test]
    fn more_missed_than_known_is_no_success() {
        for (present, missed, told) in [
            (0, vec!["throttled"; 2], true),
            (0, vec!["throttled"], false),
            (3, vec!["throttled"; 3], false),
            (3, vec!["sign_in_page"; 4], true),
            (3, vec!["mailbox_missing"; 40], false),
            (3, vec![DENIED; 40], false),
            (0, vec!["mailbox_missing", "throttled", "server_error"], true),
        ] {
            let counts = round(present, 7, &missed);
            assert_eq!((counts.mostly_missed(), counts.note_of_most_missed().is_some()), (told, told), "{missed:?}");
        }
    }

    #[test]
    fn what_is_denied_to_all_is_a_matter_of_the_permission() {
        let remedy = || Some("grant it".to_owned());
        let denied = round(0, 0, &[DENIED; 19]);
        let failure = denied.everybody_denied(remedy).unwrap();
        assert_eq!((failure.kind, failure.hint.as_deref()), (FailureKind::Refused, Some("grant it")));
        assert!(denied.denied_so_far(remedy).is_none() && round(0, 0, &[DENIED; 20]).denied_so_far(remedy).is_some());
        for some in [round(0, 1, &[DENIED; 20]), round(1, 0, &[DENIED; 20]), round(0, 0, &["odd_answer"; 20])] {
            assert!(some.everybody_denied(remedy).is_none() && some.denied_so_far(remedy).is_none());
        }
    }
}
