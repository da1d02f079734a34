//! The accounts of one target, one after the other: facts, decision, what it asks of the run.
//!
//! Owns: turning a judgement into planned changes, counting.
//! Leaves to others: the facts (`account_facts`), the rules (`plan`), carrying them out (`apply`).
//! A newcomer gets wrong: an account with an open intent can have two entries in the plan, its mending and its own
//! change; mending is applied first.

use std::collections::BTreeMap;

use super::account_facts::{AccountFacts, Gatherer, rendition};
use super::clients::matching_place;
use super::pages::{PAGE, each_page};
use super::planner::Planner;
use super::reviewed::{Review, SavedChange};
use super::target_plan::{PlanCount, TargetPlan};
use super::target_run::{OpenTarget, TargetRun};
use crate::error::Trouble;
use crate::load::closing;
use crate::model::{
    Account, AccountId, Change, Decided, Decision, Digest, Event, Fault, OpenIntent, PersonRef, PersonResult, Picture,
    PictureRef, Placement, Provenance, Reason, Seen, Status, Step, Task, TaskResult, Wanted,
};
use crate::plan::{Drift, Judgement, Memory, Portrait, Rules, Settled, decide, settle};
use crate::settings::LimitName;
use crate::state::{Again, DecisionCursor};

/// Decides about every account of a target that answered. What was decided about it before is forgotten.
pub(super) fn judge_all(planner: &Planner<'_>, target_run: &TargetRun) -> Result<TargetPlan, Trouble> {
    let Some(open) = target_run.ready() else { return Ok(TargetPlan::default()) };
    let facts = &planner.context.facts;
    facts.forget_decisions(target_run.id())?;
    let mut target_planner = TargetPlanner::new(planner, target_run, open, TargetPlan::default())?;
    for accounts in each_page(|after| facts.accounts(target_run.id(), after, PAGE), |last| last.id.clone()) {
        let accounts = accounts?;
        target_planner.page(accounts)?;
    }
    Ok(target_planner.plan)
}

/// Decides again about the accounts of a target whose facts changed since; what was decided about them before is replaced.
pub(super) fn judge_again(
    planner: &Planner<'_>,
    target_run: &TargetRun,
    plan: TargetPlan,
) -> Result<TargetPlan, Trouble> {
    // One that failed at a look keeps what was decided about it, which the report tells; nothing of it is written.
    let Some(open) = target_run.ready() else { return Ok(plan) };
    let facts = &planner.context.facts;
    let mut target_planner = TargetPlanner::new(planner, target_run, open, plan)?;
    loop {
        let accounts = facts.take_outdated(target_run.id(), PAGE)?;
        if accounts.is_empty() {
            return Ok(target_planner.plan);
        }
        for counts in facts.take_decisions_back::<Vec<PlanCount>>(target_run.id(), &accounts)? {
            target_planner.plan.take_off(&counts);
        }
        target_planner.page(accounts)?;
    }
}

/// Deciding about one target.
struct TargetPlanner<'a> {
    planner: &'a Planner<'a>,
    target_run: &'a TargetRun,
    open: &'a OpenTarget,
    rules: Rules<'a>,
    gatherer: Gatherer<'a>,
    /// Decided since the last flush.
    decided: Vec<Decided>,
    /// What each account adds to the plan, since the last flush.
    counted: Vec<(AccountId, Vec<PlanCount>)>,
    /// Reviewed changes that are none any more, since the last flush.
    missed: Vec<(DecisionCursor, TaskResult)>,
    /// People whose renditions are missing, since the last flush.
    missing: Vec<PersonRef>,
    /// What was reviewed for the account at hand; `None`: this run has no reviewed plan.
    review: Option<Review>,
    /// The change of the account at hand that is none of those.
    not_reviewed: Option<SavedChange>,
    /// What the account at hand adds to the plan.
    counts: Vec<PlanCount>,
    /// What is planned so far.
    plan: TargetPlan,
}

