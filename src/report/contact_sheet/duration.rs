//! How long a run takes by what it has to send.
//!
//! Owns: the sum, and times in words. Leaves to others: counting requests (`run`).
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

/// `4 h 50 min`, `3 min`, `9 s`.
pub(super) fn words(time: Duration) -> String {
    let seconds = time.as_secs().max(1);
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes @ 1..10, seconds @ 1..) => format!("{minutes} min {seconds} s"),
        (0, minutes, _) => format!("{minutes} min"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_as_people_do() {
        for (seconds, told) in [
            (0, "1 s"),
            (59, "59 s"),
            (60, "1 min"),
            (82, "1 min 22 s"),
            (3599, "59 min"),
            (3600, "1 h"),
            (17_400, "4 h 50 min"),
        ] {
            assert_eq!(words(Duration::from_secs(seconds)), told);
        }
    }
}
