//! How tasks went.
//!
//! Owns: the result beside each decision, and the counts over all of them.
//! Leaves to others: what a result means for the run (`run`), its words (`report`).
//! A newcomer gets wrong: a decision without a result was not come to; why, the run knows.

use rusqlite::{Row, params};

use super::Facts;
use super::row::{COLUMNS, DecisionCursor, RESULT, place, read, went};
use crate::model::{AccountId, Change, Decision, IntentId, PersonResult, Planned, Reason, Shown, TargetId, TaskResult};
use crate::state::codec::{EnumWord, Json, TextId, Whole, limit};
use crate::state::error::StateError;

/// Bytes kept for a result: a fault in a sentence or two.
const ROOM: usize = 256;

/// What an account must show after a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToConfirm {
    /// The decision.
    pub at: DecisionCursor,
    /// What was written.
    pub shows: Shown,
    /// The intent behind it.
    pub intent: Option<IntentId>,
    /// What the confirming survey shows; `None` if it does not list the account.
    pub found: Option<Shown>,
}

impl ToConfirm {
    /// The account.
    pub fn account(&self) -> &AccountId {
        self.at.account()
    }
}

/// An account that shows another picture in the confirming survey than in the one before, or that is new there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shifted {
    /// The account.
    pub account: AccountId,
    /// Its name by now.
    pub name: String,
    /// Its handle by now.
    pub handle: Option<String>,
    /// What it showed before; `None`: it was not listed.
    pub before: Option<Shown>,
    /// What it shows now.
    pub shown: Shown,
    /// What was written to it, and is to be shown.
    pub meant: Option<Shown>,
}

/// A picture that this run made, or may have made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The account that it was meant for.
    pub account: AccountId,
    /// Its name at that time.
    pub name: String,
    /// What the account is to show; `None`: whether it was written is not known.
    pub shows: Option<Shown>,
    /// The intent behind it.
    pub intent: Option<IntentId>,
}

/// What a report lists of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// What was decided.
    pub decision: Decision,
    /// How it went; `None`: it was not come to.
    pub went: Option<TaskResult>,
    /// What the source displays for the person; `None`: nobody, or not listed.
    pub name: Option<String>,
}

/// So many changes of one kind went one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultCount {
    /// The kind.
    pub change: Change,
    /// How they went; `None`: they were not come to.
    pub result: Option<PersonResult>,
    /// So many.
    pub count: u64,
}

/// A decision, how it went, and when that was known first, in Unix seconds.
pub(crate) type DecisionResult = (Decision, Option<TaskResult>, Option<u64>);

impl Facts {
    /// Makes room for the results of a target's tasks: a full disk is to stop a run before its first write, not after it.
    /// From here on results take the place of what is put down now, and the log begins at its beginning again.
    pub fn reserve_results(&self, target: &TargetId) -> Result<(), StateError> {
        self.write("make room for results in the facts", |db| {
            db.execute(
                "UPDATE decision SET error = ?2 WHERE target = ?1 AND task IS NOT NULL AND result IS NULL",
                [target.as_str(), &" ".repeat(ROOM)],
            )?;
            Ok(())
        })?;
        self.empty_log("make room for results in the facts")
    }

    /// Puts how a page of tasks went.
    pub fn put_results(&self, results: &[(DecisionCursor, TaskResult)]) -> Result<(), StateError> {
        self.write("put results into the facts", |db| {
            let mut put = db.prepare_cached(
                "UPDATE decision SET result = ?5, error = ?6, shows = ?7, intent = ?8, ended = coalesce(ended, unixepoch())
                 WHERE target = ?1 AND account = ?2 AND slot = ?3 AND which = ?4",
            )?;
            for (at, went) in results {
                put.execute(params![
                    at.target.as_str(),
                    at.account.as_str(),
                    at.slot,
                    at.which,
                    EnumWord(went.result),
                    went.error.as_ref().map(Json),
                    went.shows.as_ref().map(Json),
                    went.intent.map(|intent| intent.0),
                ])?;
            }
            Ok(())
        })
    }

