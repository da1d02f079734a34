//! Which person each account was matched to, source by source.
//!
//! Owns: the rows of matches, and what follows from all of them together: who is wanted, who is claimed twice.
//! Leaves to others: matching (`plan`).
//! A newcomer gets wrong: each source is matched on its own (docs/architecture.md, "Precedence"), so an account has a
//! row for each.

use rusqlite::{Row, params};

use super::Facts;
use crate::model::{AccountId, Matched, PersonId, PersonRef, PhotoHint, SourceId, TargetId};
use crate::state::codec::{Json, TextId, Whole, limit};
use crate::state::error::StateError;

/// An account matched against a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchRow {
    /// The target.
    pub target: TargetId,
    /// The source.
    pub source: SourceId,
    /// The account.
    pub account: AccountId,
    /// What came of it.
    pub matched: Matched,
}

impl Facts {
    /// Puts a page of matches. A later match of the same account and source replaces the earlier one.
    pub fn put_matches(&self, matches: &[MatchRow]) -> Result<(), StateError> {
        self.write("put matches into the facts", |db| {
            let mut put = db.prepare_cached(
                "INSERT OR REPLACE INTO matched (target, account, source, verdict, person, detail)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )?;
            for row in matches {
                let (verdict, person, detail) = columns(&row.matched);
                let (target, account, source) = (row.target.as_str(), row.account.as_str(), row.source.as_str());
                put.execute(params![target, account, source, verdict, person, detail])?;
            }
            Ok(())
        })
    }

    /// What matching said of an account, in the order of source ids.
    pub fn matches(&self, target: &TargetId, account: &AccountId) -> Result<Vec<MatchRow>, StateError> {
        self.read("read matches in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT target, account, source, verdict, person, detail FROM matched
                 WHERE target = ? AND account = ? ORDER BY source",
            )?;
            Ok(query.query_map([target.as_str(), account.as_str()], read)?.collect::<Result<_, _>>()?)
        })
    }

    /// Puts accounts whose keys name a person that they do not belong to.
    pub fn put_claims(
        &self,
        target: &TargetId,
        source: &SourceId,
        claims: &[(PersonId, AccountId)],
    ) -> Result<(), StateError> {
        if claims.is_empty() {
            return Ok(());
        }
        self.write("put claims into the facts", |db| {
            let mut put =
                db.prepare_cached("INSERT OR IGNORE INTO claim (target, source, person, account) VALUES (?, ?, ?, ?)")?;
            for (person, account) in claims {
                put.execute([target.as_str(), source.as_str(), person.as_str(), account.as_str()])?;
            }
            Ok(())
        })
    }

    /// A page of the people that an account of a target is matched to and another one is matched to or claims, in the
    /// order of ids.
    pub fn people_claimed_more_than_once(
        &self,
        target: &TargetId,
        source: &SourceId,
        after: Option<&PersonId>,
        at_most: usize,
    ) -> Result<Vec<PersonId>, StateError> {
        self.ensure_index(&self.matched_person)?;
        self.read("look for double matches in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT person FROM matched WHERE target = ?1 AND source = ?2 AND person > ?3
                   GROUP BY person HAVING count(*) > 1
                 UNION
                 SELECT person FROM claim WHERE target = ?1 AND source = ?2 AND person > ?3 AND EXISTS (
                   SELECT 1 FROM matched WHERE matched.target = ?1 AND matched.source = ?2
                     AND matched.person = claim.person)
                 ORDER BY person LIMIT ?4",
            )?;
            let page = params![target.as_str(), source.as_str(), after.map_or("", PersonId::as_str), limit(at_most)];
            Ok(query.query_map(page, |row| Ok(row.get::<_, TextId<_>>(0)?.0))?.collect::<Result<_, _>>()?)
        })
    }

    /// The accounts of a target that are matched to a person, and those that only claim it; in the order of ids.
    pub fn claimants_of(
        &self,
        target: &TargetId,
        person: &PersonRef,
    ) -> Result<(Vec<AccountId>, Vec<AccountId>), StateError> {
        self.ensure_index(&self.matched_person)?;
        self.read("look for the accounts of a person in the facts", |db| {
            let ids = |sql: &str| -> rusqlite::Result<Vec<AccountId>> {
                let mut query = db.prepare_cached(sql)?;
                let key = [person.source.as_str(), person.id.as_str(), target.as_str()];
                query.query_map(key, |row| Ok(row.get::<_, TextId<_>>(0)?.0))?.collect()
            };
            let matched = ids("SELECT account FROM matched INDEXED BY matched_person
                 WHERE source = ?1 AND person = ?2 AND target = ?3 ORDER BY account")?;
            let claims = ids("SELECT account FROM claim
                 WHERE target = ?3 AND source = ?1 AND person = ?2 ORDER BY account")?;
            Ok((matched, claims))
        })
    }

    /// No source is asked about these accounts any more.
    pub fn end_searches(&self, target: &TargetId, accounts: &[AccountId]) -> Result<(), StateError> {
        self.write("end searches in the facts", |db| {
            let mut put = db.prepare_cached("INSERT OR IGNORE INTO search_ended (target, account) VALUES (?, ?)")?;
            for account in accounts {
                put.execute([target.as_str(), account.as_str()])?;
            }
            Ok(())
        })
    }

    /// After a source was asked: whatever it said of an account ends the search there, but for nobody and for a proven
    /// absence (docs/architecture.md, "Precedence").
    pub fn end_searches_after(&self, source: &SourceId) -> Result<(), StateError> {
        self.ensure_index(&self.people)?;
        self.write("end searches in the facts", |db| {
            db.execute(
                "INSERT OR IGNORE INTO search_ended (target, account)
                 SELECT matched.target, matched.account FROM matched
                 LEFT JOIN person ON person.source = matched.source AND person.id = matched.person
                 LEFT JOIN photo ON photo.source = matched.source AND photo.person = matched.person
                 WHERE matched.source = ? AND matched.verdict <> 'none'
                   AND NOT (person.standing IS 'in_scope' AND photo.fact -> '$.absent' IS NOT NULL)",
                [source.as_str()],
            )?;
            Ok(())
        })
    }

    /// A page of the people of a source that are in scope and matched to an account of any target whose search has not
    /// ended, and whose photo nothing is known of, each with what the listing said of it; in the order of ids.
    pub fn wanted_people(
        &self,
        source: &SourceId,
        after: Option<&PersonId>,
        at_most: usize,
    ) -> Result<Vec<(PersonId, PhotoHint)>, StateError> {
        self.ensure_index(&self.people)?;
        self.ensure_index(&self.matched_person)?;
        self.read("read matched people in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT matched.person, person.hint FROM matched INDEXED BY matched_person
                 CROSS JOIN person ON person.source = matched.source AND person.id = matched.person
                 WHERE matched.source = ? AND matched.person > ? AND person.standing = 'in_scope'
                   AND NOT EXISTS (SELECT 1 FROM search_ended AS ended
                                   WHERE ended.target = matched.target AND ended.account = matched.account)
                   AND NOT EXISTS (SELECT 1 FROM photo WHERE photo.source = matched.source AND photo.person = person.id)
                 GROUP BY matched.person ORDER BY matched.person LIMIT ?",
            )?;
            let page = params![source.as_str(), after.map_or("", PersonId::as_str), limit(at_most)];
            let read = |row: &Row<'_>| Ok((row.get::<_, TextId<_>>(0)?.0, row.get::<_, Json<_>>(1)?.0));
            Ok(query.query_map(page, read)?.collect::<Result<_, _>>()?)
        })
    }

    /// How many people [`Facts::wanted_people`] goes through.
    pub fn count_wanted(&self, source: &SourceId) -> Result<u64, StateError> {
        self.ensure_index(&self.people)?;
        self.ensure_index(&self.matched_person)?;
        self.read("count matched people in the facts", |db| {
            let mut query = db.prepare_cached(
                "SELECT count(*) FROM person WHERE source = ?1 AND standing = 'in_scope'
                   AND NOT EXISTS (SELECT 1 FROM photo WHERE photo.source = ?1 AND photo.person = person.id) AND EXISTS (
                   SELECT 1 FROM matched WHERE matched.source = ?1 AND matched.person = person.id
                     AND NOT EXISTS (SELECT 1 FROM search_ended AS ended
                                     WHERE ended.target = matched.target AND ended.account = matched.account))",
            )?;
            Ok(query.query_row([source.as_str()], |row| Ok(row.get::<_, Whole>(0)?.0))?)
        })
    }
}

