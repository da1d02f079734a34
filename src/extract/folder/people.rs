//! `people.csv`: who there is, and which picture each row names.
//!
//! Owns: the columns, all faults of the table at once, and finding a row again.
//! Leaves to others: the pictures (`mod.rs`).
//! A newcomer gets wrong: rows are found again by where they stand in the file, so that a large table is not held in
//! memory (promise P9); a table that changed meanwhile is noticed by the id.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use csv::{ReaderBuilder, StringRecord};

use crate::extract::{Belongs, Facts, UserRules};
use crate::http::{Failure, FailureKind};
use crate::model::{Digest, Fault, Person, PersonId, PersonKey};

/// The table's name in the folder.
pub(super) const TABLE: &str = "people.csv";

/// People handed on at once.
const PAGE: usize = 500;

/// Faults told at once; a table with more has one cause.
const TOLD: usize = 10;

const COLUMNS: [&str; 8] = ["id", "name", "email", "upn", "username", "employee_id", "active", "photo"];

/// Where each column of [`COLUMNS`] stands in this table.
#[derive(Clone, Copy, Debug, Default)]
struct Columns([Option<usize>; COLUMNS.len()]);

/// Where each person's row begins.
#[derive(Debug, Default)]
pub(super) struct Index {
    columns: Columns,
    rows: Vec<Row>,
}

/// Sorted by key, then line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    /// The head of the id's digest: 16 bytes whatever the id.
    key: [u8; 16],
    line: u64,
    offset: u64,
}

/// Reads the whole table, page by page.
pub(super) fn list(
    path: &Path,
    users: &UserRules,
    page: &mut (dyn FnMut(Vec<Person>) + Send),
) -> Result<(Index, u64), Failure> {
    let file = File::open(path).map_err(|error| super::unreachable(path, &error))?;
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(BufReader::new(file));
    let mut faults = Vec::new();
    let mut index = Index::default();
    let mut record = StringRecord::new();
    let mut waiting = Vec::with_capacity(PAGE);
    let mut width = None;
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                faults.push((error.position().map_or(1, csv::Position::line), wrong_text(&error)));
                if error.is_io_error() {
                    break;
                }
                continue;
            }
        }
        let at = record.position().cloned().unwrap_or_else(csv::Position::new);
        let Some(width) = width else {
            width = Some(record.len());
            match Columns::read(&record) {
                Ok(columns) => index.columns = columns,
                Err(found) => faults.extend(found.into_iter().map(|fault| (at.line(), fault))),
            }
            // Without its columns nothing can be said of the rows.
            if faults.is_empty() { continue } else { break }
        };
        match read_row(&record, width, index.columns, users) {
            Ok(person) => {
                index.rows.push(Row { key: key_of(person.id.as_str()), line: at.line(), offset: at.byte() });
                waiting.push(person);
            }
            Err(fault) => faults.push((at.line(), fault)),
        }
        if waiting.len() == PAGE {
            page(std::mem::replace(&mut waiting, Vec::with_capacity(PAGE)));
        }
    }
    if width.is_none() && faults.is_empty() {
        faults.push((1, format!("the header is missing: write `{}`", COLUMNS.join(","))));
    }
    page(waiting);
    index.rows.sort_unstable();
    faults.extend(index.twice());
    if !faults.is_empty() {
        return Err(failure(path, faults));
    }
    let people = index.rows.len() as u64;
    Ok((index, people))
}

impl Columns {
    /// Reads the header; all its faults at once.
    fn read(header: &StringRecord) -> Result<Self, Vec<String>> {
        let mut columns = Self::default();
        let mut faults = Vec::new();
        for (at, name) in header.iter().enumerate() {
            let name = name.trim_start_matches('\u{feff}').trim();
            match COLUMNS.iter().position(|known| *known == name) {
                None => faults.push(format!("`{name}` is not a column: {}", nearest(name))),
                Some(known) if columns.0[known].is_some() => faults.push(format!("the column `{name}` stands twice")),
                Some(known) => columns.0[known] = Some(at),
            }
        }
        if columns.0[0].is_none() {
            faults.push("the column `id` is missing".to_owned());
        }
        if faults.is_empty() { Ok(columns) } else { Err(faults) }
    }

