//! `status FILE`: how the last runs ended, when one last succeeded, and what is left to do.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;

use super::left::WhatIsLeft;
use super::output::{OutputFormat, WrittenTime, answer_json, answer_page, screen, tell, written_time};
use super::pipeline_file::PipelineFile;
use crate::error::Trouble;
use crate::exit::Exit;
use crate::model::{counted, rfc3339};
use crate::report::{CredentialLine, LeaseLine, LimitLine, Page, Severity, limit_sentence};
use crate::state::{Holder, RunRecord, Store, schema_version};

/// What is shown.
#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(flatten)]
    pipeline: PipelineFile,
    /// How many runs
    #[arg(long, value_name = "N", default_value_t = 10)]
    runs: usize,
    /// Exits with 3 unless a whole run that began within this time, such as `26h`, ended in 0
    #[arg(long, value_name = "TIME", value_parser = written_time)]
    max_age: Option<WrittenTime>,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = OutputFormat::Human)]
    format: OutputFormat,
}

/// Shows the last runs.
pub(super) fn run(flags: &Flags) -> Result<Exit, Trouble> {
    let document = flags.pipeline.document()?;
    let state = flags.pipeline.state(&document, "`status`")?;
    let store = Store::view(&state)?;
    let now = SystemTime::now();
    let left = WhatIsLeft::of(&store)?;
    let status = Status {
        place: flags.pipeline.place(&document, &state)?,
        is_missing: schema_version(&state)?.is_none(),
        runs: store.runs(flags.runs)?,
        last: LastSuccess::of(&store, now)?,
        is_in_bucket: flags.pipeline.bucket(&document)?.is_some(),
        lease: flags.pipeline.lease(&document, &state)?,
        holder: Holder::last(&state),
        credentials: credentials(left.report(), now),
        left,
    };
    match flags.format {
        OutputFormat::Human => {
            let mut page = status.page();
            if status.runs.is_empty() {
                flags
                    .pipeline
                    .in_sandboxes(&document, "status", "")?
                    .iter()
                    .for_each(|line| page.paragraph(0, 2, line));
            }
            answer_page(&page)
        }
        OutputFormat::Json => answer_json(&status.json()?),
    }?;
    match flags.max_age.as_ref().and_then(|most| overdue(&status.last, most, now)) {
        Some(words) => {
            tell(Severity::Failure, &words);
            Ok(Exit::SomeFailed)
        }
        None => Ok(Exit::Done),
    }
}

/// All that is shown.
struct Status {
    /// Where the state stands.
    place: String,
    /// There is none.
    is_missing: bool,
    runs: Vec<RunRecord>,
    last: LastSuccess,
    is_in_bucket: bool,
    /// Who has the lease on a state in a bucket.
    lease: Option<LeaseLine>,
    /// Who had the lock last.
    holder: Option<Holder>,
    left: WhatIsLeft,
    credentials: Vec<CredentialLine>,
}

/// A wrong folder and a lost cache look like a first run.
const MISSING: &str =
    "no run is recorded yet: the state is missing, and `run` makes it; if there was one, put its copy back first";

/// What two clocks that are both right may differ by.
const CLOCKS: Duration = Duration::from_secs(5 * 60);

/// The last success, as far as this machine's clock can say.
struct LastSuccess {
    /// The last that counts.
    counts: Option<RunRecord>,
    /// A later one that began in the future: by a clock that is or was wrong, so nobody knows how old it is.
    ahead: Option<RunRecord>,
}

impl LastSuccess {
    fn of(store: &Store, now: SystemTime) -> Result<Self, Trouble> {
        let by = now.duration_since(UNIX_EPOCH).unwrap_or_default() + CLOCKS;
        let (counts, newest) = (store.last_success_begun_by(by.as_secs())?, store.last_success()?);
        let is_ahead = |run: &RunRecord| counts.as_ref().is_none_or(|counts| counts.row.id != run.row.id);
        let ahead = newest.filter(is_ahead);
        Ok(Self { counts, ahead })
    }

    /// Why a later one does not count.
    fn not_counted(&self) -> Option<String> {
        let ahead = self.ahead.as_ref()?;
        let (id, began) = (&ahead.row.id, rfc3339(ahead.row.started));
        Some(format!("run {id} began in the future ({began}), by a clock that is or was wrong, and does not count"))
    }
}

/// What is said where the last success is older than it may be, or where there is none. What a run knew is as old as its
/// beginning.
fn overdue(last: &LastSuccess, most: &WrittenTime, now: SystemTime) -> Option<String> {
    let WrittenTime { time: most, written: most_words } = most;
    let besides = last.not_counted().map(|words| format!("; {words}")).unwrap_or_default();
    let Some(run) = &last.counts else {
        return Some(format!("no whole run ended in 0 yet; one was to be at most {most_words} old{besides}"));
    };
    let began = UNIX_EPOCH + Duration::from_secs(run.row.started);
    let age = now.duration_since(began).unwrap_or_default();
    (age > *most).then(|| {
        let age = humantime::format_duration(Duration::from_secs(age.as_secs()));
        let (id, began) = (&run.row.id, rfc3339(run.row.started));
        format!(
            "the last whole run that ended in 0 began {age} ago ({began}, run {id}), more than {most_words}{besides}"
        )
    })
}

