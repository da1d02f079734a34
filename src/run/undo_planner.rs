//! The accounts of one target when a run is undone, one after the other: facts, decision, what it takes.
//!
//! Owns: turning a judgement into planned changes, counting, and asking whether earlier uploads are there. Leaves to others: the rules (`plan`), carrying them out
//! (`apply`).
//! A newcomer gets wrong: a run that was killed left writes of which only looking tells. They are mended by this plan, too,
//! and count as what the run wrote.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::stream::{self, StreamExt as _};

use super::account_facts::{AccountFacts, Gatherer};
use super::clients::matching_place;
use super::context::unix_now;
use super::kept::Found;
use super::pages::{PAGE, each_page};
use super::planner::Planner;
use super::target_plan::{PlanCount, TargetPlan};
use super::target_planner::{count, left_as, mending, shape, takes_away};
use super::target_run::{OpenTarget, TargetRun};
use crate::error::Trouble;
use crate::http::{Failure, FailureKind};
use crate::load::closing;
use crate::model::{
    Account, AccountId, Change, Decided, Decision, Earlier, Event, Intent, IntentKind, KeysDigest, Left, OpenIntent,
    Place, Placement, Reason, RunId, Seen, Shown, SourceId, StateKey, Step, Task, Wrote,
};
use crate::plan::{Judgement, Keeping, LeftAlone, Settled, Undo, Whose, WhoseRules, settle, undo, whose};

/// Decides about every account of a target that answered, once the server has said which earlier uploads it has no more.
pub(super) async fn judge_all(
    planner: &Planner<'_>,
    run: &RunId,
    target_run: &mut TargetRun,
    concurrency: usize,
) -> Result<TargetPlan, Trouble> {
    let mut plan = TargetPlan::default();
    let (id, facts) = (target_run.id().clone(), &planner.context.facts);
    for accounts in each_page(|after| facts.accounts(&id, after, PAGE), |last| last.id.clone()) {
        let accounts = accounts?;
        let Some(mut undoing) = UndoPlanner::new(planner, run, target_run)? else { break };
        match undoing.gone(&accounts, concurrency).await? {
            Ok(gone) => {
                for account in &accounts {
                    undoing.judge(account, gone.contains(&account.id))?;
                    plan.add(&std::mem::take(&mut undoing.counts));
                }
                facts.put_decisions(&std::mem::take(&mut undoing.decided))?;
            }
            Err(failure) => target_run.failure = Some(failure),
        }
    }
    Ok(plan)
}

/// What an undoing would give back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ComesBack {
    /// Nothing.
    Nothing,
    /// Defaults and stock pictures.
    NobodysFace,
    /// Uploads, which may be somebody's face.
    Uploads,
}

/// What an undoing would do if every account were still that of the same person.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outlook {
    /// The most that comes back.
    pub most: ComesBack,
    /// Kept pictures that open.
    pub opened: u64,
    /// Kept pictures that do not.
    pub locked: u64,
}

/// Adds what is seen ahead at a target that answered.
pub(super) fn look_ahead(
    planner: &Planner<'_>,
    run: &RunId,
    target_run: &TargetRun,
    mut so_far: Outlook,
) -> Result<Outlook, Trouble> {
    let Some(undoing) = UndoPlanner::new(planner, run, target_run)? else { return Ok(so_far) };
    let (id, facts) = (target_run.id(), &planner.context.facts);
    for accounts in each_page(|after| facts.accounts(id, after, PAGE), |last| last.id.clone()) {
        for account in accounts? {
            if target_run.opened == 0 && facts.wrote(id, &account.id)?.is_none() {
                continue;
            }
            let Judgement { step, decision, .. } =
                undoing.judged(&account, &undoing.known(&account)?, &Whose::Same { no_ours: None }, false);
            so_far.locked += u64::from(decision.reason == Reason::UndoLocked);
            so_far.most = so_far.most.max(match step {
                Some(Step::GiveBack(Earlier { shown: Shown::Custom(_), kept_by, .. })) => {
                    so_far.opened += u64::from(kept_by.is_some());
                    ComesBack::Uploads
                }
                Some(_) => ComesBack::NobodysFace,
                None => ComesBack::Nothing,
            });
        }
    }
    Ok(so_far)
}

