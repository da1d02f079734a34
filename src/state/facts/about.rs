//! What the facts say of one account.
//!
//! Owns: everything that a decision about it is made of, a page at a time, and every decision about it, each with how it went.
//! Leaves to others: what follows (`run`, `explain`).
//! A newcomer gets wrong: to ask of one account after the other costs more than all that is done with the answers.

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::row::{COLUMNS, RESULT, read, went};
use super::{Facts, matches, people};
use crate::model::{
    Account, AccountId, Comparison, Decision, Matched, Person, PersonId, PhotoFact, SourceId, TargetId, TaskResult,
};
use crate::state::codec::{EnumWord, Json, TextId};
use crate::state::error::{StateError, StateFault};

/// What the facts say of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutAccount {
    /// Source by source, in the order of their ids.
    pub sources: Vec<AboutSource>,
    /// What looking at its picture said.
    pub looked: Comparison,
}

/// What they say of it and one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutSource {
    /// The source.
    pub source: SourceId,
    /// Who it was matched to.
    pub matched: Matched,
    /// The matched person, if the source listed them.
    pub person: Option<Person>,
    /// What was learnt of their photo; `None` if nobody asked.
    pub photo: Option<PhotoFact>,
    /// Whether the durable state did not know this photo before this run.
    pub is_new: bool,
}

impl AboutSource {
    /// Nothing is known.
    pub fn nobody(source: SourceId) -> Self {
        Self { source, matched: Matched::Nobody, person: None, photo: None, is_new: false }
    }
}

impl Facts {
    /// What is known of each of these accounts.
    pub fn about(&self, target: &TargetId, accounts: &[Account]) -> Result<Vec<AboutAccount>, StateError> {
        self.ensure_index(&self.people)?;
        let sql = format!(
            "SELECT matched.source, matched.verdict, matched.person, matched.detail, photo.fact, photo.new, {}
             FROM matched LEFT JOIN person ON person.source = matched.source AND person.id = matched.person
             LEFT JOIN photo ON photo.source = matched.source AND photo.person = matched.person
             WHERE target = ? AND account = ? ORDER BY matched.source",
            people::COLUMNS
        );
        self.read("read what is known of accounts in the facts", |db| {
            let looks = has_looks(db, target)?;
            let mut sources = db.prepare_cached(&sql)?;
            let mut looked = db.prepare_cached("SELECT said FROM looked WHERE target = ? AND account = ?")?;
            let about = |account: &Account| -> Result<AboutAccount, StateFault> {
                let key = [target.as_str(), account.id.as_str()];
                let said = |row: &Row<'_>| row.get::<_, EnumWord<Comparison>>(0);
                let looked = if looks { looked.query_row(key, said).optional()? } else { None };
                Ok(AboutAccount {
                    sources: sources.query_map(key, of_source)?.collect::<Result<_, _>>()?,
                    looked: looked.map_or(Comparison::NotYet, |said| said.0),
                })
            };
            accounts.iter().map(about).collect()
        })
    }

    /// Every decision about an account, in the order of the plan.
    pub fn decisions_about(
        &self,
        target: &TargetId,
        account: &AccountId,
    ) -> Result<Vec<(Decision, Option<TaskResult>)>, StateError> {
        self.read("read what was decided about an account in the facts", |db| {
            let mut query = db.prepare_cached(&format!(
                "SELECT {COLUMNS}, {RESULT} FROM decision WHERE target = ? AND account = ? ORDER BY slot, which"
            ))?;
            let rows = query.query_map([target.as_str(), account.as_str()], |row| Ok((read(row)?, went(row, 12)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// Whether any picture of the target was looked at: nearly always none was.
fn has_looks(db: &Connection, target: &TargetId) -> Result<bool, StateFault> {
    Ok(db.prepare_cached("SELECT 1 FROM looked WHERE target = ?")?.exists([target.as_str()])?)
}

fn of_source(row: &Row<'_>) -> rusqlite::Result<AboutSource> {
    // The id that the index was asked for; without it nobody was found.
    let listed: Option<TextId<PersonId>> = row.get(6)?;
    Ok(AboutSource {
        source: row.get::<_, TextId<SourceId>>(0)?.0,
        matched: matches::matched(row, 1)?,
        person: listed.map(|_| people::read(row, 6)).transpose()?,
        photo: row.get::<_, Option<Json<_>>>(4)?.map(|fact| fact.0),
        is_new: row.get::<_, Option<bool>>(5)?.unwrap_or_default(),
    })
}
