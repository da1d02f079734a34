//! Writing a guarded plan to one target (docs/architecture.md, "Apply").
//!
//! Owns: workers and their sessions, the order mending, replacements, reverts, and what happens after a "maybe".
//! Leaves to others: the steps of each write (`load`), durability (`journal`).
//! A newcomer gets wrong: workers share nothing but the stop flag. A session belongs to one worker; a write takes it, and
//! gives it back after a complete success alone (promise P1).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::{join_all, try_join_all};

use super::comes_to::{came_through, is_upload, shows};
use super::context::{RunContext, unix_now};
use super::journal::StoreJournal;
use super::keep::keep;
use super::kept::Found;
use super::pages::{PAGE, each_page};
use super::recall::recall;
use super::refused::Refusals;
use super::target_plan::{PlanCount, TargetPlan};
use super::target_run::{OpenTarget, TargetRun};
use crate::error::Trouble;
use crate::http::{Failure, FailureKind};
use crate::load::{Done, Mend, Session, WriteError, closing};
use crate::model::{
    Account, AccountId, Change, Earlier, Event, Fault, Intent, IntentId, IntentKind, OpenIntent, PersonResult,
    Placement, Planned, Reason, Rendition, Seen, Shown, Status, Step, TaskResult, Wanted,
};
use crate::plan::{before, looks_of_ours, old_of_ours};
use crate::settings::Ownership;
use crate::state::DecisionCursor;

fn done(shows: Option<Shown>, intent: Option<IntentId>) -> TaskResult {
    TaskResult { result: PersonResult::Done, error: None, shows, intent }
}

fn ended(result: PersonResult, fault: Fault) -> TaskResult {
    TaskResult { result, error: Some(fault), shows: None, intent: None }
}

fn changed_meanwhile() -> TaskResult {
    ended(PersonResult::NotDone, Fault::new(Reason::ChangedMeanwhile.word(), Reason::ChangedMeanwhile.text()))
}

/// The order of applying: mending first, then replacements, then reverts.
const ROUNDS: [&[Change]; 3] = [&[Change::Finish, Change::Tidy], &[Change::Replace], &[Change::Revert, Change::Remove]];

/// Writes a plan to a target. What stops the target is kept in its `TargetRun`, how each change went in the facts.
pub(super) async fn apply(
    context: &RunContext,
    target_run: &mut TargetRun,
    plan: &TargetPlan,
    concurrency: usize,
) -> Result<(), Trouble> {
    if target_run.opened > 0 {
        record_closings(context, target_run).await?;
    }
    if target_run.entry.ownership.value == Ownership::Ours {
        record_choices(context, target_run).await?;
    }
    if plan.count(PlanCount::Adopted) + plan.count(PlanCount::Recorded) > 0 {
        adopt(context, target_run).await?;
    }
    let total = plan.changes().count();
    let Some(open) = target_run.open.as_ref().filter(|_| total > 0) else { return finish(context, target_run).await };
    context.facts.reserve_results(target_run.id())?;
    let work = format!("write {}", target_run.id());
    context.begins(&work, Some(total));
    let workers = Workers {
        context,
        target_run,
        open,
        halt: Mutex::new(None),
        step: Mutex::new(0),
        refusals: Mutex::new(Refusals::default()),
        last: Mutex::default(),
        work: &work,
    };
    let mut sessions: Vec<Option<Session>> = (0..concurrency.max(1)).map(|_| None).collect();
    for changes in ROUNDS {
        workers.round(changes, &mut sessions).await?;
    }
    drop(sessions);
    workers.look_again_at_what_is_open().await?;
    let last = workers.last.into_inner().unwrap_or_else(PoisonError::into_inner);
    let failure = workers.halt.into_inner().unwrap_or_else(PoisonError::into_inner);
    let refusals = workers.refusals.into_inner().unwrap_or_else(PoisonError::into_inner);
    let failure = failure.or_else(|| refusals.of_everybody(target_run.id()));
    context.ends(&work, format!("{} of {total} done", refusals.done()));
    let known = context.store.learnt(&open.server.id)?;
    let mut learnt = known.clone();
    target_run.target.keep(&mut learnt);
    if learnt != known {
        context.store.learn(&open.server.id, &learnt).await?;
    }
    if let Some(failure) = failure {
        target_run.failure.get_or_insert(failure);
    }
    target_run.last_written = last.into_values().collect();
    finish(context, target_run).await
}

