//! The accounts of one target, one after the other: facts, decision, what it asks of the run.
//!
//! Owns: gathering what is known of an account, turning a judgement into planned changes, counting.
//! Leaves to others: the rules (`plan`), carrying them out (`apply`).
//! A newcomer gets wrong: an account with an open intent can have two entries in the plan, its mending and its own
//! change; mending is applied first.

use std::collections::BTreeMap;
use std::path::Path;

use super::clients::matching_place;
use super::match_all::from_row;
use super::pages::PAGE;
use super::planner::Planner;
use super::reviewed::{Review, SavedChange};
use super::target_plan::{TargetCounts, TargetPlan};
use super::target_run::{Open, TargetRun};
use crate::error::Trouble;
use crate::load::{Changes, closing};
use crate::model::{
    Account, AccountId, AccountStanding, Act, ChangeKind, Decided, Decision, Digest, Event, Fault, KeysDigest,
    OpenIntent, Person, PersonRef, PersonResult, PhotoFact, Picture, PictureRef, Placement, Provenance, Reason, Seen,
    Shown, SourceId, StateKey, Status, Task, Verdict, Wanted, Went,
};
use crate::plan::{
    DefaultBy, Effect, Former, Judgement, Learnt, Matched, Memory, Rules, Settled, SourceState, SourceView, View,
    before, carried, decide, matched_by, placement_seen, settle,
};
use crate::settings::Ownership;
use crate::state::{Again, DecisionCursor};

/// Decides about every account of a target that answered. What was decided about it before is forgotten.
pub(super) fn judge_all(planner: &Planner<'_>, target_run: &TargetRun) -> Result<TargetPlan, Trouble> {
    let Some(open) = target_run.ready() else { return Ok(TargetPlan::default()) };
    let facts = &planner.context.facts;
    facts.forget_decisions(target_run.id())?;
    let mut target_planner = TargetPlanner::new(planner, target_run, open)?;
    let mut after: Option<AccountId> = None;
    loop {
        let accounts = facts.accounts(target_run.id(), after.as_ref(), PAGE)?;
        let Some(last) = accounts.last() else { return Ok(target_planner.plan) };
        after = Some(last.id.clone());
        for account in accounts {
            target_planner.judge(account)?;
        }
        target_planner.flush()?;
    }
}

/// Deciding about one target.
struct TargetPlanner<'a> {
    planner: &'a Planner<'a>,
    target_run: &'a TargetRun,
    open: &'a Open,
    rules: Rules<'a>,
    /// Of the digests of matched keys.
    key: StateKey,
    /// Decided since the last flush.
    decided: Vec<Decided>,
    /// Reviewed changes that are none any more, since the last flush.
    missed: Vec<(DecisionCursor, Went)>,
    /// What was reviewed for the account at hand; `None`: this run has no reviewed plan.
    review: Option<Review>,
    /// People whose renditions are missing, since the last flush.
    missing: Vec<PersonRef>,
    /// What is planned so far.
    plan: TargetPlan,
}

/// An account, and what stands there by the state and by what was seen of open intents.
struct Case {
    account: Account,
    placement: Option<Placement>,
}

/// What becomes of the account's own decision beside its mending.
enum Own {
    Stands,
    IsTheMending,
    LeftAlone(String),
}

impl<'a> TargetPlanner<'a> {
    /// Nothing decided yet.
    fn new(planner: &'a Planner<'a>, target_run: &'a TargetRun, open: &'a Open) -> Result<Self, Trouble> {
        let memory =
            if planner.context.store.count_placements(target_run.id())? == 0 { Memory::Empty } else { Memory::Holds };
        let rules = Rules { memory, ..rules(planner, target_run, open) };
        let (decided, missed, missing) = (Vec::new(), Vec::new(), Vec::new());
        let key = planner.context.store.key()?;
        Ok(Self {
            planner,
            target_run,
            open,
            rules,
            key,
            decided,
            missed,
            review: None,
            missing,
            plan: TargetPlan::default(),
        })
    }

