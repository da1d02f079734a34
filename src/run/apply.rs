//! Writing a guarded plan to one target (design §4, apply).
//!
//! Owns: workers and their sessions, the order mending, replacements, reverts, and what happens after a "maybe".
//! Leaves to others: the steps of each write (`load`), durability (`journal`).
//! A newcomer gets wrong: workers share nothing but the stop flag. A session belongs to one worker and is thrown away
//! after anything but a complete success (promise P1).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;

use super::desk::{Desk, Open};
use super::house::{House, unix_now};
use super::journal::StoreJournal;
use super::judge::{Act, DeskPlan, Planned};
use super::spool::Spooled;
use crate::error::Trouble;
use crate::http::{Failure, FailureKind};
use crate::load::{Changes, Mend, Rendition, Session, Wrote, closing};
use crate::model::{
    ChangeKind, Event, Fault, Intent, IntentId, IntentKind, Mark, OpenIntent, Provenance, Reason, Seen, Shown, Status,
};
use crate::plan::{Settled, before, old_of_ours};
use crate::report::PersonResult;
use crate::state::DecisionCursor;

/// How one change went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Went {
    /// In a word.
    pub result: PersonResult,
    /// Why it failed.
    pub error: Option<Fault>,
    /// What the account must show now; `None`: nothing to confirm.
    pub shows: Option<Shown>,
    /// The intent behind it, where the confirming survey may have something to add.
    pub intent: Option<IntentId>,
}

impl Went {
    fn done(shows: Option<Shown>, intent: Option<IntentId>) -> Self {
        Self { result: PersonResult::Done, error: None, shows, intent }
    }

    fn ended(result: PersonResult, fault: Fault) -> Self {
        Self { result, error: Some(fault), shows: None, intent: None }
    }
}

/// How each change of a target went.
pub type Results = HashMap<DecisionCursor, Went>;

/// The order of applying: mending first, then replacements, then reverts.
const ROUNDS: [&[ChangeKind]; 3] =
    [&[ChangeKind::Finish, ChangeKind::Tidy], &[ChangeKind::Replace], &[ChangeKind::Revert, ChangeKind::Remove]];

/// The changes of one round, worker by worker. The same everywhere, so that the forecast knows every session's share.
fn shares<'a>(plan: &'a DeskPlan, round: &[ChangeKind], workers: usize) -> Vec<Vec<&'a Planned>> {
    let mut shares = vec![Vec::new(); workers.max(1)];
    let changes = plan
        .changes
        .iter()
        .filter(|planned| planned.decision.verdict.change().is_some_and(|kind| round.contains(&kind)));
    for (index, planned) in changes.enumerate() {
        shares[index % workers.max(1)].push(planned);
    }
    shares
}

/// The shape of a plan, for the target's forecast.
pub fn shape(plan: &DeskPlan, workers: usize, accounts: u64) -> Changes {
    let mut shape = Changes { accounts, ..Changes::default() };
    for planned in &plan.changes {
        let made = planned.placement.as_ref().is_some_and(|placement| placement.provenance == Provenance::Made);
        match &planned.act {
            Act::Show(_) if made => shape.replace_over_ours += 1,
            Act::Show(_) => shape.replace += 1,
            Act::Reset if made => shape.revert_made += 1,
            Act::Reset => shape.revert_adopted += 1,
            // Shown and recorded already: only the old picture of ours is left to go.
            Act::Finish(open, _) if matches!(open.status, Status::Shown(_)) => shape.tidy += 1,
            Act::Finish(open, _) if open.intent.old.is_some() => shape.finish_over_ours += 1,
            Act::Finish(..) => shape.finish += 1,
            Act::Tidy(..) => shape.tidy += 1,
        }
    }
    shape.sessions = shares(plan, ROUNDS[1], workers).iter().map(|share| share.len() as u64).collect();
    shape.sessions.retain(|writes| *writes > 0);
    shape
}