    fn get<'r>(&self, record: &'r StringRecord, name: &str) -> &'r str {
        let known = COLUMNS.iter().position(|column| *column == name);
        let at = known.and_then(|known| self.0[known]);
        at.and_then(|at| record.get(at)).unwrap_or_default().trim()
    }
}

fn nearest(name: &str) -> String {
    let folded = name.to_lowercase();
    let near = COLUMNS.iter().map(|known| (strsim::jaro_winkler(known, &folded), *known));
    match near.max_by(|left, right| left.0.total_cmp(&right.0)) {
        Some((likeness, known)) if likeness > 0.7 => format!("did you mean `{known}`?"),
        _ => format!("there are {}", COLUMNS.join(", ")),
    }
}

fn read_row(record: &StringRecord, width: usize, columns: Columns, users: &UserRules) -> Result<Person, String> {
    if record.len() != width {
        return Err(format!("{} fields where the header has {width}", record.len()));
    }
    let get = |name| columns.get(record, name);
    let id = get("id");
    if id.is_empty() {
        return Err("the id is empty".to_owned());
    }
    let active = match get("active").to_lowercase().as_str() {
        "" | "true" | "yes" | "1" => true,
        "false" | "no" | "0" => false,
        other => return Err(format!("`active` is `{other}`: write true or false")),
    };
    let emails = || get("email").split(';').map(str::trim);
    let names: Vec<&str> = [get("upn"), id].into_iter().chain(emails()).filter(|name| !name.is_empty()).collect();
    let standing = users.standing(Facts {
        active,
        user_type: None,
        belongs: Belongs { in_scope: true, ..Belongs::default() },
        names: &names,
    });
    let shown = [get("name"), get("upn"), id].into_iter().find(|name| !name.is_empty()).unwrap_or(id);
    let mut person = Person::new(PersonId::new(id), shown, standing);
    person.add_upn(get("upn"));
    person.add_main_email(emails().next().unwrap_or_default());
    emails().for_each(|email| person.add_key(PersonKey::Email, email));
    person.add_key(PersonKey::Sam, get("username"));
    person.add_key(PersonKey::EmployeeId, get("employee_id"));
    Ok(person)
}

impl Index {
    /// The picture that a person's row names; empty if it names none.
    pub(super) fn picture_of(&self, table: &mut (impl Read + Seek), id: &PersonId) -> Result<String, Fault> {
        let changed =
            || Fault::new("changed_meanwhile", format!("{TABLE} changed while it was read: `{id}` has moved"));
        let key = key_of(id.as_str());
        let at = self.rows.binary_search_by(|row| row.key.cmp(&key)).map_err(|_| changed())?;
        table.seek(SeekFrom::Start(self.rows[at].offset)).map_err(|_| changed())?;
        let mut record = StringRecord::new();
        let mut reader =
            ReaderBuilder::new().has_headers(false).flexible(true).buffer_capacity(1024).from_reader(table);
        match reader.read_record(&mut record) {
            Ok(true) if self.columns.get(&record, "id") == id.as_str() => {
                Ok(self.columns.get(&record, "photo").to_owned())
            }
            _ => Err(changed()),
        }
    }

    /// Ids that more than one row has.
    fn twice(&self) -> Vec<(u64, String)> {
        let pairs = self.rows.windows(2).filter(|pair| pair[0].key == pair[1].key);
        pairs.map(|pair| (pair[1].line, format!("the id of line {} again", pair[0].line))).collect()
    }
}

fn key_of(id: &str) -> [u8; 16] {
    let mut key = [0; 16];
    key.copy_from_slice(&Digest::of(id.as_bytes()).as_bytes()[..16]);
    key
}

fn wrong_text(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "not UTF-8 text: save the table as UTF-8".to_owned(),
        csv::ErrorKind::Io(error) => error.to_string(),
        _ => "not a row of a CSV table".to_owned(),
    }
}

fn failure(path: &Path, mut faults: Vec<(u64, String)>) -> Failure {
    faults.sort();
    let more = faults.len().saturating_sub(TOLD);
    let mut told: Vec<String> =
        faults.iter().take(TOLD).map(|(line, fault)| format!("{}:{line}: {fault}", path.display())).collect();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    Failure::new(FailureKind::Misconfigured, format!("reading {}", path.display()), told.join("\n"))
}
