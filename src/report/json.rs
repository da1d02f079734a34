//! `run.json`: the report as programs read it.
//!
//! Owns: the order of its parts. Leaves to others: the fields (`run_report`).
//! A newcomer gets wrong: it is written line by line, since a text of it would hold everybody at once (promise P9).

use std::io::{self, Write};

use serde::Serialize;
use serde::ser::{Error as _, SerializeSeq as _, Serializer};

use super::{People, ReportFile, RunReport};

#[derive(Serialize)]
struct RunJson<'a> {
    #[serde(flatten)]
    report: &'a RunReport,
    people: PeopleLines<'a>,
}

struct PeopleLines<'a>(&'a dyn People);

impl Serialize for PeopleLines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let mut refused = None;
        let lines = self.0.each_line(&mut |line| {
            list.serialize_element(&line).map_err(|error| {
                refused = Some(error);
                io::Error::other("the line was not written")
            })
        });
        match (refused, lines) {
            (Some(error), _) => Err(error),
            (None, Err(lost)) => Err(S::Error::custom(lost)),
            (None, Ok(())) => list.end(),
        }
    }
}

/// In the folder of the report.
pub(crate) const RUN_JSON: ReportFile =
    ReportFile { name: "run.json", write: |told, out| write_json(told.report, told.people, out) };

/// Writes the report as indented JSON with a final line break.
pub(crate) fn write_json(report: &RunReport, people: &dyn People, out: impl Write) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, &RunJson { report, people: PeopleLines(people) })?;
    out.write_all(b"\n")?;
    out.flush()
}
