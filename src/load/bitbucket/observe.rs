//! What became of a write that was cut off, by looking at the server (docs/write-protocols.md, "Bitbucket").
//!
//! Owns: the judgement. Leaves to others: mending (`session.rs`), whether a picture is still wanted (`plan`).
//! A newcomer gets wrong: a new `v` may be the person's own upload. It is ours only if it looks like what was sent and is
//! from the time of sending; what only looks like it is adopted.

use std::time::Duration;

use crate::http::Failure;
use crate::load::Seen;
use crate::model::{Account, IntentKind, OpenIntent, PictureRef, Shown, Status};

use super::client::{BitbucketClient, TOKEN_IMAGES};
use super::connection::Sight;
use super::mark::Window;
use super::slug::Slug;

pub(super) async fn observe(
    client: &BitbucketClient,
    open: &OpenIntent,
    account: Option<&Account>,
    now: u64,
) -> Result<Seen, Failure> {
    let (intent, shared) = (&open.intent, client.shared());
    let ready = open.last_write().map_or(0, |at| at.saturating_add(shared.quiet.as_secs()));
    if now < ready {
        return Ok(Seen::TooEarly(ready));
    }
    // A survey that began before the server can have finished says nothing about the write.
    let (shown, slug) = match account.filter(|_| shared.known().surveyed_at > ready.max(intent.begun_at)) {
        Some(account) => (account.shown.clone(), account.handle.clone()),
        None => match client.now(&intent.account, &intent.account_name).await? {
            Ok(Some(user)) => (client.shown(&user), user.slug),
            Ok(None) if account.is_none() => return Ok(Seen::Nothing("the account is gone".into())),
            // The survey of this run lists it: it may have another name by now.
            Ok(None) => return Ok(Seen::Unsure("its name leads to nobody, or to somebody else".into())),
            Err(unread) => return Ok(Seen::Unsure(unread.message)),
        },
    };
    if matches!(shown, Shown::Unknown(_)) && shared.known().sight == Sight::Nothing {
        let slug = slug.as_deref().and_then(|slug| Slug::read(slug).ok());
        return unseen(client, open, slug.as_ref()).await;
    }
    match judge(open, &shown) {
        Observed::Seen(seen) => Ok(seen),
        Observed::ByLooks(v) => {
            let slug = match slug.as_deref().map_or(Err("its slug is not known"), Slug::read) {
                Ok(slug) => slug,
                Err(why) => return Ok(Seen::Unsure(why.into())),
            };
            let served = client.looks(&slug).await?;
            Ok(match (served, &intent.luma) {
                (Some(served), Some(sent)) if served.fits(sent) => match is_ours(open, &v, shared.quiet) {
                    true => Seen::Shown(v),
                    false => Seen::Alike(v),
                },
                (Some(_), Some(_)) if client.is_by_token() => Seen::Unsure(TOKEN_IMAGES.to_owned()),
                (Some(_), Some(_)) => Seen::Nothing("the new picture is the person's own".into()),
                _ => Seen::Unsure("the new picture could not be looked at".into()),
            })
        }
    }
}

/// Where nothing tells what is shown, a success is taken at its word, and what may have happened is done again if it is
/// still wanted (docs/write-protocols.md, "Bitbucket").
async fn unseen(client: &BitbucketClient, open: &OpenIntent, slug: Option<&Slug>) -> Result<Seen, Failure> {
    Ok(match (&open.status, open.intent.kind) {
        (Status::Shown(mark), _) => Seen::Shown(mark.clone()),
        (Status::Sent { .. } | Status::Unsure, IntentKind::Replace) => {
            Seen::Nothing("nothing tells whether it got there: it is sent again if it is still wanted".into())
        }
        (Status::Sent { .. } | Status::Unsure, IntentKind::Revert) => {
            let looks = match slug {
                Some(slug) => client.looks(slug).await?,
                None => None,
            };
            match (looks, open.intent.old_looks) {
                (Some(served), Some(ours)) if ours.fits(&served) => Seen::Nothing("our picture is still there".into()),
                (Some(_), Some(_)) => Seen::Reset(None),
                _ => Seen::Unsure("the picture could not be looked at".into()),
            }
        }
        (Status::Begun | Status::Closed | Status::Reset, _) => Seen::Nothing("nothing is open".into()),
        _ => Seen::Unsure("the server does not tell what is shown".into()),
    })
}

