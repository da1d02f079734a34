//! How long a run takes by what it has to send.
//!
//! Owns: the sum. Leaves to others: counting requests (`run`), times in words (`times`).
//! A newcomer gets wrong: who names one rate shares it, so requests are added up by rate; the sources come before the
//! targets, and those of one side go side by side.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::report::{RequestLine, RunReport};

fn is_source(report: &RunReport, line: &RequestLine) -> bool {
    report.sources.iter().any(|source| source.id == line.endpoint)
}

/// What one endpoint sends in a run.
pub(super) fn units(report: &RunReport, line: &RequestLine) -> u64 {
    // Of a batch each part counts, and how many there will be only what was sent tells.
    if is_source(report, line) { line.units.max(line.forecast) } else { line.forecast }
}

/// What is counted there.
pub(super) fn unit(report: &RunReport, line: &RequestLine) -> &'static str {
    if is_source(report, line) && line.units > line.sent { "unit" } else { "request" }
}

/// The least that the rates allow; `None` where nothing is sent.
pub(super) fn of_a_run(report: &RunReport) -> Option<Duration> {
    let mut sides: [BTreeMap<&str, f64>; 2] = [BTreeMap::new(), BTreeMap::new()];
    for line in report.requests.iter().filter(|line| line.per_second > 0.0) {
        #[expect(clippy::cast_precision_loss, reason = "a time that is rounded to seconds")]
        let seconds = units(report, line) as f64 / line.per_second;
        *sides[usize::from(is_source(report, line))].entry(&line.rate).or_default() += seconds;
    }
    let seconds: f64 = sides.iter().map(|side| side.values().copied().fold(0.0, f64::max)).sum();
    (seconds > 0.0).then(|| Duration::from_secs_f64(seconds.min(1e9)))
}