/// What the target does once nothing more is written.
async fn finish(context: &RunContext, target_run: &mut TargetRun) -> Result<(), Trouble> {
    if target_run.open.is_none() {
        return Ok(());
    }
    recall(context, target_run)?;
    if let Err(failure) = target_run.target.finish().await {
        target_run.failure.get_or_insert(failure);
    }
    Ok(())
}

async fn record_closings(context: &RunContext, target_run: &TargetRun) -> Result<(), Trouble> {
    for page in each_page(
        |after| context.facts.closings(target_run.id(), after, PAGE),
        |(account, intent, _)| (account.clone(), *intent),
    ) {
        let page = page?;
        for (_, intent, events) in &page {
            for event in events {
                context.store.record(*intent, event).await?;
            }
        }
    }
    Ok(())
}

/// Pictures that were looked at and are people's own: the next run need not look at them.
async fn record_choices(context: &RunContext, target_run: &TargetRun) -> Result<(), Trouble> {
    let id = target_run.id();
    for page in each_page(|after| context.facts.looked_other(id, after, PAGE), AccountId::clone) {
        let mut choices = Vec::new();
        for account in page? {
            if let Some(Account { shown: Shown::Custom(mark), .. }) = context.facts.account(id, &account)? {
                choices.push((account, mark));
            }
        }
        context.store.choose(id, choices).await?;
    }
    Ok(())
}

async fn adopt(context: &RunContext, target_run: &TargetRun) -> Result<(), Trouble> {
    let Some(open) = target_run.open.as_ref() else { return Ok(()) };
    for page in each_page(
        |after| context.facts.planned(target_run.id(), &[Change::Unchanged], after, PAGE),
        |last| DecisionCursor::of(&last.decision),
    ) {
        let page = page?;
        // Side by side, so that many are made durable at once.
        let adopted = page.into_iter().filter_map(|planned| match &planned.task.step {
            Step::Adopt(placement) => {
                // A former picture of ours stays on record as left over: nobody takes it away here.
                let draft = Intent { old: None, ..draft(context, target_run, open, &planned, None) };
                Some(context.store.adopt_instead(placement.clone(), &draft))
            }
            _ => None,
        });
        try_join_all(adopted).await?;
    }
    Ok(())
}

struct Workers<'a> {
    context: &'a RunContext,
    target_run: &'a TargetRun,
    open: &'a OpenTarget,
    halt: Mutex<Option<Failure>>,
    /// Changes that were come to.
    step: Mutex<u64>,
    refusals: Mutex<Refusals>,
    /// Whose picture each worker uploaded last.
    last: Mutex<BTreeMap<usize, AccountId>>,
    work: &'a str,
}

