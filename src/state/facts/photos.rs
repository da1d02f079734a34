//! What this run learnt about photos.
//!
//! Owns: the photo facts and the count behind the same-picture alarm.
//! Leaves to others: what is remembered of them (`store/photos.rs`).
//! A newcomer gets wrong: a fact may be replaced within a run, since an absence is asked for a second time.

use rusqlite::{Connection, OptionalExtension, params};

use super::Facts;
use super::lazy_index::sorting;
use crate::model::{Digest, PersonRef, PhotoFact, SourceId};
use crate::state::codec::{Bytes, Json, Whole};
use crate::state::error::StateError;

impl Facts {
    /// Puts what was learnt about many.
    pub fn put_photos(&self, facts: &[(PersonRef, PhotoFact)]) -> Result<(), StateError> {
        if facts.is_empty() {
            return Ok(());
        }
        self.write("put photos into the facts", |db| {
            let mut put =
                db.prepare_cached("INSERT OR REPLACE INTO photo (source, person, fact, digest) VALUES (?, ?, ?, ?)")?;
            for (person, fact) in facts {
                let digest = match fact {
                    PhotoFact::Present { digest } => Some(Bytes(*digest)),
                    PhotoFact::Absent(_)
                    | PhotoFact::Unknown(_)
                    | PhotoFact::Unreadable(_)
                    | PhotoFact::TooSmall { .. } => None,
                };
                put.execute(params![person.source.as_str(), person.id.as_str(), Json(fact), digest])?;
            }
            Ok(())
        })
    }

    /// Photos were put that the durable state did not know, or knew as other ones.
    pub fn put_new_photos(&self, people: &[PersonRef]) -> Result<(), StateError> {
        if people.is_empty() {
            return Ok(());
        }
        self.write("put photos into the facts", |db| {
            let mut put = db.prepare_cached("UPDATE photo SET new = 1 WHERE source = ? AND person = ?")?;
            people
                .iter()
                .try_for_each(|person| Ok(put.execute([person.source.as_str(), person.id.as_str()]).map(drop)?))
        })
    }

    /// What was learnt about a person's photo; `None` if nobody asked.
    pub fn photo(&self, person: &PersonRef) -> Result<Option<PhotoFact>, StateError> {
        self.read("read a photo in the facts", |db| {
            let mut query = db.prepare_cached("SELECT fact FROM photo WHERE source = ? AND person = ?")?;
            let key = [person.source.as_str(), person.id.as_str()];
            Ok(query.query_row(key, |row| Ok(row.get::<_, Json<PhotoFact>>(0)?.0)).optional()?)
        })
    }

    /// The photos that at least this many people of a source share, most shared first.
    pub fn digest_counts(&self, source: &SourceId, at_least: u64) -> Result<Vec<(Digest, u64)>, StateError> {
        let count = |db: &Connection| {
            let mut query = db.prepare_cached(
                "SELECT digest, count(*) FROM photo WHERE source = ? AND digest IS NOT NULL
                 GROUP BY digest HAVING count(*) >= ? ORDER BY count(*) DESC, digest",
            )?;
            let found = query.query_map(params![source.as_str(), Whole(at_least)], |row| {
                Ok((row.get::<_, Bytes>(0)?.0, row.get::<_, Whole>(1)?.0))
            })?;
            Ok(found.collect::<Result<_, _>>()?)
        };
        self.read("count photos in the facts", |db| sorting(db, count))
    }
}