    /// Puts what was decided since the last flush into the facts.
    fn flush(&mut self) -> Result<(), Trouble> {
        let facts = &self.planner.context.facts;
        facts.put_decisions(&self.decided)?;
        self.decided.clear();
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
    fn judge(&mut self, account: Account) -> Result<(), Trouble> {
        let intents = match self.target_run.opened {
            0 => Vec::new(),
            _ => self.planner.context.facts.seen(self.target_run.id(), &account.id)?,
        };
        let recorded = self.planner.context.store.placement(self.target_run.id(), &account.id)?;
        let placement = intents.iter().fold(recorded, |placement, (open, seen)| placement_seen(open, seen, placement));
        let case = Case { account, placement };
        let sources = self.sources(&case)?;
        let judgement = self.decide(&case, &sources)?;
        let matched = sources.iter().filter(|source| matches!(source.matched, Matched::Person(_)));
        self.plan.fed_by.extend(matched.map(|source| source.id.clone()));
        // Whoever is gone from the listing matches nobody; the source feeds the account all the same.
        self.plan
            .fed_by
            .extend(case.placement.iter().filter_map(|placement| Some(placement.person.as_ref()?.source.clone())));
        count(&mut self.plan.counts, &judgement);
        let (account, picture) = (case.account.clone(), judgement.decision.from.clone());
        let recorded = case.placement.clone();
        self.begin_review(&account)?;
        match self.mend(&case, &judgement, &intents)? {
            Own::Stands => self.take(case, judgement)?,
            Own::IsTheMending => {}
            Own::LeftAlone(why) => self.leave_alone(judgement.decision, why),
        }
        self.end_review(&account, &picture, recorded.as_ref())
    }

    fn begin_review(&mut self, account: &Account) -> Result<(), Trouble> {
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
            let words = format!("the reviewed change ({}, from {}) was not made", missed.change, missed.from);
            let error = Some(Fault::new("stale", format!("{words}: now it is {}", decision.reason.text())));
            let went = Went { result: PersonResult::NotDone, error, shows: None, intent: None };
            self.missed.push((DecisionCursor::of(decision), went));
        }
        Ok(())
    }

    /// Whether `--only` and `--target` let the account be changed.
    fn is_selected(&self, account: &Account) -> Result<bool, Trouble> {
        let all = !self.planner.selection.narrows();
        Ok(all || self.planner.context.facts.is_selected(self.target_run.id(), &account.id)?)
    }

    fn decide(&self, case: &Case, sources: &[SourceView]) -> Result<Judgement, Trouble> {
        let view = View {
            account: &case.account,
            placement: case.placement.as_ref(),
            default: self.open.surveyed.default.as_ref(),
            keys: &self.carried(&case.account),
            sources,
            former: self.former(case.placement.as_ref())?,
            looked: self.planner.context.facts.looked(self.target_run.id(), &case.account.id)?,
        };
        Ok(decide(&view, &self.rules))
    }

    /// Turns what was seen of open intents into mending.
    fn mend(&mut self, case: &Case, judgement: &Judgement, intents: &[(OpenIntent, Seen)]) -> Result<Own, Trouble> {
        let mut own = Own::Stands;
        for (intent, seen) in intents {
            match settle(intent, seen, &judgement.effect, &self.open.size.recipe) {
                Settled::Close(why) => self.close(intent, &closing(&intent.status, &why))?,
                Settled::CloseReset => self.close(intent, &[Event::Reset, Event::Closed])?,
                Settled::Later => {}
                Settled::LeaveAlone(why) => own = Own::LeftAlone(why),
                Settled::Finish(mark) => {
                    if matches!(seen, Seen::HalfDone(_)) {
                        own = Own::IsTheMending;
                    }
                    let decision = mending(judgement, ChangeKind::Finish, intent, &mark);
                    self.push(decision, case, Act::Finish(intent.clone(), mark))?;
                }
                Settled::Tidy(mark) => {
                    let decision = mending(judgement, ChangeKind::Tidy, intent, &mark);
                    self.push(decision, case, Act::Tidy(intent.clone(), mark))?;
                }
            }
        }
        Ok(own)
    }

    fn close(&self, intent: &OpenIntent, events: &[Event]) -> Result<(), Trouble> {
        Ok(self.planner.context.facts.put_closing(intent, events)?)
    }

