//! The files that a pipeline file names, as `check` looks at them: tables of people, maps, images of rules.
//!
//! Owns: what is said of each. Leaves to others: how a table is read (`extract`, `pipeline`), formats (`check`).
//! A newcomer gets wrong: a file that is not there is no fault of the pipeline file, since an earlier step of the job, or a share,
//! may bring it; it is a warning. One that is there and wrong is a fault.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::extract::folder;
use crate::input;
use crate::model::Place;
use crate::pipeline::{Document, LocalFile, LocalUse, map_faults};
use crate::table::RowFault;
use crate::transform::{DecodeLimits, small_copy};

/// The largest map or image, in bytes.
const LARGEST: u64 = 16 << 20;

/// Faults told of one file; one with more has one cause.
const TOLD: usize = 10;

/// Something found in a file, or about it.
pub(super) struct FileFinding {
    /// Where: in that file, or where it is named.
    pub place: Place,
    /// Whether `run` would stop at it, as things are now.
    pub is_fault: bool,
    /// What was found.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

/// Looks at all that stand in the file as they are.
pub(super) fn look(document: &Document) -> Vec<FileFinding> {
    let mut seen: Vec<PathBuf> = Vec::new();
    let mut all = Vec::new();
    for file in document.local_files() {
        if !seen.contains(&file.path) {
            all.extend(of(&file));
            seen.push(file.path);
        }
    }
    all
}

fn of(file: &LocalFile) -> Vec<FileFinding> {
    match file.used {
        LocalUse::People => {
            let table = file.path.join(folder::TABLE);
            rows(file, &table, folder::table_faults(&file.path), "pipelines/README.md says what each column holds")
        }
        LocalUse::Map => {
            let faults = input::text(&file.path, LARGEST).map(|text| map_faults(&text));
            rows(file, &file.path, faults, "a CSV file with the columns `person` and `account`, each value once")
        }
        LocalUse::Image => match input::bytes(&file.path, LARGEST) {
            Err(error) => vec![unread(file, &file.path, &error)],
            Ok(bytes) => {
                let refusal = small_copy(&bytes, 1, &DecodeLimits::default()).err();
                let told = |refusal: crate::transform::Refusal| FileFinding {
                    place: file.place.clone(),
                    is_fault: true,
                    message: format!("no picture can be made of `{}`: {refusal}", file.path.display()),
                    help: "name a PNG or JPEG",
                };
                refusal.map(told).into_iter().collect()
            }
        },
    }
}

fn rows(
    file: &LocalFile,
    table: &Path,
    faults: std::io::Result<Vec<RowFault>>,
    help: &'static str,
) -> Vec<FileFinding> {
    let faults = match faults {
        Ok(faults) => faults,
        Err(error) => return vec![unread(file, table, &error)],
    };
    let more = faults.len().saturating_sub(TOLD);
    let place =
        |line: u64| Place { file: table.display().to_string().into(), line: u32::try_from(line).unwrap_or(u32::MAX) };
    let last = faults.last().map_or(1, |fault| fault.line);
    let told = |fault: RowFault| FileFinding { place: place(fault.line), is_fault: true, message: fault.found, help };
    let mut found: Vec<_> = faults.into_iter().take(TOLD).map(told).collect();
    if more > 0 {
        found.push(FileFinding { place: place(last), is_fault: true, message: format!("{more} more faults"), help });
    }
    found
}

fn unread(file: &LocalFile, path: &Path, error: &std::io::Error) -> FileFinding {
    let missing = error.kind() == ErrorKind::NotFound;
    FileFinding {
        place: file.place.clone(),
        is_fault: !missing,
        message: match missing {
            true => format!("`{}` is not there, seen from the folder that this was started in", path.display()),
            false => format!("`{}` cannot be read: {error}", path.display()),
        },
        help: match missing {
            true => "a run needs it: if an earlier step makes it, or a share brings it, run `check` there, too",
            false => "name a file that this user may read",
        },
    }
}
