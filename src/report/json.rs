//! `run.json`: the report as programs read it.

use std::io::{self, Write};

use super::RunReport;

/// Writes the report as indented JSON with a final line break: line by line, since a text of it would hold everybody once
/// more (promise P9).
pub fn write_json(report: &RunReport, out: impl Write) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, report)?;
    out.write_all(b"\n")?;
    out.flush()
}