impl Workers<'_> {
    /// All changes of one round, page by page, dealt to the workers one by one.
    async fn round(&self, changes: &[Change], sessions: &mut [Option<Session>]) -> Result<(), Trouble> {
        let mut dealt = 0;
        for page in each_page(
            |after| self.context.facts.planned(self.target_run.id(), changes, after, PAGE),
            |last| DecisionCursor::of(&last.decision),
        ) {
            let page = page?;
            let mut shares = vec![Vec::new(); sessions.len()];
            for planned in &page {
                shares[dealt % sessions.len()].push(planned);
                dealt += 1;
            }
            let workers = sessions.iter_mut().zip(shares).enumerate();
            let workers = workers.map(|(nth, (session, share))| self.share(nth, session, share));
            let went: Vec<_> = join_all(workers).await.into_iter().flatten().collect();
            self.context.facts.put_results(&went)?;
        }
        Ok(())
    }

    async fn share(
        &self,
        nth: usize,
        session: &mut Option<Session>,
        share: Vec<&Planned>,
    ) -> Vec<(DecisionCursor, TaskResult)> {
        let mut results = Vec::with_capacity(share.len());
        for planned in share {
            let went = match self.may_begin() {
                Ok(()) => self.one(session, planned).await,
                Err(fault) => ended(PersonResult::NotDone, fault),
            };
            let went = match (went.result, went.intent) {
                // Looked at once more when all others are done.
                (PersonResult::Open, Some(_)) => went,
                _ => self.counted(went),
            };
            if went.result == PersonResult::Done && matches!(planned.task.step, Step::Show(_)) {
                let account = planned.account.id.clone();
                self.last.lock().unwrap_or_else(PoisonError::into_inner).insert(nth, account);
            }
            results.push((DecisionCursor::of(&planned.decision), went));
            self.step();
        }
        results
    }

    fn counted(&self, went: TaskResult) -> TaskResult {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).count(&went);
        went
    }

    fn step(&self) {
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        *step += 1;
        self.context.at(self.work, *step);
    }

    fn may_begin(&self) -> Result<(), Fault> {
        if self.halt.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return Err(Fault::new(Reason::TargetStopped.word(), Reason::TargetStopped.text()));
        }
        if self.context.stop.requested() {
            return Err(Fault::new("stopped", "the run was asked to stop; run again to go on"));
        }
        Ok(())
    }

    fn stop_target(&self, failure: Failure) -> TaskResult {
        let fault = Fault::new(Reason::TargetStopped.word(), failure.to_string());
        self.halt.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
        ended(PersonResult::Failed, fault)
    }

    /// One change, in the session that the last one gave back, else in a new one.
    async fn one(&self, kept: &mut Option<Session>, planned: &Planned) -> TaskResult {
        let session = match kept.take() {
            Some(session) => session,
            None => match self.target_run.target.session().await {
                Ok(session) => session,
                Err(failure) => return self.stop_target(failure),
            },
        };
        let mut journal = match &planned.task.step {
            Step::Finish(open, _) | Step::Tidy(open, _) => StoreJournal::of(&self.context.store, open.id),
            Step::Show(_) | Step::Look(_) | Step::Reset | Step::GiveBack(_) | Step::Adopt(_) => {
                StoreJournal::new(&self.context.store)
            }
        };
        let keeper = match keep(self.context, self.target_run, planned).await {
            Ok(keeper) => keeper,
            Err(WriteError::Stop(failure)) => return self.stop_target(failure),
            Err(WriteError::ChangedMeanwhile) => return changed_meanwhile(),
            Err(WriteError::Refused(fault) | WriteError::Unknown(fault)) => return ended(PersonResult::Failed, fault),
        };
        let went = self.write(session, planned, &mut journal).await;
        if let (Some(keeper), Err(WriteError::Refused(_) | WriteError::ChangedMeanwhile)) = (keeper, &went)
            && let Err(error) = keeper.remove(self.target_run.id(), &planned.account.id, &self.context.run)
        {
            tracing::warn!(%error, "what was kept of a picture that was not replaced stays until its time is over");
        }
        match went {
            Ok(Done { session, shown }) => {
                *kept = Some(session);
                done(shows(planned, shown), journal.id())
            }
            Err(WriteError::Refused(fault)) => ended(PersonResult::Failed, fault),
            Err(WriteError::ChangedMeanwhile) => changed_meanwhile(),
            Err(WriteError::Unknown(fault)) => TaskResult { intent: journal.id(), ..ended(PersonResult::Open, fault) },
            Err(WriteError::Stop(failure)) => self.stop_target(failure),
        }
    }

    async fn write(&self, session: Session, planned: &Planned, journal: &mut StoreJournal) -> Result<Done, WriteError> {
        match &planned.task.step {
            Step::Show(wanted) => {
                let gone = Fault::new("not_cached", "its picture is not in the cache any more; run again");
                let rendition = self.rendition(wanted).ok_or(WriteError::Refused(gone))?;
                let draft = self.draft(planned, Some((wanted, &rendition)));
                session.replace(draft, &rendition, journal).await
            }
            Step::GiveBack(earlier) if earlier.kept_by.is_some() => {
                let gone = Fault::new("gone", "what was kept of the earlier picture is there no more");
                let (wanted, rendition) = self.kept(planned).ok_or(WriteError::Refused(gone))?;
                let draft = self.draft(planned, Some((&wanted, &rendition)));
                session.replace(draft, &rendition, journal).await
            }
            Step::Reset | Step::GiveBack(_) => session.revert(self.draft(planned, None), journal).await,
            Step::Finish(open, mark) => session.mend(open, &Mend::Finish(mark.clone()), journal).await,
            Step::Tidy(open, mark) => session.mend(open, &Mend::Tidy(mark.clone()), journal).await,
            Step::Look(_) | Step::Adopt(_) => {
                Err(WriteError::Refused(Fault::new("not_looked_at", "the picture there was not looked at; run again")))
            }
        }
    }

    /// The rendition that was decided about, and no other.
    fn rendition(&self, wanted: &Wanted) -> Option<Rendition> {
        let rendition = self.context.spool.get(&wanted.photo, &self.open.size.recipe)?;
        wanted.rendition.is_none_or(|digest| digest == rendition.digest).then_some(rendition)
    }

    /// The picture that was kept for this account, as one that is wanted there.
    fn kept(&self, planned: &Planned) -> Option<(Wanted, Rendition)> {
        let Step::GiveBack(Earlier { kept_by: Some(run), .. }) = &planned.task.step else { return None };
        let kept = self.context.kept.as_ref()?;
        let Found::Picture(rendition) = kept.get(self.target_run.id(), &planned.account.id, run, unix_now()) else {
            return None;
        };
        let person = planned.decision.person.clone();
        let keys = planned.task.placement.as_ref().and_then(|placement| placement.keys);
        // Nobody knows any more which photo one of ours was made of: the next run finds that it is another one.
        Some((Wanted { person, photo: rendition.digest, rendition: Some(rendition.digest), keys }, rendition))
    }

    /// What the write uploads, if it uploads something.
    fn uploads(&self, planned: &Planned) -> Option<Rendition> {
        match &planned.task.step {
            Step::Show(wanted) => self.rendition(wanted),
            _ => self.kept(planned).map(|(_, rendition)| rendition),
        }
    }

    fn draft(&self, planned: &Planned, shown: Option<(&Wanted, &Rendition)>) -> Intent {
        draft(self.context, self.target_run, self.open, planned, shown)
    }

    /// After all "maybe"s.
    async fn look_again_at_what_is_open(&self) -> Result<(), Trouble> {
        for page in each_page(
            |after| self.context.facts.left_open(self.target_run.id(), after, PAGE),
            |(last, _)| DecisionCursor::of(&last.decision),
        ) {
            let page = page?;
            for (planned, parked) in &page {
                let fault = parked.error.clone().unwrap_or_else(|| Fault::new("maybe", "no answer came"));
                let went = self.counted(self.look_again(planned, parked.intent, fault).await?);
                self.context.facts.put_results(&[(DecisionCursor::of(&planned.decision), went)])?;
            }
        }
        Ok(())
    }

    /// After a "maybe": look, no sooner than `quiet`, and mend what is seen (docs/write-protocols.md).
    async fn look_again(&self, planned: &Planned, id: Option<IntentId>, fault: Fault) -> Result<TaskResult, Trouble> {
        let open_still = |fault: Fault| ended(PersonResult::Open, fault);
        let Some(open) = self.still_open(id)? else { return Ok(open_still(fault)) };
        let Some(seen) = self.observe_when_quiet(&open, planned).await else { return Ok(open_still(fault)) };
        let mend = match (&seen, &planned.task.step) {
            (Seen::Nothing(_) | Seen::Perhaps(_), step)
                if matches!(open.status, Status::Sent { .. }) && is_upload(step) =>
            {
                match self.uploads(planned) {
                    Some(rendition) => Mend::Again(rendition),
                    None => return Ok(open_still(fault)),
                }
            }
            (Seen::Nothing(why), _) => {
                for event in closing(&open.status, why) {
                    self.context.store.record(open.id, &event).await?;
                }
                return Ok(match came_through(&open.status, &planned.task.step) {
                    Some(mark) => done(shows(planned, mark), None),
                    None => ended(PersonResult::Failed, fault),
                });
            }
            (Seen::HalfDone(mark) | Seen::Shown(mark) | Seen::Alike(mark), _) => Mend::Finish(mark.clone()),
            (Seen::Leftover(mark) | Seen::Stray { mark, .. } | Seen::Reset(Some(mark)), _) => Mend::Tidy(mark.clone()),
            (Seen::Reset(None), _) => {
                self.context.store.end(open.id, &Event::Reset).await?;
                return Ok(done(shows(planned, None), None));
            }
            (Seen::TooEarly(_) | Seen::Perhaps(_) | Seen::Unsure(_), _) => return Ok(open_still(fault)),
        };
        Ok(self.mend(planned, &open, &mend, &seen, fault).await)
    }

    async fn mend(&self, planned: &Planned, open: &OpenIntent, mend: &Mend, seen: &Seen, fault: Fault) -> TaskResult {
        if self.may_begin().is_err() {
            return ended(PersonResult::Open, fault);
        }
        let Ok(session) = self.target_run.target.session().await else { return ended(PersonResult::Open, fault) };
        let mut journal = StoreJournal::of(&self.context.store, open.id);
        match (session.mend(open, mend, &mut journal).await, seen) {
            (Ok(_), Seen::Leftover(_) | Seen::Stray { .. }) => changed_meanwhile(),
            (Ok(Done { shown, .. }), _) => done(shows(planned, shown), Some(open.id)),
            (Err(WriteError::Refused(fault)), _) => ended(PersonResult::Failed, fault),
            (Err(WriteError::ChangedMeanwhile | WriteError::Unknown(_)), _) => ended(PersonResult::Open, fault),
            (Err(WriteError::Stop(failure)), _) => self.stop_target(failure),
        }
    }

    fn still_open(&self, id: Option<IntentId>) -> Result<Option<OpenIntent>, Trouble> {
        let Some(id) = id else { return Ok(None) };
        Ok(self.context.store.open_intent(id)?)
    }

    async fn observe_when_quiet(&self, open: &OpenIntent, planned: &Planned) -> Option<Seen> {
        let mut open = open.clone();
        open.not_after(unix_now());
        loop {
            let looks = self.target_run.target.observe(&open, Some(&planned.account), unix_now());
            match self.context.unless_stopped("look at a write", looks).await.and_then(|seen| seen) {
                Ok(Seen::TooEarly(until)) if !self.context.stop.requested() => {
                    self.context.stop.sleep(Duration::from_secs(until.saturating_sub(unix_now()).max(1))).await;
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

/// The intent of a change, but for what only the server can tell.
fn draft(
    context: &RunContext,
    target_run: &TargetRun,
    open: &OpenTarget,
    planned: &Planned,
    shown: Option<(&Wanted, &Rendition)>,
) -> Intent {
    let placement = planned.task.placement.as_ref();
    // A server that tells nothing of what stands there leaves the record to count.
    let is_shown = |ours: &&Placement| match &planned.account.shown {
        Shown::Custom(mark) => *mark == ours.mark,
        Shown::Unknown(_) => true,
        Shown::Default | Shown::System(_) => false,
    };
    // What a revert takes off without its being ours is not deleted, and nothing in its place
    // (docs/write-protocols.md).
    let ours = placement.filter(|ours| shown.is_some() || is_shown(ours));
    Intent {
        run: context.run.clone(),
        target: target_run.id().clone(),
        server: open.server.id.clone(),
        account: planned.account.id.clone(),
        account_name: planned.account.name.clone(),
        handle: planned.account.handle.clone().or_else(|| match &planned.task.step {
            Step::GiveBack(earlier) => earlier.lies_in.clone(),
            _ => None,
        }),
        kind: if shown.is_some() { IntentKind::Replace } else { IntentKind::Revert },
        person: match shown {
            Some((wanted, _)) => wanted.person.clone(),
            None => planned.decision.person.clone(),
        },
        photo: shown.map(|(wanted, _)| wanted.photo),
        recipe: shown.map(|_| open.size.recipe.clone()),
        rendition: shown.map(|(_, rendition)| rendition.digest),
        luma: shown.and_then(|(_, rendition)| rendition.luma.clone()),
        stood: planned.account.shown.clone(),
        base: Vec::new(),
        making: None,
        old: old_of_ours(ours),
        old_looks: looks_of_ours(ours),
        keys: shown.and_then(|(wanted, _)| wanted.keys),
        owner: open.owner(&planned.account),
        stood_in: None,
        stood_of: placement.filter(is_shown).and_then(|stood| stood.person.clone()),
        before: before(&planned.account, placement),
        back: planned.task.step.back(),
        begun_at: unix_now(),
    }
}
