//! `rates`: how fast a server is asked, named once and shared by every stage that names it.
//!
//! Owns: the keys, their defaults, the rate of whoever names none. Leaves to others: pacing (`http`).
//! A newcomer gets wrong: two stages with one rate share it; two rates for one server add up.

use super::declare::element;
use super::fault::FileFault;
use super::read::Reader;
use super::scalar::{Time, Within};
use crate::settings;

/// The rate of whoever names none. Careful, since no vendor's quota stands behind it.
pub(super) const BUILT_IN: &str = "{ units: 10, per: 1s, burst: 10, concurrency: 4 }";

element! {
    /// How fast a server is asked. What a unit is, the vendor says: a request, or each part of a batch.
    Rate {
        /// How many units may be used in the time `per`.
        units: Within<1, 1_000_000> = Required,
        /// The time in which `units` may be used, such as `1s`.
        per: Time = Required,
        /// How many units may go at once. A batch with more parts than this waits for the whole of them.
        burst: Within<1, 1_000_000> = Else("1"),
        /// How many requests may be under way at once.
        concurrency: Within<1, 256> = Else("4"),
    }
}

impl Rate {
    pub(super) fn settle(&self, reader: &mut Reader<'_>) -> Option<settings::Rate> {
        let per = self.per.get()?.0;
        if per.is_zero() {
            reader.fault(FileFault::new(self.per.span.clone(), "`per` is a time longer than nothing"));
        }
        Some(settings::Rate {
            units: self.units.get()?.0,
            per,
            burst: self.burst.get()?.0,
            concurrency: self.concurrency.get()?.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::read::At;
    use crate::pipeline::tests::{judged, refused};

    fn settle(at: &At<Rate>, reader: &mut Reader<'_>) -> Option<settings::Rate> {
        at.get()?.settle(reader)
    }

    #[test]
    fn what_is_left_out_goes_evenly() {
        let rate = judged("{ units: 80, per: 1s }", settle).unwrap();
        assert_eq!((rate.units, rate.burst, rate.concurrency), (80, 1, 4));
        assert!(judged(BUILT_IN, settle).is_ok());
    }

    #[test]
    fn a_rate_lets_something_through() {
        refused(
            &[
                ("{ units: 0, per: 1s }", "`0` is not a whole number from 1"),
                ("{ units: 1, per: 0s }", "longer than nothing"),
                ("{ units: 1 }", "`per` is missing"),
                ("{ units: 1, per: 1s, concurrency: 257 }", "from 1 to 256"),
                ("{ units: 1, per: 1s, brust: 3 }", "unknown key `brust`"),
            ],
            settle,
        );
    }
}
