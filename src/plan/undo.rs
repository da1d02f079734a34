//! What is done with one account when a run is undone: facts in, decision and reason out.
//!
//! Owns: when the account still shows what the run left there, and what it gets back.
//! Leaves to others: what the run did (`state`), the limits (`guard`), doing it (`run`, `load`).
//! A newcomer gets wrong: a picture of ours that an earlier run had made is gone from the product since this one wrote. It
//! comes back of what was kept of it alone, and only to whom a run would put a photo.

use super::decide::Judgement;
use super::whose::{LeftAlone, Whose};
use crate::model::{
    Account, AccountStanding, Change, Decision, Digest, Earlier, KeysDigest, Left, PersonRef, Picture, PictureRef,
    Place, Placement, Reason, RunId, Shown, Step, TargetId, Wrote, rfc3339,
};
use crate::settings::Ownership;

/// The facts about one account, for undoing a run.
#[derive(Clone, Copy)]
pub(crate) struct Undo<'a> {
    /// The target.
    pub target: &'a TargetId,
    /// Its place in the file.
    pub place: &'a Place,
    /// Whose pictures are replaced.
    pub ownership: Ownership,
    /// The account as surveyed.
    pub account: &'a Account,
    /// Its name now, as the journal would keep it.
    pub named: KeysDigest,
    /// The owner whom it names now, in the same way; `None`: accounts there have no owner of their own.
    pub owner: Option<KeysDigest>,
    /// What the state says stands there.
    pub placement: Option<&'a Placement>,
    /// The instance's default picture.
    pub default: Option<&'a PictureRef>,
    /// What the run did to it; `None`: nothing.
    pub wrote: Option<&'a Wrote>,
    /// Whether the server can be made to show again what stood there.
    pub gives_back: bool,
    /// What was kept of it beside the state.
    pub kept: Keeping<'a>,
    /// Whether what stood there is known to be gone from the server.
    pub is_gone: bool,
    /// What was kept is what our picture there holds.
    pub kept_is_shown: bool,
    /// Whose the account is now.
    pub whose: &'a Whose,
}

/// What there is beside the state of what stood on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping<'a> {
    /// The picture of this digest, kept by this run.
    By(&'a RunId, Digest),
    /// Something that the file's key does not open.
    Locked,
    /// Nothing any more: its time was over then, in Unix seconds.
    Over(u64),
    /// Nothing, although its time is not over.
    Nothing,
    /// The file has nothing kept.
    Off,
}

impl Keeping<'_> {
    /// Why what the product does not keep does not come back.
    fn gone(self) -> String {
        match self {
            Self::Over(until) => format!("it was kept beside the state until {} and no longer (`keep_replaced`)", rfc3339(until)),
            Self::Nothing => "the product did not keep it, and beside the state nothing of it is kept: `state purge`, `state forget` or a run without `keep_replaced` took it away, or it was not kept at all".to_owned(),
            Self::Off | Self::Locked | Self::By(..) => "the product did not keep it, or cannot show it again, and `keep_replaced` is off".to_owned(),
        }
    }
}

/// Decides about one account.
pub(crate) fn undo(facts: &Undo<'_>) -> Judgement {
    let picture = Picture::of(&facts.account.shown, facts.placement, facts.default);
    let mut rule = facts.place.clone();
    let (change, reason, detail, back) = match found(facts, &picture) {
        Found::Back(shown) => match left_alone(&shown, facts) {
            Some(why) => {
                rule = why.rule.clone();
                (why.change, why.reason, why.detail.clone(), None)
            }
            None => (Change::Revert, Reason::Undone, None, Some(shown)),
        },
        Found::Done => (Change::Unchanged, Reason::UndoDone, None, None),
        Found::Other => (Change::Unchanged, Reason::UndoOther, None, None),
        Found::Left(reason, detail) => (Change::Keep, reason, detail, None),
        Found::NotServed(reason) => (Change::Skip, reason, None, None),
    };
    let to = match (&back, facts.kept) {
        (None, _) => picture.label(),
        (Some(_), Keeping::By(_, digest)) if was_ours(facts) => Picture::Ours(digest).label(),
        (Some(back), _) => Picture::of(back, None, facts.default).label(),
    };
    Judgement {
        decision: Decision {
            target: facts.target.clone(),
            account: facts.account.id.clone(),
            account_name: facts.account.name.clone(),
            person: whose_line(facts, back.is_some()),
            change,
            from: picture.clone(),
            to,
            reason,
            rule,
            detail,
        },
        spared: false,
        matched: false,
        foreign: false,
        // What a limit counts is part of what it is counted of, also where the run left the default.
        pictured: back.is_some() || !matches!(picture, Picture::Default | Picture::Unknown(_)),
        step: back.map(|shown| {
            let lies_in = facts.wrote.and_then(|wrote| wrote.stood_in.clone());
            let kept_by = match facts.kept {
                Keeping::By(run, _) if !facts.gives_back || was_ours(facts) => Some(run.clone()),
                _ => None,
            };
            Step::GiveBack(Earlier { shown, lies_in, kept_by, ours: was_ours(facts) })
        }),
        reassigned: false,
        unmatched: false,
        drifted: has_drifted(facts, &picture),
    }
}

