//! `metrics.prom`: the report in the text format of Prometheus, for the textfile collector of its node_exporter
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>).
//!
//! Owns: the names of the metrics. Leaves to others: the counts (`run`).
//! A newcomer gets wrong: nobody is named here; names are added, never renamed, since alerts are built on them.

use std::io::{self, Write};

use super::times::{took, unix};
use super::{CredentialLine, LimitLine, ReportFile, RequestLine, RunReport, SourceLine, TargetLine};

/// In the folder of the report.
pub(crate) const METRICS: ReportFile = ReportFile { name: "metrics.prom", write: |told, out| write(told.report, out) };

/// A metric of each line of a list: its name, what it counts, and how it is read.
type Of<L> = (&'static str, &'static str, fn(&L) -> Option<u64>);

const SOURCES: [Of<SourceLine>; 7] = [
    ("source_up", "Whether the source could be read; 0: it failed.", |of| Some(u64::from(of.state != "failed"))),
    ("source_people", "People listed.", |of| Some(of.people)),
    ("source_in_scope", "People selected by `users`.", |of| Some(of.in_scope)),
    ("source_present", "Matched people who have a photo of which a picture can be made.", |of| Some(of.present)),
    ("source_absent", "Matched people who provably have no photo.", |of| Some(of.absent)),
    (
        "source_unknown",
        "Matched people of whom it is not known whether they have a photo, or of whose photo no picture can be made.",
        |of| Some(of.unknown),
    ),
    ("source_downloaded", "Photos whose bytes were received.", |of| Some(of.downloaded)),
];

const TARGETS: [Of<TargetLine>; 16] = [
    ("target_up", "Whether the target could be worked with; 0: it failed.", |of| Some(u64::from(of.state != "failed"))),
    ("target_dry_run", "Whether the target is on `dry_run`: then its changes are what would be done.", |of| {
        Some(u64::from(of.is_dry_run()))
    }),
    ("target_accounts", "Accounts listed.", |of| Some(of.accounts)),
    ("target_matched", "Accounts that belong to one person of a source.", |of| Some(of.matched)),
    ("target_replaced", "Pictures replaced; in a plan and on `dry_run`, to replace.", |of| Some(of.replaced)),
    ("target_reverted", "Accounts given back the default; in a plan and on `dry_run`, to give back.", |of| {
        Some(of.reverted)
    }),
    ("target_removed", "Pictures of ours taken away that must not stand there.", |of| Some(of.removed)),
    ("target_tidied", "Leftovers of ours taken away.", |of| Some(of.tidied)),
    ("target_finished", "Half-done writes completed.", |of| Some(of.finished)),
    ("target_adopted", "Pictures recognised by their looks.", |of| Some(of.adopted)),
    ("target_unchanged", "Accounts that were right already.", |of| Some(of.unchanged)),
    ("target_kept", "Accounts left alone by a rule.", |of| Some(of.kept)),
    (
        "target_still_shown",
        "Faces of people who opted out, or of an account's former owner, that somebody has to take off.",
        |of| Some(of.still_shown),
    ),
    ("target_conflicts", "Accounts left alone since their keys do not name one person.", |of| Some(of.conflicts)),
    ("target_skipped", "Accounts that are disabled, not selected, or nobody's.", |of| Some(of.skipped)),
    ("target_failed", "Changes that failed.", |of| Some(of.failed)),
];

const REQUESTS: [Of<RequestLine>; 6] = [
    ("requests", "Requests sent, repeated ones included.", |of| Some(of.sent)),
    ("requests_forecast", "Requests that the run had to cost.", |of| Some(of.forecast)),
    ("requests_units", "What the vendor counts.", |of| Some(of.units)),
    ("requests_retried", "Requests sent again.", |of| Some(of.retried)),
    ("requests_throttled", "Answers that said to slow down.", |of| Some(of.throttled)),
    ("received_bytes", "Bytes of bodies received.", |of| Some(of.bytes_received)),
];

