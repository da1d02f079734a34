//! The file of the durable store, opened for writing or for a look.
//!
//! Owns: the steps of its schema, and the two ways in. Leaves to others: the rows.
//! A newcomer gets wrong: a look changes nothing; an older file is stepped up in a copy.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tempfile::NamedTempFile;

use crate::state::error::{StateError, StateFault};
use crate::state::file::{self, Durability, Kept, Shape};
use crate::state::lock::Lock;
#[cfg(feature = "bucket")]
use crate::state::pages::{self, Mirror, Pages};
use crate::state::writer::{self, Ack, Followed, Haste, SharedConnection, Writer};

/// Whether a copy elsewhere is of the file that was opened.
#[cfg(feature = "bucket")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Copied {
    /// It is.
    Already,
    /// Opening made or changed the file.
    Anew,
    /// Opening stepped it up from this version; as it was before it stands in this file.
    SteppedUp(u32, PathBuf),
}

/// What opening did to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opened {
    AsItWas,
    Made,
    SteppedUp(u32),
}

/// `AVPs`, and every step since the first version.
pub(super) const SHAPE: Shape = Shape {
    application_id: 0x4156_5073,
    steps: &[
        include_str!("1.sql"),
        include_str!("2.sql"),
        include_str!("3.sql"),
        include_str!("4.sql"),
        include_str!("5.sql"),
        include_str!("6.sql"),
        include_str!("7.sql"),
    ],
    schema: Some("b3:eea8f669f557366da18fe7a2fb406f398ff83f784791d2d4f668cc4650198743"),
};

/// The durable store. Shared by reference; every method takes `&self`.
#[derive(Debug)]
pub struct Store {
    // Dropped in this order: the writer ends its work before the lock is freed.
    writer: Option<Writer>,
    pub(super) connection: SharedConnection,
    file: Arc<Path>,
    _copy: Option<NamedTempFile>,
    _lock: Option<Lock>,
}

impl Store {
    /// Opens the store that is locked, for writing: made if it is missing, stepped up if it is older. A file that is
    /// damaged, newer or not ours is left exactly as it is.
    pub fn open(lock: Lock) -> Result<Self, StateError> {
        Self::open_as(lock, &SHAPE)
    }

    /// Opens the store for a look. Changes nothing: a missing store reads as an empty one, an older one is stepped up
    /// in a copy that goes with the store. Every write is refused.
    pub fn view(path: &Path) -> Result<Self, StateError> {
        Self::view_as(path, &SHAPE)
    }

    /// As [`Store::open`], for a file of which a copy is kept elsewhere: a write is acknowledged once it is durable there.
    /// Says whether that copy must be begun anew with [`Store::copy_to`], before the first write.
    #[cfg(feature = "bucket")]
    pub(crate) fn open_mirrored(lock: Lock, mirror: Box<dyn Mirror>) -> Result<(Self, Copied), StateError> {
        let path = lock.state().to_owned();
        let fail = |fault| StateError::new("open the state", &path, fault);
        let (connection, path, opened) = Self::connect_to_write(&lock, &SHAPE)?;
        let other_way = pages::keep_log(&connection).map_err(fail)?;
        let followed = Box::new(Pages::of(&path, mirror).map_err(fail)?);
        let store = Self::writing(connection, path.clone(), lock, Some(followed))?;
        let copied = match opened {
            Opened::SteppedUp(from) => Copied::SteppedUp(from, file::copy_before_step(&path, from)),
            Opened::Made => Copied::Anew,
            Opened::AsItWas if other_way => Copied::Anew,
            Opened::AsItWas => Copied::Already,
        };
        Ok((store, copied))
    }

    pub(super) fn open_as(lock: Lock, shape: &Shape) -> Result<Self, StateError> {
        let (connection, path, _) = Self::connect_to_write(&lock, shape)?;
        file::keep_journal(&connection, Kept::Emptied)
            .map_err(|fault| StateError::new("open the state", &path, fault))?;
        Self::writing(connection, path, lock, None)
    }

    fn writing(
        connection: Connection,
        path: PathBuf,
        lock: Lock,
        followed: Option<Box<dyn Followed>>,
    ) -> Result<Self, StateError> {
        let connection = Arc::new(Mutex::new(connection));
        let writer = Writer::start(connection.clone(), path.clone(), followed)?;
        Ok(Self { writer: Some(writer), connection, file: path.into(), _copy: None, _lock: Some(lock) })
    }