/// Writes a plan to a target. What stops the target is kept in the desk.
pub async fn apply(house: &House, desk: &mut Desk, plan: &DeskPlan, workers: usize) -> Result<Results, Trouble> {
    record_closings(house, plan).await?;
    for placement in &plan.adopt {
        house.store.adopt(placement.clone()).await?;
    }
    let mut results = Results::new();
    let Some(open) = desk.open.as_ref().filter(|_| !plan.changes.is_empty()) else { return Ok(results) };
    let work = format!("write {}", desk.id());
    house.begins(&work, Some(plan.changes.len() as u64));
    let crew = Crew { house, desk, open, halt: Mutex::new(None), done: Mutex::new(0), work: &work };
    let mut sessions: Vec<Option<Box<dyn Session>>> = (0..workers.max(1)).map(|_| None).collect();
    let mut parked = Vec::new();
    for round in ROUNDS {
        let shares = shares(plan, round, workers);
        let workers = sessions.iter_mut().zip(shares).map(|(session, share)| crew.share(session, share));
        for (planned, went) in join_all(workers).await.into_iter().flatten() {
            match went {
                Ended::Went(went) => _ = results.insert(DecisionCursor::of(&planned.decision), went),
                Ended::Parked(id, fault) => parked.push((planned, id, fault)),
            }
        }
    }
    drop(sessions);
    for (planned, id, fault) in parked {
        let went = crew.look_again(planned, id, fault).await?;
        results.insert(DecisionCursor::of(&planned.decision), went);
    }
    let failure = crew.halt.into_inner().unwrap_or_else(PoisonError::into_inner);
    let failure = failure.or_else(|| everybody_refused(desk, &results));
    let done = results.values().filter(|went| went.result == PersonResult::Done).count();
    house.ends(&work, format!("{done} of {} done", plan.changes.len()));
    if let Err(failure) = desk.target.finish().await {
        desk.failure.get_or_insert(failure);
    }
    if let Some(failure) = failure {
        desk.failure.get_or_insert(failure);
    }
    Ok(results)
}

/// One person who may not be written to is that person's matter; all of them in the same words are our permission.
fn everybody_refused(desk: &Desk, results: &Results) -> Option<Failure> {
    let faults: Vec<&Fault> = results.values().filter_map(|went| went.error.as_ref()).collect();
    let first = faults.iter().min_by_key(|fault| &fault.message);
    let first = first.filter(|_| faults.len() > 1 && faults.len() == results.len())?;
    let refused = |fault: &&Fault| fault.code == first.code && REFUSALS.contains(&fault.code.as_str());
    faults.iter().all(refused).then(|| {
        let tried = format!("write to {} accounts of {}", faults.len(), desk.id());
        Failure::new(FailureKind::Refused, tried, format!("each was refused, one of them: {}", first.message))
            .hint("give the account of `credential` the permission to administer users; `auth` tells what it may")
    })
}

/// The codes of faults that say: you may not.
const REFUSALS: [&str; 4] = ["unauthorized", "forbidden", "not_permitted", "avatars_refused"];

async fn record_closings(house: &House, plan: &DeskPlan) -> Result<(), Trouble> {
    for (open, settled) in &plan.close {
        let events = match settled {
            Settled::Close(why) => closing(&open.status, why),
            _ => vec![Event::Reset, Event::Closed],
        };
        for event in events {
            house.store.record(open.id, &event).await?;
        }
    }
    Ok(())
}

enum Ended {
    Went(Went),
    Parked(Option<IntentId>, Fault),
}

struct Crew<'a> {
    house: &'a House,
    desk: &'a Desk,
    open: &'a Open,
    halt: Mutex<Option<Failure>>,
    done: Mutex<u64>,
    work: &'a str,
}

