//! What was last found of people's photos.
//!
//! Owns: photo marks, without a single picture. Leaves to others: the bytes (the spool, `run`).
//! A newcomer gets wrong: what is not known is not recorded, so a mark is never "unknown". A digest that a placement may
//! mean, too, stays beside the next one.

use rusqlite::types::Type;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, Statement, params};

use super::words::Words;
use super::{Store, words};
use crate::model::{Fault, PersonId, PersonRef, PhotoMark, Placement, Remembered, SourceId, Version};
use crate::state::codec::{Bytes, EnumWord, Packed, TextId, Whole};
use crate::state::error::{StateError, StateFault};
use crate::state::writer::Ack;

impl Store {
    /// What was last found for a person.
    pub fn mark(&self, person: &PersonRef) -> Result<Option<PhotoMark>, StateError> {
        self.read("read a photo mark in the state", |db| {
            found(&mut *of_person(db)?, &Words::all(db)?, &person.source, &person.id)
        })
    }

    /// What was last found for each of these.
    pub fn marks<'a>(
        &self,
        source: &SourceId,
        people: impl Iterator<Item = &'a PersonId>,
    ) -> Result<Vec<Option<PhotoMark>>, StateError> {
        self.read("read photo marks in the state", |db| {
            let (words, mut query) = (Words::all(db)?, of_person(db)?);
            people.map(|person| found(&mut query, &words, source, person)).collect()
        })
    }

    /// Records what was found for these people.
    pub fn put_marks(&self, marks: Vec<(PersonRef, PhotoMark)>) -> Ack<()> {
        self.note("record photo marks in the state", move |db| {
            marks.iter().try_for_each(|(person, mark)| put(db, person, mark))
        })
    }

    /// Of how many people of a source the photo, or its absence, is known.
    pub fn count_known(&self, source: &SourceId) -> Result<u64, StateError> {
        self.read("count photo marks in the state", |db| {
            let mut query = db.prepare_cached(
                "SELECT count(*) FROM photo_mark WHERE source = (SELECT id FROM word WHERE text = ?)",
            )?;
            Ok(query.query_row([source.as_str()], |row| Ok(row.get::<_, Whole>(0)?.0))?)
        })
    }
}

fn of_person(db: &Connection) -> rusqlite::Result<CachedStatement<'_>> {
    db.prepare_cached(
        "SELECT version, found, digest, code, message, width, height
         FROM photo_mark WHERE source = (SELECT id FROM word WHERE text = ?) AND person = ?",
    )
}

fn found(
    query: &mut Statement<'_>,
    words: &Words,
    source: &SourceId,
    person: &PersonId,
) -> Result<Option<PhotoMark>, StateFault> {
    Ok(query.query_row(params![source.as_str(), Packed(person.as_str())], |row| mark(row, words)).optional()?)
}

/// A photo mark's columns besides the version.
#[derive(Default)]
struct MarkColumns<'a> {
    word: &'static str,
    digest: Option<Bytes>,
    code: Option<&'a str>,
    message: Option<&'a str>,
    size: Option<(u32, u32)>,
}

fn put(db: &Connection, person: &PersonRef, mark: &PhotoMark) -> Result<(), StateFault> {
    let absence;
    let found = match &mark.found {
        Remembered::Present(digest) => {
            MarkColumns { word: "present", digest: Some(Bytes(*digest)), ..MarkColumns::default() }
        }
        Remembered::Absent(why) => {
            absence = EnumWord::text(why)?;
            MarkColumns { word: "absent", code: Some(&absence), ..MarkColumns::default() }
        }
        Remembered::Unreadable(fault) => MarkColumns {
            word: "unreadable",
            code: Some(&fault.code),
            message: Some(&fault.message),
            ..MarkColumns::default()
        },
        Remembered::TooSmall { digest, width, height } => MarkColumns {
            word: "too_small",
            digest: Some(Bytes(*digest)),
            size: Some((*width, *height)),
            ..MarkColumns::default()
        },
    };
    db.prepare_cached(
        "INSERT INTO photo_mark (source, person, version, found, digest, code, message, width, height)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET former = ifnull(former, iif(digest IS excluded.digest, NULL, digest)),
           version = excluded.version, found = excluded.found, digest = excluded.digest, code = excluded.code,
           message = excluded.message, width = excluded.width, height = excluded.height",
    )?
    .execute(params![
        words::number(db, person.source.as_str())?,
        Packed(person.id.as_str()),
        mark.version.as_ref().map(|version| Packed(version.as_str())),
        words::number(db, found.word)?,
        found.digest,
        words::maybe_number(db, found.code)?,
        found.message,
        found.size.map(|s| s.0),
        found.size.map(|s| s.1),
    ])?;
    Ok(())
}

/// Whether a placement's photo is what its person's mark says of placements that name none.
pub(super) fn is_of_mark(db: &Connection, placement: &Placement) -> Result<bool, StateFault> {
    let Some(person) = &placement.person else { return Ok(false) };
    let mut query = db.prepare_cached(
        "SELECT 1 FROM photo_mark WHERE source = (SELECT id FROM word WHERE text = ?) AND person = ?
           AND ifnull(former, digest) = ?",
    )?;
    Ok(query.exists(params![person.source.as_str(), Packed(person.id.as_str()), Bytes(placement.photo)])?)
}

fn mark(row: &Row<'_>, words: &Words) -> rusqlite::Result<PhotoMark> {
    let found = match words.must(row, 1)? {
        "present" => Remembered::Present(row.get::<_, Bytes>(2)?.0),
        "absent" => Remembered::Absent(EnumWord::of(words.must(row, 3)?)?.0),
        "unreadable" => Remembered::Unreadable(Fault { code: words.must(row, 3)?.to_owned(), message: row.get(4)? }),
        "too_small" => {
            Remembered::TooSmall { digest: row.get::<_, Bytes>(2)?.0, width: row.get(5)?, height: row.get(6)? }
        }
        other => {
            let why = format!("a photo mark of the kind `{other}`");
            return Err(rusqlite::Error::FromSqlConversionFailure(1, Type::Text, why.into()));
        }
    };
    Ok(PhotoMark { version: row.get::<_, Option<TextId<Version>>>(0)?.map(|id| id.0), found })
}