    fn connect_to_write(lock: &Lock, shape: &Shape) -> Result<(Connection, PathBuf, Opened), StateError> {
        let path = lock.state().to_owned();
        let fail = |fault| StateError::new("open the state", &path, fault);
        let mut opened = Opened::AsItWas;
        let version = match file::version_of(&path, shape) {
            Err(StateFault::Missing) => {
                file::create(&path, shape)?;
                opened = Opened::Made;
                shape.version()
            }
            found => found.map_err(fail)?,
        };
        let mut connection = connect(&path, shape, version).map_err(fail)?;
        if connection.is_readonly("main").map_err(|e| fail(e.into()))? {
            return Err(fail(StateFault::Unusable("the file may not be written to".to_owned())));
        }
        if version < shape.version() {
            file::step_up(&mut connection, &path, shape, version)
                .map_err(|fault| StateError::new("step up the state", &path, fault))?;
            opened = Opened::SteppedUp(version);
        }
        Ok((connection, path, opened))
    }

    pub(super) fn view_as(path: &Path, shape: &Shape) -> Result<Self, StateError> {
        let (connection, copy) =
            view(path, shape).map_err(|fault| StateError::new("look at the state", path, fault))?;
        let connection = Arc::new(Mutex::new(connection));
        Ok(Self { writer: None, connection, file: path.into(), _copy: copy, _lock: None })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// What stands in it and cannot be read.
    pub fn damaged(&self, found: &dyn std::fmt::Display) -> StateError {
        StateError::new("read the state", &self.file, StateFault::Damaged(found.to_string()))
    }

    pub(super) fn read<T>(
        &self,
        tried: &'static str,
        query: impl FnOnce(&Connection) -> Result<T, StateFault>,
    ) -> Result<T, StateError> {
        // A look may stay open for long, and must keep no run from writing.
        let lock = if self.writer.is_some() { writer::lock_to_read } else { writer::lock };
        let read = lock(&self.connection).and_then(|connection| query(&connection));
        read.map_err(|fault| StateError::new(tried, &self.file, fault))
    }

    /// A write because of which something is done to a server.
    pub(super) fn write<T: Send + 'static>(
        &self,
        tried: &'static str,
        act: impl FnOnce(&Connection) -> Result<T, StateFault> + Send + 'static,
    ) -> Ack<T> {
        self.write_in(Haste::Now, tried, act)
    }

    /// A write that the next run makes again where it is lost.
    pub(super) fn note<T: Send + 'static>(
        &self,
        tried: &'static str,
        act: impl FnOnce(&Connection) -> Result<T, StateFault> + Send + 'static,
    ) -> Ack<T> {
        self.write_in(Haste::Later, tried, act)
    }

    fn write_in<T: Send + 'static>(
        &self,
        haste: Haste,
        tried: &'static str,
        act: impl FnOnce(&Connection) -> Result<T, StateFault> + Send + 'static,
    ) -> Ack<T> {
        match &self.writer {
            Some(writer) => writer.submit(haste, tried, act),
            None => Ack::refused(tried, self.file.clone(), StateFault::ReadOnly),
        }
    }
}

/// Opens a file that carries our mark. What a killed process left half written is undone here, by SQLite.
pub(super) fn connect(path: &Path, shape: &Shape, version: u32) -> Result<Connection, StateFault> {
    let open = || {
        let connection = file::connect(path, Durability::Full)?;
        file::check(&connection)?;
        file::check_schema(&connection, shape, version)?;
        Ok(connection)
    };
    open().map_err(StateFault::of_ours)
}

fn view(path: &Path, shape: &Shape) -> Result<(Connection, Option<NamedTempFile>), StateFault> {
    let (mut connection, from, copy) = match file::version_of(path, shape) {
        Err(StateFault::Missing) => (Connection::open_in_memory()?, 0, None),
        found => {
            let version = found?;
            let connection = connect(path, shape, version)?;
            if version == shape.version() {
                (connection, version, None)
            } else {
                let copy = NamedTempFile::new()?;
                std::fs::copy(path, copy.path())?;
                (connect(copy.path(), shape, version)?, version, Some(copy))
            }
        }
    };
    if from < shape.version() {
        file::apply(&mut connection, shape, from)?;
    }
    connection.execute_batch("PRAGMA query_only = ON")?;
    Ok((connection, copy))
}