    fn take(&mut self, case: Case, judgement: Judgement) -> Result<(), Trouble> {
        let Judgement { decision, effect, .. } = judgement;
        match effect {
            // The photos of whoever is not selected are not asked for.
            Effect::Nothing if decision.reason == Reason::PhotoUnknown && !self.is_selected(&case.account)? => {
                self.skip(decision, Reason::NotSelected);
            }
            Effect::Nothing => {
                run_report(&mut self.plan.counts, decision.verdict);
                self.decided.push(Decided::left_alone(decision));
            }
            Effect::Adopt(wanted) => {
                self.plan.counts.adopted += 1;
                let act = self.adopted(&case, &wanted).map(Act::Adopt);
                let task = act.map(|act| Task { act, placement: case.placement });
                self.decided.push(Decided { decision, task });
            }
            Effect::Own(wanted) => {
                run_report(&mut self.plan.counts, decision.verdict);
                let owned = case.placement.clone().map(|placement| Placement {
                    person: wanted.person,
                    keys: wanted.keys,
                    ..placement
                });
                let task = owned.map(|owned| Task { act: Act::Adopt(owned), placement: case.placement });
                self.decided.push(Decided { decision, task });
            }
            Effect::Look(wanted) => {
                if self.push(decision, &case, Act::Look(wanted.clone()))? {
                    self.plan.looks += 1;
                    self.note_missing(wanted);
                }
            }
            Effect::Show(wanted) => {
                if self.push(decision, &case, Act::Show(wanted.clone()))? {
                    self.note_missing(wanted);
                }
            }
            Effect::Reset => _ = self.push(decision, &case, Act::Reset)?,
        }
        Ok(())
    }

    fn skip(&mut self, mut decision: Decision, reason: Reason) {
        (decision.verdict, decision.reason) = (Verdict::Skip, reason);
        decision.to = decision.from.label();
        self.plan.counts.skipped += 1;
        self.decided.push(Decided::left_alone(decision));
    }

    fn leave_alone(&mut self, mut decision: Decision, why: String) {
        (decision.verdict, decision.reason, decision.detail) = (Verdict::Keep, Reason::Unsure, Some(why));
        decision.to = decision.from.label();
        self.plan.counts.kept += 1;
        self.decided.push(Decided::left_alone(decision));
    }

    /// A photo; an image of the file was rendered before anything was decided.
    fn note_missing(&mut self, wanted: Wanted) {
        if wanted.rendition.is_none() && !self.planner.images.values().any(|image| *image == wanted.photo) {
            self.missing.extend(wanted.person);
        }
    }

    /// Plans a change, unless it is not selected: then it is only reported. Says whether it is planned.
    fn push(&mut self, mut decision: Decision, case: &Case, act: Act) -> Result<bool, Trouble> {
        if let Some(reason) = self.leaves_out(&decision, case, &act)? {
            decision.detail = Some(format!("{}: {}", decision.verdict.word(), decision.reason.text()));
            self.skip(decision, reason);
            return Ok(false);
        }
        let task = Task { act, placement: case.placement.clone() };
        shape(&mut self.plan.changes, &decision, &task);
        self.plan.not_kept += u64::from(takes_away(&decision));
        self.decided.push(Decided { decision, task: Some(task) });
        Ok(true)
    }

    /// Why a change is left out, if it is.
    fn leaves_out(&mut self, decision: &Decision, case: &Case, act: &Act) -> Result<Option<Reason>, Trouble> {
        if !self.is_selected(&case.account)? {
            return Ok(Some(Reason::NotSelected));
        }
        let Some(review) = &mut self.review else { return Ok(None) };
        let change = SavedChange::of(decision, act, &self.open.size.recipe);
        Ok(if review.passes(&change, act) { None } else { Some(Reason::NotReviewed) })
    }

    /// A person whose picture stands on another account, which is in use and is not theirs any more, belongs to neither:
    /// whoever takes over an address or a name gains nobody's face (promise P1).
    fn unless_it_stands_elsewhere(&self, case: &Case, source: &SourceId, matched: Matched) -> Result<Matched, Trouble> {
        let Matched::Person(id) = &matched else { return Ok(matched) };
        let who = PersonRef { source: source.clone(), id: id.clone() };
        let known = case.placement.as_ref().and_then(|placement| placement.person.as_ref()) == Some(&who);
        if known || self.target_run.target.follows_people() {
            return Ok(matched);
        }
        let (target, facts) = (self.target_run.id(), &self.planner.context.facts);
        for other in self.planner.context.store.accounts_of(target, &who)? {
            let Some(former) = facts.account(target, &other)?.filter(|former| former.id != case.account.id) else {
                continue;
            };
            let mut rows = facts.matches(target, &other)?.into_iter().map(|row| from_row(Some(row)));
            // Whoever it belongs to by now gets a picture of their own there.
            let is_somebodys = rows.any(|row| matches!(row, Matched::Person(_)));
            if former.standing == AccountStanding::Active && !is_somebodys {
                let words =
                    format!("{id}, whose picture stands on {}, which is in use and fits nobody now", former.name);
                return Ok(Matched::Conflict(words));
            }
        }
        Ok(matched)
    }