/// What becomes of the account's own decision beside its mending.
enum OwnChange {
    Stands,
    IsTheMending,
    LeftAlone(String),
}

impl<'a> TargetPlanner<'a> {
    fn new(
        planner: &'a Planner<'a>,
        target_run: &'a TargetRun,
        open: &'a OpenTarget,
        plan: TargetPlan,
    ) -> Result<Self, Trouble> {
        Ok(Self {
            planner,
            target_run,
            open,
            rules: rules(planner, target_run, open)?,
            gatherer: Gatherer::new(planner, target_run, open)?,
            decided: Vec::new(),
            counted: Vec::new(),
            missed: Vec::new(),
            missing: Vec::new(),
            review: None,
            not_reviewed: None,
            counts: Vec::new(),
            plan,
        })
    }

    fn page(&mut self, accounts: Vec<Account>) -> Result<(), Trouble> {
        for known in self.gatherer.gather(accounts)? {
            self.judge(known)?;
        }
        self.flush()
    }

    /// Puts what was decided since the last flush into the facts.
    fn flush(&mut self) -> Result<(), Trouble> {
        let facts = &self.planner.context.facts;
        facts.put_decisions(&self.decided)?;
        self.decided.clear();
        facts.put_counted(self.target_run.id(), &self.counted)?;
        self.counted.clear();
        facts.put_results(&self.missed)?;
        self.missed.clear();
        let mut missing: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for person in self.missing.drain(..) {
            missing.entry(person.source).or_default().push(person.id);
        }
        for (source, people) in missing {
            facts.put_again(Again::Missing, &source, &people)?;
        }
        Ok(())
    }

    /// Decides about one account.
    fn judge(&mut self, known: AccountFacts) -> Result<(), Trouble> {
        let judgement = decide(&known.view(self.open.surveyed.default.as_ref()), &self.rules);
        self.plan.fed_by.extend(known.fed_by());
        count(&mut self.counts, &judgement);
        if judgement.spared && !self.is_told(&judgement.decision)? {
            self.counts.push(PlanCount::Spared);
        }
        let picture = judgement.decision.from.clone();
        self.begin_review(&known.account)?;
        match self.mend(&known, &judgement)? {
            OwnChange::Stands => self.take(&known, judgement)?,
            OwnChange::IsTheMending => {}
            OwnChange::LeftAlone(why) => self.leave_alone(judgement.decision, why),
        }
        self.end_review(&known.account, &picture, known.placement.as_ref())?;
        let counts = std::mem::take(&mut self.counts);
        self.plan.add(&counts);
        self.counted.push((known.account.id, counts));
        Ok(())
    }

    /// Whether a recorded run said the same of the account, with the same picture on it.
    fn is_told(&self, decision: &Decision) -> Result<bool, Trouble> {
        let from = decision.from.label();
        Ok(self.planner.context.store.has_told(&decision.target, &decision.account, &from, decision.reason)?)
    }

    fn begin_review(&mut self, account: &Account) -> Result<(), Trouble> {
        self.not_reviewed = None;
        if self.planner.selection.reviewed.is_some() {
            self.review = Some(Review::of(self.planner.context.facts.reviewed(self.target_run.id(), &account.id)?));
        }
        Ok(())
    }

    /// A reviewed change that is not made is told (docs/architecture.md, "Selecting and reviewing").
    fn end_review(
        &mut self,
        account: &Account,
        picture: &Picture,
        placement: Option<&Placement>,
    ) -> Result<(), Trouble> {
        let missed = self.review.as_ref().and_then(|review| review.missed(&account.shown, picture, placement));
        let (Some(missed), Some(Decided { decision, task: None })) = (missed, self.decided.last()) else {
            return Ok(());
        };
        if self.is_selected(account)? {
            let words = format!("the reviewed change was not made, which was to {} {}", missed.change, missed.from);
            let differs =
                self.not_reviewed.as_ref().map(|now| now.differs_from(missed)).filter(|words| !words.is_empty());
            let now = differs.unwrap_or_else(|| decision.reason.text().to_owned());
            let error = Some(Fault::new("stale", format!("{words}: now {now}")));
            let went = TaskResult { result: PersonResult::NotDone, error, shows: None, intent: None };
            self.missed.push((DecisionCursor::of(decision), went));
        }
        Ok(())
    }

