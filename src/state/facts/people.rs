//! People as last listed, and finding them by a key.
//!
//! Owns: the rows of people and the lookup of each key that a match uses.
//! Leaves to others: comparing (`plan`); keys come in their compared form.
//! A newcomer gets wrong: the lookup of a key is made when it is first asked for, so list a source to its end before
//! matching against it. Listing more afterwards is right, but makes the lookup again.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Facts;
use super::lazy_index::sorting;
use super::person_keys::{Keys, KeysOf};
use crate::model::{Person, PersonId, PersonKey, PersonRef, PhotoHint, SourceId, Standing};
use crate::state::codec::{EnumWord, Json, TextId, Whole, limit};
use crate::state::error::{StateError, StateFault};

pub(super) const COLUMNS: &str = "person.id, person.display_name, person.standing, person.hint, person.keys";

impl Facts {
    /// Puts a page of people. A person that comes again replaces the earlier one, keys included.
    pub fn put_people(&self, source: &SourceId, people: &[Person]) -> Result<(), StateError> {
        self.write("put people into the facts", |db| {
            let source = source.as_str();
            let stale = db.prepare_cached("DELETE FROM person_key_made WHERE source = ?")?.execute([source])?;
            if stale > 0 {
                db.prepare_cached("DELETE FROM person_key WHERE source = ?")?.execute([source])?;
            }
            let mut put = db.prepare_cached(
                "INSERT OR REPLACE INTO person (source, id, display_name, standing, hint, keys) VALUES (?, ?, ?, ?, ?, ?)",
            )?;
            for person in people {
                put.execute(params![
                    source,
                    person.id.as_str(),
                    person.display_name,
                    EnumWord(person.standing),
                    Json(&person.hint),
                    Json(KeysOf(person.keys())),
                ])?;
            }
            Ok(())
        })
    }

    /// How many people a source listed.
    pub fn count_people(&self, source: &SourceId) -> Result<u64, StateError> {
        self.ensure_index(&self.people)?;
        self.read("count people in the facts", |db| {
            let mut query = db.prepare_cached("SELECT count(*) FROM person WHERE source = ?")?;
            Ok(query.query_row([source.as_str()], |row| Ok(row.get::<_, Whole>(0)?.0))?)
        })
    }

    /// How many people of a source `users` says this of.
    pub fn count_standing(&self, source: &SourceId, standing: Standing) -> Result<u64, StateError> {
        self.ensure_index(&self.people)?;
        self.read("count people in the facts", |db| {
            let mut query = db.prepare_cached("SELECT count(*) FROM person WHERE source = ? AND standing = ?")?;
            Ok(query.query_row(params![source.as_str(), EnumWord(standing)], |row| Ok(row.get::<_, Whole>(0)?.0))?)
        })
    }

    /// One person; `None` if the source did not list them.
    pub fn person(&self, person: &PersonRef) -> Result<Option<Person>, StateError> {
        self.ensure_index(&self.people)?;
        self.read("read a person in the facts", |db| {
            let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM person WHERE source = ? AND id = ?"))?;
            Ok(query.query_row([person.source.as_str(), person.id.as_str()], |row| read(row, 0)).optional()?)
        })
    }

    /// What the listing said of a person's photo; `None` if the source did not list them.
    pub fn hint(&self, person: &PersonRef) -> Result<Option<PhotoHint>, StateError> {
        self.ensure_index(&self.people)?;
        self.read("read a person in the facts", |db| {
            let mut query = db.prepare_cached("SELECT hint FROM person WHERE source = ? AND id = ?")?;
            let key = [person.source.as_str(), person.id.as_str()];
            Ok(query.query_row(key, |row| Ok(row.get::<_, Json<_>>(0)?.0)).optional()?)
        })
    }

    /// A page of a source's people, in the order of their ids.
    pub fn people(
        &self,
        source: &SourceId,
        after: Option<&PersonId>,
        at_most: usize,
    ) -> Result<Vec<Person>, StateError> {
        self.ensure_index(&self.people)?;
        self.read("read people in the facts", |db| {
            let mut query = db.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM person WHERE source = ? AND id > ? ORDER BY id LIMIT ?"
            ))?;
            let after = after.map_or("", PersonId::as_str);
            let page = params![source.as_str(), after, limit(at_most)];
            Ok(query.query_map(page, |row| read(row, 0))?.collect::<Result<_, _>>()?)
        })
    }

    /// The people of a source, in whatever scope, whose key has this value in its compared form, for each of these; in the
    /// order of ids.
    pub fn people_with(
        &self,
        source: &SourceId,
        wanted: &[(PersonKey, String)],
    ) -> Result<Vec<Vec<Person>>, StateError> {
        self.ensure_index(&self.people)?;
        let tried = "look people up in the facts";
        let keys: BTreeSet<_> = wanted.iter().map(|(key, _)| *key).collect();
        let found = self.read(tried, |db| {
            let made =
                keys.iter().try_fold(true, |made, key| Ok::<_, StateFault>(made && is_made(db, source, *key)?))?;
            made.then(|| look_up(db, source, wanted)).transpose()
        })?;
        if let Some(found) = found {
            return Ok(found);
        }
        self.write(tried, |db| {
            for key in keys {
                // Another thread may have been faster.
                if !is_made(db, source, key)? {
                    sorting(db, |db| make(db, source, key))?;
                }
            }
            look_up(db, source, wanted)
        })
    }
}

fn look_up(db: &Connection, source: &SourceId, wanted: &[(PersonKey, String)]) -> Result<Vec<Vec<Person>>, StateFault> {
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM person_key JOIN person ON person.source = person_key.source AND person.id = person_key.person
         WHERE person_key.source = ? AND key = ? AND value = ? ORDER BY person"
    ))?;
    let mut with = |(key, value): &(PersonKey, String)| -> Result<Vec<Person>, StateFault> {
        let found = query.query_map([source.as_str(), key.word(), value], |row| read(row, 0))?;
        Ok(found.collect::<Result<_, _>>()?)
    };
    wanted.iter().map(&mut with).collect()
}

fn is_made(db: &Connection, source: &SourceId, key: PersonKey) -> Result<bool, StateFault> {
    let mut query = db.prepare_cached("SELECT 1 FROM person_key_made WHERE source = ? AND key = ?")?;
    Ok(query.exists([source.as_str(), key.word()])?)
}

/// People are read in the order of arrival and their keys put in sorted order: neither is a walk at random through the
/// file, however large it is.
fn make(db: &Connection, source: &SourceId, key: PersonKey) -> Result<(), StateFault> {
    db.execute(
        "INSERT INTO person_key (source, key, value, person)
         SELECT person.source, ?2, one.value, person.id
         FROM person NOT INDEXED, json_each(person.keys, '$.' || ?2) AS one WHERE person.source = ?1 ORDER BY 3, 4",
        [source.as_str(), key.word()],
    )?;
    db.execute("INSERT INTO person_key_made (source, key) VALUES (?, ?)", [source.as_str(), key.word()])?;
    Ok(())
}

/// A person whose columns begin at `from`.
pub(super) fn read(row: &Row<'_>, from: usize) -> rusqlite::Result<Person> {
    Ok(Person::with_keys(
        row.get::<_, TextId<PersonId>>(from)?.0,
        row.get(from + 1)?,
        row.get::<_, EnumWord<_>>(from + 2)?.0,
        row.get::<_, Json<_>>(from + 3)?.0,
        row.get::<_, Json<Keys>>(from + 4)?.0.0,
    ))
}
