//! What became of a write that was cut off, by looking at the server (the table of docs/write-protocols.md, "Jira").
//!
//! Owns: the judgement. Leaves to others: mending (`mend.rs`), whether a picture is still wanted (`plan`).
//! A newcomer gets wrong: a new picture of the account may be the person's own. Only one that looks like what was sent,
//! and no more such than were sent, is ours.

use crate::http::Failure;
use crate::load::Seen;
use crate::model::{Account, Intent, IntentKind, OpenIntent, PictureRef, Status};

use super::avatar::{Avatars, Selected, no_uploads};
use super::client::{GONE, JiraClient, Led};
use super::connection::JiraConnection;
use super::mend::superseded;
use super::session::fits;
use super::stray;

pub(super) async fn observe(
    client: &JiraClient,
    shared: &JiraConnection,
    open: &OpenIntent,
    account: Option<&Account>,
    now: u64,
) -> Result<Seen, Failure> {
    if let Some(ready) = open.last_write().map(|at| at.saturating_add(shared.quiet.as_secs()))
        && now < ready
    {
        return Ok(Seen::TooEarly(ready));
    }
    let intent = &open.intent;
    if let Status::Stray { mark, owner } = &open.status {
        return stray::observe_recorded(client, mark, owner).await;
    }
    let name = account.map_or(intent.account_name.as_str(), |account| account.name.as_str());
    let led = client.led(name, &intent.account).await?;
    let moved = open.sent_name() != name || !matches!(led, Ok(Led::Here(_)));
    if moved
        && intent.kind == IntentKind::Replace
        && let Some(seen) = stray::observe(client, shared, open).await?
    {
        return Ok(seen);
    }
    let avatars = match led {
        Ok(Led::Here(avatars)) if !avatars.lists_uploads => return Ok(Seen::Unsure(no_uploads(name))),
        Ok(Led::Here(avatars)) => avatars,
        // The survey does not list it, and somebody else has its name.
        Ok(Led::Elsewhere) if account.is_none() => return Ok(Seen::Nothing("the account is gone".into())),
        Ok(Led::Elsewhere) => return Ok(Seen::Unsure(format!("the name `{name}` leads to another account now"))),
        // One 404 for an account that the survey lists is that of a proxy.
        Err(gone) if gone.code == GONE && account.is_none() => {
            return Ok(Seen::Nothing("the account is gone".into()));
        }
        Err(unread) => return Ok(Seen::Unsure(unread.message)),
    };
    let mut found = NewPictures { alike: Vec::new(), unread: 0 };
    if matches!(open.status, Status::Sent { .. } | Status::Unsure) && open.intent.kind != IntentKind::Revert {
        for mark in avatars.beyond(&open.intent.base, &open.intent.account) {
            match client.picture(Some(&open.intent.account), &mark).await? {
                None => found.unread += 1,
                picture if fits(shared, picture.clone(), &open.intent) => found.alike.push(mark),
                Some(_) => {}
            }
        }
    }
    let default = shared.known().default;
    Ok(judge(&open.intent, &open.status, &avatars, &found, default.as_ref()))
}

/// What was found among the new pictures of the account.
#[derive(Clone, Debug, Default)]
struct NewPictures {
    /// They look like what was sent.
    alike: Vec<PictureRef>,
    /// So many could not be looked at.
    unread: usize,
}

