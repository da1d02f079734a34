//! Taking out of the durable store what is not to be kept any longer: of somebody, and of old runs.
//!
//! Owns: which rows those are. Leaves to others: whom a name means (`explain`), when (`cli`).
//! A newcomer gets wrong: that there was a write stays, and what the server called the picture; not whose it was.

use std::collections::BTreeSet;

use rusqlite::{Connection, Params, params};

use super::runs::SUCCESS;
use super::{Store, lines, past, placements};
use crate::model::{AccountId, PersonRef, TargetId};
use crate::state::codec::{Packed, TextId, Whole};
use crate::state::error::{StateError, StateFault};
use crate::state::writer::Ack;

/// People and accounts on record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeopleAndAccounts {
    /// The people.
    pub people: BTreeSet<PersonRef>,
    /// The accounts.
    pub accounts: BTreeSet<(TargetId, AccountId)>,
}

/// How many rows were taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Photo marks.
    pub marks: usize,
    /// Placements.
    pub placements: usize,
    /// Closed writes that do not say any more to whom they were.
    pub writes: usize,
    /// Lines of recorded reports.
    pub lines: usize,
}

/// Whose an open intent is.
const OF_ACCOUNT: &str = "body ->> '$.target' = ?1 AND body ->> '$.account' = ?2";
const OF_PERSON: &str = "body ->> '$.person.source' = ?1 AND body ->> '$.person.id' = ?2";

impl Store {
    /// Whoever has this id in the state: also who is listed nowhere any more.
    pub fn with_id(&self, id: &str) -> Result<PeopleAndAccounts, StateError> {
        self.read("look for an id in the state", |db| {
            let people = "SELECT text, person FROM photo_mark JOIN word ON id = source WHERE person = ?1
                UNION SELECT text, person FROM placement JOIN word ON id = source WHERE person = ?1";
            let accounts = "SELECT text, account FROM placement JOIN word ON id = target WHERE account = ?1
                UNION SELECT text, account FROM past JOIN word ON word.id = target WHERE account = ?1
                UNION SELECT body ->> '$.target', body ->> '$.account' FROM intent WHERE body ->> '$.account' = ?2";
            let people = pairs(db, people, params![Packed(id)])?
                .into_iter()
                .map(|(source, id)| PersonRef { source, id })
                .collect();
            Ok(PeopleAndAccounts {
                people,
                accounts: pairs(db, accounts, params![Packed(id), id])?.into_iter().collect(),
            })
        })
    }

    /// How many writes to them are open.
    pub fn count_open_of(&self, whom: &PeopleAndAccounts) -> Result<u64, StateError> {
        self.read("look for open writes in the state", |db| {
            let count = |condition: &str, of: [&str; 2]| -> Result<u64, StateFault> {
                let sql = format!("SELECT count(*) FROM intent WHERE open = 1 AND {condition}");
                Ok(db.prepare_cached(&sql)?.query_row(of, |row| Ok(row.get::<_, Whole>(0)?.0))?)
            };
            let accounts = whom.accounts.iter().map(|(target, id)| count(OF_ACCOUNT, [target.as_str(), id.as_str()]));
            let people = whom.people.iter().map(|one| count(OF_PERSON, [one.source.as_str(), one.id.as_str()]));
            accounts.chain(people).sum()
        })
    }

    /// Their accounts: those that are meant, and those to which a photo of theirs was written.
    pub fn accounts_of_all(&self, whom: &PeopleAndAccounts) -> Result<BTreeSet<(TargetId, AccountId)>, StateError> {
        self.read("look for accounts in the state", |db| {
            let mut accounts = whom.accounts.clone();
            for person in &whom.people {
                let placed =
                    format!("SELECT text, account FROM placement JOIN word ON id = target WHERE {}", past::OF_PERSON);
                accounts.extend(pairs(db, &placed, params![person.source.as_str(), Packed(person.id.as_str())])?);
                let begun = format!("SELECT body ->> '$.target', body ->> '$.account' FROM intent WHERE {OF_PERSON}");
                accounts.extend(pairs(db, &begun, params![person.source.as_str(), person.id.as_str()])?);
            }
            Ok(accounts)
        })
    }

    /// Takes out all that is kept of them. Writes to them must be closed.
    pub fn forget(&self, whom: PeopleAndAccounts) -> Ack<Forgotten> {
        self.write("forget somebody in the state", move |db| {
            let mut gone = Forgotten::default();
            for person in &whom.people {
                let of = (person.source.as_str(), Packed(person.id.as_str()));
                gone.marks += db.execute(&format!("DELETE FROM photo_mark WHERE {}", past::OF_PERSON), of)?;
                gone.placements += placements::forget_where(db, past::OF_PERSON, of)?;
                gone.writes += blank(db, past::OF_PERSON, of)?;
                gone.lines += lines::forget_person(db, person)?;
            }
            for (target, account) in &whom.accounts {
                let of = past::account(target, account);
                gone.placements += placements::forget_where(db, past::OF_ACCOUNT, of)?;
                gone.writes += blank(db, past::OF_ACCOUNT, of)?;
                db.execute(&format!("DELETE FROM choice WHERE {}", past::OF_ACCOUNT), of)?;
                gone.lines += lines::forget_account(db, target, account)?;
            }
            lines::purge_said(db)?;
            Ok(gone)
        })
    }

    /// Takes out the runs that began before this moment, but for the newest, the last success, and those of which a write is
    /// on record; of these, what they told of accounts goes. Counts go with them, but for the last of each, which limits compare
    /// with.
    pub fn purge_runs(&self, before: u64) -> Ack<usize> {
        self.note("take old runs out of the state", move |db| {
            lines::purge(db, before)?;
            db.execute(
                "DELETE FROM run_count WHERE run IN (SELECT seq FROM run WHERE started < ?1)
                 AND EXISTS (SELECT 1 FROM run_count later WHERE later.scope = run_count.scope
                   AND later.id = run_count.id AND later.run > run_count.run)",
                [Whole(before)],
            )?;
            Ok(db.execute(
                &format!(
                    "DELETE FROM run WHERE started < ?1 AND seq <> (SELECT max(seq) FROM run)
                     AND seq <> ifnull((SELECT max(seq) FROM run WHERE {SUCCESS}), 0)
                     AND id NOT IN (SELECT run FROM intent) AND seq NOT IN (SELECT run FROM past)
                     AND seq NOT IN (SELECT run FROM placement WHERE run IS NOT NULL)
                     AND seq NOT IN (SELECT run FROM run_count)"
                ),
                [Whole(before)],
            )?)
        })
    }
}

/// What remains says that there was a write, of which kind and when.
fn blank(db: &Connection, condition: &str, of: impl Params) -> Result<usize, StateFault> {
    let sql = format!(
        "UPDATE past SET account = '', source = NULL, person = NULL, stood = (SELECT id FROM word WHERE text = 'unknown'),
           stood_mark = '', ours = 0, named = NULL, owner = NULL, stood_in = NULL, stood_of = NULL
         WHERE {condition}"
    );
    Ok(db.execute(&sql, of)?)
}

fn pairs<A, B>(db: &Connection, sql: &str, of: impl Params) -> Result<Vec<(A, B)>, StateFault>
where
    A: for<'a> From<&'a str>,
    B: for<'a> From<&'a str>,
{
    let mut query = db.prepare(sql)?;
    let rows = query.query_map(of, |row| Ok((row.get::<_, TextId<A>>(0)?.0, row.get::<_, TextId<B>>(1)?.0)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