impl Status {
    fn page(&self) -> Page {
        let mut page = Page::on(screen());
        page.paragraph(0, 2, &format!("state: {}", self.place));
        self.lease.iter().for_each(|lease| page.paragraph(0, 2, &lease.sentence()));
        if self.runs.is_empty() {
            page.paragraph(0, 2, if self.is_missing { MISSING } else { "no run is recorded yet" });
        }
        for (nth, run) in self.runs.iter().enumerate() {
            page.heading(0, &self.ended(run));
            page.paragraph(2, 4, &asked(run));
            let limits = limits(run).into_iter().map(|limit| format!("stopped by {}", limit_words(limit, nth == 0)));
            let why = why(run).map(str::to_owned).into_iter();
            let stopped = stopped_by(run).map(|cause| format!("stopped by {cause}"));
            why.chain(stopped).chain(limits).for_each(|line| page.paragraph(2, 4, &line));
        }
        if !self.runs.is_empty() {
            page.paragraph(
                0,
                2,
                &match &self.last.counts {
                    Some(run) => format!("last success: {} (run {})", rfc3339(run.row.started), run.row.id),
                    None => "last success: none".to_owned(),
                },
            );
            self.last.not_counted().iter().for_each(|words| page.paragraph(2, 4, words));
        }
        let under_way = self.runs.first().is_some_and(|run| self.is_under_way(run) == Some(true));
        self.left.tell(&mut page, under_way);
        self.undone_since().iter().for_each(|words| page.paragraph(0, 2, words));
        self.credentials.iter().for_each(|line| page.paragraph(0, 2, &line.sentence()));
        page
    }

    /// What was left is of the last whole run: what an `undo` gave back since is told beside it.
    fn undone_since(&self) -> Vec<String> {
        let since = self.runs.iter().take_while(|run| Some(run.row.id.as_str()) != self.left.run());
        let undone = since.filter(|run| is_undo(run)).filter_map(|run| {
            let given_back = given_back(&run.end.as_ref()?.report);
            let pictures = counted(given_back, "account", "accounts");
            let again = "the next `run` puts the photos there again";
            (given_back > 0).then(|| {
                format!(
                    "since then run {} (undo --apply) gave back what stood on {pictures} before; {again}",
                    run.row.id
                )
            })
        });
        undone.collect()
    }

    /// A run and its end.
    fn ended(&self, run: &RunRecord) -> String {
        let RunRecord { row, end } = run;
        match end {
            Some(end) => format!(
                "{}  {:<12} exit code {}  {} s{}",
                row.id,
                end.outcome,
                end.exit_code,
                end.finished.saturating_sub(row.started),
                counts(&end.report)
            ),
            None => format!("{}  {}", row.id, self.no_end(run)),
        }
    }

    /// Why there is no end of a run.
    fn no_end(&self, run: &RunRecord) -> String {
        let since = rfc3339(run.row.started);
        let process = match (&self.lease, &self.holder) {
            (Some(LeaseLine { process, host, .. }), _) | (None, Some(Holder { pid: process, host, .. })) => {
                format!("process {process} on {host}")
            }
            (None, None) => String::new(),
        };
        match self.is_under_way(run) {
            Some(true) => format!("under way since {since} ({process})"),
            Some(false) => "did not end: it was killed, or could not write its end".to_owned(),
            None => format!("did not end: it is under way since {since}, or was killed"),
        }
    }

    /// Whether a run without an end is alive; `None`: nobody can tell from here.
    fn is_under_way(&self, run: &RunRecord) -> Option<bool> {
        if run.end.is_none() && self.is_in_bucket {
            // Its machine may be another one.
            return match &self.lease {
                Some(lease) if lease.run == run.row.id.as_str() => lease.holds(),
                _ => Some(false),
            };
        }
        match &self.holder {
            _ if run.end.is_some() => Some(false),
            Some(holder) if holder.run == run.row.id => holder.is_alive(),
            Some(_) => Some(false),
            None => None,
        }
    }
}

/// The limits that stopped a run.
fn limits(run: &RunRecord) -> Vec<LimitLine> {
    let limits = run.end.as_ref().and_then(|end| serde_json::from_value(end.report["limits"].clone()).ok());
    let limits: Vec<LimitLine> = limits.unwrap_or_default();
    limits.into_iter().filter(|limit| limit.broken).collect()
}

/// What to write to get past it is told of the newest run alone.
fn limit_words(limit: LimitLine, newest: bool) -> String {
    let remedy = limit.remedy.filter(|_| newest);
    limit_sentence(&LimitLine { remedy, ..limit })
}

