//! `people.csv`: who there is, and which picture each row names.
//!
//! Owns: the columns, all faults of the table at once, and finding a row again.
//! Leaves to others: where a cell ends (`table`), the pictures (`source.rs`).
//! A newcomer gets wrong: rows are found again by where they stand in the file, so that a large table is not held in
//! memory (promise P9); a table that changed meanwhile is noticed by the id.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::values;
use crate::extract::unmet::{Seen, Unmet};
use crate::extract::{Belongs, UserFacts};
use crate::http::{Failure, FailureKind};
use crate::input;
use crate::model::{Digest, Fault, Person, PersonId, PersonKey, Standing, normalise_key};
use crate::nearest::nearest;
use crate::settings::Users;
use crate::table::{self, Cell, TableReader};

/// The table's name in the folder.
pub(crate) const TABLE: &str = "people.csv";

/// People handed on at once.
const PAGE: usize = 500;

/// Faults told at once; a table with more has one cause.
const TOLD: usize = 10;

const COLUMNS: [&str; 8] = ["id", "name", "email", "upn", "username", "employee_id", "active", "photo"];

/// The columns by which people are known: what nobody sees in one makes another key of it.
const KEYS: [&str; 5] = ["id", "email", "upn", "username", "employee_id"];

/// Endings of files by which the name of a picture is known to be whole.
const ENDINGS: [&str; 5] = ["jpg", "jpeg", "png", "gif", "webp"];

/// Bytes of a digest by which a row is looked up; whose it is says the row itself.
const ROW_KEY: usize = 12;

/// Where each column of [`COLUMNS`] stands in this table.
#[derive(Clone, Copy, Debug, Default)]
struct Columns([Option<usize>; COLUMNS.len()]);

/// Where each person's row begins.
#[derive(Debug, Default)]
pub(super) struct Index {
    columns: Columns,
    rows: Vec<RowOffset>,
    /// A row names a picture: only then one that names none says something.
    names_pictures: bool,
}

/// Sorted by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RowOffset {
    /// The head of the id's digest: so many bytes whatever the id.
    key: [u8; ROW_KEY],
    /// Its line, for whoever is told of it.
    line: u32,
    offset: u64,
}

/// Reads the whole table, page by page.
pub(super) fn list(
    path: &Path,
    users: &Users,
    page: &mut (dyn FnMut(Vec<Person>) + Send),
) -> Result<(Index, u64, Vec<Unmet>), Failure> {
    let sheet = read(path, Some(users), page).map_err(|error| unreachable(path, &error))?;
    if !sheet.faults.is_empty() {
        return Err(failure(path, sheet.faults));
    }
    let mut index = sheet.index;
    index.rows.sort_unstable();
    let people = index.rows.len() as u64;
    Ok((index, people, sheet.rules.map(|(_, seen)| seen.unmet()).unwrap_or_default()))
}

/// What is wrong in the table of a folder, line by line. `Err`: it cannot be read.
pub(crate) fn table_faults(folder: &Path) -> std::io::Result<Vec<table::RowFault>> {
    let mut faults = read(&folder.join(TABLE), None, &mut |_| {})?.faults;
    faults.sort();
    Ok(faults)
}

fn read<'u>(
    path: &Path,
    users: Option<&'u Users>,
    page: &mut (dyn FnMut(Vec<Person>) + Send),
) -> std::io::Result<Sheet<'u>> {
    let file = input::open(path)?;
    let mut sheet = Sheet {
        rules: users.map(|users| (users, Seen::nobody(users))),
        index: Index::default(),
        ids: Vec::new(),
        faults: Vec::new(),
    };
    match TableReader::new(BufReader::new(file)) {
        Ok(mut rows) => sheet.read(&mut rows, page),
        Err(fault) => sheet.faults.push(fault),
    }
    sheet.faults.extend(twice(std::mem::take(&mut sheet.ids)));
    Ok(sheet)
}

/// What was read of a table so far.
struct Sheet<'a> {
    /// Whom the file means by its rules, and whom they met; `None`: nobody asks who is in scope.
    rules: Option<(&'a Users, Seen<'a>)>,
    index: Index,
    /// Each id in its compared form and as it is, and its line.
    ids: Vec<([u8; 16], [u8; 16], u64)>,
    faults: Vec<table::RowFault>,
}

