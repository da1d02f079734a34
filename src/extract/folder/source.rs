//! The folder as a source.
//!
//! Owns: finding a person's picture and reading it. Leaves to others: the table (`people`), names (`names`).
//! A newcomer gets wrong: a picture is opened by a path without links, so that one that comes meanwhile leads nowhere.

use std::fs::{self, File, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;
use bytes::Bytes;

use super::names::PictureNames;
use super::people::{self, Index, TABLE, unreachable};
use crate::extract::{Batch, Listing, PhotoResult, Source, VersionResult};
use crate::http::{Counts, Failure};
use crate::input;
use crate::model::{Absence, Fault, Person, PersonId, SignedIn, Version};
use crate::settings::Users;
use crate::table;

/// Larger files are no portraits.
const LARGEST: u64 = 32 * 1024 * 1024;

/// Files are near: this only bounds what one call holds.
const BATCH: Batch = Batch { versions: 500, fetch: 8, requests: 0 };

/// A folder as a source of people and photos.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    users: Users,
    index: RwLock<Index>,
    names: PictureNames,
}

/// A row's picture.
enum RowPicture {
    Named(PathBuf, File),
    NotNamed,
}

impl Folder {
    /// A source in this folder.
    pub(crate) fn new(path: impl Into<PathBuf>, users: Users) -> Self {
        Self { path: path.into(), users, index: RwLock::default(), names: PictureNames::default() }
    }

    /// One answer for each of these people.
    fn each<T>(
        &self,
        people: &[PersonId],
        told: impl Fn(RowPicture) -> Result<T, Fault>,
        unknown: impl Fn(Fault) -> T,
    ) -> Result<Vec<(PersonId, T)>, Failure> {
        // Resolved once: links inside may point about inside, and nowhere else.
        let root = fs::canonicalize(&self.path).map_err(|error| unreachable(&self.path, &error))?;
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        let mut table = input::open(&root.join(TABLE)).map_err(|error| unreachable(&root.join(TABLE), &error))?;
        let answer = |id: &PersonId| {
            let named = index.picture_of(&mut table, id);
            let found = named.and_then(|name| self.picture(&root, &name)).and_then(&told);
            (id.clone(), found.unwrap_or_else(&unknown))
        };
        Ok(people.iter().map(answer).collect())
    }

    /// The file that a row names, if it is one inside the folder.
    fn picture(&self, root: &Path, name: &str) -> Result<RowPicture, Fault> {
        if name.is_empty() {
            return Ok(RowPicture::NotNamed);
        }
        if name.contains('\\') {
            let found = format!("`{name}` has a backslash: write `/` between a folder and what is in it");
            return Err(Fault::new("backslash", found));
        }
        let outside = || Fault::new("outside_folder", format!("`{name}` is outside of {}", root.display()));
        let relative = Path::new(name);
        if !relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err(outside());
        }
        let path = fs::canonicalize(root.join(relative)).map_err(|error| self.missing(root, relative, &error))?;
        if !path.starts_with(root) {
            return Err(outside());
        }
        if let Some(twin) = self.names.twin(root, relative) {
            let found = format!(
                "`{name}`: there are two of the name `{}`, which differ in case or Unicode form alone",
                twin.to_string_lossy()
            );
            return Err(Fault::new("picture_twice", found));
        }
        // A path without links, so that one that comes meanwhile leads nowhere.
        let file = input::open_itself(&path).map_err(|error| unreadable(&path, &error))?;
        Ok(RowPicture::Named(path, file))
    }

    fn missing(&self, root: &Path, name: &Path, error: &std::io::Error) -> Fault {
        let mut fault = unreadable(&root.join(name), error);
        if error.kind() != ErrorKind::NotFound {
            return fault;
        }
        let nearly = self.names.nearly(root, name);
        let differs = nearly.map(|near| format!("there is `{near}`, which differs only in case or Unicode form"));
        let sign = || table::odd_sign(&name.to_string_lossy()).map(|sign| format!("its name has {sign}"));
        if let Some(more) = differs.or_else(sign) {
            fault.message = format!("{}; {more}", fault.message);
        }
        fault
    }
}

