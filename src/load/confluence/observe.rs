//! What became of a write that was cut off, by looking at the server (docs/write-protocols.md, "Confluence").
//!
//! Owns: the judgement. Leaves to others: mending (`session.rs`), whether a picture is still wanted (`plan`).
//! A newcomer gets wrong: a survey that began before the server can have finished says nothing about the write; then the
//! account is read once more.

use crate::http::Failure;
use crate::load::Seen;
use crate::model::{Account, Intent, IntentKind, OpenIntent, PictureRef, Shown, Status};
use crate::settings::ConfluenceUpload;

use super::client::{ConfluenceClient, File, GONE, ServedFile};
use super::picture::{self, ConfluencePicture};

pub(super) async fn observe(
    client: &ConfluenceClient,
    open: &OpenIntent,
    account: Option<&Account>,
    now: u64,
) -> Result<Seen, Failure> {
    let shared = client.shared();
    let ready = open.last_write().map_or(0, |at| at.saturating_add(shared.quiet.as_secs()));
    if now < ready {
        return Ok(Seen::TooEarly(ready));
    }
    let picture = match account.filter(|_| shared.known().surveyed_at > ready.max(open.intent.begun_at)) {
        Some(account) => {
            ConfluencePicture { shown: account.shown.clone(), content: account.handle.clone(), default: None }
        }
        None => match client.now(&open.intent.account).await? {
            Ok(now) => now.picture,
            // One 404 proves nothing, and none does for an account that the survey lists: it may be that of a proxy.
            Err(gone) if gone.code == GONE && account.is_none() => match client.now(&open.intent.account).await? {
                Err(again) if again.code == GONE => return Ok(Seen::Nothing("the account is gone".into())),
                _ => return Ok(Seen::Unsure(gone.message)),
            },
            Err(unread) => return Ok(Seen::Unsure(unread.message)),
        },
    };
    if let Shown::Unknown(why) = &picture.shown {
        return Ok(Seen::Unsure(why.clone()));
    }
    let there = match unshown(open, &picture.shown) {
        Some(file) => match is_there(client, open, &picture, &file).await? {
            Ok(there) => there,
            Err(why) => return Ok(Seen::Unsure(why)),
        },
        None => There::No,
    };
    Ok(judge(open, &picture.shown, there, &shared.upload))
}

/// Whether that file is stored with the account; `Err` says why the account is better left alone.
async fn is_there(
    client: &ConfluenceClient,
    open: &OpenIntent,
    picture: &ConfluencePicture,
    file: &PictureRef,
) -> Result<Result<There, String>, Failure> {
    // Nothing but a file of ours to take away is left of the write.
    let is_debt = matches!(open.status, Status::Shown(_) | Status::Reset | Status::Leftover(_));
    let known = client.shared().known();
    if is_debt && open.intent.kind != IntentKind::Probe && known.removals.wait() {
        client.shared().learn(|known| known.removals.owe("the server refused it"));
        return Ok(Ok(There::NobodyKnows));
    }
    let Some(content) = picture.content.as_deref().or(open.intent.handle.as_deref()) else {
        return Ok(Ok(There::NobodyKnows));
    };
    let beside = picture.content.as_deref().zip(picture.file()).map(|(content, file)| File { content, file });
    Ok(Ok(match client.file(File { content, file }, beside).await? {
        ServedFile::Picture(_) => There::Yes,
        ServedFile::Missing => There::No,
        ServedFile::Unclear if is_debt => There::NobodyKnows,
        ServedFile::Unclear => return Ok(Err(format!("the server does not say whether {file} is there"))),
    }))
}

/// Whether the file in question is stored with the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    Yes,
    No,
    /// The account shows no file, so it is not known where its files are.
    NobodyKnows,
}

/// The file whose being there decides, because it is not shown.
fn unshown(open: &OpenIntent, shown: &Shown) -> Option<PictureRef> {
    let file = match (&open.status, open.intent.kind) {
        (Status::Sent { .. } | Status::Made(_) | Status::Unsure, IntentKind::Replace | IntentKind::Probe) => {
            open.intent.making.clone()
        }
        (Status::Sent { .. } | Status::Unsure, IntentKind::Revert) | (Status::Reset, _) => {
            picture::old(&open.intent, None)
        }
        (Status::Shown(mark), _) => picture::old(&open.intent, Some(mark)),
        (Status::Leftover(mark), _) => Some(mark.clone()),
        _ => None,
    };
    file.filter(|file| *shown != Shown::Custom(file.clone()))
}