fn columns(matched: &Matched) -> (&'static str, Option<&str>, Option<&str>) {
    match matched {
        Matched::Person(person) => ("matched", Some(person.as_str()), None),
        Matched::Ambiguous(words) => ("ambiguous", None, Some(words)),
        Matched::Conflict(words) => ("conflict", None, Some(words)),
        Matched::Nobody => ("none", None, None),
    }
}

/// The verdict, the person and the detail, from this column on.
pub(super) fn matched(row: &Row<'_>, from: usize) -> rusqlite::Result<Matched> {
    let person: Option<TextId<PersonId>> = row.get(from + 1)?;
    let words = || row.get::<_, Option<String>>(from + 2).map(Option::unwrap_or_default);
    // The table's checks leave no other pairs.
    Ok(match (row.get_ref(from)?.as_str()?, person) {
        (_, Some(person)) => Matched::Person(person.0),
        ("ambiguous", None) => Matched::Ambiguous(words()?),
        ("conflict", None) => Matched::Conflict(words()?),
        (_, None) => Matched::Nobody,
    })
}

fn read(row: &Row<'_>) -> rusqlite::Result<MatchRow> {
    Ok(MatchRow {
        target: row.get::<_, TextId<TargetId>>(0)?.0,
        account: row.get::<_, TextId<AccountId>>(1)?.0,
        source: row.get::<_, TextId<SourceId>>(2)?.0,
        matched: matched(row, 3)?,
    })
}