/// Whether a picture that looks like what was sent is from the time of sending, too. From any other time it may be the
/// same portrait, uploaded by the person.
pub(super) fn is_ours(open: &OpenIntent, v: &PictureRef, quiet: Duration) -> bool {
    match &open.status {
        Status::Sent { at, .. } => Window::of_sending(*at, quiet, &open.intent.stood).holds(v) == Some(true),
        Status::Shown(_) => true,
        _ => false,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Observed {
    Seen(Seen),
    /// Only the picture itself tells whether this one is ours.
    ByLooks(PictureRef),
}

/// The table.
fn judge(open: &OpenIntent, shown: &Shown) -> Observed {
    let intent = &open.intent;
    let nothing = |why: &str| Observed::Seen(Seen::Nothing(why.to_owned()));
    match (&open.status, shown, intent.kind) {
        (Status::Begun | Status::Closed, ..) => nothing("nothing was sent"),
        (Status::Reset, ..) => nothing("the default is shown"),
        (_, Shown::Unknown(why), _) => Observed::Seen(Seen::Unsure(why.clone())),
        (Status::Sent { .. } | Status::Unsure, shown, _) if *shown == intent.stood => nothing("nothing changed"),
        (Status::Sent { .. } | Status::Unsure, Shown::Default, IntentKind::Revert) => Observed::Seen(Seen::Reset(None)),
        (Status::Sent { .. } | Status::Unsure, _, IntentKind::Revert) => nothing("the person chose another picture"),
        (Status::Sent { .. } | Status::Unsure, Shown::Custom(v), IntentKind::Replace | IntentKind::Probe) => {
            Observed::ByLooks(v.clone())
        }
        // A probe's picture is shown until it is taken away.
        (Status::Leftover(mark), Shown::Custom(v), IntentKind::Probe) => {
            match Window::read(mark).map_or(Some(mark == v), |window| window.holds(v)) {
                Some(true) => Observed::Seen(Seen::Leftover(v.clone())),
                Some(false) => nothing("the account's owner chose another picture"),
                None => Observed::ByLooks(v.clone()),
            }
        }
        (Status::Shown(mark), Shown::Custom(v), _) => match Window::read(mark) {
            None if mark == v => Observed::Seen(Seen::Shown(v.clone())),
            None => nothing("the person chose another picture"),
            Some(window) => match window.holds(v) {
                Some(false) => nothing("the person chose another picture"),
                // From the time of sending, or no time: the person may have uploaded right after us.
                Some(true) | None => Observed::ByLooks(v.clone()),
            },
        },
        (Status::Sent { .. } | Status::Unsure | Status::Shown(_), _, _) => nothing("no picture is shown any more"),
        (Status::Made(_) | Status::Leftover(_) | Status::Stray { .. }, ..) => {
            nothing("Bitbucket keeps only what is shown")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::jira::tests::intent;
    use crate::model::IntentId;

    #[test]
    fn a_write_is_judged_wherever_it_was_killed() {
        let custom = |v: &str| Shown::Custom(v.into());
        let sent = || Status::Sent { attempt: 1, route: "multipart".into(), at: 1000 };
        let stand_in = Window { from: 1000, to: 1001, before: Some("900000".into()) }.mark();
        let shown = || Status::Shown(stand_in.clone());
        let left = || Status::Leftover(stand_in.clone());
        let (replace, revert, probe) = (IntentKind::Replace, IntentKind::Revert, IntentKind::Probe);
        let table = [
            (replace, sent(), custom("900000"), "nothing"),
            (replace, sent(), custom("1000500"), "looks 1000500"),
            (replace, sent(), Shown::Default, "nothing"),
            (replace, sent(), Shown::Unknown("?".into()), "unsure"),
            (replace, shown(), custom("1000500"), "looks 1000500"),
            (replace, shown(), custom("900000"), "nothing"),
            (replace, shown(), custom("2000000"), "nothing"),
            (replace, shown(), custom("abc"), "looks abc"),
            (replace, shown(), Shown::Default, "nothing"),
            (replace, Status::Shown("1000500".into()), custom("1000500"), "shown 1000500"),
            (replace, Status::Shown("1000500".into()), custom("1000600"), "nothing"),
            (revert, sent(), custom("900000"), "nothing"),
            (revert, sent(), Shown::Default, "reset"),
            (revert, sent(), custom("1000500"), "nothing"),
            (revert, Status::Reset, Shown::Default, "nothing"),
            (probe, sent(), custom("900000"), "nothing"),
            (probe, sent(), Shown::Default, "nothing"),
            (probe, sent(), custom("1000500"), "looks 1000500"),
            (probe, left(), custom("1000500"), "leftover 1000500"),
            (probe, left(), custom("2000000"), "nothing"),
            (probe, left(), custom("abc"), "looks abc"),
            (probe, left(), Shown::Default, "nothing"),
        ];
        for (kind, status, shown, expected) in table {
            let mut intent = intent(kind);
            intent.stood = custom("900000");
            let open = OpenIntent { id: IntentId(1), intent, status, sent_as: None };
            let outline = match judge(&open, &shown) {
                Observed::Seen(Seen::Nothing(_)) => "nothing".to_owned(),
                Observed::Seen(Seen::Shown(mark)) => format!("shown {mark}"),
                Observed::Seen(Seen::Leftover(mark)) => format!("leftover {mark}"),
                Observed::Seen(Seen::Reset(None)) => "reset".to_owned(),
                Observed::Seen(Seen::Unsure(_)) => "unsure".to_owned(),
                Observed::ByLooks(v) => format!("looks {v}"),
                other => format!("{other:?}"),
            };
            assert_eq!(outline, expected, "{kind:?} {:?} {shown:?}", open.status);
        }
    }
    #[test]
    fn what_looks_like_it_is_ours_only_from_the_time_of_sending() {
        let sent = || Status::Sent { attempt: 1, route: "multipart".into(), at: 1000 };
        for (status, v, ours) in [
            (sent(), "1000500", true),
            (sent(), "880000", true),
            (sent(), "879999", false),
            (sent(), "1180999", true),
            (sent(), "1181000", false),
            (sent(), "900000", false),
            (sent(), "abc", false),
            (Status::Shown("sent:1000-1001:".into()), "1000500", true),
            (Status::Unsure, "1000500", false),
        ] {
            let mut intent = intent(IntentKind::Replace);
            intent.stood = Shown::Custom("900000".into());
            let open = OpenIntent { id: IntentId(1), intent, status, sent_as: None };
            assert_eq!(is_ours(&open, &v.into(), Duration::from_secs(60)), ours, "{:?} {v}", open.status);
        }
    }
}
