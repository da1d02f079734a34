//! The quota: units a minute for one user of one project (docs/wire/google-directory.md §5).
//!
//! Owns: counting.
//! Leaves to others: the refusal beyond (`routes`), refusals dialled in (`faults`).
//! A newcomer gets wrong: n parts of a batch are n units; a batch saves requests, not quota.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::context::Context;
use crate::google::switches::QUOTA;
use crate::jwt::seconds;

/// The units that each user took in the current minute.
#[derive(Debug, Default)]
pub(super) struct Quota(Mutex<BTreeMap<String, (i64, u64)>>);

impl Quota {
    /// Takes one unit for this user, or says how many seconds are left until there are new ones.
    pub(super) fn take(&self, context: &Context, user: &str) -> Result<(), i64> {
        let limit = context.number(&QUOTA);
        let now = seconds(context.now());
        let mut users = self.0.lock().expect("no code panics while it holds the quota");
        let (minute, taken) = users.entry(user.to_owned()).or_default();
        if *minute != now / 60 {
            (*minute, *taken) = (now / 60, 0);
        }
        *taken += 1;
        if limit == 0 || *taken <= limit { Ok(()) } else { Err(60 - now % 60) }
    }
}