#[async_trait]
impl Source for Folder {
    fn batch(&self) -> Batch {
        BATCH
    }

    async fn whoami(&self) -> Result<SignedIn, Failure> {
        let table = self.path.join(TABLE);
        input::open(&table).map_err(|error| unreachable(&table, &error))?;
        Ok(SignedIn { may: vec!["read".to_owned()], ..SignedIn::of(format!("reader of {}", table.display())) })
    }

    async fn list(&self, page: &mut (dyn FnMut(Vec<Person>) + Send)) -> Result<Listing, Failure> {
        self.names.clear();
        let (index, people, unmet) = people::list(&self.path.join(TABLE), &self.users, page)?;
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = index;
        Ok(Listing { people, unmet, ..Listing::default() })
    }

    async fn versions(&self, people: &[PersonId]) -> Result<Vec<(PersonId, VersionResult)>, Failure> {
        let told = |found| match found {
            RowPicture::Named(path, file) => match file.metadata() {
                Ok(metadata) => Ok(VersionResult::Version(Some(marker(&metadata)))),
                Err(error) => Err(unreadable(&path, &error)),
            },
            RowPicture::NotNamed => Ok(VersionResult::Absent(Absence::NoFile)),
        };
        self.each(people, told, VersionResult::Unknown)
    }

    async fn fetch(&self, people: &[PersonId]) -> Result<Vec<(PersonId, PhotoResult)>, Failure> {
        let told = |found| match found {
            RowPicture::Named(path, file) => {
                contents(&path, file).map(|(version, bytes)| PhotoResult::Photo { version, bytes })
            }
            RowPicture::NotNamed => Ok(PhotoResult::Absent(Absence::NoFile)),
        };
        self.each(people, told, PhotoResult::Unknown)
    }

    fn placed(&self, person: &PersonId, fault: Fault) -> Fault {
        self.index.read().unwrap_or_else(PoisonError::into_inner).on_its_line(person, fault)
    }

    fn where_photos_are(&self) -> &'static str {
        "see the column `photo` of people.csv, and whether the files that it names lie in the folder"
    }

    fn where_people_are(&self) -> &'static str {
        "see whether people.csv has a row for each person, and whether `path` leads to the right folder"
    }

    /// Nothing goes over a wire.
    fn counts(&self) -> Counts {
        Counts::default()
    }
}

/// Length, number and times of the file: a hint that costs no reading. The digest of the bytes is the identity.
///
/// Two files that were swapped by their names keep length and time of writing; their number says so, and the time of the
/// last change of the file's record, which nobody can set. A share that numbers its files anew at each mount is read
/// again in each run, and no more.
fn marker(metadata: &Metadata) -> Version {
    let time = |seconds: i64, nanos: i64| format!("{seconds}.{nanos:09}");
    let written = time(metadata.mtime(), metadata.mtime_nsec());
    let changed = time(metadata.ctime(), metadata.ctime_nsec());
    Version::new(format!("{}-{written}-{changed}-{}", metadata.len(), metadata.ino()))
}

fn contents(path: &Path, file: File) -> Result<(Option<Version>, Bytes), Fault> {
    let failed = |error: std::io::Error| unreadable(path, &error);
    let before = marker(&file.metadata().map_err(failed)?);
    let bytes = input::up_to(file.try_clone().map_err(failed)?, LARGEST).map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => {
            Fault::new("photo_too_large", format!("{}: a file over {} MiB", path.display(), LARGEST / 1024 / 1024))
        }
        _ => failed(error),
    })?;
    // Changed while it was read: these bytes must not be remembered under the marker.
    let after = marker(&file.metadata().map_err(failed)?);
    Ok(((before == after).then_some(after), Bytes::from(bytes)))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    let code = if error.kind() == ErrorKind::NotFound { "picture_missing" } else { "picture_unreadable" };
    Fault::new(code, format!("{}: {error}", path.display()))
}