/// Why a run came to no report.
fn why(run: &RunRecord) -> Option<&str> {
    run.end.as_ref()?.report.as_str()
}

/// What asked a run to stop.
fn stopped_by(run: &RunRecord) -> Option<&str> {
    match run.end.as_ref()?.report["stopped_by"].as_str()? {
        "SIGINT" => Some("Ctrl-C"),
        "max_duration" => Some("--max-duration"),
        signal => Some(signal),
    }
}

/// What the last whole run signed in with, with the days that are left by now.
fn credentials(report: Option<&serde_json::Value>, now: SystemTime) -> Vec<CredentialLine> {
    let lines = report.and_then(|report| serde_json::from_value(report["credentials"].clone()).ok());
    let lines: Vec<CredentialLine> = lines.unwrap_or_default();
    lines.into_iter().map(|line| line.by(now)).collect()
}

/// `run --target jira, by octocat (https://…)`.
fn asked(run: &RunRecord) -> String {
    let apply = is_undo(run).then_some("--apply");
    let command = run.row.command.split(' ').take(1).chain(apply).chain(run.row.options.iter().map(String::as_str));
    let by = run.row.started_by.as_ref().map_or(String::new(), |who| format!(", by {who}"));
    command.collect::<Vec<_>>().join(" ") + &by
}

/// What is recorded of `undo` was done: without `--apply` nothing is.
fn is_undo(run: &RunRecord) -> bool {
    run.row.command.starts_with("undo")
}

/// Accounts to which an `undo` gave back what they showed.
fn given_back(report: &serde_json::Value) -> u64 {
    let of = |target: &serde_json::Value| {
        ["replaced", "reverted", "removed"].map(|key| target[key].as_u64().unwrap_or(0)).iter().sum::<u64>()
    };
    report["targets"].as_array().into_iter().flatten().map(of).sum()
}

/// `  jira: 30 replaced, 2 reverted, 1 failed`, of a dry run `  jira: 30 to replace, 2 to revert, 0 failed`, of an undoing
/// `  jira: 32 given back, 0 failed`.
fn counts(report: &serde_json::Value) -> String {
    let mut out = String::new();
    let is_undo = report["command"].as_str().is_some_and(|command| command.starts_with("undo"));
    for target in report["targets"].as_array().into_iter().flatten() {
        let count = |key: &str| target[key].as_u64().unwrap_or(0);
        let [replaced, reverted, mended] = match target["state"].as_str() {
            Some("dry_run") => ["to replace", "to revert", "to mend"],
            _ => ["replaced", "reverted", "mended"],
        };
        let back = count("reverted") + count("removed");
        let done = match is_undo {
            true if target["state"] == "dry_run" => format!("{} to give back", count("replaced") + back),
            true => format!("{} given back", count("replaced") + back),
            false => format!("{} {replaced}, {back} {reverted}", count("replaced")),
        };
        _ = write!(
            out,
            "  {}: {done}, {}{} failed{}",
            target["id"].as_str().unwrap_or("?"),
            match count("tidied") + count("finished") {
                0 => String::new(),
                many => format!("{many} {mended}, "),
            },
            count("failed"),
            match count("not_shown") {
                0 => String::new(),
                many => format!(", {many} written and not shown"),
            }
        );
    }
    out
}

/// What of a recorded report is not its counts: `report` makes it again, with the names in it.
const NOT_COUNTS: [&str; 7] = ["credentials", "misplaced", "failures", "notes", "last_success", "lines", "pseudonyms"];

fn kept(mut report: serde_json::Value) -> serde_json::Value {
    if let serde_json::Value::Object(fields) = &mut report {
        fields.retain(|field, _| !NOT_COUNTS.contains(&field.as_str()));
    }
    report
}

impl Status {
    fn json(&self) -> Result<String, Trouble> {
        let run = |run: &RunRecord| {
            let RunRecord { row, end } = run;
            serde_json::json!({
                "run": row.id, "started": rfc3339(row.started),
                "command": row.command, "options": row.options, "started_by": row.started_by,
                "pipeline_digest": row.pipeline_digest.to_string(),
                "under_way": self.is_under_way(run),
                "finished": end.as_ref().map(|end| rfc3339(end.finished)),
                "outcome": end.as_ref().map(|end| end.outcome.clone()),
                "exit_code": end.as_ref().map(|end| end.exit_code),
                "why": why(run),
                "report": end.as_ref().map(|end| kept(end.report.clone())).filter(serde_json::Value::is_object),
            })
        };
        let all = serde_json::json!({
            "format": 1,
            "state": self.place,
            "lease": self.lease,
            "last_success": self.last.counts.as_ref().map(|last| rfc3339(last.row.started)),
            "runs": self.runs.iter().map(run).collect::<Vec<_>>(),
            "left": self.left.json(),
            "credentials": self.credentials,
        });
        serde_json::to_string_pretty(&all)
            .map(|text| text + "\n")
            .map_err(|error| Trouble::Own(format!("the status cannot be written down: {error}")))
    }
}
