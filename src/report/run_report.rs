//! The shape of `run.json`, format 1 (docs/command-line.md, "Streams").
//!
//! Owns: field names and their order. Leaves to others: the lines of people (`person_line`), filling them (`run`).
//! A newcomer gets wrong: fields are added, never renamed or removed; programs read this.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::person_line::{AccountLine, PersonFailure};
use crate::secret::outlet;

/// One run, whole, but for the people, who are read line by line ([`super::People`]).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunReport {
    /// 1.
    pub format: u32,
    /// `avatarpipe 0.1.0`.
    pub tool: String,
    /// The name in the file.
    pub pipeline: String,
    /// Digest of the file's text.
    pub pipeline_digest: String,
    /// `plan`, `run`, `undo` or `undo --apply`.
    pub command: String,
    /// The run's id.
    pub run: String,
    /// One word for how it ended.
    pub outcome: String,
    /// The process's exit code.
    pub exit_code: u8,
    /// What stopped it before its end: `SIGINT`, `SIGTERM`, `SIGHUP` or `max_duration`; left out where nothing of these did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<String>,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC.
    pub finished: String,
    /// Start of the last whole run that ended in 0, RFC 3339, UTC; `null`: there was none.
    #[serde(default)]
    pub last_success: Option<String>,
    /// Whether anybody could be served: a target was open to writes, and a source was on. Without that it is no success.
    #[serde(default = "yes")]
    pub served: bool,
    /// Digest over (target, account, change, from, to, photo, recipe, leftover) of all changes, in order; `null` if no plan was reached.
    pub plan_digest: Option<String>,
    /// That of the plan that was reviewed (`run --plan`); `null`: there was none.
    #[serde(default)]
    pub reviewed_plan: Option<String>,
    /// Every source, in the file's order.
    pub sources: Vec<SourceLine>,
    /// Every target, in the file's order.
    pub targets: Vec<TargetLine>,
    /// Every endpoint that was talked to, in the file's order.
    pub requests: Vec<RequestLine>,
    /// What keeping the state in a bucket took; left out where it stands in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreLine>,
    /// Every limit that applies.
    pub limits: Vec<LimitLine>,
    /// What we sign in with and when it ends, as far as our own files say it.
    #[serde(default)]
    pub credentials: Vec<CredentialLine>,
    /// Pictures of this run that turned up on accounts they were not meant for.
    #[serde(default)]
    pub misplaced: Vec<MisplacedLine>,
    /// Entries of `users`, and rows of a map, that fit nobody while somebody is called nearly so: probably slips, told under `notes`.
    #[serde(default, skip_serializing_if = "none")]
    pub slips: u64,
    /// What stopped a source, a target or the whole run, and what to do about it.
    pub failures: Vec<String>,
    /// Odd things that stop nothing.
    pub notes: Vec<String>,
}

/// Of a report of an older version, which did not say.
fn yes() -> bool {
    true
}

/// What went to and from the store that the state is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreLine {
    /// Requests that left, repeated ones and those of a sign-in included.
    pub requests: u64,
    /// Bytes of bodies.
    pub bytes_sent: u64,
    /// Bytes of bodies.
    pub bytes_received: u64,
}

/// What a source said.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SourceLine {
    /// The id in the file.
    pub id: String,
    /// `ok`, `disabled` or `failed`.
    pub state: String,
    /// Listed.
    pub people: u64,
    /// Of these, selected by `users`.
    pub in_scope: u64,
    /// Matched people who have a photo of which a picture can be made.
    pub present: u64,
    /// Matched people who provably have none.
    pub absent: u64,
    /// Matched people of whom it is not known, or of whose photo no picture can be made.
    pub unknown: u64,
    /// Of these, of whose photo no picture can be made: unreadable, or too small.
    #[serde(default)]
    pub unusable: u64,
    /// Photos whose bytes were received.
    pub downloaded: u64,
}

