//! The row of a decision, and what is beside it once its task is done.
//!
//! Owns: where it stands in the order of a plan, and how its columns are read. Leaves to others: which rows are wanted.
//! A newcomer gets wrong: a page begins after a place in that order, and not at a number: rows come and go between two.

use std::sync::Arc;

use rusqlite::Row;
use rusqlite::types::Type;

use crate::model::{
    AccountId, Change, Decision, IntentId, PersonId, PersonRef, PersonResult, Place, SourceId, TargetId, TaskResult,
};
use crate::state::codec::{EnumWord, Json, TextId};

/// Where a decision stands in the order of the plan; where a page ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionCursor {
    pub(super) target: TargetId,
    pub(super) account: AccountId,
    pub(super) slot: u8,
    pub(super) which: String,
}

impl DecisionCursor {
    /// The place of this decision.
    pub fn of(decision: &Decision) -> Self {
        let (slot, which) = match decision.change {
            Change::Finish => (0, decision.detail.clone().unwrap_or_default()),
            Change::Tidy => (1, decision.detail.clone().unwrap_or_default()),
            _ => (2, String::new()),
        };
        Self { target: decision.target.clone(), account: decision.account.clone(), slot, which }
    }

    /// The account it is about.
    pub fn account(&self) -> &AccountId {
        &self.account
    }
}

/// Of a decision, as [`read`] takes them.
pub(super) const COLUMNS: &str = "decision.target, decision.account, account_name, source, person, change, \
    decision.shown, wanted, reason, rule_file, rule_line, detail";

/// The primary key after which a page begins.
pub(super) fn place(after: Option<&DecisionCursor>) -> (&str, &str, i64, &str) {
    after
        .map_or(("", "", -1, ""), |at| (at.target.as_str(), at.account.as_str(), i64::from(at.slot), at.which.as_str()))
}

fn change(row: &Row<'_>, column: usize) -> rusqlite::Result<Change> {
    let word = row.get_ref(column)?.as_str()?;
    Change::of_word(word).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, format!("there is no change `{word}`").into())
    })
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Decision> {
    let source: Option<TextId<SourceId>> = row.get(3)?;
    let person: Option<TextId<PersonId>> = row.get(4)?;
    let file: Arc<str> = row.get::<_, String>(9)?.into();
    Ok(Decision {
        target: row.get::<_, TextId<TargetId>>(0)?.0,
        account: row.get::<_, TextId<AccountId>>(1)?.0,
        account_name: row.get(2)?,
        person: source.zip(person).map(|(source, id)| PersonRef { source: source.0, id: id.0 }),
        change: change(row, 5)?,
        from: row.get::<_, Json<_>>(6)?.0,
        to: row.get(7)?,
        reason: row.get::<_, EnumWord<_>>(8)?.0,
        rule: Place { file, line: row.get(10)? },
        detail: row.get(11)?,
    })
}

pub(super) const RESULT: &str = "result, error, shows, intent";

/// How a task went, by the four columns from `from` on; `None`: it was not come to.
pub(super) fn went(row: &Row<'_>, from: usize) -> rusqlite::Result<Option<TaskResult>> {
    let Some(result) = row.get::<_, Option<EnumWord<PersonResult>>>(from)? else { return Ok(None) };
    Ok(Some(TaskResult {
        result: result.0,
        error: row.get::<_, Option<Json<_>>>(from + 1)?.map(|error| error.0),
        shows: row.get::<_, Option<Json<_>>>(from + 2)?.map(|shows| shows.0),
        intent: row.get::<_, Option<i64>>(from + 3)?.map(IntentId),
    }))
}