/// The table.
fn judge(
    intent: &Intent,
    status: &Status,
    avatars: &Avatars,
    found: &NewPictures,
    default: Option<&PictureRef>,
) -> Seen {
    match (intent.kind, status) {
        (_, Status::Begun | Status::Closed) => Seen::Nothing("nothing was sent".into()),
        (IntentKind::Revert, Status::Sent { .. } | Status::Unsure) => reverted(intent, avatars, default),
        (_, Status::Sent { attempt, .. }) => created(intent, *attempt, avatars, found, default),
        (_, Status::Unsure) => match created(intent, 1, avatars, found, default) {
            // The journal knows no way from unsure to done: it is left alone until nothing is there any more.
            Seen::HalfDone(mark) | Seen::Shown(mark) | Seen::Alike(mark) | Seen::Leftover(mark) => {
                Seen::Unsure(format!("avatar {mark} may be ours"))
            }
            seen => seen,
        },
        (_, Status::Made(mark)) => made(intent, mark, avatars, default),
        (_, Status::Shown(mark)) => match &intent.old {
            Some(old) if avatars.has(old, &intent.account) && !avatars.shows(old) => {
                // The person may have chosen another one since; the old one of ours goes all the same.
                if avatars.shows(mark) { Seen::Shown(mark.clone()) } else { Seen::Leftover(old.clone()) }
            }
            _ => Seen::Nothing("the old picture is gone, or shown again".into()),
        },
        (_, Status::Reset) => match &intent.old {
            Some(old) if avatars.has(old, &intent.account) && !avatars.shows(old) => Seen::Reset(Some(old.clone())),
            _ => Seen::Nothing("the old picture is gone, or shown again".into()),
        },
        (_, Status::Stray { mark, owner }) => Seen::Stray { mark: mark.clone(), owner: owner.clone() },
        (_, Status::Leftover(mark)) => {
            let left = match avatars.has(mark, &intent.account) {
                true => Some(mark.clone()).filter(|mark| !avatars.shows(mark)),
                // Gone already; the one of ours before it may not be.
                false => superseded(intent, status, avatars),
            };
            if let Some(left) = left {
                Seen::Leftover(left)
            } else {
                Seen::Nothing("the leftover is gone, or was chosen by the person".into())
            }
        }
    }
}

/// Creation, unrecorded.
fn created(
    intent: &Intent,
    attempts: u32,
    avatars: &Avatars,
    found: &NewPictures,
    default: Option<&PictureRef>,
) -> Seen {
    if found.unread > 0 {
        return Seen::Unsure(format!("{} new pictures could not be looked at", found.unread));
    }
    let Some(newest) = found.alike.last() else {
        let new = avatars.beyond(&intent.base, &intent.account).len();
        return Seen::Nothing(match new {
            0 => "there is no new picture".into(),
            _ => "the new picture is the person's own".into(),
        });
    };
    let shown = found.alike.iter().find(|mark| avatars.shows(mark));
    if let (Some(shown), IntentKind::Replace) = (shown, intent.kind) {
        // Selecting is recorded before it is sent, so this was chosen by the person: ours, or an upload of its own.
        return Seen::Alike(shown.clone());
    }
    if found.alike.len() as u64 > u64::from(attempts) {
        return Seen::Unsure(format!(
            "{} new pictures look like what was sent {attempts} times; some are the person's own",
            found.alike.len()
        ));
    }
    made(intent, shown.unwrap_or(newest), avatars, default)
}

/// Made, selected or not.
fn made(intent: &Intent, mark: &PictureRef, avatars: &Avatars, default: Option<&PictureRef>) -> Seen {
    if !avatars.has(mark, &intent.account) {
        let old = superseded(intent, &Status::Made(mark.clone()), avatars);
        return old.map_or_else(|| Seen::Nothing("our picture was taken away meanwhile".into()), Seen::Leftover);
    }
    match intent.kind {
        IntentKind::Replace if avatars.shows(mark) => Seen::Shown(mark.clone()),
        IntentKind::Replace if avatars.stand_as(&intent.stood, default) => Seen::HalfDone(mark.clone()),
        IntentKind::Probe if avatars.shows(mark) => Seen::Nothing("the person chose it".into()),
        IntentKind::Replace | IntentKind::Revert | IntentKind::Probe => Seen::Leftover(mark.clone()),
    }
}

