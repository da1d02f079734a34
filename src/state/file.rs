//! Opening, judging and stepping up a SQLite file of ours.
//!
//! Owns: the marks in the file's header, the schema steps and the copy before a step, permissions, pragmas.
//! Leaves to others: the tables (`store`, `facts`).
//! A newcomer gets wrong: the header is read before SQLite touches the file, so that a file which is not ours, or is
//! newer, keeps every byte. SQLite would roll back a left-over journal into it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::{StateError, StateFault};
use crate::model::Digest;

/// What makes a file one of ours.
pub(super) struct Shape {
    /// Stands in the header: <https://www.sqlite.org/fileformat2.html#application_id>.
    pub application_id: u32,
    /// Step `n` makes version `n + 1` of version `n`; the first makes an empty file version 1.
    pub steps: &'static [&'static str],
    /// The digest of the schema that all steps make, where it is known without making them ([`check_schema`]).
    pub schema: Option<&'static str>,
}

impl Shape {
    /// The version that this program writes.
    pub(super) fn version(&self) -> u32 {
        u32::try_from(self.steps.len()).expect("the steps are a short list in this crate")
    }
}

/// Offsets and magic of <https://www.sqlite.org/fileformat2.html#the_database_header>.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const HEADER: usize = 100;
const USER_VERSION: usize = 60;
const APPLICATION_ID: usize = 68;

/// The version in the header of a file of this shape.
pub(super) fn version_of(path: &Path, shape: &Shape) -> Result<u32, StateFault> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(StateFault::NotOurs);
    }
    let mut header = Vec::with_capacity(HEADER);
    File::open(path)?.take(HEADER as u64).read_to_end(&mut header)?;
    if header.len() < HEADER {
        return Err(match MAGIC.starts_with(&header[..header.len().min(MAGIC.len())]) {
            // Ours are whole from the moment they get their name.
            true => StateFault::Damaged(format!("it is only {} bytes long", header.len())),
            false => StateFault::NotOurs,
        });
    }
    let number = |at: usize| header[at..at + 4].iter().fold(0, |sum: u32, byte| sum << 8 | u32::from(*byte));
    if !header.starts_with(MAGIC) || number(APPLICATION_ID) != shape.application_id {
        return Err(StateFault::NotOurs);
    }
    match number(USER_VERSION) {
        0 => Err(StateFault::Damaged("it has no schema version".to_owned())),
        found if found > shape.version() => Err(StateFault::Newer { found, known: shape.version() }),
        found => Ok(found),
    }
}

/// How a write to a file reaches the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// Rollback journal and full sync: the file alone is whole at rest (docs/decisions/state.md).
    Full,
    /// Write-ahead log without sync: fast, and made again by the next run.
    Scratch,
}

/// What becomes of the rollback journal after a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is empty, and the emptying is synced as all else is.
    Emptied,
    /// It goes.
    Not,
}

/// Makes a new file of this shape under its name, whole or not at all.
pub(super) fn create(path: &Path, shape: &Shape) -> Result<(), StateError> {
    let fail = |fault: StateFault| StateError::new("make", path, fault);
    let new = beside(path, ".new");
    for leftover in [new.clone(), beside(&new, "-journal")] {
        remove(&leftover).map_err(|e| fail(e.into()))?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options).open(&new).map_err(|e| fail(StateFault::Unusable(e.to_string())))?;
    let made = connect(&new, Durability::Full).and_then(|mut connection| apply(&mut connection, shape, 0));
    made.and_then(|()| Ok(std::fs::rename(&new, path)?)).and_then(|()| Ok(sync_folder(path)?)).map_err(fail)
}

/// The cache of the scratch facts, however many people there are (promise P9).
pub(super) const SCRATCH_CACHE_KIB: u32 = 8192;

/// Opens a file without judging it.
pub(super) fn connect(path: &Path, durability: Durability) -> Result<Connection, StateFault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // Nothing that stands in the schema of a file may call what is not safe to call.
    connection.execute_batch("PRAGMA trusted_schema = OFF")?;
    // Somebody may look into the file with another program meanwhile.
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    connection.set_prepared_statement_cache_capacity(64);
    match durability {
        Durability::Full => connection.execute_batch(
            // What is blanked is overwritten, not only unlinked.
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA cache_size = -4096;",
        )?,
        Durability::Scratch => connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -{SCRATCH_CACHE_KIB};"
        ))?,
    }
    Ok(connection)
}

/// Keeps the rollback journal from commit to commit, emptied, or has it taken away again. To make a file for each commit and
/// unlink it costs more than what is written. A file by way of a log stays so.
pub(super) fn keep_journal(connection: &Connection, kept: Kept) -> Result<(), StateFault> {
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    let (from, to) = match kept {
        Kept::Emptied => ("delete", "TRUNCATE"),
        Kept::Not => ("truncate", "DELETE"),
    };
    if mode == from {
        connection.query_row(&format!("PRAGMA journal_mode = {to}"), [], |_| Ok(()))?;
    }
    Ok(())
}