    /// A page of what a report lists of a target, all but the unchanged; in the order of the plan.
    pub fn reported(
        &self,
        target: &TargetId,
        after: Option<&DecisionCursor>,
        at_most: usize,
    ) -> Result<Vec<Reported>, StateError> {
        self.ensure_index(&self.people)?;
        let sql = format!(
            "SELECT {COLUMNS}, {RESULT},
               (SELECT display_name FROM person WHERE person.source = decision.source AND person.id = decision.person)
             FROM decision
             WHERE target = ?1 AND (account, slot, which) > (?2, ?3, ?4) AND (change <> 'unchanged' OR result IS NOT NULL)
             ORDER BY account, slot, which LIMIT ?5"
        );
        let from = place(after);
        self.read("read decisions and results in the facts", |db| {
            let page = params![target.as_str(), from.1, from.2, from.3, limit(at_most)];
            let mut query = db.prepare_cached(&sql)?;
            let rows = query.query_map(page, |row| {
                Ok(Reported { decision: read(row)?, went: went(row, 12)?, name: row.get(16)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// A page of the changes of a target to which something came, each with how it went and when that was known first, in Unix
    /// seconds; in the order of the plan.
    pub fn ended(
        &self,
        target: &TargetId,
        after: Option<&DecisionCursor>,
        at_most: usize,
    ) -> Result<Vec<DecisionResult>, StateError> {
        let sql = format!(
            "SELECT {COLUMNS}, {RESULT}, ended FROM decision
             WHERE target = ?1 AND (account, slot, which) > (?2, ?3, ?4) AND is_change = 1
             ORDER BY account, slot, which LIMIT ?5"
        );
        let from = place(after);
        self.read("read results and their times in the facts", |db| {
            let page = params![target.as_str(), from.1, from.2, from.3, limit(at_most)];
            let mut query = db.prepare_cached(&sql)?;
            let time = |row: &Row<'_>| row.get::<_, Option<Whole>>(16);
            let rows = query.query_map(page, |row| Ok((read(row)?, went(row, 12)?, time(row)?.map(|time| time.0))))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// A page of tasks of a target that may have been done, and whose intent is open; in the order of the plan.
    pub fn left_open(
        &self,
        target: &TargetId,
        after: Option<&DecisionCursor>,
        at_most: usize,
    ) -> Result<Vec<(Planned, TaskResult)>, StateError> {
        let page = self.page_of_planned(target, "result = 'open' AND intent IS NOT NULL", after, at_most)?;
        Ok(page.into_iter().filter_map(|(planned, went)| Some((planned, went?))).collect())
    }

    /// A page of the replacements of a target that were done; in the order of the plan.
    pub fn made(
        &self,
        target: &TargetId,
        after: Option<&DecisionCursor>,
        at_most: usize,
    ) -> Result<Vec<(Planned, TaskResult)>, StateError> {
        let done = "change = 'replace' AND result = 'done' AND shows IS NOT NULL";
        let page = self.page_of_planned(target, done, after, at_most)?;
        Ok(page.into_iter().filter_map(|(planned, went)| Some((planned, went?))).collect())
    }

    /// A page of what the confirming survey must show at a target; in the order of the plan. What is mended first and
    /// then changed again by the same plan must show the change.
    pub fn to_confirm(
        &self,
        target: &TargetId,
        after: Option<&DecisionCursor>,
        at_most: usize,
    ) -> Result<Vec<ToConfirm>, StateError> {
        let from = place(after);
        self.read("read what is to be confirmed in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT decision.account, slot, which, shows, intent, shown_after.shown FROM decision
                 LEFT JOIN shown_after ON shown_after.target = decision.target AND shown_after.account = decision.account
                 WHERE decision.target = ?1 AND (decision.account, slot, which) > (?2, ?3, ?4) AND shows IS NOT NULL
                   AND NOT EXISTS (SELECT 1 FROM decision later WHERE later.target = decision.target
                     AND later.account = decision.account AND later.slot > decision.slot AND later.shows IS NOT NULL)
                 ORDER BY decision.account, slot, which LIMIT ?5",
            )?;
            let page = params![target.as_str(), from.1, from.2, from.3, limit(at_most)];
            let rows = query.query_map(page, |row| {
                let (account, which): (String, String) = (row.get(0)?, row.get(2)?);
                let account = AccountId::new(account);
                Ok(ToConfirm {
                    at: DecisionCursor { target: target.clone(), account, slot: row.get(1)?, which },
                    shows: row.get::<_, Json<_>>(3)?.0,
                    intent: row.get::<_, Option<i64>>(4)?.map(IntentId),
                    found: row.get::<_, Option<Json<_>>>(5)?.map(|found| found.0),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// A page of the accounts whose picture is another one in the confirming survey than before; in the order of their
    /// ids.
    pub fn shifted(
        &self,
        target: &TargetId,
        after: Option<&AccountId>,
        at_most: usize,
    ) -> Result<Vec<Shifted>, StateError> {
        self.ensure_index(&self.accounts)?;
        self.read("compare two surveys in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT now.account, now.name, now.handle, account.shown, now.shown,
                   (SELECT shows FROM decision WHERE target = now.target AND decision.account = now.account
                      AND shows IS NOT NULL ORDER BY slot DESC LIMIT 1)
                 FROM shown_after now
                 LEFT JOIN account ON account.target = now.target AND account.id = now.account
                 WHERE now.target = ?1 AND now.account > ?2 AND account.shown IS NOT now.shown
                 ORDER BY now.account LIMIT ?3",
            )?;
            let page = params![target.as_str(), after.map_or("", AccountId::as_str), limit(at_most)];
            let rows = query.query_map(page, |row| {
                Ok(Shifted {
                    account: row.get::<_, TextId<AccountId>>(0)?.0,
                    name: row.get(1)?,
                    handle: row.get(2)?,
                    before: row.get::<_, Option<Json<_>>>(3)?.map(|shown| shown.0),
                    shown: row.get::<_, Json<_>>(4)?.0,
                    meant: row.get::<_, Option<Json<_>>>(5)?.map(|shown| shown.0),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// A page of what was, or may have been, written to a target in this run; in the order of the plan.
    pub fn written(
        &self,
        target: &TargetId,
        after: Option<&DecisionCursor>,
        at_most: usize,
    ) -> Result<Vec<(DecisionCursor, Written)>, StateError> {
        let from = place(after);
        self.read("read what was written in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT account, slot, which, account_name, shows, intent FROM decision
                 WHERE target = ?1 AND (account, slot, which) > (?2, ?3, ?4)
                   AND (shows IS NOT NULL OR (result = 'open' AND intent IS NOT NULL))
                 ORDER BY account, slot, which LIMIT ?5",
            )?;
            let page = params![target.as_str(), from.1, from.2, from.3, limit(at_most)];
            let rows = query.query_map(page, |row| {
                let account = row.get::<_, TextId<AccountId>>(0)?.0;
                let (slot, which) = (row.get(1)?, row.get(2)?);
                let at = DecisionCursor { target: target.clone(), account: account.clone(), slot, which };
                let shows = row.get::<_, Option<Json<_>>>(4)?.map(|shows| shows.0);
                let intent = row.get::<_, Option<i64>>(5)?.map(IntentId);
                Ok((at, Written { account, name: row.get(3)?, shows, intent }))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// How the changes of a target went, counted.
    pub fn count_results(&self, target: &TargetId) -> Result<Vec<ResultCount>, StateError> {
        self.read("count results in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT change, result, count(*) FROM decision WHERE target = ? AND is_change = 1
                 GROUP BY change, result",
            )?;
            let rows = query.query_map([target.as_str()], |row| {
                let change = Change::of_word(row.get_ref(0)?.as_str()?);
                let result = row.get::<_, Option<EnumWord<_>>>(1)?.map(|word| word.0);
                Ok(change.map(|change| (change, result)).zip(Some(row.get::<_, Whole>(2)?.0)))
            })?;
            let counts = rows.collect::<Result<Vec<_>, _>>()?;
            Ok(counts
                .into_iter()
                .flatten()
                .map(|((change, result), count)| ResultCount { change, result, count })
                .collect())
        })
    }

    /// How many accounts of a target were decided about for this reason.
    pub fn count_for(&self, target: &TargetId, reason: Reason) -> Result<u64, StateError> {
        self.read("count decisions in the facts", |db| {
            let mut query = db.prepare_cached("SELECT count(*) FROM decision WHERE target = ? AND reason = ?")?;
            Ok(query.query_row([target.as_str(), reason.word()], |row| Ok(row.get::<_, Whole>(0)?.0))?)
        })
    }

    /// How many pictures of a target were to be made again on request, and were not.
    pub fn count_not_made_again(&self, target: &TargetId) -> Result<u64, StateError> {
        self.read("count results in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT count(*) FROM decision WHERE target = ? AND reason = ? AND is_change = 1
                 AND ifnull(result, 'not_done') NOT IN ('done', 'not_shown')",
            )?;
            let of = [target.as_str(), Reason::Rerender.word()];
            Ok(query.query_row(of, |row| Ok(row.get::<_, Whole>(0)?.0))?)
        })
    }
}
