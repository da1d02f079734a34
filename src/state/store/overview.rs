//! What is kept, counted, and whether it hangs together: for whoever looks after the file.
//!
//! Owns: the counts, and the check of what points at what. Leaves to others: pages and schema, which each opening checks
//! (`open`).
//! A newcomer gets wrong: a file of an older version is counted in a stepped-up copy; the version told is the file's own.

use std::path::Path;

use rusqlite::Connection;

use super::Store;
use super::open::SHAPE;
use crate::model::{SourceId, TargetId};
use crate::state::codec::{TextId, Whole};
use crate::state::error::{StateError, StateFault};
use crate::state::file;

/// Everything that is kept, counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// Runs on record.
    pub runs: u64,
    /// When the oldest of them began, in Unix seconds.
    pub oldest_run: Option<u64>,
    /// Placements of each target.
    pub placements: Vec<(TargetId, u64)>,
    /// Photo marks of each source.
    pub marks: Vec<(SourceId, u64)>,
    /// Writes on record.
    pub intents: u64,
    /// Of these, open.
    pub open_intents: u64,
}

/// The schema version of the file; `None`: there is no file.
///
/// # Errors
///
/// The file is not ours, or newer than this program.
pub(crate) fn schema_version(path: &Path) -> Result<Option<u32>, StateError> {
    match file::version_of(path, &SHAPE) {
        Err(StateFault::Missing) => Ok(None),
        found => found.map(Some).map_err(|fault| StateError::new("look at the state", path, fault)),
    }
}

impl Store {
    /// Counts everything that is kept.
    pub fn overview(&self) -> Result<Overview, StateError> {
        self.read("count what the state keeps", |db| {
            let one = |sql: &str| Ok::<_, StateFault>(db.query_row(sql, [], |row| Ok(row.get::<_, Whole>(0)?.0))?);
            let oldest = "SELECT min(started) FROM run";
            Ok(Overview {
                runs: one("SELECT count(*) FROM run")?,
                oldest_run: db.query_row(oldest, [], |row| row.get::<_, Option<Whole>>(0))?.map(|began| began.0),
                placements: each(db, "SELECT text, count(*) FROM placement JOIN word ON id = target GROUP BY text")?,
                marks: each(db, "SELECT text, count(*) FROM photo_mark JOIN word ON id = source GROUP BY text")?,
                intents: one(
                    "SELECT (SELECT count(*) FROM intent) + (SELECT count(*) FROM past) + (SELECT count(write) FROM placement)",
                )?,
                open_intents: one("SELECT count(*) FROM intent WHERE open = 1")?,
            })
        })
    }

    /// Whether every row that is pointed at is there.
    pub fn check_references(&self) -> Result<(), StateError> {
        self.read("check the state", |db| {
            let sql = "SELECT (SELECT count(*) FROM pragma_foreign_key_check) + (SELECT count(*) FROM placement
                   WHERE photo IS NULL AND NOT EXISTS (SELECT 1 FROM photo_mark AS mark WHERE mark.source = placement.source
                     AND mark.person = placement.person AND ifnull(former, digest) IS NOT NULL))";
            match db.query_row(sql, [], |row| row.get::<_, i64>(0))? {
                0 => Ok(()),
                broken => Err(StateFault::Damaged(format!("{broken} rows point at rows that are not there"))),
            }
        })
    }
}

fn each<T: for<'a> From<&'a str>>(db: &Connection, sql: &str) -> Result<Vec<(T, u64)>, StateFault> {
    let mut query = db.prepare(sql)?;
    let rows = query.query_map([], |row| Ok((row.get::<_, TextId<T>>(0)?.0, row.get::<_, Whole>(1)?.0)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