impl Sheet<'_> {
    fn read<R: std::io::BufRead>(&mut self, rows: &mut TableReader<R>, page: &mut (dyn FnMut(Vec<Person>) + Send)) {
        let Some(width) = self.header(rows) else { return };
        let mut waiting = Vec::with_capacity(PAGE);
        loop {
            match rows.row() {
                Ok(None) => break,
                Ok(Some(row)) => waiting.extend(self.row(&row, width)),
                Err(fault) => self.faults.push(fault),
            }
            if waiting.len() == PAGE {
                page(std::mem::replace(&mut waiting, Vec::with_capacity(PAGE)));
            }
        }
        page(waiting);
    }

    /// How many columns there are. Without its columns nothing can be said of the rows.
    fn header<R: std::io::BufRead>(&mut self, rows: &mut TableReader<R>) -> Option<usize> {
        let read = table::header(rows, &COLUMNS).map_err(|fault| vec![fault]);
        match read.and_then(|header| Ok((Columns::read(&header)?, header.cells.len()))) {
            Ok((columns, width)) => {
                self.index.columns = columns;
                Some(width)
            }
            Err(found) => {
                self.faults.extend(found);
                None
            }
        }
    }

    fn row(&mut self, row: &table::Row, width: usize) -> Option<Person> {
        let person = row.misfits(width).or_else(|| self.index.columns.doubt(row)).map_or_else(
            || {
                read_row(row, self.index.columns, self.rules.as_mut())
                    .map_err(|found| table::RowFault::new(row.line, found))
            },
            Err,
        );
        match person {
            Ok(person) => {
                let id = person.id.as_str();
                let key = key_of(id);
                self.index.names_pictures |= !self.index.columns.get(row, "photo").is_empty();
                let line = u32::try_from(row.line).unwrap_or(u32::MAX);
                self.index.rows.push(RowOffset { key: row_key(id), line, offset: row.offset });
                self.ids.push((key_of(&normalise_key(id)), key, row.line));
                Some(person)
            }
            Err(fault) => {
                self.faults.push(fault);
                None
            }
        }
    }
}

/// Ids that more than one row has. What only looks the same is the same to whoever typed it.
fn twice(mut ids: Vec<([u8; 16], [u8; 16], u64)>) -> Vec<table::RowFault> {
    ids.sort_unstable_by_key(|(compared, _, line)| (*compared, *line));
    let pairs = ids.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let fault = |pair: &[([u8; 16], [u8; 16], u64)]| {
        let but = if pair[0].1 == pair[1].1 { "" } else { ", but for case or Unicode form" };
        table::RowFault::new(pair[1].2, format!("the same id as line {}{but}", pair[0].2))
    };
    pairs.map(fault).collect()
}

impl Columns {
    /// Reads the header; all its faults at once.
    fn read(header: &table::Row) -> Result<Self, Vec<table::RowFault>> {
        let mut columns = Self::default();
        let mut faults = Vec::new();
        for (at, cell) in header.cells.iter().enumerate() {
            let name = cell.trimmed();
            let found = match COLUMNS.iter().position(|known| name.eq_ignore_ascii_case(known)) {
                None if name.is_empty() => {
                    // With it, a name with a comma in it would have room in a row.
                    format!("column {} has no name: name it, or delete it and what stands below it", at + 1)
                }
                None => format!("`{}` is not a column: {}", name.escape_debug(), meant(name)),
                Some(known) if columns.0[known].is_some() => format!("the column `{name}` stands twice: delete one"),
                Some(known) => {
                    columns.0[known] = Some(at);
                    continue;
                }
            };
            faults.push(table::RowFault::new(header.line, found));
        }
        if columns.0[0].is_none() {
            faults
                .push(table::RowFault::new(header.line, "the column `id` is missing: write who each row is, for ever"));
        }
        if faults.is_empty() { Ok(columns) } else { Err(faults) }
    }

    fn cell<'r>(&self, row: &'r table::Row, name: &str) -> Option<&'r Cell> {
        row.cells.get(self.place(name)?)
    }

    fn place(&self, name: &str) -> Option<usize> {
        let known = COLUMNS.iter().position(|column| *column == name)?;
        self.0[known]
    }

    fn get<'r>(&self, row: &'r table::Row, name: &str) -> &'r str {
        self.cell(row, name).map_or("", Cell::trimmed)
    }

    /// What makes it unclear whose row this is, or which picture it names.
    fn doubt(&self, row: &table::Row) -> Option<table::RowFault> {
        let broken = |name: &&&str| **name != "name" && self.cell(row, name).is_some_and(Cell::is_broken);
        if let Some(name) = COLUMNS.iter().find(broken) {
            let line = self.cell(row, name).map_or(row.line, |cell| cell.line);
            return Some(table::RowFault::new(line, format!("`{name}` has a line break: is a quote missing?")));
        }
        for name in KEYS {
            if let Some(sign) = self.cell(row, name).and_then(|cell| table::odd_sign(&cell.text)) {
                return Some(table::RowFault::new(row.line, format!("`{name}` has {sign}: write it without")));
            }
        }
        let cut = KEYS.iter().find_map(|name| row.key_may_be_cut(self.place(name)?, name));
        cut.or_else(|| row.swallowed())
    }
}

fn meant(name: &str) -> String {
    match nearest(name, COLUMNS) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("there are {}", COLUMNS.join(", ")),
    }
}