/// Whether every page hangs together. Costs a read of the whole file.
pub(super) fn check(connection: &Connection) -> Result<(), StateFault> {
    let answer: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    match answer.lines().last() {
        Some("ok") => Ok(()),
        // The first line only names the database.
        found => Err(StateFault::Damaged(found.unwrap_or("the check says nothing").to_owned())),
    }
}

/// Whether the schema is this version's to the letter. A file is input: a trigger or a view that somebody put into it would
/// act with every write of ours.
pub(super) fn check_schema(connection: &Connection, shape: &Shape, version: u32) -> Result<(), StateFault> {
    let there = objects(connection)?;
    // To make a schema for comparison costs more than all else that opening does. What differs is said by comparing.
    if version == shape.version() && shape.schema == Some(digest(&there).to_string().as_str()) {
        return Ok(());
    }
    let whole = Connection::open_in_memory()?;
    for step in shape.steps.iter().take(version as usize) {
        whole.execute_batch(step)?;
    }
    let ours = objects(&whole)?;
    if let Some(name) = ours.keys().find(|name| !there.contains_key(*name)) {
        return Err(StateFault::Damaged(format!("`{name}` is missing in it")));
    }
    match there.iter().find(|(name, object)| ours.get(*name) != Some(object)) {
        Some((name, (kind, _))) => Err(StateFault::NotOurSchema(format!("{kind} `{name}`"))),
        None => Ok(()),
    }
}

/// Everything in a schema by its name: what it is, and on which table with which text.
pub(super) type Objects = BTreeMap<String, (String, String)>;

pub(super) fn digest(objects: &Objects) -> Digest {
    let parts = objects.iter().flat_map(|(name, (kind, text))| [name, kind, text]);
    // Each behind its length: what ends one part must not begin the next.
    Digest::of(
        &parts.flat_map(|part| [&(part.len() as u64).to_le_bytes(), part.as_bytes()].concat()).collect::<Vec<_>>(),
    )
}

pub(super) fn objects(connection: &Connection) -> Result<Objects, StateFault> {
    let mut query =
        connection.prepare("SELECT name, type, tbl_name || char(10) || ifnull(sql, '') FROM sqlite_schema")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Applies the steps from this version on, in one transaction.
pub(super) fn apply(connection: &mut Connection, shape: &Shape, from: u32) -> Result<(), StateFault> {
    // A step may rebuild a table that others point at; the switch does nothing inside a transaction.
    connection.execute_batch("PRAGMA foreign_keys = OFF")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in shape.steps.iter().skip(from as usize) {
        transaction.execute_batch(step)?;
    }
    let broken: i64 = transaction.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    if broken > 0 {
        return Err(StateFault::Damaged(format!("{broken} rows point at rows that are not there")));
    }
    transaction.pragma_update(None, "application_id", shape.application_id)?;
    transaction.pragma_update(None, "user_version", shape.version())?;
    transaction.commit()?;
    connection.execute_batch("PRAGMA foreign_keys = ON")?;
    Ok(())
}

/// Steps an older file up in place, after a copy beside it (`NAME.db.v1.bak`).
pub(super) fn step_up(connection: &mut Connection, path: &Path, shape: &Shape, from: u32) -> Result<(), StateFault> {
    // No transaction is open and the run's lock keeps writers out, so the file is whole while it is copied.
    let copy = copy_before_step(path, from);
    let partial = beside(&copy, ".new");
    // What lies there is of a killed process, or a link.
    remove(&partial)?;
    std::fs::copy(path, &partial)?;
    File::open(&partial)?.sync_all()?;
    std::fs::rename(&partial, &copy)?;
    sync_folder(&copy)?;
    apply(connection, shape, from)?;
    rewrite(connection);
    Ok(())
}

/// Where a file stands as it was before it was stepped up from this version.
pub(super) fn copy_before_step(path: &Path, from: u32) -> PathBuf {
    beside(path, &format!(".v{from}.bak"))
}

/// Writes the file anew without what lies idle in it. Where there is no room for that it stays as it is, and as right.
pub(super) fn rewrite(connection: &Connection) {
    drop(connection.execute_batch("VACUUM"));
}

/// The path with something appended to its last name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Only the owner may read what is made with these options; SQLite gives its journals the file's own mode.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes the folder of a file.
pub(super) fn make_folder(path: &Path) -> Result<(), StateError> {
    let folder = folder(path);
    std::fs::create_dir_all(folder)
        .map_err(|e| StateError::new("make the folder", folder, StateFault::Unusable(e.to_string())))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes a new name durable. Windows does that by itself and refuses to open folders.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder(path))?.sync_all()?;
    }
    Ok(())
}
