//! The state of a world, kept between runs of `--sandbox`.
//!
//! Owns: one JSON file for all simulators and a folder of pictures named by their digest, each written whole or not at all.
//! Leaves to others: what is in it (each simulator's `save` and `load`).
//! A newcomer gets wrong: the state is written before the answer leaves, as a real server would; so a client that is
//! killed after an answer finds the write on the "server" in the next run. One sandbox has the folder at a time.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::saved::Saved;
use super::simulator::Simulator;

#[derive(Debug, thiserror::Error)]
#[error("could not {act} the sandbox state {path}: {source}")]
pub struct StoreError {
    act: &'static str,
    path: PathBuf,
    pub(super) source: std::io::Error,
}

/// Why a folder was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "another sandbox has the world in {folder}{}: the page of `sandbox`, or a command with `--sandbox`; wait for it to end, or \
         stop it",
        .process.map(|process| format!(" (process {process})")).unwrap_or_default()
    )]
    InUse {
        folder: PathBuf,
        /// Whose it is; `None` in the moment before it has written that down.
        process: Option<u32>,
    },
}

/// The right to a folder: two sandboxes that write there would each undo what the other wrote. Freed by the kernel when the
/// process dies.
#[derive(Debug)]
pub(super) struct StoreLock(File);

impl Drop for StoreLock {
    fn drop(&mut self) {
        // To close the file would not do: a child that this process is just starting has it open until it is another
        // program.
        _ = self.0.unlock();
    }
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    format: u32,
    world: String,
    digest: String,
    simulators: BTreeMap<String, Kept>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    value: serde_json::Value,
    blobs: Vec<String>,
}

const FORMAT: u32 = 1;

#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    world: String,
    digest: String,
    writing: Mutex<()>,
}

impl Store {
    /// Opens the folder, unless another sandbox has it.
    pub(super) fn open(folder: &Path, world: &str, digest: &str) -> Result<(Self, StoreLock), OpenError> {
        let blobs = folder.join("blobs");
        std::fs::create_dir_all(&blobs).map_err(|source| StoreError { act: "create", path: blobs, source })?;
        let path = folder.join("world.lock");
        let fail = |act, source| StoreError { act, path: path.clone(), source };
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| fail("open", source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut process = String::new();
                _ = file.read_to_string(&mut process);
                return Err(OpenError::InUse { folder: folder.to_owned(), process: process.trim().parse().ok() });
            }
            Err(TryLockError::Error(source)) => return Err(fail("lock", source).into()),
        }
        let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(|source| fail("write to", source))?;
        let (world, digest) = (world.to_owned(), digest.to_owned());
        let store = Self { folder: folder.to_owned(), world, digest, writing: Mutex::new(()) };
        Ok((store, StoreLock(file)))
    }

    /// Gives every simulator what it kept. Whether there was a state of this very world.
    pub(super) fn load(&self, simulators: &[Arc<dyn Simulator>]) -> Result<bool, StoreError> {
        let path = self.file();
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(StoreError { act: "read", path, source }),
        };
        // A state of another world, format or edition of the world is of no use: start afresh.
        let Ok(envelope) = serde_json::from_slice::<Envelope>(&text) else { return Ok(false) };
        if (envelope.format, &envelope.world, &envelope.digest) != (FORMAT, &self.world, &self.digest) {
            return Ok(false);
        }
        let mut all = Vec::new();
        for simulator in simulators {
            let Some(kept) = envelope.simulators.get(simulator.name()) else { return Ok(false) };
            let Some(blobs) = self.read_blobs(&kept.blobs) else { return Ok(false) };
            all.push((simulator, Saved { value: kept.value.clone(), blobs }));
        }
        Ok(all.iter().all(|(simulator, saved)| simulator.load(saved).is_ok()))
    }

    fn read_blobs(&self, digests: &[String]) -> Option<BTreeMap<String, Bytes>> {
        let read = |digest: &String| {
            let bytes = std::fs::read(self.blob(digest)).ok()?;
            (blake3::hash(&bytes).to_hex().as_str() == digest).then(|| (digest.clone(), Bytes::from(bytes)))
        };
        digests.iter().map(read).collect()
    }

    /// Writes everything: first the pictures that are new, then the file that names them.
    pub(super) fn save(&self, simulators: &[Arc<dyn Simulator>]) -> Result<(), StoreError> {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut kept = BTreeMap::new();
        for simulator in simulators {
            let saved = simulator.save();
            for (digest, bytes) in &saved.blobs {
                let path = self.blob(digest);
                if !path.exists() {
                    write_whole(&path, bytes)?;
                }
            }
            let blobs = saved.blobs.into_keys().collect();
            kept.insert(simulator.name().to_owned(), Kept { value: saved.value, blobs });
        }
        let envelope =
            Envelope { format: FORMAT, world: self.world.clone(), digest: self.digest.clone(), simulators: kept };
        let text = serde_json::to_vec_pretty(&envelope).expect("a tree of strings and numbers is always JSON");
        write_whole(&self.file(), &text)
    }

    fn file(&self) -> PathBuf {
        self.folder.join("world.json")
    }

    fn blob(&self, digest: &str) -> PathBuf {
        // The digest comes from a file that anybody may edit: keep it inside the folder.
        let plain: String = digest.chars().filter(char::is_ascii_hexdigit).collect();
        self.folder.join("blobs").join(plain)
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let fail = |source| StoreError { act: "write", path: path.to_owned(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
    file.write_all(bytes).map_err(fail)?;
    file.persist(path).map_err(|e| fail(e.error))?;
    Ok(())
}
