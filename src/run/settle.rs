//! Looking at what became of the writes of a run that died (design §4, settle).
//!
//! Owns: asking each target once for each open intent, and waiting until a slow server must be done.
//! Leaves to others: looking (`load`), judging and mending (`plan`, `apply`).
//! A newcomer gets wrong: nothing is written here, not even to the journal; what must be mended goes through the plan.

use std::collections::BTreeMap;
use std::time::Duration;

use super::desk::Desk;
use super::house::{House, Mode, unix_now};
use super::judge::Opened;
use crate::error::Trouble;
use crate::model::{IntentKind, Seen, TargetId};

/// Looks at every open intent of every target that answered.
pub async fn look_at_open_intents(house: &House, desks: &mut [Desk]) -> Result<BTreeMap<TargetId, Opened>, Trouble> {
    let mut all: BTreeMap<TargetId, Opened> = BTreeMap::new();
    for mut intent in house.store.open_intents()? {
        let Some(desk) = desks.iter_mut().find(|desk| *desk.id() == intent.intent.target) else { continue };
        // Another server, or none that answered: the intent stays open.
        if desk.ready().is_none() || desk.server() != Some(&intent.intent.server) {
            continue;
        }
        let account = house.facts.account(desk.id(), &intent.intent.account)?;
        if let Some(account) = &account {
            // The calls go by name, and the account may have been renamed since.
            intent.intent.account_name.clone_from(&account.name);
        }
        let seen = loop {
            match desk.target.observe(&intent, account.as_ref(), unix_now()).await {
                Ok(Seen::TooEarly(until)) if house.mode == Mode::Run && !house.stop.requested() => {
                    let seconds = until.saturating_sub(unix_now()).max(1);
                    house.ends(&format!("settle {}", desk.id()), format!("waiting {seconds} s for a slow server"));
                    house.stop.sleep(Duration::from_secs(seconds)).await;
                }
                Ok(seen) => break Some(seen),
                Err(failure) => {
                    desk.failure.get_or_insert(failure);
                    break None;
                }
            }
        };
        if let Some(seen) = seen {
            let seen = if intent.intent.kind == IntentKind::Probe { no_longer_wanted(seen) } else { seen };
            let opened = all.entry(desk.id().clone()).or_default();
            opened.entry(intent.intent.account.clone()).or_default().push((intent, seen));
        }
    }
    Ok(all)
}

/// A probe's picture is never wanted, shown or not.
fn no_longer_wanted(seen: Seen) -> Seen {
    match seen {
        Seen::HalfDone(mark) | Seen::Shown(mark) => Seen::Leftover(mark),
        other => other,
    }
}
