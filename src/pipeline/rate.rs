//! `rates`: how fast a server is asked, named once and shared by every stage that names it.
//!
//! Owns: what a rate has to be, the rate of whoever names none. Leaves to others: pacing (`http`).
//! A newcomer gets wrong: two stages with one rate share it; two rates for one server add up.

use super::declare::taken;
use super::read::Reader;
use super::scalar::*;
use crate::settings;

/// The rate of whoever names none. Careful, since no vendor's quota stands behind it.
pub(super) const BUILT_IN: &str = "{ units: 10, per: 1s, burst: 10, concurrency: 4 }";

settings::rate!(taken);

impl Rate {
    pub(super) fn judge(&self, reader: &mut Reader<'_>) {
        self.per.refuse_nothing(reader, "per");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::read::At;
    use crate::pipeline::settle::Settle;
    use crate::pipeline::tests::{judged, refused};

    fn settle(at: &At<Rate>, reader: &mut Reader<'_>) -> Option<settings::Rate> {
        at.get()?.judge(reader);
        Rate::settle(at, reader)
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
