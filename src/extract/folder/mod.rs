//! A folder as a source: `people.csv` and pictures beside it. An HR share, or a way to try things without a provider.
//!
//! Owns: finding a person's picture and reading it. Leaves to others: the table (`people.rs`).
//! A newcomer gets wrong: a row without a picture says that there is none; a row that names a missing one says nothing
//! (promise P2).

mod people;

use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read as _};
use std::path::{Component, Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use bytes::Bytes;

use self::people::{Index, TABLE};
use super::{Batch, Listing, Looked, Probed, Source, UserRules};
use crate::http::{Counts, Failure, FailureKind};
use crate::model::{Absence, Fault, Person, PersonId, SignedIn, SourceId, Version};

/// Larger files are no portraits.
const LARGEST: u64 = 32 * 1024 * 1024;

/// Files are near: this only bounds what one call holds.
const BATCH: Batch = Batch { versions: 500, fetch: 8, requests: 0 };

/// A folder as a source of people and photos.
#[derive(Debug)]
pub struct Folder {
    id: SourceId,
    path: PathBuf,
    users: UserRules,
    index: RwLock<Index>,
}

/// Where a row's picture is.
enum Picture {
    Named(PathBuf, Metadata),
    NotNamed,
}

impl Folder {
    /// A source in this folder.
    pub fn new(id: SourceId, path: impl Into<PathBuf>, users: UserRules) -> Self {
        Self { id, path: path.into(), users, index: RwLock::default() }
    }

    /// One answer for each of these people.
    fn each<T>(
        &self,
        people: &[PersonId],
        told: impl Fn(Result<Picture, Fault>) -> T,
    ) -> Result<Vec<(PersonId, T)>, Failure> {
        // Resolved once: links inside may point about inside, and nowhere else.
        let root = fs::canonicalize(&self.path).map_err(|error| unreachable(&self.path, &error))?;
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let mut table = File::open(root.join(TABLE)).map_err(|error| unreachable(&root.join(TABLE), &error))?;
        let answer = |id: &PersonId| {
            let named = index.picture_of(&mut table, id);
            (id.clone(), told(named.and_then(|name| picture(&root, &name))))
        };
        Ok(people.iter().map(answer).collect())
    }
}

#[async_trait]
impl Source for Folder {
    fn id(&self) -> &SourceId {
        &self.id
    }

    fn batch(&self) -> Batch {
        BATCH
    }

    async fn whoami(&self) -> Result<SignedIn, Failure> {
        let table = self.path.join(TABLE);
        File::open(&table).map_err(|error| unreachable(&table, &error))?;
        Ok(SignedIn { may: vec!["read".to_owned()], ..SignedIn::of(format!("reader of {}", table.display())) })
    }

    async fn list(&self, page: &mut (dyn FnMut(Vec<Person>) + Send)) -> Result<Listing, Failure> {
        let (index, people) = people::list(&self.path.join(TABLE), &self.users, page)?;
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = index;
        Ok(Listing { people, ..Listing::default() })
    }

    async fn versions(&self, people: &[PersonId]) -> Result<Vec<(PersonId, Probed)>, Failure> {
        self.each(people, |found| match found {
            Ok(Picture::Named(_, metadata)) => Probed::Version(marker(&metadata)),
            Ok(Picture::NotNamed) => Probed::Absent(Absence::NoFile),
            Err(fault) => Probed::Unknown(fault),
        })
    }

    async fn fetch(&self, people: &[PersonId]) -> Result<Vec<(PersonId, Looked)>, Failure> {
        self.each(people, |found| match found {
            Ok(Picture::Named(path, metadata)) => contents(&path, &metadata)
                .map_or_else(Looked::Unknown, |(version, bytes)| Looked::Photo { version, bytes }),
            Ok(Picture::NotNamed) => Looked::Absent(Absence::NoFile),
            Err(fault) => Looked::Unknown(fault),
        })
    }

    /// Nothing goes over a wire.
    fn counts(&self) -> Counts {
        Counts::default()
    }
}

fn unreachable(path: &Path, error: &std::io::Error) -> Failure {
    // A share that is not mounted looks like a path that is wrong; both are for the one who runs the job.
    Failure::new(FailureKind::Unreachable, format!("reading {}", path.display()), error.to_string())
        .hint("see that `path` is right and the share is mounted")
}

/// The file a row names, if it is one inside the folder.
fn picture(root: &Path, name: &str) -> Result<Picture, Fault> {
    if name.is_empty() {
        return Ok(Picture::NotNamed);
    }
    let outside = || Fault::new("outside_folder", format!("`{name}` is outside of {}", root.display()));
    let relative = Path::new(name);
    if !relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(outside());
    }
    let unread = |error: std::io::Error| unreadable(&root.join(relative), &error);
    let path = fs::canonicalize(root.join(relative)).map_err(unread)?;
    if !path.starts_with(root) {
        return Err(outside());
    }
    let metadata = fs::metadata(&path).map_err(unread)?;
    if !metadata.is_file() {
        return Err(Fault::new("picture_unreadable", format!("{}: not a file", path.display())));
    }
    Ok(Picture::Named(path, metadata))
}

/// Length and time of the last change: a hint that costs no reading. The digest of the bytes is the identity.
fn marker(metadata: &Metadata) -> Option<Version> {
    let changed = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Version::new(format!("{}-{}", metadata.len(), changed.as_nanos())))
}

fn contents(path: &Path, metadata: &Metadata) -> Result<(Option<Version>, Bytes), Fault> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    // One byte more than allowed tells a file that is too large, also one that grows while it is read.
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > LARGEST {
        let found = format!("{}: a file over {} MiB", path.display(), LARGEST / 1024 / 1024);
        return Err(Fault::new("photo_too_large", found));
    }
    // Changed while it was read: these bytes must not be remembered under the marker.
    let version = if bytes.len() as u64 == metadata.len() { marker(metadata) } else { None };
    Ok((version, Bytes::from(bytes)))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    let code = if error.kind() == ErrorKind::NotFound { "picture_missing" } else { "picture_unreadable" };
    Fault::new(code, format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
