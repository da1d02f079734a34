//! The accounts of one target when a run is undone, one after the other: facts, decision, what it takes.
//!
//! Owns: turning a judgement into planned changes, counting, and asking whether earlier uploads are there. Leaves to others: the rules (`plan`), carrying them out
//! (`apply`).
//! A newcomer gets wrong: a run that was killed left writes of which only looking tells. They are mended by this plan, too,
//! and count as what the run wrote.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::stream::{self, StreamExt as _};

use super::context::{RunContext, unix_now};
use super::kept::Found;
use super::pages::{PAGE, each_page};
use super::selection::Selection;
use super::target_plan::{PlanCount, TargetPlan};
use super::target_planner::{count, left_as, mending, shape, takes_away};
use super::target_run::{OpenTarget, TargetRun};
use crate::error::Trouble;
use crate::http::{Failure, FailureKind};
use crate::load::closing;
use crate::model::{
    Account, AccountId, Change, Decided, Decision, Earlier, Event, Intent, IntentKind, KeysDigest, Left, OpenIntent,
    Placement, Reason, RunId, Seen, Shown, StateKey, Step, Task, Wrote,
};
use crate::plan::{Judgement, Keeping, Settled, Undo, placement_seen, settle, undo};

/// Decides about every account of a target that answered, once the server has said which earlier uploads it has no more.
pub(super) async fn judge_all(
    context: &RunContext,
    selection: &Selection,
    run: &RunId,
    target_run: &mut TargetRun,
    concurrency: usize,
) -> Result<TargetPlan, Trouble> {
    let mut plan = TargetPlan::default();
    let (id, key) = (target_run.id().clone(), context.store.key()?);
    for accounts in each_page(|after| context.facts.accounts(&id, after, PAGE), |last| last.id.clone()) {
        let accounts = accounts?;
        let Some(open) = target_run.ready() else { break };
        let key = key.clone();
        let mut planner =
            UndoPlanner { context, selection, run, target_run, open, key, decided: Vec::new(), counts: Vec::new() };
        match planner.gone(&accounts, concurrency).await? {
            Ok(gone) => {
                for account in &accounts {
                    planner.judge(account, gone.contains(&account.id))?;
                    plan.add(&std::mem::take(&mut planner.counts));
                }
                context.facts.put_decisions(&std::mem::take(&mut planner.decided))?;
            }
            Err(failure) => target_run.failure = Some(failure),
        }
    }
    Ok(plan)
}

struct UndoPlanner<'a> {
    context: &'a RunContext,
    selection: &'a Selection,
    run: &'a RunId,
    target_run: &'a TargetRun,
    open: &'a OpenTarget,
    key: StateKey,
    /// Decided since the last page.
    decided: Vec<Decided>,
    /// What the account at hand adds to the plan.
    counts: Vec<PlanCount>,
}

/// What the state says of an account, and what was seen of writes to it that are open.
struct Known {
    intents: Vec<(OpenIntent, Seen)>,
    placement: Option<Placement>,
    wrote: Option<Wrote>,
    kept: Found,
}

impl UndoPlanner<'_> {
    fn known(&self, account: &Account) -> Result<Known, Trouble> {
        let (facts, target) = (&self.context.facts, self.target_run.id());
        let intents = match self.target_run.opened {
            0 => Vec::new(),
            _ => facts.seen(target, &account.id)?,
        };
        let recorded = self.context.store.placement(target, &account.id)?;
        let placement = intents.iter().fold(recorded, |placement, (open, seen)| placement_seen(open, seen, placement));
        let wrote = intents.iter().fold(facts.wrote(target, &account.id)?, |wrote, (open, seen)| {
            if open.intent.run == *self.run { with_open(&self.key, wrote, open, seen) } else { wrote }
        });
        let kept = match (&wrote, &self.context.kept) {
            // Ours of an earlier run was not kept.
            (Some(Wrote { stood: stood @ Shown::Custom(_), ours: false, .. }), Some(kept))
                if !self.gives_back(stood) =>
            {
                kept.get(target, &account.id, self.run, unix_now())
            }
            _ => Found::Nothing,
        };
        Ok(Known { intents, placement, wrote, kept })
    }

    fn judged(&self, account: &Account, known: &Known, is_gone: bool) -> Judgement {
        let mut judgement = undo(&Undo {
            target: self.target_run.id(),
            place: &self.target_run.entry.place,
            ownership: self.target_run.entry.ownership.value,
            account,
            named: KeysDigest::of_name(&self.key, &account.name),
            owner: self.open.owner(account),
            placement: known.placement.as_ref(),
            default: self.open.surveyed.default.as_ref(),
            wrote: known.wrote.as_ref(),
            gives_back: known.wrote.as_ref().is_some_and(|wrote| self.gives_back(&wrote.stood)),
            kept: match known.kept {
                Found::Picture(_) => Keeping::By(self.run),
                Found::Locked => Keeping::Locked,
                Found::Nothing => Keeping::Nothing,
            },
            is_gone,
        });
        let freeze = &self.target_run.entry.freeze;
        if freeze.value {
            let Judgement { decision, step, foreign, .. } = &mut judgement;
            (*step, *foreign, decision.change) = (None, false, Change::Keep);
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
            let step = self.judged(account, &self.known(account)?, false).step;
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
        while let Ok(Some((account, lost))) = self.context.unless_stopped("ask for earlier pictures", asks.next()).await
        {
            match lost {
                Ok(true) => _ = gone.insert(account.clone()),
                Ok(false) => {}
                Err(failure @ Failure { kind: FailureKind::Unreachable | FailureKind::Refused, .. }) => {
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
        let judgement = self.judged(account, &known, is_gone);
        let Known { intents, placement, .. } = known;
        count(&mut self.counts, &judgement);
        if judgement.decision.reason == Reason::TargetFrozen {
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
        let all = !self.selection.narrows();
        Ok(all || self.context.facts.is_selected(self.target_run.id(), account)?)
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
                    self.context.facts.put_closing(intent, &closing(&intent.status, &why))?;
                    continue;
                }
                Settled::CloseReset => {
                    self.context.facts.put_closing(intent, &[Event::Reset, Event::Closed])?;
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
