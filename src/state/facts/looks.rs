//! What was seen at the targets before the plan, and who is asked for once more.
//!
//! Owns: the rows of open intents with what looking said, of looks at pictures, of second questions.
//! Leaves to others: looking (`load`), judging what was seen (`plan`).
//! A newcomer gets wrong: the intents here are copies for this run; the journal itself is in the state.

use rusqlite::params;

use super::Facts;
use crate::model::{AccountId, Comparison, Event, IntentId, OpenIntent, PersonId, Seen, SourceId, TargetId};
use crate::state::codec::{EnumWord, Json, TextId, Whole, limit};
use crate::state::error::StateError;

/// Why a person's photo is asked for once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It was there last time and is gone now (promise P2).
    Vanished,
    /// It is unchanged, and its rendition is not in the spool.
    Missing,
}

impl Again {
    fn word(self) -> &'static str {
        match self {
            Self::Vanished => "vanished",
            Self::Missing => "missing",
        }
    }
}

impl Facts {
    /// Puts what looking said of an open intent. A picture that was made for another account is that account's affair.
    pub fn put_seen(&self, open: &OpenIntent, seen: &Seen) -> Result<(), StateError> {
        let account = match seen {
            Seen::Stray { owner, .. } => owner,
            _ => &open.intent.account,
        };
        self.write("put what was seen into the facts", |db| {
            db.prepare_cached(
                "INSERT OR REPLACE INTO seen (target, account, intent, opened, seen) VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![
                open.intent.target.as_str(),
                account.as_str(),
                open.id.0,
                Json(open),
                Json(seen)
            ])?;
            Ok(())
        })
    }

    /// The open intents of an account with what looking said, in the order of their beginning.
    pub fn seen(&self, target: &TargetId, account: &AccountId) -> Result<Vec<(OpenIntent, Seen)>, StateError> {
        self.read("read what was seen in the facts", |db| {
            let mut query =
                db.prepare_cached("SELECT opened, seen FROM seen WHERE target = ? AND account = ? ORDER BY intent")?;
            let rows = query.query_map([target.as_str(), account.as_str()], |row| {
                Ok((row.get::<_, Json<_>>(0)?.0, row.get::<_, Json<_>>(1)?.0))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Nothing is left to do about this intent but to tell the journal.
    pub fn put_closing(&self, open: &OpenIntent, events: &[Event]) -> Result<(), StateError> {
        self.write("put what the journal learns into the facts", |db| {
            let key = (open.intent.target.as_str(), open.intent.account.as_str(), open.id.0);
            db.prepare_cached("UPDATE seen SET events = ?4 WHERE target = ?1 AND account = ?2 AND intent = ?3")?
                .execute(params![key.0, key.1, key.2, Json(events)])?;
            Ok(())
        })
    }

    /// A page of what the journal is to learn about intents of a target, in the order of accounts and intents.
    pub fn closings(
        &self,
        target: &TargetId,
        after: Option<&(AccountId, IntentId)>,
        at_most: usize,
    ) -> Result<Vec<(AccountId, IntentId, Vec<Event>)>, StateError> {
        let from = after.map_or(("", -1), |(account, intent)| (account.as_str(), intent.0));
        self.read("read what the journal learns in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT account, intent, events FROM seen
                 WHERE target = ? AND (account, intent) > (?, ?) AND events IS NOT NULL
                 ORDER BY account, intent LIMIT ?",
            )?;
            let rows = query.query_map(params![target.as_str(), from.0, from.1, limit(at_most)], |row| {
                Ok((row.get::<_, TextId<_>>(0)?.0, IntentId(row.get(1)?), row.get::<_, Json<_>>(2)?.0))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Puts what looks at pictures said.
    pub fn put_looked(&self, target: &TargetId, looked: &[(AccountId, Comparison)]) -> Result<(), StateError> {
        self.write("put looks into the facts", |db| {
            let mut put =
                db.prepare_cached("INSERT OR REPLACE INTO looked (target, account, said) VALUES (?, ?, ?)")?;
            for (account, said) in looked {
                put.execute(params![target.as_str(), account.as_str(), EnumWord(*said)])?;
            }
            Ok(())
        })
    }

    /// A page of the accounts whose picture was looked at and is another one.
    pub fn looked_other(
        &self,
        target: &TargetId,
        after: Option<&AccountId>,
        at_most: usize,
    ) -> Result<Vec<AccountId>, StateError> {
        self.read("read looks in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT account FROM looked WHERE target = ? AND said = ? AND account > ? ORDER BY account LIMIT ?",
            )?;
            let from = after.map_or("", AccountId::as_str);
            let page = params![target.as_str(), EnumWord(Comparison::Differs), from, limit(at_most)];
            Ok(query.query_map(page, |row| Ok(row.get::<_, TextId<_>>(0)?.0))?.collect::<Result<_, _>>()?)
        })
    }

    /// These people are to be asked for once more.
    pub fn put_again(&self, why: Again, source: &SourceId, people: &[PersonId]) -> Result<(), StateError> {
        self.write("put second questions into the facts", |db| {
            let mut put = db.prepare_cached("INSERT OR IGNORE INTO again (why, source, person) VALUES (?, ?, ?)")?;
            for person in people {
                put.execute([why.word(), source.as_str(), person.as_str()])?;
            }
            Ok(())
        })
    }

    /// The next people of a source who are to be asked for once more, in the order of ids. They are taken off the list.
    pub fn take_again(&self, why: Again, source: &SourceId, at_most: usize) -> Result<Vec<PersonId>, StateError> {
        self.write("take second questions from the facts", |db| {
            let mut query =
                db.prepare_cached("SELECT person FROM again WHERE why = ? AND source = ? ORDER BY person LIMIT ?")?;
            let page = params![why.word(), source.as_str(), limit(at_most)];
            let people = query.query_map(page, |row| Ok(row.get::<_, TextId<PersonId>>(0)?.0))?;
            let people = people.collect::<Result<Vec<_>, _>>()?;
            let mut take = db.prepare_cached("DELETE FROM again WHERE why = ? AND source = ? AND person = ?")?;
            for person in &people {
                take.execute([why.word(), source.as_str(), person.as_str()])?;
            }
            Ok(people)
        })
    }

    /// How many people of a source are to be asked for once more.
    pub fn count_again(&self, why: Again, source: &SourceId) -> Result<u64, StateError> {
        self.read("count second questions in the facts", |db| {
            let mut query = db.prepare_cached("SELECT count(*) FROM again WHERE why = ? AND source = ?")?;
            Ok(query.query_row([why.word(), source.as_str()], |row| Ok(row.get::<_, Whole>(0)?.0))?)
        })
    }

    /// Nobody is to be asked for once more for this reason.
    pub fn forget_again(&self, why: Again) -> Result<(), StateError> {
        self.write("forget second questions in the facts", |db| {
            db.execute("DELETE FROM again WHERE why = ?", [why.word()])?;
            Ok(())
        })
    }
}