/// What happened at a target; in a plan, what would.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TargetLine {
    /// The id in the file.
    pub id: String,
    /// `ok`, `frozen`, `dry_run`, `limit` or `failed`.
    pub state: String,
    /// Listed.
    pub accounts: u64,
    /// Of these, belonging to one person of a source.
    pub matched: u64,
    /// Pictures replaced.
    pub replaced: u64,
    /// Accounts gone back to the default.
    pub reverted: u64,
    /// Pictures of ours taken away since they must not stand there.
    pub removed: u64,
    /// Leftovers of ours taken away.
    pub tidied: u64,
    /// Half-done writes completed.
    pub finished: u64,
    /// Pictures recognised as ours by their looks; nothing was written.
    pub adopted: u64,
    /// As they should be.
    pub unchanged: u64,
    /// Left alone by a rule.
    pub kept: u64,
    /// Of these, faces that must not be there and that no run may delete: somebody has to take them off.
    #[serde(default, skip_serializing_if = "none")]
    pub still_shown: u64,
    /// Left alone since the keys do not name one person.
    pub conflicts: u64,
    /// Not looked at: disabled, not selected, nobody's.
    pub skipped: u64,
    /// Changes that failed.
    pub failed: u64,
    /// Of the pictures replaced and accounts gone back, those of which the server said yes and that are not shown.
    #[serde(default)]
    pub not_shown: u64,
    /// Changes that were not begun.
    #[serde(default)]
    pub not_done: u64,
    /// Accounts that were left alone since the run was stopped before it asked for their people's photos.
    #[serde(default)]
    pub not_asked: u64,
    /// Reviewed changes that were not made.
    #[serde(default)]
    pub not_made: u64,
    /// Of an undoing: accounts to which nothing comes back, since it is gone, does not open, or the target is frozen.
    #[serde(default, skip_serializing_if = "none")]
    pub not_given_back: u64,
}

fn none(count: &u64) -> bool {
    *count == 0
}

impl TargetLine {
    /// Whoever nobody has to see to, for people: by a rule, or not looked at.
    pub fn left_alone(&self) -> u64 {
        self.kept.saturating_sub(self.still_shown) + self.skipped
    }

    /// Whether its counts of changes say what would be done, though this was a run.
    pub fn is_dry_run(&self) -> bool {
        self.state == "dry_run"
    }

    /// Whether the file has nothing written to it.
    fn is_read_only(&self) -> bool {
        self.is_dry_run() || self.state == "frozen"
    }
}

/// What went over the wire.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RequestLine {
    /// The id of the source or target.
    pub endpoint: String,
    /// Requests, repeated ones included.
    pub sent: u64,
    /// What the vendor counts.
    pub units: u64,
    /// Requests, or parts of a batch, sent again.
    pub retried: u64,
    /// Answers that said to slow down.
    pub throttled: u64,
    /// Bytes of bodies.
    pub bytes_received: u64,
    /// Requests that the run had to cost, had nothing to be repeated.
    pub forecast: u64,
    /// Of those sent, how many a plan sent for the pictures that stood before, which a run does not send.
    #[serde(default)]
    pub for_pictures: u64,
    /// The rate under which it is asked, by its name in the file.
    #[serde(default)]
    pub rate: String,
    /// Units in a second under that rate.
    #[serde(default)]
    pub per_second: f64,
}

/// A limit and the value found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LimitLine {
    /// The key under `limits`.
    pub limit: String,
    /// The source or target.
    pub scope: String,
    /// Found.
    pub value: u64,
    /// The whole that a share is of.
    pub of: u64,
    /// What the whole is made of, for people; empty in a report of an older version.
    #[serde(default)]
    pub of_what: String,
    /// The most that passes; `null`: no limit applies.
    pub allowed: Option<u64>,
    /// Whether it stops the scope.
    pub broken: bool,
    /// Whether `--allow` let it pass.
    pub overridden: bool,
    /// What to write to get past, if broken.
    pub remedy: Option<String>,
}

/// Seconds of a day.
const DAY: u64 = 24 * 3600;

/// Something to sign in with, and its end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CredentialLine {
    /// The id of the source or target.
    pub of: String,
    /// `certificate` (of the app registration), `client certificate` (of the `http` entry).
    pub what: String,
    /// RFC 3339, UTC.
    pub ends: String,
    /// Whole days from the end of the run until then; 0: it ended, or ends within a day.
    pub days: u64,
    /// That it ended.
    #[serde(skip)]
    pub ended: bool,
}

impl CredentialLine {
    /// With fewer days left it is time.
    const SOON: u64 = 14;

    /// The same with the days that are left at another time.
    #[must_use]
    pub fn by(mut self, now: SystemTime) -> Self {
        let ends = humantime::parse_rfc3339(&self.ends).ok();
        self.ended = ends.is_some_and(|ends| ends < now);
        self.days = ends.and_then(|ends| ends.duration_since(now).ok()).map_or(0, |left| left.as_secs() / DAY);
        self
    }