    fn sources(&self, case: &Case) -> Result<Vec<SourceView>, Trouble> {
        let account = &case.account;
        let facts = &self.planner.context.facts;
        let rows = facts.matches(self.target_run.id(), &account.id)?;
        let mut rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.source.clone(), row)).collect();
        let view = |source_run: &super::source_run::SourceRun| {
            let matched =
                self.unless_it_stands_elsewhere(case, source_run.id(), from_row(rows.remove(source_run.id())))?;
            let (person, photo) = match &matched {
                Matched::Person(id) => {
                    let who = PersonRef { source: source_run.id().clone(), id: id.clone() };
                    (facts.person(&who)?, facts.photo(&who)?)
                }
                Matched::Ambiguous(_) | Matched::Conflict(_) | Matched::Nobody => (None, None),
            };
            let (shared_by, learnt) = match &photo {
                Some(PhotoFact::Present { digest }) => {
                    (self.planner.shared.by(source_run.id(), digest), self.learnt(source_run, &person)?)
                }
                _ => (None, Learnt::Before),
            };
            let (id, place, state) = (source_run.id().clone(), source_run.entry.place.clone(), source_run.state);
            let by = person.as_ref().and_then(|person| matched_by(account, person, &self.target_run.entry.matching));
            let keys = by.map(|words| self.digest(&words));
            Ok(SourceView { id, place, state, matched, person, photo, keys, shared_by, learnt })
        };
        self.planner.source_runs.iter().map(view).collect()
    }

    fn carried(&self, account: &Account) -> Vec<KeysDigest> {
        carried(account, &self.target_run.entry.matching).iter().map(|words| self.digest(words)).collect()
    }

    fn digest(&self, words: &[String]) -> KeysDigest {
        KeysDigest::of(&self.key, &words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Whether a photo is new to the state; of importance only where people may choose
    /// (docs/architecture.md, "The state").
    fn learnt(&self, source_run: &super::source_run::SourceRun, person: &Option<Person>) -> Result<Learnt, Trouble> {
        let (Ownership::Ours, Some(person)) = (self.rules.ownership.value, person) else { return Ok(Learnt::Before) };
        let who = PersonRef { source: source_run.id().clone(), id: person.id.clone() };
        Ok(if self.planner.context.facts.is_new_photo(&who)? { Learnt::Now } else { Learnt::Before })
    }

    fn former(&self, placement: Option<&Placement>) -> Result<Former, Trouble> {
        let Some(person) = placement.and_then(|placement| placement.person.as_ref()) else {
            return Ok(Former::Nobody);
        };
        let is_listed = |source_run: &&super::source_run::SourceRun| {
            *source_run.id() == person.source && source_run.state == SourceState::Listed
        };
        let source_run = self.planner.source_runs.iter().find(is_listed);
        Ok(match (source_run, self.planner.context.facts.person(person)?) {
            (None, _) => Former::Unknown,
            (Some(_), Some(person)) => Former::Listed(person.standing),
            // One of those without an id may be this very person.
            (Some(source_run), None) if source_run.counts.nameless > 0 => Former::Unknown,
            (Some(_), None) => Former::Gone,
        })
    }

    fn adopted(&self, case: &Case, wanted: &Wanted) -> Option<Placement> {
        let Shown::Custom(mark) = &case.account.shown else { return None };
        let spooled = self.planner.context.spool.get(&wanted.photo, &self.open.size.recipe);
        Some(Placement {
            target: self.target_run.id().clone(),
            account: case.account.id.clone(),
            person: wanted.person.clone(),
            photo: wanted.photo,
            recipe: self.open.size.recipe.clone(),
            rendition: wanted.rendition?,
            mark: mark.clone(),
            provenance: Provenance::Adopted,
            before: before(&case.account, case.placement.as_ref()),
            looks: spooled.and_then(|spooled| spooled.luma).map(|luma| luma.fingerprint()),
            keys: wanted.keys,
        })
    }
}

fn rules<'a>(planner: &'a Planner<'a>, target_run: &'a TargetRun, open: &'a Open) -> Rules<'a> {
    let entry = &target_run.entry;
    Rules {
        target_id: entry.id.clone(),
        fallback: &planner.transform.fallback,
        ownership: &entry.ownership,
        target: entry.place.clone(),
        matching: matching_place(entry),
        accounts: &entry.accounts,
        same_picture: planner.transform.same_picture.place.clone(),
        recipe: &open.size.recipe,
        rerender: planner.rerender,
        memory: Memory::Holds,
        default_by: match target_run.target.keeps_no_earlier_picture() {
            _ if target_run.target.follows_people() => DefaultBy::Removing,
            Some(_) => DefaultBy::Deleting,
            None => DefaultBy::Choosing,
        },
        image: Box::new(|path: &Path| planner.images.get(path).copied()),
        rendition: Box::new(|photo: &Digest| planner.context.spool.digest(photo, &open.size.recipe)),
    }
}

/// Adds a task to what the forecast is made of.
fn shape(shape: &mut Changes, decision: &Decision, task: &Task) {
    let made = task.placement.as_ref().is_some_and(|placement| placement.provenance == Provenance::Made);
    // Only the picture shown is taken away with it; another one that we made is not ours to find there.
    let shows_ours = matches!(decision.from, Picture::Ours(_));
    let slot = match &task.act {
        Act::Show(_) | Act::Look(_) if made => &mut shape.replace_over_ours,
        Act::Show(_) | Act::Look(_) => &mut shape.replace,
        Act::Reset if made && shows_ours => &mut shape.revert_made,
        Act::Reset => &mut shape.revert_adopted,
        // Shown and recorded already: only the old picture of ours is left to go.
        Act::Finish(open, _) if matches!(open.status, Status::Shown(_)) => &mut shape.tidy,
        Act::Finish(open, _) if open.intent.old.is_some() => &mut shape.finish_over_ours,
        Act::Finish(..) => &mut shape.finish,
        Act::Tidy(..) => &mut shape.tidy,
        Act::Adopt(_) => return,
    };
    *slot += 1;
}

/// Whether a picture goes that a target may not keep (docs/write-protocols.md, "Bitbucket").
fn takes_away(decision: &Decision) -> bool {
    let kind = decision.verdict.change();
    matches!(kind, Some(ChangeKind::Replace | ChangeKind::Revert | ChangeKind::Remove))
        && matches!(decision.from, Picture::Ours(_) | Picture::Foreign(_))
}

/// The plan's entry for mending an open intent.
fn mending(judgement: &Judgement, kind: ChangeKind, open: &OpenIntent, mark: &PictureRef) -> Decision {
    let mut decision = judgement.decision.clone();
    decision.verdict = Verdict::Change(kind);
    decision.reason = if kind == ChangeKind::Finish { Reason::HalfDone } else { Reason::Leftover };
    decision.detail = Some(format!("picture {mark} of run {}", open.intent.run));
    decision.to = match (kind, open.intent.rendition) {
        (ChangeKind::Finish, Some(rendition)) => rendition.to_string(),
        _ => decision.from.label(),
    };
    decision
}

fn count(counts: &mut TargetCounts, judgement: &Judgement) {
    counts.accounts += 1;
    counts.matched += u64::from(judgement.matched);
    counts.foreign += u64::from(judgement.foreign);
    counts.pictured += u64::from(judgement.pictured);
    counts.reassigned += u64::from(judgement.reassigned);
    counts.drifted += u64::from(judgement.drifted);
    match judgement.decision.verdict {
        Verdict::Change(ChangeKind::Replace) => counts.replacements += 1,
        Verdict::Change(ChangeKind::Revert | ChangeKind::Remove) => counts.reverts += 1,
        _ => {}
    }
}

fn run_report(counts: &mut TargetCounts, verdict: Verdict) {
    match verdict {
        Verdict::Unchanged => counts.unchanged += 1,
        Verdict::Keep => counts.kept += 1,
        Verdict::Conflict => counts.conflicts += 1,
        Verdict::Skip => counts.skipped += 1,
        Verdict::Change(_) => {}
    }
}