    /// Whether `--only` and `--target` let the account be changed.
    fn is_selected(&self, account: &Account) -> Result<bool, Trouble> {
        let all = !self.planner.selection.narrows();
        Ok(all || self.planner.context.facts.is_selected(self.target_run.id(), &account.id)?)
    }

    /// Turns what was seen of open intents into mending.
    fn mend(&mut self, known: &AccountFacts, judgement: &Judgement) -> Result<OwnChange, Trouble> {
        // What is frozen is not even mended: it stays on record, and is mended once it thaws.
        if matches!(judgement.decision.reason, Reason::Frozen | Reason::TargetFrozen) {
            return Ok(OwnChange::Stands);
        }
        let mut own = OwnChange::Stands;
        for (intent, seen) in &known.intents {
            match settle(intent, seen, judgement.step.as_ref(), &self.open.size.recipe) {
                Settled::Close(why) => self.close(intent, &closing(&intent.status, &why))?,
                Settled::CloseReset => self.close(intent, &[Event::Reset, Event::Closed])?,
                Settled::Later => {}
                Settled::LeaveAlone(why) => own = OwnChange::LeftAlone(why),
                Settled::Finish(mark) => {
                    if matches!(seen, Seen::HalfDone(_)) {
                        own = OwnChange::IsTheMending;
                    }
                    let decision = mending(judgement, Change::Finish, intent, &mark);
                    self.push(decision, known, Step::Finish(intent.clone(), mark))?;
                }
                Settled::Tidy(mark) => {
                    let decision = mending(judgement, Change::Tidy, intent, &mark);
                    self.push(decision, known, Step::Tidy(intent.clone(), mark))?;
                }
            }
        }
        Ok(own)
    }

    fn close(&self, intent: &OpenIntent, events: &[Event]) -> Result<(), Trouble> {
        Ok(self.planner.context.facts.put_closing(intent, events)?)
    }

    fn take(&mut self, known: &AccountFacts, judgement: Judgement) -> Result<(), Trouble> {
        let Judgement { decision, step, .. } = judgement;
        match step {
            // The photos of whoever is not selected are not asked for.
            None if decision.reason == Reason::PhotoUnknown && !self.is_selected(&known.account)? => {
                self.skip(decision, Reason::NotSelected);
            }
            None => {
                if decision.reason == Reason::StillShown && self.is_selected(&known.account)? {
                    self.counts.push(PlanCount::StillShown);
                }
                self.counts.extend(left_as(decision.change));
                self.decided.push(Decided::left_alone(decision));
            }
            Some(step @ Step::Adopt(_)) => {
                // Ours already, and only whom it stands for is recorded anew; or recognised by its looks.
                let is_ours = !matches!(decision.from, Picture::Foreign(_));
                self.counts.push(if is_ours { PlanCount::Recorded } else { PlanCount::Adopted });
                self.counts.extend(left_as(decision.change).filter(|_| is_ours));
                let task = Some(Task { step, placement: known.placement.clone() });
                self.decided.push(Decided { decision, task });
            }
            Some(Step::Look(wanted)) => {
                if self.push(decision, known, Step::Look(wanted.clone()))? {
                    self.counts.push(PlanCount::Looks);
                    self.note_missing(wanted);
                }
            }
            Some(Step::Show(wanted)) => {
                if self.push(decision, known, Step::Show(wanted.clone()))? {
                    self.note_missing(wanted);
                }
            }
            Some(step) => _ = self.push(decision, known, step)?,
        }
        Ok(())
    }

    fn skip(&mut self, mut decision: Decision, reason: Reason) {
        (decision.change, decision.reason) = (Change::Skip, reason);
        decision.to = decision.from.label();
        self.counts.push(PlanCount::Skipped);
        self.decided.push(Decided::left_alone(decision));
    }

