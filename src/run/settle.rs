//! Looking at what became of the writes of a run that died (design §4, settle).
//!
//! Owns: waiting until a slow server must be done, and asking each target once for each open intent.
//! Leaves to others: looking (`load`), judging and mending (`plan`, `apply`).
//! A newcomer gets wrong: nothing is written here, not even to the journal; what must be mended goes through the plan.
//! And the wait comes before the survey: a listing made while the server is still at a write says nothing about it.

use std::time::Duration;

use super::desk::Desk;
use super::house::{House, Mode, unix, unix_now};
use super::judge::Opened;
use crate::error::Trouble;
use crate::model::{IntentKind, Seen};

/// Waits until no server can be at a write of an earlier run of this target any more. A plan does not wait: it says
/// that it is too early.
pub async fn wait_until_quiet(house: &House, desk: &Desk) -> Result<(), Trouble> {
    if house.mode == Mode::Plan {
        return Ok(());
    }
    let mut open = house.store.open_intents()?;
    open.retain(|open| open.intent.target == *desk.id());
    let sent = open.iter_mut().filter_map(|open| {
        open.not_after(unix(house.started));
        open.last_write()
    });
    let Some(last) = sent.max() else { return Ok(()) };
    let left = last.saturating_add(desk.entry.quiet.as_secs()).saturating_sub(unix_now());
    if left > 0 {
        let work = format!("settle {}", desk.id());
        house.begins(&work, None);
        house.ends(&work, format!("waiting {left} s for a slow server"));
        house.stop.sleep(Duration::from_secs(left)).await;
    }
    Ok(())
}

/// Looks at every open intent of a target that answered; after [`wait_until_quiet`] and the survey.
pub async fn look_at_open_intents(house: &House, desk: &mut Desk) -> Result<Opened, Trouble> {
    let mut all = Opened::new();
    // Another server, or none that answered: the intents stay open.
    let Some(server) = desk.ready().map(|open| open.server.id.clone()) else { return Ok(all) };
    for mut intent in house.store.open_intents()? {
        if intent.intent.target != *desk.id() || intent.intent.server != server {
            continue;
        }
        intent.not_after(unix(house.started));
        let account = house.facts.account(desk.id(), &intent.intent.account)?;
        if let Some(account) = &account {
            // The calls go by name, and the account may have been renamed since.
            intent.intent.account_name.clone_from(&account.name);
        }
        let looks = desk.target.observe(&intent, account.as_ref(), unix_now());
        let seen = match house.unless_stopped("look at an earlier write", looks).await.and_then(|seen| seen) {
            Ok(seen) => seen,
            Err(failure) => {
                desk.failure.get_or_insert(failure);
                return Ok(all);
            }
        };
        let seen = if intent.intent.kind == IntentKind::Probe { no_longer_wanted(seen) } else { seen };
        all.entry(intent.intent.account.clone()).or_default().push((intent, seen));
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
