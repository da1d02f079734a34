//! The token bucket of resource units (docs/wire/microsoft-graph.md §5).

use std::sync::Mutex;
use std::time::SystemTime;

use super::switches::QUOTA;
use crate::context::Context;

/// The token bucket of an app in a tenant.
#[derive(Debug, Default)]
pub(super) struct Quota(Mutex<Option<(f64, SystemTime)>>);

/// How much of the quota is used after a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measure {
    pub(super) used: f64,
    pub(super) cost: u64,
}

/// A call beyond the quota.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Exceeded {
    pub(super) used: f64,
    pub(super) wait: f64,
}

impl Quota {
    pub(super) fn take(&self, context: &Context, cost: u64) -> Result<Measure, Exceeded> {
        let limit = context.number(&QUOTA) as f64;
        if limit == 0.0 {
            return Ok(Measure { used: 0.0, cost });
        }
        let now = context.now();
        let mut bucket = self.0.lock().expect("no code panics while it holds the quota");
        let (left, since) = bucket.unwrap_or((limit, now));
        let passed = now.duration_since(since).unwrap_or_default().as_secs_f64();
        let left = (left + passed * limit / 10.0).min(limit) - cost as f64;
        // Refused calls count too, but not beyond one more period.
        *bucket = Some((left.max(-limit), now));
        let used = (limit - left) / limit;
        if left >= 0.0 {
            return Ok(Measure { used, cost });
        }
        // Long enough that the same call fits when it comes again.
        Err(Exceeded { used, wait: (cost as f64 - left) * 10.0 / limit })
    }
}