    fn leave_alone(&mut self, mut decision: Decision, why: String) {
        (decision.change, decision.reason, decision.detail) = (Change::Keep, Reason::Unsure, Some(why));
        decision.to = decision.from.label();
        self.counts.push(PlanCount::Kept);
        self.decided.push(Decided::left_alone(decision));
    }

    /// A photo; an image of the file was rendered before anything was decided.
    fn note_missing(&mut self, wanted: Wanted) {
        if wanted.rendition.is_none() && !self.planner.images.values().any(|image| *image == wanted.photo) {
            self.missing.extend(wanted.person);
        }
    }

    /// Plans a change, unless it is not selected: then it is only reported. Says whether it is planned.
    fn push(&mut self, mut decision: Decision, known: &AccountFacts, step: Step) -> Result<bool, Trouble> {
        if let Some(reason) = self.leaves_out(&decision, known, &step)? {
            decision.detail = Some(format!("{}: {}", decision.change.word(), decision.reason.text()));
            self.skip(decision, reason);
            return Ok(false);
        }
        if let Step::Show(_) = &step {
            let form = self.planner.transform.resize.format.media_type();
            let goes = self.target_run.target.goes_beside(&known.account, form);
            let goes = goes.map(|file| format!("`{file}` there goes: the new picture has another form"));
            decision.detail = decision.detail.or(goes);
        }
        let task = Task { step, placement: known.placement.clone() };
        self.counts.extend(shape(&decision, &task));
        let is_kept = self.planner.context.is_to_keep(&*self.target_run.target, &known.account.shown, &decision, &task);
        self.counts.extend(match is_kept {
            true => Some(PlanCount::ToKeep),
            false => self.is_lost(&decision).then_some(PlanCount::NotKept),
        });
        self.decided.push(Decided { decision, task: Some(task) });
        Ok(true)
    }

    /// Whether what stands there goes for good, as far as somebody may miss it: a folder's file of ours is made again.
    fn is_lost(&self, decision: &Decision) -> bool {
        let theirs = || matches!(&decision.from, Picture::Foreign(mark) if !mark.is_spoilt());
        takes_away(decision) && (!self.target_run.target.follows_people() || theirs())
    }

    /// Why a change is left out, if it is.
    fn leaves_out(
        &mut self,
        decision: &Decision,
        known: &AccountFacts,
        step: &Step,
    ) -> Result<Option<Reason>, Trouble> {
        if !self.is_selected(&known.account)? {
            return Ok(Some(Reason::NotSelected));
        }
        let Some(review) = &mut self.review else { return Ok(None) };
        let change = SavedChange::of(decision, step, &self.open.size.recipe);
        if review.passes(&change, step) {
            return Ok(None);
        }
        self.not_reviewed = Some(change);
        Ok(Some(Reason::NotReviewed))
    }
}

fn rules<'a>(planner: &'a Planner<'a>, target_run: &'a TargetRun, open: &'a OpenTarget) -> Result<Rules<'a>, Trouble> {
    let (entry, recipe) = (&target_run.entry, &open.size.recipe);
    let placed = planner.context.store.count_placements(target_run.id())?;
    let allowed = planner.allow.iter().any(|allow| allow.names(LimitName::TargetDrift, entry.id.as_str()));
    let restored = allowed || open.surveyed.lost;
    let portrait = |photo: &Digest| Portrait { photo: *photo, rendition: rendition(planner.context, photo, recipe) };
    Ok(Rules {
        target_id: entry.id.clone(),
        fallback: &planner.transform.fallback,
        ownership: &entry.ownership,
        target: entry.place.clone(),
        matching: matching_place(entry),
        accounts: &entry.accounts,
        freeze: &entry.freeze,
        same_picture: planner.transform.hash.same_picture.place.clone(),
        recipe,
        rerender: planner.rerender,
        drift: if restored { Drift::Restored } else { Drift::Chosen },
        memory: if placed == 0 { Memory::Empty } else { Memory::Holds },
        default_by: entry.kind.default_by(),
        images: planner.images.iter().map(|(path, photo)| (path.clone(), portrait(photo))).collect(),
    })
}