/// The table.
fn judge(open: &OpenIntent, shown: &Shown, there: There, upload: &ConfluenceUpload) -> Seen {
    let intent = &open.intent;
    match (&open.status, intent.kind) {
        (Status::Begun | Status::Closed, _) => Seen::Nothing("nothing was sent".into()),
        (Status::Sent { .. } | Status::Made(_) | Status::Unsure, IntentKind::Replace | IntentKind::Probe) => {
            let Some(making) = &intent.making else { return Seen::Nothing("nothing was made".into()) };
            if *shown == Shown::Custom(making.clone()) {
                return Seen::Shown(making.clone());
            }
            match there {
                There::No => Seen::Nothing("the picture is not there".into()),
                There::NobodyKnows => Seen::Perhaps(making.clone()),
                // The endpoint does both in one transaction: what is there unshown is of no use.
                There::Yes if *shown == intent.stood && *upload == ConfluenceUpload::Xmlrpc => {
                    Seen::HalfDone(making.clone())
                }
                There::Yes => Seen::Leftover(making.clone()),
            }
        }
        (Status::Sent { .. } | Status::Unsure, IntentKind::Revert) => reverted(intent, shown, there),
        (Status::Shown(mark), _) => match there {
            There::Yes if *shown == Shown::Custom(mark.clone()) => Seen::Shown(mark.clone()),
            // The person may have chosen another one since; the old one of ours goes all the same.
            There::Yes => Seen::Leftover(picture::old(intent, Some(mark)).unwrap_or_else(|| mark.clone())),
            There::No => Seen::Nothing("the old picture is gone, or shown again".into()),
            There::NobodyKnows => Seen::Perhaps(mark.clone()),
        },
        (Status::Reset, _) => match (there, picture::old(intent, None)) {
            (There::Yes, Some(old)) => Seen::Reset(Some(old)),
            (There::NobodyKnows, Some(old)) => Seen::Perhaps(old),
            _ => Seen::Nothing("the old picture is gone, or shown again".into()),
        },
        // A probe's picture is shown until what stood before is put back.
        (Status::Leftover(mark), IntentKind::Probe) if *shown == Shown::Custom(mark.clone()) => {
            Seen::Leftover(mark.clone())
        }
        (Status::Leftover(mark), _) => match there {
            There::Yes => Seen::Leftover(mark.clone()),
            There::No => Seen::Nothing("the leftover is gone, or was chosen by the person".into()),
            There::NobodyKnows => Seen::Perhaps(mark.clone()),
        },
        (Status::Stray { mark, owner }, _) => Seen::Unsure(format!("{mark} was made for {owner}")),
        (Status::Made(_), IntentKind::Revert) => Seen::Unsure("a revert makes nothing".into()),
    }
}

