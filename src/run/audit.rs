//! The audit trail beside the state, `NAME.audit.jsonl`: who began each run, and every change with what was and what came
//! (docs/guide/privacy.md, "The audit trail").
//!
//! Owns: its lines and its file. Leaves to others: how a change went (`state`, the facts).
//! A newcomer gets wrong: nothing reads it, and nothing in it is ever changed. The journal of the state is what a run goes by;
//! there stands what a killed run wrote, of which the trail has the beginning alone.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::context::RunContext;
use super::finished_target::FinishedTarget;
use super::pages::{PAGE, each_page};
use crate::error::Trouble;
use crate::model::{PersonResult, rfc3339};
use crate::secret::outlet;
use crate::state::{DecisionCursor, RunRow, StateError};

/// A trail that is written to.
pub(super) struct AuditTrail {
    file: File,
    path: PathBuf,
    /// What every line begins with.
    head: Value,
}

impl AuditTrail {
    /// Opens the trail of a run and writes its beginning, before anything is sent.
    pub(super) fn begin(state: &Path, row: &RunRow) -> Result<Self, Trouble> {
        let path = state.with_extension("audit.jsonl");
        let head = json!({
            "run": row.id, "started_by": row.started_by, "options": row.options,
            "pipeline_digest": row.pipeline_digest.to_string(),
        });
        let begun = json!({ "event": "begun", "at": rfc3339(row.started), "command": row.command });
        let begin = |path: &Path| {
            let mut trail = Self { file: open(path)?, path: path.to_owned(), head };
            trail.write(&[begun])?;
            Ok(trail)
        };
        begin(&path).map_err(Trouble::file(format!("write to the audit trail {}", path.display())))
    }

    /// Writes what was done, and how the run ended.
    pub(super) fn end(
        mut self,
        context: &RunContext,
        finished: &[FinishedTarget],
        outcome: &str,
        exit_code: u8,
    ) -> Result<(), Trouble> {
        let written = self.changes(context, finished).and_then(|()| {
            let at = rfc3339(super::context::unix_now());
            self.write(&[json!({ "event": "ended", "at": at, "outcome": outcome, "exit_code": exit_code })])?;
            self.file.sync_all()
        });
        written.map_err(Trouble::file(format!("write to the audit trail {}", self.path.display())))
    }

    fn changes(&mut self, context: &RunContext, finished: &[FinishedTarget]) -> io::Result<()> {
        let lost = |error: StateError| io::Error::other(error);
        for done in finished {
            let target = done.target_run.id();
            for page in each_page(
                |after| context.facts.ended(target, after, PAGE).map_err(lost),
                |(last, ..)| DecisionCursor::of(last),
            ) {
                let mut lines = Vec::new();
                for (decision, went, ended) in page? {
                    let result = went.map_or(done.writes.otherwise(), |went| went.result);
                    if !decision.change.writes() || !may_have_been_sent(result) {
                        continue;
                    }
                    lines.push(json!({
                        "event": "change", "at": ended.map(rfc3339), "target": decision.target, "account": decision.account,
                        "change": decision.change.word(), "from": decision.from.label(), "to": decision.to,
                        "reason": decision.reason.word(), "result": result,
                    }));
                }
                self.write(&lines)?;
            }
        }
        Ok(())
    }

    /// Several lines at once, each whole.
    fn write(&mut self, lines: &[Value]) -> io::Result<()> {
        let mut text = String::new();
        for line in lines {
            let mut whole = self.head.clone();
            if let (Value::Object(whole), Value::Object(line)) = (&mut whole, line) {
                whole.extend(line.clone());
            }
            text += &outlet::json(&whole.to_string());
            text.push('\n');
        }
        self.file.write_all(text.as_bytes())
    }
}

fn may_have_been_sent(result: PersonResult) -> bool {
    !matches!(result, PersonResult::None | PersonResult::Planned | PersonResult::NotDone)
}

/// Opens the file at its end, for its owner alone. Through a link somebody else's file would grow.
fn open(path: &Path) -> io::Result<File> {
    match std::fs::symlink_metadata(path) {
        Ok(there) if !there.is_file() => {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is something that is no file"));
        }
        _ => {}
    }
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}