/// What the forecast is made of.
pub(super) fn shape(decision: &Decision, task: &Task) -> Option<PlanCount> {
    let made = task.placement.as_ref().is_some_and(|placement| placement.provenance == Provenance::Made);
    // Only the picture shown is taken away with it; another one that we made is not ours to find there.
    let shows_ours = matches!(decision.from, Picture::Ours(_));
    let uploads = match &task.step {
        Step::Show(_) | Step::Look(_) => true,
        Step::GiveBack(earlier) => earlier.kept_by.is_some(),
        _ => false,
    };
    Some(match &task.step {
        _ if uploads && made => PlanCount::ReplaceOverOurs,
        _ if uploads => PlanCount::Replace,
        Step::Show(_) | Step::Look(_) => return None,
        Step::Reset | Step::GiveBack(_) if made && shows_ours => PlanCount::RevertMade,
        Step::Reset | Step::GiveBack(_) => PlanCount::RevertAdopted,
        // Shown and recorded already: only the old picture of ours is left to go.
        Step::Finish(open, _) if matches!(open.status, Status::Shown(_)) => PlanCount::Tidy,
        Step::Finish(open, _) if open.intent.old.is_some() => PlanCount::FinishOverOurs,
        Step::Finish(..) => PlanCount::Finish,
        Step::Tidy(..) => PlanCount::Tidy,
        Step::Adopt(_) => return None,
    })
}

/// Whether a picture goes that a target may not keep (docs/write-protocols.md, "Bitbucket").
pub(super) fn takes_away(decision: &Decision) -> bool {
    matches!(decision.change, Change::Replace | Change::Revert | Change::Remove)
        && matches!(decision.from, Picture::Ours(_) | Picture::Foreign(_))
}

/// The plan's entry for mending an open intent.
pub(super) fn mending(judgement: &Judgement, change: Change, open: &OpenIntent, mark: &PictureRef) -> Decision {
    let mut decision = judgement.decision.clone();
    decision.change = change;
    decision.reason = if change == Change::Finish { Reason::HalfDone } else { Reason::Leftover };
    decision.detail = Some(format!("picture {mark} of run {}", open.intent.run));
    decision.to = match (change, open.intent.rendition) {
        (Change::Finish, Some(rendition)) => rendition.to_string(),
        _ => decision.from.label(),
    };
    decision
}

/// What the limits count, selected or not.
pub(super) fn count(counts: &mut Vec<PlanCount>, judgement: &Judgement) {
    counts.push(PlanCount::Accounts);
    let facts = [
        (judgement.matched, PlanCount::Matched),
        (judgement.foreign, PlanCount::Foreign),
        (judgement.pictured, PlanCount::Pictured),
        (judgement.reassigned, PlanCount::Reassigned),
        (judgement.unmatched, PlanCount::Unmatched),
        (judgement.drifted, PlanCount::Drifted),
    ];
    counts.extend(facts.into_iter().filter_map(|(holds, count)| holds.then_some(count)));
    counts.extend(match judgement.decision.change {
        Change::Replace => Some(PlanCount::Replacements),
        Change::Revert | Change::Remove => Some(PlanCount::Reverts),
        _ => None,
    });
}

/// How an account counts to which nothing is done.
pub(super) fn left_as(change: Change) -> Option<PlanCount> {
    match change {
        Change::Unchanged => Some(PlanCount::Unchanged),
        Change::Keep => Some(PlanCount::Kept),
        Change::Conflict => Some(PlanCount::Conflicts),
        Change::Skip => Some(PlanCount::Skipped),
        Change::Finish | Change::Tidy | Change::Replace | Change::Revert | Change::Remove => None,
    }
}
