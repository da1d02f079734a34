//! A recorded run's report, made again (docs/command-line.md, "report").
//!
//! Owns: putting lines and names together again. Leaves to others: the forms of a report (`report`), what is kept (`record`).
//! A newcomer gets wrong: the state holds ids. Names come from the cache, where the last plan or run left them; whoever is not
//! there any more is told by id.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::context::facts_path;
use super::naming;
use super::pages::{PAGE, each_page};
use super::record::{LINES, PSEUDONYMS};
use crate::error::Trouble;
use crate::model::{AccountId, PersonRef, RunId, TargetId, rfc3339};
use crate::report::{
    AccountLine, People, PersonLine, PersonWho, Pictured, Pseudonyms, ReportPictures, RunReport, StoodPictures,
};
use crate::settings::Names;
use crate::state::{Facts, RunRecord, StateError, Store};

/// A report that is made again.
pub(crate) struct RecordedReport {
    /// Everything but the people.
    pub report: RunReport,
    /// Everybody but the unchanged.
    pub people: RecordedPeople,
}

/// Everybody's own line, as the state keeps it.
pub(crate) struct RecordedPeople {
    store: Store,
    facts: Option<Facts>,
    pseudonyms: Pseudonyms,
    names: Names,
    run: RunId,
    targets: Vec<TargetId>,
    /// Whom the pseudonyms in reasons stand for, as far as the cache has them.
    known: HashMap<String, String>,
}

/// The report of a run, of the last that came to one if none is named. `names` is how the file wants people named.
pub(crate) fn recorded(state: &Path, run: Option<&str>, names: Names) -> Result<RecordedReport, Trouble> {
    let store = Store::view(state)?;
    let (run, kept) = kept(&store, run)?;
    // Who was promised a pseudonym on that day keeps it.
    let names = if kept[PSEUDONYMS] == json!(true) { Names::Pseudonym } else { names };
    let has_lines = !kept[LINES].is_null();
    let mut report: RunReport = serde_json::from_value(kept)
        .map_err(|error| Trouble::Usage(format!("the report in the state cannot be read: {error}")))?;
    report.last_success = store.success_by(&run)?.map(|last| rfc3339(last.row.started));
    let mut people = RecordedPeople {
        facts: Facts::open(&facts_path(state)).ok(),
        pseudonyms: Pseudonyms::new(store.key()?),
        targets: report.targets.iter().map(|target| TargetId::new(&target.id)).collect(),
        names,
        run,
        store,
        known: HashMap::new(),
    };
    if names == Names::Full {
        people.known = people.name(&mut report)?;
    }
    report.notes.extend(people.not_shown(has_lines).map(str::to_owned));
    Ok(RecordedReport { report: report.shown(), people })
}

fn kept(store: &Store, id: Option<&str>) -> Result<(RunId, Value), Trouble> {
    let Some(id) = id else {
        let newest = store.runs(usize::MAX)?.into_iter().find_map(reported);
        return newest.ok_or_else(|| Trouble::Usage("no run that came to a report is recorded yet".to_owned()));
    };
    let found = store.run(&RunId::new(id))?;
    let found = found
        .ok_or_else(|| Trouble::Usage(format!("no run `{}` is recorded; `status` lists them", id.escape_debug())))?;
    let ended = found.end.as_ref().map_or("it did not end", |_| "it was no run, or ended before it came to one");
    let without = Trouble::Usage(format!("the run {} left no report: {ended}", found.row.id));
    reported(found).ok_or(without)
}

fn reported(run: RunRecord) -> Option<(RunId, Value)> {
    let report = run.end.map(|end| end.report).filter(Value::is_object)?;
    Some((run.row.id, report))
}