fn read_row(row: &table::Row, columns: Columns, rules: Option<&mut (&Users, Seen<'_>)>) -> Result<Person, String> {
    let get = |name| columns.get(row, name);
    let id = get("id");
    if id.is_empty() {
        return Err("the id is empty: write who it is, or delete the row".to_owned());
    }
    let active = match get("active").to_lowercase().as_str() {
        "" | "true" | "yes" | "1" => true,
        "false" | "no" | "0" => false,
        _ => return Err(format!("`active` is `{}`: write true or false", get("active").escape_debug())),
    };
    for (name, text) in COLUMNS.iter().map(|name| (name, get(name))) {
        if let Some(found) = values::doubt(&KEYS, name, text) {
            return Err(found);
        }
    }
    let emails = || get("email").split(';').map(str::trim);
    let names: Vec<&str> =
        [get("upn"), get("username"), id].into_iter().chain(emails()).filter(|name| !name.is_empty()).collect();
    let facts =
        UserFacts { active, user_type: None, belongs: Belongs { in_scope: true, ..Belongs::default() }, names: &names };
    let standing = rules.map_or(Standing::InScope, |(users, seen)| {
        seen.person(&names);
        users.standing(facts)
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
    fn row(&self, id: &PersonId) -> Option<&RowOffset> {
        let key = row_key(id.as_str());
        self.rows.binary_search_by(|row| row.key.cmp(&key)).ok().map(|at| &self.rows[at])
    }

    /// What is wrong with a person, with their row in front of it.
    pub(super) fn on_its_line(&self, id: &PersonId, mut fault: Fault) -> Fault {
        if let Some(row) = self.row(id) {
            fault.message = format!("{TABLE}:{}: {}", row.line, fault.message);
        }
        fault
    }

    /// The picture that a person's row names; empty if it names none.
    pub(super) fn picture_of(&self, file: &mut (impl Read + Seek), id: &PersonId) -> Result<String, Fault> {
        let changed =
            || Fault::new("changed_meanwhile", format!("{TABLE} changed while it was read: `{id}` has moved"));
        let row = self.row(id).ok_or_else(changed)?;
        file.seek(SeekFrom::Start(row.offset)).map_err(|_| changed())?;
        let row = match TableReader::at(BufReader::with_capacity(1024, file)).row() {
            Ok(Some(row)) if self.columns.get(&row, "id") == id.as_str() => row,
            _ => return Err(changed()),
        };
        let Some(photo) = self.columns.cell(&row, "photo") else {
            let found = format!("{TABLE} has no column `photo`: that says of nobody that there is no picture");
            return Err(Fault::new("no_photo_column", found));
        };
        let last = row.cells.last().is_some_and(|cell| std::ptr::eq(cell, photo));
        if row.unended && last && !photo.quoted {
            may_be_cut(photo.trimmed())?;
        }
        if photo.trimmed().is_empty() && !self.names_pictures {
            let found = format!("{TABLE} names no picture of anybody: that says of nobody that there is none");
            return Err(Fault::new("no_photo_named", found));
        }
        Ok(photo.trimmed().to_owned())
    }
}

/// The picture's name ends the file, and no line end says that it is whole: one with its ending is, any other may be
/// the beginning of another's.
fn may_be_cut(photo: &str) -> Result<(), Fault> {
    let ending = Path::new(photo).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)) {
        return Ok(());
    }
    let named = if photo.is_empty() { "no picture".to_owned() } else { format!("`{photo}`") };
    let found = format!("the last line of {TABLE} names {named} and has no line end: it may be cut, so end the line");
    Err(Fault::new("table_cut", found))
}

fn row_key(id: &str) -> [u8; ROW_KEY] {
    let mut key = [0; ROW_KEY];
    key.copy_from_slice(&Digest::of(id.as_bytes()).as_bytes()[..ROW_KEY]);
    key
}

pub(super) fn key_of(id: &str) -> [u8; 16] {
    let mut key = [0; 16];
    key.copy_from_slice(&Digest::of(id.as_bytes()).as_bytes()[..16]);
    key
}

fn failure(path: &Path, mut faults: Vec<table::RowFault>) -> Failure {
    faults.sort();
    let more = faults.len().saturating_sub(TOLD);
    let told = |fault: &table::RowFault| format!("{TABLE}:{}: {}", fault.line, fault.found);
    let mut told: Vec<String> = faults.iter().take(TOLD).map(told).collect();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    Failure::new(FailureKind::Misconfigured, format!("reading {}", path.display()), told.join("\n"))
}

/// The folder or its table cannot be read.
pub(super) fn unreachable(path: &Path, error: &std::io::Error) -> Failure {
    let tried = format!("reading {}", path.display());
    match input::of_this_machine(error) {
        Some(remedy) => Failure::new(FailureKind::Local, tried, error.to_string()).hint(remedy),
        // A share that is not mounted looks like a path that is wrong; both are for the one who runs the job.
        None => Failure::new(FailureKind::Unreachable, tried, error.to_string())
            .hint("see that `path` is right and the share is mounted"),
    }
}