/// A revert, unrecorded.
fn reverted(intent: &Intent, avatars: &Avatars, default: Option<&PictureRef>) -> Seen {
    let ours = intent.old.as_ref().filter(|old| avatars.has(old, &intent.account) && !avatars.shows(old));
    match &avatars.selected {
        _ if avatars.stand_as(&intent.stood, default) => Seen::Nothing("the picture is still shown".into()),
        _ if intent.back.as_ref().is_some_and(|back| avatars.stand_as(back, default)) => Seen::Reset(ours.cloned()),
        Selected::System(mark) if default == Some(mark) => Seen::Reset(ours.cloned()),
        Selected::Nothing => Seen::Reset(ours.cloned()),
        Selected::System(_) | Selected::Custom(_) => match ours {
            Some(old) => Seen::Leftover(old.clone()),
            None => Seen::Nothing("the person chose another picture".into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::jira::tests::intent;
    use crate::model::Shown;

    fn custom(mark: &str) -> Selected {
        Selected::Custom(mark.into())
    }

    /// The avatars of account `K`, which had 5 and 6 before.
    fn avatars(ids: &[&str], selected: Selected) -> Avatars {
        let custom = ids.iter().map(|id| ((*id).into(), Some("K".to_owned()))).collect();
        Avatars { selected, custom, system: vec![], lists_uploads: true }
    }

    fn found(alike: &[&str], unread: usize) -> NewPictures {
        NewPictures { alike: alike.iter().map(|id| PictureRef::from(*id)).collect(), unread }
    }

    fn sent(attempt: u32) -> Status {
        Status::Sent { attempt, route: "session".into(), at: 7 }
    }

    /// Seen, without the words.
    fn outline(seen: &Seen) -> String {
        match seen {
            Seen::TooEarly(_) => "too early".into(),
            Seen::Nothing(_) => "nothing".into(),
            Seen::HalfDone(mark) => format!("half done {mark}"),
            Seen::Shown(mark) => format!("shown {mark}"),
            Seen::Alike(mark) => format!("alike {mark}"),
            Seen::Reset(Some(mark)) => format!("reset {mark}"),
            Seen::Reset(None) => "reset".into(),
            Seen::Leftover(mark) => format!("leftover {mark}"),
            Seen::Stray { mark, owner } => format!("stray {mark} {owner}"),
            Seen::Perhaps(mark) => format!("perhaps {mark}"),
            Seen::Unsure(_) => "unsure".into(),
        }
    }

    #[test]
    fn a_replacement_is_judged_wherever_it_was_killed() {
        let system = || Selected::System("10122".into());
        #[rustfmt::skip]
        let table: Vec<(&str, Status, Avatars, NewPictures, &str)> = vec![
            ("after create or temporary", sent(1), avatars(&["5", "6"], custom("5")), found(&[], 0), "nothing"),
            ("creation unrecorded", sent(1), avatars(&["5", "6", "7"], custom("5")), found(&["7"], 0), "half done 7"),
            ("creation unrecorded, person chose", sent(1), avatars(&["5", "6", "7"], custom("6")), found(&["7"], 0), "leftover 7"),
            ("creation unrecorded, person took the default", sent(1), avatars(&["5", "6", "7"], system()), found(&["7"], 0), "leftover 7"),
            ("created unrecorded, selected by the person", sent(1), avatars(&["5", "6", "7"], custom("7")), found(&["7"], 0), "alike 7"),
            ("too many alike, one selected", sent(1), avatars(&["5", "6", "7", "8"], custom("8")), found(&["7", "8"], 0), "alike 8"),
            ("person's own upload", sent(1), avatars(&["5", "6", "7"], custom("7")), found(&[], 0), "nothing"),
            ("ours and the person's own", sent(1), avatars(&["5", "6", "7", "8"], custom("8")), found(&["7"], 0), "leftover 7"),
            ("too many alike", sent(1), avatars(&["5", "6", "7", "8"], custom("5")), found(&["7", "8"], 0), "unsure"),
            ("two attempts, two leftovers", sent(2), avatars(&["5", "6", "7", "8"], custom("5")), found(&["7", "8"], 0), "half done 8"),
            ("two attempts, the first shown", sent(2), avatars(&["5", "6", "7", "8"], custom("7")), found(&["7", "8"], 0), "alike 7"),
            ("a new one could not be looked at", sent(1), avatars(&["5", "6", "7"], custom("5")), found(&[], 1), "unsure"),
            ("made", Status::Made("7".into()), avatars(&["5", "6", "7"], custom("5")), found(&[], 0), "half done 7"),
            ("made, shown", Status::Made("7".into()), avatars(&["5", "6", "7"], custom("7")), found(&[], 0), "shown 7"),
            ("made, person chose", Status::Made("7".into()), avatars(&["5", "6", "7"], custom("6")), found(&[], 0), "leftover 7"),
            ("made, taken away", Status::Made("7".into()), avatars(&["5", "6"], custom("5")), found(&[], 0), "nothing"),
            ("shown, old there", Status::Shown("7".into()), avatars(&["5", "6", "7"], custom("7")), found(&[], 0), "shown 7"),
            ("shown, old there, person chose", Status::Shown("7".into()), avatars(&["5", "6", "7"], custom("6")), found(&[], 0), "leftover 5"),
            ("shown, old gone", Status::Shown("7".into()), avatars(&["6", "7"], custom("7")), found(&[], 0), "nothing"),
            ("shown, old chosen again", Status::Shown("7".into()), avatars(&["5", "6", "7"], custom("5")), found(&[], 0), "nothing"),
            ("bad", Status::Leftover("7".into()), avatars(&["5", "6", "7"], custom("5")), found(&[], 0), "leftover 7"),
            ("bad, gone", Status::Leftover("7".into()), avatars(&["5", "6"], custom("5")), found(&[], 0), "nothing"),
            ("bad, chosen", Status::Leftover("7".into()), avatars(&["5", "6", "7"], custom("7")), found(&[], 0), "nothing"),
            ("unsure still", Status::Unsure, avatars(&["5", "6", "7"], custom("5")), found(&["7"], 0), "unsure"),
            ("unsure no more", Status::Unsure, avatars(&["5", "6"], custom("5")), found(&[], 0), "nothing"),
        ];
        let mut intent = intent(IntentKind::Replace);
        intent.stood = Shown::Custom("5".into());
        intent.base = vec!["5".into(), "6".into()];
        intent.old = Some("5".into());
        for (what, status, avatars, found, expected) in table {
            let seen = judge(&intent, &status, &avatars, &found, Some(&"10122".into()));
            assert_eq!(outline(&seen), expected, "{what}");
        }
    }

    #[test]
    fn a_revert_is_judged_wherever_it_was_killed() {
        let system = |mark: &str| Selected::System(mark.into());
        let table = [
            (sent(1), avatars(&["5", "6"], custom("5")), Some("5"), "nothing"),
            (sent(1), avatars(&["5", "6"], system("10122")), Some("5"), "reset 5"),
            (sent(1), avatars(&["6"], system("10122")), Some("5"), "reset"),
            (sent(1), avatars(&["5", "6"], system("10122")), None, "reset"),
            (sent(1), avatars(&["5", "6"], system("10130")), Some("5"), "leftover 5"),
            (sent(1), avatars(&["5", "6"], custom("6")), Some("5"), "leftover 5"),
            (sent(1), avatars(&["5", "6"], custom("6")), None, "nothing"),
            (Status::Reset, avatars(&["5", "6"], system("10122")), Some("5"), "reset 5"),
            (Status::Reset, avatars(&["6"], system("10122")), Some("5"), "nothing"),
            (Status::Reset, avatars(&["5", "6"], custom("5")), Some("5"), "nothing"),
        ];
        for (status, avatars, old, expected) in table {
            let mut intent = intent(IntentKind::Revert);
            intent.stood = Shown::Custom("5".into());
            intent.base = vec!["5".into(), "6".into()];
            intent.old = old.map(PictureRef::from);
            let seen = judge(&intent, &status, &avatars, &NewPictures::default(), Some(&"10122".into()));
            assert_eq!(outline(&seen), expected, "{status:?} {avatars:?} {old:?}");
        }
    }

    #[test]
    fn a_probe_is_never_finished() {
        let intent = intent(IntentKind::Probe);
        let none = NewPictures::default();
        let default = PictureRef::from("10122");
        let shows = |selected| judge(&intent, &sent(1), &avatars(&["7"], selected), &found(&["7"], 0), Some(&default));
        assert_eq!(outline(&shows(Selected::System("10122".into()))), "leftover 7");
        assert_eq!(outline(&shows(custom("7"))), "nothing");
        assert_eq!(outline(&judge(&intent, &sent(1), &avatars(&[], custom("1")), &none, None)), "nothing");
    }
}
