//! The answer, as data: what `--format json` prints (docs/command-line.md, "explain").
//!
//! Owns: field names and their order. Leaves to others: filling them (`collect`), words for people (`text`).
//! A newcomer gets wrong: fields are added, never renamed or removed; programs read this.

use serde::Serialize;

use crate::model::{Change, PersonResult, Reason};

/// All that is known of whoever a name means.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Explanation {
    /// 1.
    pub format: u32,
    /// The name in the file.
    pub pipeline: String,
    /// Who was asked for.
    pub who: String,
    /// When the last plan or run learnt this: RFC 3339, UTC.
    pub as_of: String,
    /// The newest run of the state, if it is under way or was killed: what is told may be half of it.
    pub unfinished: Option<String>,
    /// Whether it is under way; `null`: there is none, or that is not known.
    pub under_way: Option<bool>,
    /// Whether that plan or run was of a part: `--only`, `--target`.
    pub part: bool,
    /// Sources and targets that it did not read to the end.
    pub not_read: Vec<NotReadExplained>,
    /// Whoever is meant.
    pub people: Vec<PersonExplained>,
    /// Accounts that are meant and belong to none of these people.
    pub accounts: Vec<AccountExplained>,
}

/// A source or target of which not everybody, or not everything, is known.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct NotReadExplained {
    /// Its id.
    pub id: String,
    /// `source` or `target`.
    pub kind: &'static str,
    /// Why; `null`: it was not asked.
    pub why: Option<String>,
}

/// One person of a source.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PersonExplained {
    /// The source's id.
    pub source: String,
    /// Immutable in the source.
    pub id: String,
    /// Whether the last plan or run listed the person; else only the state knows of it.
    pub listed: bool,
    /// As the source spells it; empty where it is not listed.
    pub name: String,
    /// `in_scope`, `inactive`, `out_of_scope`, `opted_out` or `frozen`; `unknown` where it is not listed.
    pub standing: String,
    /// What the person can be matched by: key and value.
    pub keys: Vec<(String, String)>,
    /// The photo.
    pub photo: PhotoExplained,
    /// The accounts that belong to the person, or that a key of the person names.
    pub accounts: Vec<AccountExplained>,
    /// Targets in which no account has a key of the person.
    pub without_account: Vec<String>,
    /// Targets that were not read: of these the state alone knows accounts.
    pub not_read: Vec<String>,
}

/// What is known of a photo.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct PhotoExplained {
    /// In a sentence: what the last plan or run learnt.
    pub found: String,
    /// The digest of its bytes.
    pub digest: Option<String>,
    /// Where the last plan or run did not learn it: what an earlier run did, as the state has it.
    pub remembered: Option<String>,
    /// The provider's change marker, as last seen by a run.
    pub version: Option<String>,
}

/// One account of a target.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AccountExplained {
    /// The target's id.
    pub target: String,
    /// Immutable.
    pub id: String,
    /// Whether the last plan or run listed the account; else only the state knows of it.
    pub listed: bool,
    /// What the person signs in with; the id where it is not listed.
    pub name: String,
    /// As the target spells it.
    pub display_name: String,
    /// The mail address, if the server shows it.
    pub email: Option<String>,
    /// `active`, `inactive`, `not_in_groups`, `excluded` or `not_in_rollout`; `unknown` where it is not listed.
    pub standing: String,
    /// What the account showed when it was listed; `unknown` where it was not.
    pub showed: String,
    /// Keys that `match` compares and that are the same on both sides: `email = username: ada@example.com`; of an account of
    /// nobody, whose they are.
    pub keys_in_common: Vec<String>,
    /// What matching said, source by source.
    pub matched: Vec<MatchExplained>,
    /// The picture that our records say stands there.
    pub placement: Option<PlacementExplained>,
    /// What the last plan or run decided, and how it went; what mends an earlier write comes first.
    pub decisions: Vec<DecisionExplained>,
    /// What was written there, the newest first.
    pub writes: Vec<WriteExplained>,
    /// What the next run will do, as far as it can be known.
    pub next: String,
    /// What somebody can do about it.
    pub advice: Option<String>,
}

/// What matching an account against a source said.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MatchExplained {
    /// The source's id.
    pub source: String,
    /// `matched`, `ambiguous`, `conflict` or `none`; `unknown` where the source was not listed.
    pub verdict: String,
    /// The person, if it is one.
    pub person: Option<String>,
    /// The candidates, what contradicts, or why the source was not listed.
    pub detail: Option<String>,
}

/// A picture of ours.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PlacementExplained {
    /// Digest of the picture.
    pub picture: String,
    /// Digest of the photo that it was made of.
    pub photo: String,
    /// Whose photo that is: source and id.
    pub person: Option<String>,
    /// How the target names it.
    pub named: String,
    /// `made`: a write of ours put it there; `adopted`: it was recognised.
    pub provenance: String,
    /// When the run began that put it there: RFC 3339, UTC; `null`: it was recognised, or that is not on record.
    pub since: Option<String>,
    /// What stood there before our first write: `default`, the target's name of a picture, or `unknown`.
    pub before: String,
    /// What that was, where a write on record says so: `default`, `stock`, `upload` or `unknown`.
    pub before_was: String,
}

/// A decision, with how it went.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DecisionExplained {
    /// The word of the change.
    #[serde(serialize_with = "change_word")]
    pub change: Change,
    /// What the account showed.
    pub from: String,
    /// What it was to show.
    pub to: String,
    /// Why.
    pub reason: Reason,
    /// The rule: `FILE:LINE`.
    pub rule: String,
    /// More for people.
    pub detail: Option<String>,
    /// How it went; `null`: it was not come to.
    pub result: Option<PersonResult>,
    /// Why it failed.
    pub error: Option<String>,
}

fn change_word<S: serde::Serializer>(change: &Change, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(change.word())
}

/// A write of the journal.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct WriteExplained {
    /// The run.
    pub run: String,
    /// `replace`, `revert` or `probe`; `undo` whatever the steps of an undoing are.
    pub kind: String,
    /// The last that became known of it: `shown`, `reset`, `refused`, …
    pub ended: String,
    /// Whether it is still open: the next run looks what became of it.
    pub open: bool,
}

/// The stable word of a value.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => "unknown".to_owned(),
    }
}