struct UndoPlanner<'a> {
    planner: &'a Planner<'a>,
    run: &'a RunId,
    target_run: &'a TargetRun,
    open: &'a OpenTarget,
    gatherer: Gatherer<'a>,
    key: StateKey,
    matching: Place,
    /// Until when the run's pictures are kept, where the file has them kept, in Unix seconds.
    kept_until: Option<u64>,
    /// Sources that have some people left alone.
    leave_some_alone: BTreeSet<SourceId>,
    /// Decided since the last page.
    decided: Vec<Decided>,
    /// What the account at hand adds to the plan.
    counts: Vec<PlanCount>,
}

/// What the state says of an account, what was seen of writes to it that are open, and what the sources say.
struct Known {
    facts: AccountFacts,
    wrote: Option<Wrote>,
    kept: Found,
}

impl<'a> UndoPlanner<'a> {
    /// Of a target that answered.
    fn new(planner: &'a Planner<'a>, run: &'a RunId, target_run: &'a TargetRun) -> Result<Option<Self>, Trouble> {
        let Some(open) = target_run.ready() else { return Ok(None) };
        let sources = planner.source_runs.iter().map(|source_run| &source_run.entry);
        let leave_some_alone = sources.filter(|source| source.leaves_some_alone()).map(|source| source.id.clone());
        let began = planner.context.store.run(run)?.map_or(0, |found| found.row.started);
        Ok(Some(Self {
            planner,
            run,
            target_run,
            open,
            gatherer: Gatherer::new(planner, target_run, open)?,
            key: planner.context.store.key()?,
            matching: matching_place(&target_run.entry),
            kept_until: planner.context.kept.as_ref().map(|kept| kept.until(began)),
            leave_some_alone: leave_some_alone.collect(),
            decided: Vec::new(),
            counts: Vec::new(),
        }))
    }

    fn known(&self, account: &Account) -> Result<Known, Trouble> {
        let (context, target) = (self.planner.context, self.target_run.id());
        let facts = self.gatherer.gather_one(account.clone())?;
        let wrote = facts.intents.iter().fold(context.facts.wrote(target, &account.id)?, |wrote, (open, seen)| {
            if open.intent.run == *self.run { with_open(&self.key, wrote, open, seen) } else { wrote }
        });
        let kept = match (&wrote, &context.kept) {
            // What we made the product has no more.
            (Some(Wrote { stood: stood @ Shown::Custom(_), ours, .. }), Some(kept))
                if *ours || !self.gives_back(stood) =>
            {
                kept.get(target, &account.id, self.run, unix_now())
            }
            _ => Found::Nothing,
        };
        Ok(Known { facts, wrote, kept })
    }

    /// Whose the account is now.
    fn whose(&self, known: &Known) -> Whose {
        if self.planner.source_runs.is_empty() {
            return Whose::NotKnown(LeftAlone::nobody_was_asked(&self.matching));
        }
        let rules = WhoseRules {
            matching: &self.matching,
            fallback: &self.planner.transform.fallback,
            leave_some_alone: &self.leave_some_alone,
        };
        whose(&known.facts.sources, known.wrote.as_ref().and_then(|wrote| wrote.person.as_ref()), &rules)
    }