/// Whose the line is: whoever our picture there is of, else whom the run wrote for, if nothing says that it is another's now.
fn whose_line(facts: &Undo<'_>, comes_back: bool) -> Option<PersonRef> {
    let placed = facts.placement.and_then(|placement| placement.person.clone());
    let Some(wrote) = facts.wrote else { return placed };
    match comes_back && wrote.ours {
        true => wrote.person.clone(),
        false => placed.or_else(|| wrote.person.clone().filter(|_| !has_passed_on(facts, wrote))),
    }
}

/// A picture of ours stood there, and went when the run wrote.
fn was_ours(facts: &Undo<'_>) -> bool {
    facts.wrote.is_some_and(|wrote| wrote.ours)
}

/// The person's photo stood there, which we had recognised and not made: it may be the same face as ours.
fn was_on_record(back: &Shown, facts: &Undo<'_>) -> bool {
    matches!(back, Shown::Custom(_)) && facts.wrote.is_some_and(|wrote| wrote.stood_of.is_some())
}

/// Why what stood there does not come back, although it could.
fn left_alone<'a>(back: &Shown, facts: &Undo<'a>) -> Option<&'a LeftAlone> {
    match facts.whose {
        Whose::Same { no_ours } => no_ours.as_ref().filter(|_| was_ours(facts) || was_on_record(back, facts)),
        Whose::LeftAlone(why) => Some(why),
        Whose::NotKnown(why) => matches!(back, Shown::Custom(_)).then_some(why),
    }
}

/// As in a run (`plan::decide`): many that vanished are the sign of a restored server.
fn has_drifted(facts: &Undo<'_>, picture: &Picture) -> bool {
    let vanished = match picture {
        Picture::Ours(_) | Picture::Unknown(_) => false,
        Picture::Default => true,
        Picture::Foreign(_) | Picture::System(_) => facts.ownership == Ownership::Provider,
    };
    facts.placement.is_some() && vanished
}

enum Found {
    Back(Shown),
    Done,
    Other,
    Left(Reason, Option<String>),
    NotServed(Reason),
}

fn found(facts: &Undo<'_>, picture: &Picture) -> Found {
    let Some(wrote) = facts.wrote else { return Found::Other };
    match facts.account.standing {
        AccountStanding::Active => {}
        AccountStanding::Inactive => return Found::NotServed(Reason::AccountInactive),
        _ => return Found::NotServed(Reason::AccountExcluded),
    }
    let back = match &wrote.stood {
        // The default by its number and the default are one.
        Shown::System(mark) if facts.default == Some(mark) => Shown::Default,
        stood => stood.clone(),
    };
    let still_there = match (picture, wrote.left) {
        (Picture::Ours(_), _) => true,
        (Picture::Default, Left::Default) => facts.placement.is_none() && back != Shown::Default,
        _ => false,
    };
    match picture {
        Picture::Unknown(why) => Found::Left(Reason::PictureUnknown, Some(why.clone())),
        Picture::Ours(_) if wrote.ours && facts.kept_is_shown => Found::Done,
        _ if *picture == Picture::of(&back, None, facts.default) => Found::Done,
        _ if !still_there => Found::Left(Reason::UndoChanged, None),
        // What stood there may be the face of whoever had the account then (P1).
        _ if has_passed_on(facts, wrote) => Found::Left(
            Reason::UndoChanged,
            Some(
                "the account has another name or person since that run: what stood there may be somebody else's"
                    .to_owned(),
            ),
        ),
        _ if wrote.ours => match facts.kept {
            Keeping::By(..) => Found::Back(back),
            Keeping::Locked => locked(),
            Keeping::Over(_) => Found::Left(Reason::UndoGone, Some(facts.kept.gone())),
            Keeping::Nothing => Found::Left(
                Reason::UndoGone,
                Some("it was ours; of a picture that had to go (opted out, another person's account) nothing is kept, nor after `state purge`, `state forget` or a run without `keep_replaced`. Once the file lets the photo be shown, the next `run` puts it there".to_owned()),
            ),
            Keeping::Off => Found::Left(
                Reason::UndoGone,
                Some("it was ours, and was taken away when another photo came, none was left or it had to go; `keep_replaced` is off, so nothing was kept of it".to_owned()),
            ),
        },
        _ if let Shown::Unknown(why) = &back => Found::Left(Reason::UndoGone, Some(why.clone())),
        _ if !facts.gives_back && matches!(facts.kept, Keeping::By(..)) => Found::Back(back),
        _ if !facts.gives_back && facts.kept == Keeping::Locked => locked(),
        _ if !facts.gives_back => Found::Left(Reason::UndoGone, Some(facts.kept.gone())),
        _ if facts.is_gone => Found::Left(
            Reason::UndoGone,
            Some("the server does not have it any more: whose it was took it away".to_owned()),
        ),
        _ => Found::Back(back),
    }
}