impl RecordedPeople {
    /// What cannot be told again.
    fn not_shown(&self, has_lines: bool) -> impl Iterator<Item = &'static str> {
        let lines = "made again from the state, which does not keep what this run did to whom: it ran with an older version, or \
                     `keep_runs` or `state purge` took that out";
        let names = "made again from the state, which holds no names, and the cache that has them is not here: accounts and \
                     people are told by id";
        let told = [(!has_lines, lines), (has_lines && self.facts.is_none() && self.names == Names::Full, names)];
        told.into_iter().filter(|(is_so, _)| *is_so).map(|(_, words)| words)
    }

    /// The pseudonyms in the reasons of its lines.
    fn within_details(&self) -> Result<HashSet<String>, StateError> {
        let mut within = HashSet::new();
        for target in &self.targets {
            for page in each_page(
                |after| self.store.lines(&self.run, target, after, PAGE),
                |(id, account, _)| (account.clone(), *id),
            ) {
                for (_, _, body) in page? {
                    within.extend(body["detail"].as_str().into_iter().flat_map(Pseudonyms::within));
                }
            }
        }
        Ok(within)
    }

    /// Turns the pseudonyms in sentences back into names, as far as the cache has them; and says whom those in lines stand for.
    fn name(&self, report: &mut RunReport) -> Result<HashMap<String, String>, StateError> {
        let misplaced = report.misplaced.iter_mut().flat_map(|line| {
            let accounts = [&mut line.account, &mut line.meant_for].into_iter();
            let error = line.error.as_mut().map(|error| &mut error.message);
            accounts.flat_map(|account| [&mut account.id, &mut account.name]).chain(error)
        });
        let texts: Vec<&mut String> = misplaced.chain(&mut report.failures).chain(&mut report.notes).collect();
        let mut known = HashMap::new();
        let mut wanted = self.within_details()?;
        wanted.extend(texts.iter().flat_map(|text| Pseudonyms::within(text)));
        let Some(facts) = self.facts.as_ref().filter(|_| !wanted.is_empty()) else { return Ok(known) };
        let mut learn = |names: Vec<&str>| {
            for name in names {
                let pseudonym = self.pseudonyms.of(name);
                if wanted.contains(&pseudonym) {
                    known.insert(pseudonym, name.to_owned());
                }
            }
        };
        for target in &self.targets {
            for page in each_page(|after| facts.accounts(target, after, PAGE), |last| last.id.clone()) {
                page?.iter().for_each(|account| learn(naming::of_account(account)));
            }
        }
        let sources: Vec<_> = report.sources.iter().map(|source| source.id.as_str().into()).collect();
        for source in &sources {
            for page in each_page(|after| facts.people(source, after, PAGE), |last| last.id.clone()) {
                page?.iter().for_each(|person| learn(naming::of_person(person)));
            }
        }
        for text in texts {
            *text = with_names(&known, text);
        }
        Ok(known)
    }

    fn line(&self, target: &TargetId, account: AccountId, body: Value) -> Result<PersonLine, StateError> {
        let body: RecordedBody = serde_json::from_value(body).map_err(|error| self.store.damaged(&error))?;
        let listed = self.facts.as_ref().map(|facts| facts.account(target, &account)).transpose()?.flatten();
        let person = body
            .person
            .as_ref()
            .map(|person| PersonRef { source: person.source.as_str().into(), id: person.id.as_str().into() });
        let found = match (&self.facts, &person) {
            (Some(facts), Some(person)) => facts.person(person)?,
            _ => None,
        };
        let mut names = vec![account.to_string()];
        names.extend(listed.iter().flat_map(naming::of_account).map(str::to_owned));
        names.extend(person.iter().map(|person| person.id.to_string()));
        names.extend(found.iter().flat_map(naming::of_person).map(str::to_owned));
        let shown = found.map(|person| person.display_name).filter(|name| !name.is_empty());
        let mut line = PersonLine {
            left_out: false,
            target: target.to_string(),
            account: AccountLine {
                name: listed.map_or_else(|| account.to_string(), |listed| listed.name),
                id: account.to_string(),
            },
            person: body.person.map(|person| PersonWho { name: shown, ..person }),
            change: body.change,
            reason: body.reason,
            rule: body.rule,
            detail: body.detail.map(|detail| with_names(&self.known, &detail)),
            result: body.result,
            error: body.error,
        };
        if self.names == Names::Pseudonym {
            return Ok(self.pseudonyms.line(line, &names).shown());
        }
        if let Some(error) = &mut line.error {
            names.iter().for_each(|name| error.message = error.message.replace(&self.pseudonyms.of(name), name));
        }
        Ok(line.shown())
    }
}

/// A sentence with the names that its pseudonyms stand for, as far as they are known.
fn with_names(known: &HashMap<String, String>, sentence: &str) -> String {
    Pseudonyms::within(sentence).fold(sentence.to_owned(), |text, pseudonym| match known.get(&pseudonym) {
        Some(name) => text.replace(&pseudonym, name),
        None => text,
    })
}

/// A line without its target and account, which are columns.
#[derive(serde::Deserialize)]
struct RecordedBody {
    person: Option<PersonWho>,
    change: crate::report::ChangeLine,
    reason: String,
    rule: String,
    #[serde(default)]
    detail: Option<String>,
    result: crate::model::PersonResult,
    error: Option<crate::report::PersonFailure>,
}

impl People for RecordedPeople {
    fn each_line(&self, take: &mut dyn FnMut(PersonLine) -> io::Result<()>) -> io::Result<()> {
        for target in &self.targets {
            for page in each_page(
                |after| self.store.lines(&self.run, target, after, PAGE).map_err(io::Error::other),
                |(id, account, _)| (account.clone(), *id),
            ) {
                for (_, account, body) in page? {
                    take(self.line(target, account, body).map_err(io::Error::other)?)?;
                }
            }
        }
        Ok(())
    }

    fn each_pictured(&self, take: &mut dyn FnMut(Pictured) -> io::Result<()>) -> io::Result<()> {
        self.each_line(&mut |line| take(Pictured { line, before: None, after: None }))
    }

    fn pictures(&self) -> ReportPictures {
        ReportPictures { side: None, before: StoodPictures::NotKept }
    }

    fn scratch(&self) -> io::Result<File> {
        tempfile::tempfile()
    }
}
