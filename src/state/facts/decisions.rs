//! What was decided for each account.
//!
//! Owns: the one stable order of a plan (target, account, mending first), and the tasks that wait in it.
//! Leaves to others: deciding (`plan`), how the tasks went (`results`), reports (`report`).
//! A newcomer gets wrong: an account has one decision of its own, and besides it one for each leftover to be mended.

use rusqlite::{OptionalExtension as _, Row, params};

use super::row::{COLUMNS, DecisionCursor, RESULT, place, read, went};
use super::{Facts, accounts};
use crate::model::{Change, Decided, Decision, Planned, TargetId, Task, TaskResult};
use crate::state::codec::{Json, limit};
use crate::state::error::StateError;

/// Which kinds of decision are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecisionKinds {
    /// Every one.
    #[default]
    All,
    /// Those that write.
    Changes,
}

/// Which decisions are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// Of one target only.
    pub target: Option<TargetId>,
    /// Which kinds.
    pub kinds: DecisionKinds,
}

impl Facts {
    /// Puts a page of decisions, each with its task. A new decision on the same account, or the same leftover, replaces the
    /// earlier one.
    pub fn put_decisions(&self, decided: &[Decided]) -> Result<(), StateError> {
        self.write("put decisions into the facts", |db| {
            let mut put = db.prepare_cached(
                "INSERT OR REPLACE INTO decision (target, account, slot, which, account_name, source, person, change,
                 is_change, shown, wanted, reason, rule_file, rule_line, detail, task)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?;
            for Decided { decision, task } in decided {
                let at = DecisionCursor::of(decision);
                put.execute(params![
                    at.target.as_str(),
                    at.account.as_str(),
                    at.slot,
                    at.which,
                    decision.account_name,
                    decision.person.as_ref().map(|p| p.source.as_str()),
                    decision.person.as_ref().map(|p| p.id.as_str()),
                    decision.change.word(),
                    decision.change.writes(),
                    Json(&decision.from),
                    decision.to,
                    decision.reason.word(),
                    &*decision.rule.file,
                    decision.rule.line,
                    decision.detail,
                    task.as_ref().map(Json),
                ])?;
            }
            Ok(())
        })
    }

    /// A target is decided about anew: what was decided there before does not count any more.
    pub fn forget_decisions(&self, target: &TargetId) -> Result<(), StateError> {
        self.write("forget decisions in the facts", |db| {
            db.execute("DELETE FROM decision WHERE target = ?", [target.as_str()])?;
            db.execute("UPDATE seen SET events = NULL WHERE target = ?", [target.as_str()])?;
            Ok(())
        })
    }

    /// A page of what is to be done at a target by these changes, in the order of the plan.
    pub fn planned(
        &self,
        target: &TargetId,
        changes: &[Change],
        after: Option<&DecisionCursor>,
        at_most: usize,
    ) -> Result<Vec<Planned>, StateError> {
        let changes: Vec<_> = changes.iter().map(|change| format!("'{}'", change.word())).collect();
        let condition = format!("change IN ({}) AND task IS NOT NULL", changes.join(", "));
        let page = self.page_of_planned(target, &condition, after, at_most)?;
        Ok(page.into_iter().map(|(planned, _)| planned).collect())
    }

    /// What a decision takes; `None` if nothing is to be done.
    pub fn task(&self, at: &DecisionCursor) -> Result<Option<Task>, StateError> {
        self.read("read a task in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT task FROM decision WHERE target = ? AND account = ? AND slot = ? AND which = ?",
            )?;
            let key = params![at.target.as_str(), at.account.as_str(), at.slot, at.which];
            let task = query.query_row(key, |row| row.get::<_, Option<Json<_>>>(0)).optional()?;
            Ok(task.flatten().map(|task| task.0))
        })
    }

    /// A page of the pictures at a target that are to be looked at, in the order of the plan.
    pub fn to_look_at(
        &self,
        target: &TargetId,
        after: Option<&DecisionCursor>,
        at_most: usize,
    ) -> Result<Vec<Planned>, StateError> {
        let page = self.page_of_planned(target, "task -> '$.step.look' IS NOT NULL", after, at_most)?;
        Ok(page.into_iter().map(|(planned, _)| planned).collect())
    }

    /// What is to be done under this condition, with how it went if it was done already.
    pub(super) fn page_of_planned(
        &self,
        target: &TargetId,
        condition: &str,
        after: Option<&DecisionCursor>,
        at_most: usize,
    ) -> Result<Vec<(Planned, Option<TaskResult>)>, StateError> {
        self.ensure_index(&self.accounts)?;
        let sql = format!(
            "SELECT {COLUMNS}, {RESULT}, task, {} FROM decision
             JOIN account ON account.target = decision.target AND account.id = decision.account
             WHERE decision.target = ?1 AND (decision.account, slot, which) > (?2, ?3, ?4) AND {condition}
             ORDER BY decision.account, slot, which LIMIT ?5",
            accounts::COLUMNS
        );
        let from = place(after);
        self.read("read what is to be done in the facts", |db| {
            let page = params![target.as_str(), from.1, from.2, from.3, limit(at_most)];
            let read = |row: &Row<'_>| {
                let (decision, task, account) = (read(row)?, row.get::<_, Json<_>>(16)?.0, accounts::read(row, 17)?);
                Ok((Planned { decision, account, task }, went(row, 12)?))
            };
            Ok(db.prepare_cached(&sql)?.query_map(page, read)?.collect::<Result<_, _>>()?)
        })
    }

    /// A page of decisions in the order of the plan: target, account, mending before the account's own. `after` is the
    /// last one of the page before, of the same filter.
    pub fn decisions(
        &self,
        filter: &DecisionFilter,
        after: Option<&DecisionCursor>,
        at_most: usize,
    ) -> Result<Vec<Decision>, StateError> {
        let selected = match filter.kinds {
            DecisionKinds::All => "",
            DecisionKinds::Changes => "AND is_change = 1",
        };
        let from = place(after);
        // Row values compare like the primary key, so that each page begins where the last one ended. SQLite finds the
        // place only if the columns that are equal stand outside the row value.
        let (target, begin) = match &filter.target {
            Some(target) => (target.as_str(), "target = ?1 AND (account, slot, which) > (?2, ?3, ?4)"),
            None => (from.0, "(target, account, slot, which) > (?1, ?2, ?3, ?4)"),
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM decision WHERE {begin} {selected} ORDER BY target, account, slot, which LIMIT ?5"
        );
        self.read("read decisions in the facts", |db| {
            let page = params![target, from.1, from.2, from.3, limit(at_most)];
            Ok(db.prepare_cached(&sql)?.query_map(page, read)?.collect::<Result<_, _>>()?)
        })
    }
}