    fn judged(&self, account: &Account, known: &Known, whose: &Whose, is_gone: bool) -> Judgement {
        let facts = Undo {
            target: self.target_run.id(),
            place: &self.target_run.entry.place,
            ownership: self.target_run.entry.ownership.value,
            account,
            named: KeysDigest::of_name(&self.key, &account.name),
            owner: self.open.owner(account),
            placement: known.facts.placement.as_ref(),
            default: self.open.surveyed.default.as_ref(),
            wrote: known.wrote.as_ref(),
            gives_back: known.wrote.as_ref().is_some_and(|wrote| self.gives_back(&wrote.stood)),
            kept: match &known.kept {
                Found::Picture(kept) => Keeping::By(self.run, kept.digest),
                Found::Locked => Keeping::Locked,
                Found::Over(until) => Keeping::Over(*until),
                Found::Nothing => match self.kept_until {
                    None => Keeping::Off,
                    Some(until) if until <= unix_now() => Keeping::Over(until),
                    Some(_) => Keeping::Nothing,
                },
            },
            is_gone,
            kept_is_shown: match (&known.kept, &known.facts.placement) {
                (Found::Picture(kept), Some(placement)) => kept.digest == placement.rendition,
                _ => false,
            },
            whose,
        };
        let freeze = &self.target_run.entry.freeze;
        if !freeze.value {
            return undo(&facts);
        }
        // No source is asked for a frozen target alone.
        let mut judgement = undo(&Undo { whose: &Whose::Same { no_ours: None }, ..facts });
        let Judgement { decision, step, .. } = &mut judgement;
        if step.take().is_some() {
            decision.change = Change::Keep;
            (decision.reason, decision.rule, decision.detail) = (Reason::TargetFrozen, freeze.place.clone(), None);
        }
        judgement
    }

    /// Asks for the earlier uploads that are to be shown again. Whose there are no more; or what stops the target.
    async fn gone(
        &self,
        accounts: &[Account],
        concurrency: usize,
    ) -> Result<Result<BTreeSet<AccountId>, Failure>, Trouble> {
        let mut asked = Vec::new();
        for account in accounts {
            let known = self.known(account)?;
            let step = self.judged(account, &known, &self.whose(&known), false).step;
            if let Some(Step::GiveBack(earlier @ Earlier { shown: Shown::Custom(_), kept_by: None, .. })) = step
                && self.is_selected(&account.id)?
            {
                asked.push((account, earlier));
            }
        }
        let target = &self.target_run.target;
        let asks = asked.into_iter().map(|(account, earlier)| {
            let target = Arc::clone(target);
            async move { (&account.id, target.has_lost(account, &earlier).await) }
        });
        let mut asks = stream::iter(asks).buffer_unordered(concurrency.max(1));
        let mut gone = BTreeSet::new();
        let context = self.planner.context;
        while let Ok(Some((account, lost))) = context.unless_stopped("ask for earlier pictures", asks.next()).await {
            match lost {
                Ok(true) => _ = gone.insert(account.clone()),
                Ok(false) => {}
                Err(
                    failure @ Failure {
                        kind: FailureKind::Unreachable | FailureKind::Refused | FailureKind::Local, ..
                    },
                ) => {
                    return Ok(Err(failure));
                }
                Err(failure) => {
                    tracing::debug!(%failure, "whether an earlier picture is there is found out by the write")
                }
            }
        }
        Ok(Ok(gone))
    }

    fn judge(&mut self, account: &Account, is_gone: bool) -> Result<(), Trouble> {
        let known = self.known(account)?;
        let judgement = self.judged(account, &known, &self.whose(&known), is_gone);
        let AccountFacts { intents, placement, .. } = known.facts;
        count(&mut self.counts, &judgement);
        self.counts.extend((judgement.decision.reason == Reason::UndoLocked).then_some(PlanCount::Locked));
        if self.target_run.entry.freeze.value {
            self.leave(judgement.decision);
            return Ok(());
        }
        if let Some(why) = self.mend(account, &intents, &judgement, placement.as_ref())? {
            let mut decision = judgement.decision;
            (decision.change, decision.reason, decision.detail) = (Change::Keep, Reason::Unsure, Some(why));
            self.leave(decision);
            return Ok(());
        }
        match judgement.step {
            Some(step) => self.push(judgement.decision, &account.id, step, placement),
            None => {
                self.leave(judgement.decision);
                Ok(())
            }
        }
    }