fn locked() -> Found {
    let why =
        "the key of `keep_replaced` is another one than then, or the file in `NAME.kept` was changed or cannot be read";
    Found::Left(Reason::UndoLocked, Some(why.to_owned()))
}

/// Whether the account may be somebody else's than when what stood there was chosen: as the run found it, or since.
fn has_passed_on(facts: &Undo<'_>, wrote: &Wrote) -> bool {
    let theirs = facts.placement.and_then(|placement| placement.person.as_ref());
    let is_anothers =
        |person: Option<&PersonRef>| matches!((person, &wrote.person), (Some(one), Some(other)) if one != other);
    // One human of two sources: the source that the run wrote for gives the account to the very same person still.
    let is_twin = theirs.zip(wrote.person.as_ref()).is_some_and(|(now, then)| now.source != then.source)
        && matches!(facts.whose, Whose::Same { .. });
    // Whose a picture of ours was is on record, or it comes back to nobody.
    let is_nobodys = wrote.ours && (wrote.stood_of.is_none() || wrote.stood_of != wrote.person);
    let has_another_owner = match (facts.owner, wrote.owner) {
        (Some(now), Some(then)) => now != then,
        // An earlier version wrote it: only whose picture of ours stands there tells.
        (Some(_), None) => theirs.is_none(),
        (None, _) => false,
    };
    wrote.named != Some(facts.named)
        || has_another_owner
        || is_nobodys
        || is_anothers(theirs) && !is_twin
        || is_anothers(wrote.stood_of.as_ref())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{Before, Provenance, Recipe};

    fn placement() -> Placement {
        Placement {
            target: "jira".into(),
            account: "K".into(),
            person: None,
            photo: Digest::of(b"photo"),
            recipe: Recipe::from("r"),
            rendition: Digest::of(b"rendition"),
            mark: "7".into(),
            provenance: Provenance::Made,
            before: Before::Default,
            looks: None,
            keys: None,
        }
    }

    /// Shown, whether a placement of avatar 7 is there, what stood, whether it was ours, what the run left, whether it can
    /// be given back → the reason.
    #[test]
    fn only_what_the_run_left_there_goes_back_to_what_stood_before() {
        let custom = |mark: &str| Shown::Custom(mark.into());
        let system = |mark: &str| Shown::System(mark.into());
        let (ours, default) = (Left::Ours, Left::Default);
        #[rustfmt::skip]
        let table = [
            (custom("7"), true, Shown::Default, false, ours, true, "undone"),
            (custom("7"), true, system("1"), false, ours, true, "undone"),
            (custom("7"), true, custom("5"), false, ours, true, "undone"),
            (custom("7"), true, custom("5"), false, ours, false, "undo_gone"),
            (custom("7"), true, custom("6"), true, ours, true, "undo_gone"),
            (custom("7"), true, Shown::Unknown("?".into()), false, ours, true, "undo_gone"),
            // A later run put it there: what stood before the first of them stands again.
            (custom("7"), true, custom("5"), false, default, true, "undone"),
            (custom("8"), true, custom("5"), false, ours, true, "undo_changed"),
            (system("1"), true, custom("5"), false, ours, true, "undo_changed"),
            (custom("7"), false, custom("5"), false, ours, true, "undo_changed"),
            (custom("5"), false, custom("5"), false, ours, true, "undo_done"),
            (system("1"), false, Shown::Default, false, ours, true, "undo_done"),
            (system("1"), false, custom("5"), false, default, true, "undone"),
            (system("1"), false, custom("6"), true, default, true, "undo_gone"),
            (Shown::Unknown("?".into()), true, custom("5"), false, ours, true, "picture_unknown"),
        ];
        let ada = PersonRef { source: "entra".into(), id: "ada".into() };
        let named = |last| KeysDigest::from_bytes([0, 0, 0, 0, 0, 0, 0, last]);
        let (target, default_mark) = (TargetId::from("jira"), PictureRef::from("1"));
        let place = Place { file: Arc::from("f"), line: 1 };
        for (shown, placed, stood, was_ours, left, gives_back, expected) in table {
            let account = Account {
                id: "K".into(),
                name: "k".into(),
                handle: None,
                email: None,
                display_name: String::new(),
                standing: AccountStanding::Active,
                shown,
            };
            let wrote = Wrote {
                stood,
                ours: was_ours,
                left,
                named: Some(named(1)),
                owner: Some(named(1)),
                person: Some(ada.clone()),
                stood_in: None,
                stood_of: was_ours.then(|| ada.clone()),
            };
            let placement = placed.then(|| Placement { person: Some(ada.clone()), ..placement() });
            let facts = Undo {
                target: &target,
                place: &place,
                ownership: Ownership::Provider,
                account: &account,
                named: named(1),
                owner: Some(named(1)),
                placement: placement.as_ref(),
                default: Some(&default_mark),
                wrote: Some(&wrote),
                gives_back,
                kept: Keeping::Nothing,
                is_gone: false,
                kept_is_shown: false,
                whose: &Whose::Same { no_ours: None },
            };
            let run = RunId::from("run");
            let kept = undo(&Undo { kept: Keeping::By(&run, Digest::of(b"kept")), ..facts });
            let comes_back = expected == "undone"
                || matches!(&wrote.stood, Shown::Custom(mark) if !gives_back && !was_ours && mark.as_str() == "5")
                || (was_ours && expected == "undo_gone");
            assert_eq!(kept.step.is_some(), comes_back, "{wrote:?}");
            if let Some(Step::GiveBack(Earlier { kept_by, ours, .. })) = kept.step {
                assert_eq!(kept_by.is_some(), !gives_back || was_ours, "what the product has itself is not uploaded");
                assert_eq!((ours, kept.decision.person.as_ref()), (was_ours, Some(&ada)));
                let shown = undo(&Undo { kept: Keeping::By(&run, Digest::of(b"kept")), kept_is_shown: true, ..facts });
                assert_eq!(shown.step.is_none(), was_ours && placed, "it is there already: {wrote:?}");
                let opted_out = LeftAlone::nobody_was_asked(&place);
                let no_ours = Whose::Same { no_ours: Some(opted_out) };
                let left = undo(&Undo { kept: Keeping::By(&run, Digest::of(b"kept")), whose: &no_ours, ..facts });
                assert_eq!(left.step.is_none(), was_ours, "no picture of ours is put there: {wrote:?}");
                let recognised = Wrote { stood_of: Some(ada.clone()), ..wrote.clone() };
                let left = undo(&Undo { wrote: Some(&recognised), whose: &no_ours, ..facts });
                let upload = matches!(wrote.stood, Shown::Custom(_));
                assert!(left.step.is_none() || !upload, "nor one that was recognised: {wrote:?}");
            }
            let gone = undo(&Undo { is_gone: true, ..facts });
            assert!(gone.step.is_none() && gone.decision.reason.word() != "undone", "{wrote:?}");
            let judged = undo(&facts);
            assert_eq!(judged.decision.reason.word(), expected, "{:?} {wrote:?}", account.shown);
            assert_eq!(judged.step.is_some(), expected == "undone");
            // A face of whoever had the account then comes back to nobody else.
            let others = [
                Wrote { named: Some(named(2)), ..wrote.clone() },
                Wrote { owner: Some(named(2)), ..wrote.clone() },
                Wrote { stood_of: Some(PersonRef { id: "grace".into(), ..ada.clone() }), ..wrote.clone() },
            ];
            for other in &others {
                assert!(undo(&Undo { wrote: Some(other), ..facts }).step.is_none(), "{other:?}");
            }
            let not_known = Whose::NotKnown(LeftAlone::nobody_was_asked(&place));
            let nobodys = undo(&Undo { whose: &not_known, ..facts });
            let is_face = matches!(wrote.stood, Shown::Custom(_));
            assert_eq!(nobodys.step.is_some(), expected == "undone" && !is_face, "{wrote:?}");
            let Whose::NotKnown(why) = &not_known else { unreachable!() };
            let left = undo(&Undo { whose: &Whose::LeftAlone(why.clone()), ..facts });
            assert!(left.step.is_none(), "{wrote:?}");
            // One human of two sources, on record for the other one by now.
            let by_google = PersonRef { source: "google".into(), id: "ada.g".into() };
            let twin = placement.clone().map(|placement| Placement { person: Some(by_google.clone()), ..placement });
            let twin = Undo { placement: twin.as_ref(), ..facts };
            assert_eq!(undo(&twin).decision.reason.word(), expected, "{wrote:?}");
            assert!(undo(&Undo { whose: &not_known, ..twin }).step.is_none() || !placed, "{wrote:?}");
            // Of an earlier version, which wrote no owner down.
            let earlier = Wrote { owner: None, ..wrote.clone() };
            let judged = undo(&Undo { wrote: Some(&earlier), ..facts });
            assert_eq!(judged.step.is_some(), expected == "undone" && placed, "{earlier:?}");
        }
    }
}
