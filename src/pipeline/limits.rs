//! `limits`: what stops a run before it writes.
//!
//! Owns: the keys and their defaults. Leaves to others: counting and refusing (`plan`).
//! A newcomer gets wrong: a limit that is written replaces the default as a whole; `{ count: 10 }` has no share.

use super::declare::element;
use super::fault::Fault;
use super::read::{At, Reader};
use super::scalar::{Count, Percent};
use crate::settings::{self, Placed};

element! {
    /// What stops a run before it writes; counted in `plan` and in `run`. A target's limit stops that target, a source's
    /// what it feeds.
    Limits {
        /// Pictures that go back to the default, of the matched accounts of a target that show a picture of their own.
        reverts: Limit = Else("{ count: 50, share: 5% }"),
        /// Pictures that are replaced, of the matched accounts of a target.
        replacements: Limit = Else("{ share: 100% }"),
        /// Pictures that we did not set and that are overwritten or taken off, of the matched accounts of a target.
        foreign: Limit = Else("{ share: 100% }"),
        /// Accounts that belong to another person than last time.
        reassigned: Limit = Else("{ count: 5 }"),
        /// People whose photo is not known, of those whose photo was known last time.
        unknown: Limit = Else("{ share: 10% }"),
        /// People of a source fewer than in the last good run.
        source_shrink: Limit = Else("{ share: 20% }"),
        /// Accounts of a target fewer than in the last good run.
        target_shrink: Limit = Else("{ share: 20% }"),
        /// Placements that vanished: a restored server.
        target_drift: Limit = Else("{ share: 20% }"),
        /// People of a source who are left alone because they share one photo (`transform.hash.same_picture`), of those
        /// who have one.
        same_picture: Limit = Else("{ share: 5% }"),
        /// Shares count only where the whole is at least this.
        shares_from: Count = Else("100"),
    }
}

element! {
    /// A count, a share, or both; either breaks the limit.
    Limit {
        /// The most that may happen.
        count: Count = Optional,
        /// The most that may happen, of the whole.
        share: Percent = Optional,
    }
}

impl Limits {
    pub(super) fn settle(&self, reader: &mut Reader<'_>) -> Option<settings::Limits> {
        let mut limit = |at: &At<Limit>| Limit::settle(at, reader);
        let (reverts, replacements, foreign) = (limit(&self.reverts), limit(&self.replacements), limit(&self.foreign));
        let (reassigned, unknown) = (limit(&self.reassigned), limit(&self.unknown));
        let source_shrink = limit(&self.source_shrink);
        let (target_shrink, target_drift) = (limit(&self.target_shrink), limit(&self.target_drift));
        let same_picture = limit(&self.same_picture);
        Some(settings::Limits {
            reverts: reverts?,
            replacements: replacements?,
            foreign: foreign?,
            reassigned: reassigned?,
            unknown: unknown?,
            source_shrink: source_shrink?,
            target_shrink: target_shrink?,
            target_drift: target_drift?,
            same_picture: same_picture?,
            shares_from: self.shares_from.get()?.0,
        })
    }
}

impl Limit {
    fn settle(at: &At<Self>, reader: &mut Reader<'_>) -> Option<Placed<settings::Limit>> {
        let limit = at.get()?;
        if !limit.count.written && !limit.share.written {
            let fault = Fault::new(at.span.clone(), "a limit has a `count`, a `share` or both");
            reader.fault(fault.help("`{ share: 100% }` lets everything pass"));
            return None;
        }
        at.placed(|limit| {
            Some(settings::Limit {
                count: limit.count.optional()?.map(|count| count.0),
                share: limit.share.optional()?.map(|share| share.0),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tests::{judged, refused};

    fn settle(at: &At<Limits>, reader: &mut Reader<'_>) -> Option<settings::Limits> {
        at.get()?.settle(reader)
    }

    #[test]
    fn a_limit_that_is_written_replaces_the_default_as_a_whole() {
        let limits = judged("{ reverts: { count: 10 }, shares_from: 0 }", settle).unwrap();
        assert_eq!((limits.reverts.value.count, limits.reverts.value.share), (Some(10), None));
        assert_eq!((limits.reassigned.value.count, limits.reassigned.value.share), (Some(5), None));
        assert_eq!(
            (limits.unknown.value.count, limits.unknown.value.share.map(settings::Share::hundredths)),
            (None, Some(1000))
        );
        assert_eq!(limits.shares_from, 0);
    }

    #[test]
    fn a_limit_limits_something() {
        refused(
            &[
                ("{ reverts: {} }", "a `count`, a `share` or both"),
                ("{ reverts: 5% }", "expected keys and values"),
                ("{ reverts: { share: 100.5% } }", "from `0%` to `100%`"),
                ("{ reverts: { count: '5' } }", "found text"),
                ("{ revert: { count: 5 } }", "unknown key `revert`"),
            ],
            settle,
        );
    }
}
