//! `run.json`: the report as programs read it.

use super::RunReport;

/// The report as indented JSON with a final line break.
pub fn json(report: &RunReport) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(report).map(|text| text + "\n")
}