    /// The word of warning, where it ends soon.
    pub fn warning(&self) -> Option<String> {
        let then = if self.ended { "runs end in 5 since then" } else { "or runs end in 5 from then on" };
        (self.days < Self::SOON).then(|| format!("{}; renew it, {then}", self.sentence()))
    }

    /// For people.
    pub fn sentence(&self) -> String {
        let Self { of, what, ends, days, ended } = self;
        if *ended {
            return format!("{of}: the {what} expired on {ends}");
        }
        let in_days = match days {
            0 => "no whole day is left".to_owned(),
            1 => "1 day is left".to_owned(),
            days => format!("{days} days are left"),
        };
        format!("{of}: the {what} ends {ends}, {in_days}")
    }
}

/// A picture that was made in this run and stands on an account it was not meant for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MisplacedLine {
    /// The target's id.
    pub target: String,
    /// Who shows it.
    pub account: AccountLine,
    /// Who was to show it; without an id where that is not known.
    pub meant_for: AccountLine,
    /// How the target names the picture.
    pub picture: String,
    /// Whether the account was given back the default.
    pub taken_back: bool,
    /// Why not.
    pub error: Option<PersonFailure>,
}

impl MisplacedLine {
    /// For people, in a sentence or two.
    pub fn sentence(&self) -> String {
        let Self { target, account, meant_for, picture, .. } = self;
        let begin = format!(
            "{target}/{} ({}) shows the picture that was made for {}, {picture}",
            account.name,
            account.id,
            if meant_for.id.is_empty() {
                meant_for.name.clone()
            } else {
                format!("{} ({})", meant_for.name, meant_for.id)
            }
        );
        match &self.error {
            None => format!("{begin}; it was taken back"),
            Some(error) => {
                format!("{begin}; it could NOT be taken back, do it by hand: [{}] {}", error.code, error.message)
            }
        }
    }

    /// With everything that came from outside as it may be shown ([`crate::secret::outlet`]).
    fn show(&mut self) {
        self.picture = outlet::line(&self.picture);
        for account in [&mut self.account, &mut self.meant_for] {
            (account.id, account.name) = (outlet::line(&account.id), outlet::line(&account.name));
        }
        if let Some(error) = &mut self.error {
            (error.code, error.message) = (outlet::line(&error.code), outlet::line(&error.message));
        }
    }
}

impl RunReport {
    /// Whether a run with these sources and targets could serve anybody.
    pub fn serves(sources: &[SourceLine], targets: &[TargetLine]) -> bool {
        // An undoing may ask no source.
        let is_fed = sources.is_empty() || sources.iter().any(|source| source.state != "disabled");
        is_fed && !targets.iter().all(TargetLine::is_read_only)
    }

    /// With everything that came from outside as it may be shown ([`crate::secret::outlet`]).
    pub fn shown(mut self) -> Self {
        for words in self.failures.iter_mut().chain(&mut self.notes) {
            *words = outlet::sentence(words);
        }
        self.misplaced.iter_mut().for_each(MisplacedLine::show);
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::CredentialLine;

    #[test]
    fn what_ends_soon_is_warned_of() {
        let ends = UNIX_EPOCH + Duration::from_secs(20_000 * super::DAY);
        let line = CredentialLine {
            of: "entra".into(),
            what: "certificate".into(),
            ends: humantime::format_rfc3339_seconds(ends).to_string(),
            days: 0,
            ended: false,
        };
        for (days_before, told, warned) in [
            (15, "entra: the certificate ends 2024-10-04T00:00:00Z, 15 days are left", false),
            (14, "entra: the certificate ends 2024-10-04T00:00:00Z, 14 days are left", false),
            (13, "entra: the certificate ends 2024-10-04T00:00:00Z, 13 days are left", true),
            (1, "entra: the certificate ends 2024-10-04T00:00:00Z, 1 day is left", true),
            (0, "entra: the certificate ends 2024-10-04T00:00:00Z, no whole day is left", true),
        ] {
            let line = line.clone().by(ends - Duration::from_secs(days_before * 24 * 3600));
            assert_eq!((line.sentence().as_str(), line.warning().is_some()), (told, warned));
        }
        let ended = line.by(ends + Duration::from_secs(1));
        assert_eq!(
            (ended.days, ended.sentence().as_str()),
            (0, "entra: the certificate expired on 2024-10-04T00:00:00Z")
        );
        assert!(ended.warning().unwrap().ends_with("; renew it, runs end in 5 since then"));
    }
}