const LIMITS: [Of<LimitLine>; 5] = [
    ("limit_found", "What was found for a limit.", |of| Some(of.value)),
    ("limit_of", "The whole that a share of a limit is of.", |of| Some(of.of)),
    ("limit_allowed", "The most that passes; not there where nothing is limited.", |of| of.allowed),
    ("limit_broken", "Whether the limit stopped its source or target.", |of| Some(u64::from(of.broken))),
    ("limit_let_pass", "Whether --allow let it pass.", |of| Some(u64::from(of.overridden))),
];

const CREDENTIALS: [Of<CredentialLine>; 1] =
    [("credential_days", "Whole days until a credential ends, from the end of the run.", |of| Some(of.days))];

fn write(report: &RunReport, out: &mut dyn Write) -> io::Result<()> {
    let mut out = Metrics { pipeline: &report.pipeline, out: io::BufWriter::new(out) };
    let info = [("command", report.command.as_str()), ("outcome", &report.outcome), ("tool", &report.tool)];
    out.one("run_info", "The run that the other metrics tell of.", &info, Some(1))?;
    let success = report.last_success.as_deref().and_then(unix);
    out.one("last_success_timestamp_seconds", "Start of the last whole run that ended in 0.", &[], success)?;
    out.one("run_timestamp_seconds", "End of the run.", &[], unix(&report.finished))?;
    out.one("run_duration_seconds", "How long the run took.", &[], took(report).map(|took| took.as_secs()))?;
    out.one("run_exit_code", "Exit code of the run.", &[], Some(u64::from(report.exit_code)))?;
    let misplaced = "Pictures on accounts that they were not meant for.";
    out.one("run_misplaced", misplaced, &[], Some(report.misplaced.len() as u64))?;
    let slips = "Entries of `users` and rows of a map that fit nobody while somebody is called nearly so.";
    out.one("run_slips", slips, &[], Some(report.slips))?;
    out.all(&SOURCES, &report.sources, |of| vec![("source", of.id.as_str())])?;
    out.all(&TARGETS, &report.targets, |of| vec![("target", of.id.as_str())])?;
    out.all(&REQUESTS, &report.requests, |of| vec![("endpoint", of.endpoint.as_str())])?;
    out.all(&LIMITS, &report.limits, |of| vec![("limit", of.limit.as_str()), ("scope", of.scope.as_str())])?;
    out.all(&CREDENTIALS, &report.credentials, |of| vec![("of", of.of.as_str()), ("what", of.what.as_str())])?;
    out.out.flush()
}

type Label<'a> = (&'static str, &'a str);

struct Metrics<'a, W: Write> {
    pipeline: &'a str,
    out: W,
}

impl<W: Write> Metrics<'_, W> {
    fn all<L>(&mut self, metrics: &[Of<L>], lines: &[L], labels: fn(&L) -> Vec<Label<'_>>) -> io::Result<()> {
        for (name, help, read) in metrics {
            let mut samples = lines.iter().filter_map(|line| Some((line, read(line)?))).peekable();
            if samples.peek().is_some() {
                self.head(name, help)?;
            }
            for (line, value) in samples {
                self.sample(name, &labels(line), value)?;
            }
        }
        Ok(())
    }

    /// What is not known is left out.
    fn one(&mut self, name: &str, help: &str, labels: &[Label<'_>], value: Option<u64>) -> io::Result<()> {
        let Some(value) = value else { return Ok(()) };
        self.head(name, help)?;
        self.sample(name, labels, value)
    }

    fn head(&mut self, name: &str, help: &str) -> io::Result<()> {
        writeln!(self.out, "# HELP avatarpipe_{name} {help}\n# TYPE avatarpipe_{name} gauge")
    }

    fn sample(&mut self, name: &str, labels: &[Label<'_>], value: u64) -> io::Result<()> {
        write!(self.out, "avatarpipe_{name}{{pipeline=\"{}\"", escaped(self.pipeline))?;
        for (label, words) in labels {
            write!(self.out, ",{label}=\"{}\"", escaped(words))?;
        }
        writeln!(self.out, "}} {value}")
    }
}

/// The three that the format has escapes for.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_label_cannot_end_its_line() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}
