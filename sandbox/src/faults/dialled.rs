//! The faults of a sandbox, and which of them strikes.

use std::sync::Mutex;

use serde::Serialize;
use tokio::sync::watch;

use super::fault::{Effect, Fault, RequestFacts};

/// Lets faults strike where none that was dialled in does.
pub trait FaultSource: Send + std::fmt::Debug {
    /// The effect that strikes this request, if any.
    fn strike(&mut self, facts: &RequestFacts<'_>) -> Option<Effect>;
}

/// A fault and what it did so far.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FaultStatus {
    /// The number by which it is taken away.
    pub number: u64,
    /// The fault.
    pub fault: Fault,
    /// How many requests it matched.
    pub matched: u32,
    /// How many it struck.
    pub struck: u32,
}

/// All faults of a sandbox, in the order they were dialled in; the first that strikes wins. Where none does, the source
/// may, if there is one.
#[derive(Debug, Default)]
pub struct Faults {
    dialled: Mutex<(u64, Vec<FaultStatus>)>,
    /// How often held requests were let go.
    releases: watch::Sender<u64>,
    source: Mutex<Option<Box<dyn FaultSource>>>,
}

impl Faults {
    /// Dials a fault in; the number by which it is taken away comes back.
    pub fn add(&self, fault: Fault) -> u64 {
        let mut faults = self.dialled.lock().expect(POISON);
        faults.0 += 1;
        let number = faults.0;
        faults.1.push(FaultStatus { number, fault, matched: 0, struck: 0 });
        number
    }

    /// Takes a fault away; whether there was one.
    pub fn remove(&self, number: u64) -> bool {
        let faults = &mut self.dialled.lock().expect(POISON).1;
        let before = faults.len();
        faults.retain(|f| f.number != number);
        faults.len() < before
    }

    /// Takes all faults away, their source included.
    pub fn clear(&self) {
        self.dialled.lock().expect(POISON).1.clear();
        *self.source.lock().expect(POISON) = None;
    }

    /// Lets faults strike as this source says.
    pub fn follow(&self, source: impl FaultSource + 'static) {
        *self.source.lock().expect(POISON) = Some(Box::new(source));
    }

    /// Every fault and what it did so far.
    pub fn all(&self) -> Vec<FaultStatus> {
        self.dialled.lock().expect(POISON).1.clone()
    }

    /// Lets every request go that is held by [`Effect::HandleOnRelease`] now.
    pub fn release(&self) {
        self.releases.send_modify(|releases| *releases += 1);
    }

    /// What a held request waits for: the next release. Taken before the request shows in the log, so that whoever saw
    /// it there can let it go.
    pub(crate) fn next_release(&self) -> watch::Receiver<u64> {
        self.releases.subscribe()
    }

    /// The effect that strikes this request, if any. Every fault that matches counts it, also behind the one that strikes.
    pub(crate) fn strike(&self, facts: &RequestFacts<'_>) -> Option<Effect> {
        let mut effect = None;
        for dialled in &mut self.dialled.lock().expect(POISON).1 {
            if !dialled.fault.on.fits(facts) {
                continue;
            }
            dialled.matched += 1;
            let due = dialled.matched > dialled.fault.skip && dialled.fault.times.is_none_or(|t| dialled.struck < t);
            if due && effect.is_none() {
                dialled.struck += 1;
                effect = Some(dialled.fault.effect.clone());
            }
        }
        effect.or_else(|| self.source.lock().expect(POISON).as_mut()?.strike(facts))
    }
}

const POISON: &str = "no code panics while it holds the faults";

#[cfg(test)]
mod tests {
    use super::*;

    fn get(target: &str) -> RequestFacts<'_> {
        RequestFacts { simulator: "graph", method: "GET", target, body: b"", part: false }
    }

    #[test]
    fn a_fault_strikes_what_it_matches_and_only_so_often() {
        let faults = Faults::default();
        let fault = Fault::new(Effect::status(503)).at("graph").on("GET", "/v1.0/users*").after(1).times(1);
        faults.add(fault);
        let hits = ["/v1.0/users", "/v1.0/groups", "/v1.0/users?$top=1", "/v1.0/users"].map(|t| faults.strike(&get(t)));
        assert_eq!(hits, [None, None, Some(Effect::status(503)), None]);
        assert!(faults.strike(&RequestFacts { simulator: "jira", ..get("/v1.0/users") }).is_none());
        assert_eq!((faults.all()[0].matched, faults.all()[0].struck), (3, 1));
    }

    #[test]
    fn a_text_is_looked_for_in_query_and_body_and_parts_are_their_own() {
        let faults = Faults::default();
        faults.add(Fault::new(Effect::Drop {}).about("ada").times(2));
        assert!(faults.strike(&get("/user?username=bob")).is_none());
        assert!(faults.strike(&get("/user?username=ada")).is_some());
        assert!(faults.strike(&RequestFacts { body: b"{\"name\":\"ada\"}", ..get("/user") }).is_some());
        faults.clear();
        faults.add(Fault::new(Effect::status(429)).in_parts().about("ada"));
        assert!(faults.strike(&get("/user?username=ada")).is_none());
        assert!(faults.strike(&RequestFacts { part: true, ..get("/users/ada/photo") }).is_some());
    }
}