/// A revert, unrecorded.
fn reverted(intent: &Intent, shown: &Shown, there: There) -> Seen {
    let ours = picture::old(intent, None).filter(|_| there == There::Yes);
    match shown {
        _ if *shown == intent.stood => Seen::Nothing("the picture is still shown".into()),
        shown if shown == intent.goal() => Seen::Reset(ours),
        Shown::Default | Shown::System(_) | Shown::Custom(_) | Shown::Unknown(_) => match ours {
            Some(old) => Seen::Leftover(old),
            None => Seen::Nothing("the person chose another picture".into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::jira::tests::intent;
    use crate::model::IntentId;

    const NEW: &str = "avatarpipe-2.png";
    const OLD: &str = "avatarpipe-1.png";

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

    fn open(kind: IntentKind, status: Status) -> OpenIntent {
        let mut intent = intent(kind);
        intent.stood = Shown::Custom(OLD.into());
        intent.old = Some(OLD.into());
        intent.making = (kind != IntentKind::Revert).then(|| NEW.into());
        OpenIntent { id: IntentId(1), intent, status, sent_as: None }
    }

    fn sent() -> Status {
        Status::Sent { attempt: 1, route: "xmlrpc".into(), at: 7 }
    }

    #[test]
    fn a_write_is_judged_wherever_it_was_killed() {
        let custom = |name: &str| Shown::Custom(name.into());
        let shown = || Status::Shown(NEW.into());
        let left = || Status::Leftover(NEW.into());
        let (replace, revert, probe) = (IntentKind::Replace, IntentKind::Revert, IntentKind::Probe);
        #[rustfmt::skip]
        let table = [
            (replace, sent(), custom(NEW), There::No, "shown avatarpipe-2.png"),
            (replace, sent(), custom(OLD), There::No, "nothing"),
            (replace, sent(), custom(OLD), There::Yes, "half done avatarpipe-2.png"),
            (replace, sent(), custom(OLD), There::NobodyKnows, "perhaps avatarpipe-2.png"),
            (replace, sent(), custom("user-avatar"), There::Yes, "leftover avatarpipe-2.png"),
            (replace, sent(), custom("user-avatar"), There::No, "nothing"),
            (replace, sent(), Shown::Default, There::NobodyKnows, "perhaps avatarpipe-2.png"),
            (replace, Status::Made(NEW.into()), custom(OLD), There::Yes, "half done avatarpipe-2.png"),
            (replace, shown(), custom(NEW), There::Yes, "shown avatarpipe-2.png"),
            (replace, shown(), custom("user-avatar"), There::Yes, "leftover avatarpipe-1.png"),
            (replace, shown(), custom(NEW), There::No, "nothing"),
            (replace, shown(), Shown::Default, There::NobodyKnows, "perhaps avatarpipe-2.png"),
            (replace, left(), custom("user-avatar"), There::Yes, "leftover avatarpipe-2.png"),
            (replace, left(), custom(NEW), There::No, "nothing"),
            (revert, sent(), custom(OLD), There::No, "nothing"),
            (revert, sent(), Shown::Default, There::Yes, "reset avatarpipe-1.png"),
            (revert, sent(), Shown::Default, There::No, "reset"),
            (revert, sent(), custom("user-avatar"), There::Yes, "leftover avatarpipe-1.png"),
            (revert, sent(), custom("user-avatar"), There::No, "nothing"),
            (revert, Status::Reset, Shown::Default, There::Yes, "reset avatarpipe-1.png"),
            (revert, Status::Reset, Shown::Default, There::No, "nothing"),
            (probe, sent(), custom(NEW), There::No, "shown avatarpipe-2.png"),
            (probe, sent(), custom(OLD), There::Yes, "half done avatarpipe-2.png"),
            (probe, sent(), custom(OLD), There::No, "nothing"),
            (probe, sent(), Shown::Default, There::NobodyKnows, "perhaps avatarpipe-2.png"),
            (probe, left(), custom(NEW), There::No, "leftover avatarpipe-2.png"),
            (probe, left(), custom(OLD), There::Yes, "leftover avatarpipe-2.png"),
            (probe, left(), custom(OLD), There::No, "nothing"),
        ];
        for (kind, status, shown, there, expected) in table {
            let open = open(kind, status);
            let seen = judge(&open, &shown, there, &ConfluenceUpload::Xmlrpc);
            assert_eq!(outline(&seen), expected, "{:?} {shown:?} {there:?}", open.status);
        }
        let by_endpoint = judge(
            &open(replace, sent()),
            &custom(OLD),
            There::Yes,
            &ConfluenceUpload::Endpoint { path: String::new() },
        );
        assert_eq!(outline(&by_endpoint), "leftover avatarpipe-2.png");
    }

    #[test]
    fn only_a_file_that_is_not_shown_is_asked_for() {
        let custom = |name: &str| Shown::Custom(name.into());
        for (status, shown, asked) in [
            (sent(), custom(NEW), None),
            (sent(), custom(OLD), Some(NEW)),
            (Status::Shown(NEW.into()), custom(NEW), Some(OLD)),
            (Status::Shown(NEW.into()), custom(OLD), None),
            (Status::Leftover(NEW.into()), custom(NEW), None),
        ] {
            let open = open(IntentKind::Replace, status);
            assert_eq!(unshown(&open, &shown), asked.map(PictureRef::from), "{:?} {shown:?}", open.status);
        }
    }
}