    /// Whether `--only` and `--target` let the account be changed.
    fn is_selected(&self, account: &AccountId) -> Result<bool, Trouble> {
        let all = !self.planner.selection.narrows();
        Ok(all || self.planner.context.facts.is_selected(self.target_run.id(), account)?)
    }

    fn gives_back(&self, stood: &Shown) -> bool {
        let is_default = matches!(stood, Shown::System(mark) if self.open.surveyed.default.as_ref() == Some(mark));
        is_default || self.target_run.target.gives_back(stood)
    }

    /// Turns what was seen of open intents into mending. `Some`: the account is better left alone.
    fn mend(
        &mut self,
        account: &Account,
        intents: &[(OpenIntent, Seen)],
        judgement: &Judgement,
        placement: Option<&Placement>,
    ) -> Result<Option<String>, Trouble> {
        let mut left_alone = None;
        for (intent, seen) in intents {
            let (change, mark) = match settle(intent, seen, None, &self.open.size.recipe) {
                Settled::Close(why) => {
                    self.planner.context.facts.put_closing(intent, &closing(&intent.status, &why))?;
                    continue;
                }
                Settled::CloseReset => {
                    self.planner.context.facts.put_closing(intent, &[Event::Reset, Event::Closed])?;
                    continue;
                }
                Settled::Later => continue,
                Settled::LeaveAlone(why) => {
                    left_alone = Some(why);
                    continue;
                }
                Settled::Finish(mark) => (Change::Finish, mark),
                Settled::Tidy(mark) => (Change::Tidy, mark),
            };
            let decision = mending(judgement, change, intent, &mark);
            let step = match change {
                Change::Finish => Step::Finish(intent.clone(), mark),
                _ => Step::Tidy(intent.clone(), mark),
            };
            self.push(decision, &account.id, step, placement.cloned())?;
        }
        Ok(left_alone)
    }

    fn leave(&mut self, mut decision: Decision) {
        decision.to = decision.from.label();
        self.counts.extend(left_as(decision.change));
        self.decided.push(Decided::left_alone(decision));
    }

    /// Plans a change, unless it is not selected: then it is only reported.
    fn push(
        &mut self,
        mut decision: Decision,
        account: &AccountId,
        step: Step,
        placement: Option<Placement>,
    ) -> Result<(), Trouble> {
        if !self.is_selected(account)? {
            decision.detail = Some(format!("{}: {}", decision.change.word(), decision.reason.text()));
            (decision.change, decision.reason) = (Change::Skip, Reason::NotSelected);
            self.leave(decision);
            return Ok(());
        }
        if matches!(step, Step::GiveBack(Earlier { shown: Shown::Custom(_), kept_by: None, .. })) {
            self.counts.push(PlanCount::GivenBack);
        }
        let task = Task { step, placement };
        self.counts.extend(shape(&decision, &task));
        self.counts.extend(takes_away(&decision).then_some(PlanCount::NotKept));
        self.decided.push(Decided { decision, task: Some(task) });
        Ok(())
    }
}

/// What the run did, with a write of it that only looking tells of.
fn with_open(key: &StateKey, wrote: Option<Wrote>, open: &OpenIntent, seen: &Seen) -> Option<Wrote> {
    let left = match seen {
        _ if open.intent.kind == IntentKind::Probe => return wrote,
        Seen::Shown(_) | Seen::Alike(_) => Left::Ours,
        Seen::Reset(_) => Left::Default,
        _ => return wrote,
    };
    let (stood, old) = (&open.intent.stood, open.intent.old.as_ref());
    let ours = matches!(stood, Shown::Custom(mark) if old == Some(mark));
    let Intent { owner, person, stood_in, stood_of, .. } = open.intent.clone();
    let named = Some(KeysDigest::of_name(key, open.sent_name()));
    let now = Wrote { stood: stood.clone(), ours, left, named, owner, person, stood_in, stood_of };
    // The first write says what stood there, the last what it left.
    Some(match wrote {
        Some(Wrote { stood, ours, stood_in, stood_of, .. }) => Wrote { stood, ours, stood_in, stood_of, ..now },
        None => now,
    })
}
