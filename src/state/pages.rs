//! What each commit changed, page by page, for a copy that is kept elsewhere (docs/decisions/state.md, "In object storage").
//!
//! Owns: reading commits out of SQLite's write-ahead log, and putting them into a file.
//! Leaves to others: where they go ([`Mirror`]).
//! A newcomer gets wrong: behind the last commit the log may hold pages of a transaction that was undone. A commit ends
//! with the frame that says how large the file is by then, and nothing behind that is read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rusqlite::Connection;

use super::error::{StateError, StateFault};
use super::file;
use super::writer::{Followed, Haste, lock};

/// Where commits go besides. Called by the writer, which waits for it.
pub(crate) trait Mirror: Send {
    /// Makes a commit durable there, as soon as it must be.
    ///
    /// # Errors
    ///
    /// It is not, or nobody knows. Nothing that came after it may be.
    fn send(&mut self, commit: &[u8], haste: Haste) -> Result<(), StateFault>;
}

/// Sizes of <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.
const HEADER: usize = 32;
const FRAME: usize = 24;

/// A log this large is written into the file and begun anew.
const LONG: u64 = 16 << 20;

/// Follows the log of one file.
pub(super) struct Pages {
    wal: PathBuf,
    /// The file that the log stands in, once it was seen.
    inode: Option<u64>,
    /// Of the log that is being read: another one begins at its head.
    salts: [u8; 8],
    offset: u64,
    mirror: Box<dyn Mirror>,
    broken: Option<StateFault>,
}

impl Pages {
    /// Of a file that was just opened, and to which nothing was written since.
    pub(super) fn of(path: &Path, mirror: Box<dyn Mirror>) -> Result<Self, StateFault> {
        let mut pages =
            Self { wal: file::beside(path, "-wal"), inode: None, salts: [0; 8], offset: 0, mirror, broken: None };
        // What opening wrote is in the copy that was made after it.
        while pages.commit()?.is_some() {}
        Ok(pages)
    }

    /// The next commit of the log that was not read yet.
    fn commit(&mut self) -> Result<Option<Vec<u8>>, StateFault> {
        let mut log = match File::open(&self.wal) {
            Ok(log) => log,
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.inode.is_none() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let inode = log.metadata()?.ino();
        if *self.inode.get_or_insert(inode) != inode {
            // Whoever put another one there has taken the commits with it.
            return Err(StateFault::Unusable("another log stands in the place of its own".to_owned()));
        }
        let mut header = [0; HEADER];
        if !whole(&mut log, &mut header)? {
            return Ok(None);
        }
        if header[16..24] != self.salts {
            self.salts.copy_from_slice(&header[16..24]);
            self.offset = HEADER as u64;
        }
        let size = number(&header[8..12]) as usize;
        log.seek(SeekFrom::Start(self.offset))?;
        let mut log = io::BufReader::new(log);
        let (mut head, mut page, mut read) = ([0; FRAME], vec![0; size], 0);
        let mut pages = BTreeMap::new();
        while whole(&mut log, &mut head)? && head[8..16] == self.salts && whole(&mut log, &mut page)? {
            read += (FRAME + size) as u64;
            // A page that stands there twice counts as it stands there last.
            pages.insert(number(&head[..4]), page.clone());
            let count = number(&head[4..8]);
            if count > 0 {
                self.offset += read;
                return Ok(Some(written(size, count, &pages)));
            }
        }
        Ok(None)
    }

    fn send(&mut self, haste: Haste) -> Result<(), StateFault> {
        while let Some(commit) = self.commit()? {
            self.mirror.send(&commit, haste)?;
        }
        Ok(())
    }
}

impl Followed for Pages {
    fn follow(&mut self, connection: &Mutex<Connection>, haste: Haste) -> Result<(), StateFault> {
        if let Some(fault) = &self.broken {
            return Err(fault.repeated());
        }
        self.send(haste).inspect_err(|fault| self.broken = Some(fault.repeated()))?;
        if self.offset > LONG {
            // A reader that is in its way is no fault: it is tried again after the next commit.
            lock(connection)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(())
    }
}

/// Has a file written by way of a log that is kept until it was read. Says whether that changed the file itself.
pub(super) fn keep_log(connection: &Connection) -> Result<bool, StateFault> {
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    // The copy elsewhere is what must last; this one is made again by the next run.
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = OFF")?;
    Ok(mode != "wal")
}

/// The size of a page, the number of pages after it, then each page with its number.
fn written(size: usize, count: u32, pages: &BTreeMap<u32, Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + pages.len() * (4 + size));
    bytes.extend_from_slice(&(size as u32).to_be_bytes());
    bytes.extend_from_slice(&count.to_be_bytes());
    for (page, content) in pages {
        bytes.extend_from_slice(&page.to_be_bytes());
        bytes.extend_from_slice(content);
    }
    bytes
}

/// A commit as it is read: the size of a page, their number after it, and each page that it changed.
type Commit<'a> = (usize, u32, Vec<(u32, &'a [u8])>);