impl Crew<'_> {
    async fn share<'p>(
        &self,
        session: &mut Option<Box<dyn Session>>,
        share: Vec<&'p Planned>,
    ) -> Vec<(&'p Planned, Ended)> {
        let mut ended = Vec::with_capacity(share.len());
        for planned in share {
            let went = match self.may_begin() {
                Ok(()) => self.one(session, planned).await,
                Err(fault) => Ended::Went(Went::ended(PersonResult::NotDone, fault)),
            };
            ended.push((planned, went));
            self.step();
        }
        ended
    }

    fn step(&self) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += 1;
        self.house.at(self.work, *done);
    }

    fn may_begin(&self) -> Result<(), Fault> {
        if self.halt.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return Err(Fault::new(Reason::TargetStopped.word(), Reason::TargetStopped.text()));
        }
        if self.house.stop.requested() {
            return Err(Fault::new("stopped", "the run was asked to stop; run again to go on"));
        }
        Ok(())
    }

    fn stop_target(&self, failure: Failure) -> Ended {
        let fault = Fault::new(Reason::TargetStopped.word(), failure.to_string());
        self.halt.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
        Ended::Went(Went::ended(PersonResult::Failed, fault))
    }

    async fn one(&self, session: &mut Option<Box<dyn Session>>, planned: &Planned) -> Ended {
        let mut way = match session.take() {
            Some(way) => way,
            None => match self.desk.target.session().await {
                Ok(way) => way,
                Err(failure) => return self.stop_target(failure),
            },
        };
        let mut journal = match &planned.act {
            Act::Finish(open, _) | Act::Tidy(open, _) => StoreJournal::of(&self.house.store, open.id),
            Act::Show(_) | Act::Reset => StoreJournal::new(&self.house.store),
        };
        let wrote = match self.write(way.as_mut(), planned, &mut journal).await {
            Ok(wrote) => wrote,
            Err(fault) => Wrote::Refused(fault),
        };
        match wrote {
            Wrote::Done(mark) => {
                *session = Some(way);
                Ended::Went(Went::done(shows(planned, mark), journal.id()))
            }
            Wrote::Refused(fault) => Ended::Went(Went::ended(PersonResult::Failed, fault)),
            Wrote::ChangedMeanwhile => {
                let fault = Fault::new(Reason::ChangedMeanwhile.word(), Reason::ChangedMeanwhile.text());
                Ended::Went(Went::ended(PersonResult::NotDone, fault))
            }
            Wrote::Maybe(fault) => Ended::Parked(journal.id(), fault),
            Wrote::Stop(failure) => self.stop_target(failure),
        }
    }

    async fn write(
        &self,
        way: &mut dyn Session,
        planned: &Planned,
        journal: &mut StoreJournal,
    ) -> Result<Wrote, Fault> {
        Ok(match &planned.act {
            Act::Show(wanted) => {
                let spooled = self
                    .house
                    .spool
                    .get(&wanted.photo, &self.open.serving.recipe)
                    .ok_or_else(|| Fault::new("spool", "the rendition is not in the spool any more; run again"))?;
                let draft = self.draft(planned, Some((wanted, &spooled)));
                way.replace(draft, &rendition(spooled), journal).await
            }
            Act::Reset => way.revert(self.draft(planned, None), journal).await,
            Act::Finish(open, mark) => way.mend(open, &Mend::Finish(mark.clone()), journal).await,
            Act::Tidy(open, mark) => way.mend(open, &Mend::Tidy(mark.clone()), journal).await,
        })
    }

    fn draft(&self, planned: &Planned, shown: Option<(&crate::plan::Wanted, &Spooled)>) -> Intent {
        let placement = planned.placement.as_ref();
        Intent {
            run: self.house.run.clone(),
            target: self.desk.id().clone(),
            server: self.open.server.id.clone(),
            account: planned.account.id.clone(),
            account_name: planned.account.name.clone(),
            handle: planned.account.handle.clone(),
            kind: if shown.is_some() { IntentKind::Replace } else { IntentKind::Revert },
            person: match shown {
                Some((wanted, _)) => wanted.person.clone(),
                None => planned.decision.person.clone(),
            },
            photo: shown.map(|(wanted, _)| wanted.photo),
            recipe: shown.map(|_| self.open.serving.recipe.clone()),
            rendition: shown.map(|(_, spooled)| spooled.digest),
            luma: shown.map(|(_, spooled)| spooled.luma.clone()),
            stood: planned.account.shown.clone(),
            base: Vec::new(),
            making: None,
            old: old_of_ours(placement),
            before: before(&planned.account, placement),
            begun_at: unix_now(),
        }
    }

    /// After a "maybe": look, no sooner than `quiet`, and mend what is seen (`write-protocols.md`).
    async fn look_again(&self, planned: &Planned, id: Option<IntentId>, fault: Fault) -> Result<Went, Trouble> {
        let open_still = |fault: Fault| Went::ended(PersonResult::Open, fault);
        let Some(open) = self.still_open(id)? else { return Ok(open_still(fault)) };
        let Some(seen) = self.observe_when_quiet(&open, planned).await else { return Ok(open_still(fault)) };
        let mend = match (&seen, &planned.act) {
            (Seen::Nothing(_) | Seen::Perhaps(_), Act::Show(wanted)) if matches!(open.status, Status::Sent { .. }) => {
                match self.house.spool.get(&wanted.photo, &self.open.serving.recipe) {
                    Some(spooled) => Mend::Again(rendition(spooled)),
                    None => return Ok(open_still(fault)),
                }
            }
            (Seen::Nothing(why), _) => {
                for event in closing(&open.status, why) {
                    self.house.store.record(open.id, &event).await?;
                }
                return Ok(match came_through(&open.status, &planned.act) {
                    Some(mark) => Went::done(shows(planned, mark), None),
                    None => Went::ended(PersonResult::Failed, fault),
                });
            }
            (Seen::HalfDone(mark) | Seen::Shown(mark) | Seen::Alike(mark), _) => Mend::Finish(mark.clone()),
            (Seen::Leftover(mark) | Seen::Reset(Some(mark)), _) => Mend::Tidy(mark.clone()),
            (Seen::Reset(None), _) => {
                self.house.store.record(open.id, &Event::Reset).await?;
                self.house.store.record(open.id, &Event::Closed).await?;
                return Ok(Went::done(shows(planned, None), None));
            }
            (Seen::TooEarly(_) | Seen::Perhaps(_) | Seen::Unsure(_), _) => return Ok(open_still(fault)),
        };
        Ok(self.mend(planned, &open, &mend, &seen, fault).await)
    }

    async fn mend(&self, planned: &Planned, open: &OpenIntent, mend: &Mend, seen: &Seen, fault: Fault) -> Went {
        if self.may_begin().is_err() {
            return Went::ended(PersonResult::Open, fault);
        }
        let mut way = match self.desk.target.session().await {
            Ok(way) => way,
            Err(_) => return Went::ended(PersonResult::Open, fault),
        };
        let mut journal = StoreJournal::of(&self.house.store, open.id);
        match (way.mend(open, mend, &mut journal).await, seen) {
            (Wrote::Done(_), Seen::Leftover(_)) => {
                let fault = Fault::new(Reason::ChangedMeanwhile.word(), Reason::ChangedMeanwhile.text());
                Went::ended(PersonResult::NotDone, fault)
            }
            (Wrote::Done(mark), _) => Went::done(shows(planned, mark), Some(open.id)),
            (Wrote::Refused(fault), _) => Went::ended(PersonResult::Failed, fault),
            (Wrote::ChangedMeanwhile | Wrote::Maybe(_), _) => Went::ended(PersonResult::Open, fault),
            (Wrote::Stop(failure), _) => match self.stop_target(failure) {
                Ended::Went(went) => went,
                Ended::Parked(_, fault) => Went::ended(PersonResult::Open, fault),
            },
        }
    }

    fn still_open(&self, id: Option<IntentId>) -> Result<Option<OpenIntent>, Trouble> {
        let Some(id) = id else { return Ok(None) };
        Ok(self.house.store.open_intent(id)?)
    }

    async fn observe_when_quiet(&self, open: &OpenIntent, planned: &Planned) -> Option<Seen> {
        let mut open = open.clone();
        open.not_after(unix_now());
        loop {
            let looks = self.desk.target.observe(&open, Some(&planned.account), unix_now());
            match self.house.unless_stopped("look at a write", looks).await.and_then(|seen| seen) {
                Ok(Seen::TooEarly(until)) if !self.house.stop.requested() => {
                    self.house.stop.sleep(Duration::from_secs(until.saturating_sub(unix_now()).max(1))).await;
                }
                Ok(seen) => return Some(seen),
                Err(failure) => {
                    if failure.kind == FailureKind::Refused {
                        self.halt.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
                    }
                    return None;
                }
            }
        }
    }
}

/// Nothing is left to mend because the last step took effect and only its answer was lost. `Some` holds what is shown.
fn came_through(status: &Status, act: &Act) -> Option<Option<Mark>> {
    match (status, act) {
        (Status::Shown(mark), _) => Some(Some(mark.clone())),
        (Status::Reset, _) | (Status::Leftover(_), Act::Tidy(..)) => Some(None),
        _ => None,
    }
}

fn rendition(spooled: Spooled) -> Rendition {
    let mime = if spooled.bytes.starts_with(&[0xFF, 0xD8]) { "image/jpeg" } else { "image/png" };
    Rendition { bytes: spooled.bytes, mime, side: spooled.side }
}

/// What the confirming survey must show.
fn shows(planned: &Planned, mark: Option<Mark>) -> Option<Shown> {
    match &planned.act {
        Act::Show(_) | Act::Finish(..) => mark.map(Shown::Custom),
        Act::Reset => Some(Shown::Default),
        Act::Tidy(..) => None,
    }
}