fn read(commit: &[u8]) -> io::Result<Commit<'_>> {
    let odd = || io::Error::new(io::ErrorKind::InvalidData, "a commit in it cannot be read");
    let (head, pages) = commit.split_at_checked(8).ok_or_else(odd)?;
    let (size, count) = (number(&head[..4]) as usize, number(&head[4..]));
    if !size.is_power_of_two() || !(512..=65536).contains(&size) || !pages.len().is_multiple_of(4 + size) {
        return Err(odd());
    }
    let pages: Vec<_> = pages.chunks_exact(4 + size).map(|page| (number(&page[..4]), &page[4..])).collect();
    if pages.iter().any(|(number, _)| *number == 0 || *number > count) {
        return Err(odd());
    }
    Ok((size, count, pages))
}

/// Puts a commit into a file that nobody has open.
pub(crate) fn put_commit(file: &File, commit: &[u8]) -> io::Result<()> {
    let (size, count, pages) = read(commit)?;
    for (number, content) in pages {
        file.write_all_at(content, u64::from(number - 1) * size as u64)?;
    }
    file.set_len(u64::from(count) * size as u64)
}

/// Several commits as one: each page as it stands after the last of them.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    size: usize,
    count: u32,
    pages: BTreeMap<u32, Vec<u8>>,
}

impl Joined {
    /// The next one.
    pub(crate) fn add(&mut self, commit: &[u8]) -> io::Result<()> {
        let (size, count, pages) = read(commit)?;
        (self.size, self.count) = (size, count);
        self.pages.extend(pages.into_iter().map(|(number, content)| (number, content.to_vec())));
        // What was cut off is not what stands there once the file grows again.
        self.pages.split_off(&count.saturating_add(1));
        Ok(())
    }

    /// As one commit; `None`: there was none.
    pub(crate) fn commit(&self) -> Option<Vec<u8>> {
        (self.size > 0).then(|| written(self.size, self.count, &self.pages))
    }

    /// How many bytes that is, about.
    pub(crate) fn size(&self) -> usize {
        self.pages.len() * self.size
    }
}

/// Removes a file of ours and what SQLite may have left beside it.
pub(crate) fn remove_copy(path: &Path) -> io::Result<()> {
    ["", "-wal", "-shm", "-journal"].into_iter().try_for_each(|end| file::remove(&file::beside(path, end)))
}

/// Ends the way by a log: the file alone is whole.
pub(crate) fn at_rest(path: &Path) -> Result<(), StateError> {
    let end = || {
        let connection = file::connect(path, file::Durability::Full)?;
        Ok(connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?)
    };
    end().map_err(|fault: StateFault| StateError::new("open the copy of the state", path, fault.of_ours()))
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

/// Fills the buffer; whether there was enough.
fn whole(from: &mut impl io::Read, buffer: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
