//! A plan in a file: what `plan --out` writes and `run --plan` reads.
//!
//! Owns: the form of the file, format 1. Leaves to others: what a reviewed plan lets pass (`selection`), paths (`cli`).
//! A newcomer gets wrong: the file may name everybody, so it is written and read change by change (promise P9).

use std::collections::BTreeSet;
use std::fmt;
use std::io;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeSeq as _, Serializer};
use serde::{Deserialize, Serialize};

use super::people::People;
use super::selection::SavedPlan;
use crate::model::{Decision, Digest};
use crate::report::RunReport;

/// The one form that this program writes and reads.
const FORMAT: u32 = 1;

/// A change as it was reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedChange {
    /// The target's id.
    pub target: String,
    /// The account's id.
    pub account: String,
    /// The kind of change.
    pub change: String,
    /// What the account showed.
    pub from: String,
    /// What it is to show.
    pub to: String,
}

impl SavedChange {
    /// Of a decision.
    pub fn of(decision: &Decision) -> Self {
        Self {
            target: decision.target.to_string(),
            account: decision.account.to_string(),
            change: decision.verdict.word().to_owned(),
            from: decision.from.label(),
            to: decision.to.clone(),
        }
    }

    /// Two changes are the same if every word of them is.
    pub fn digest(&self) -> Digest {
        let mut text = String::new();
        for part in [&self.target, &self.account, &self.change, &self.from, &self.to] {
            // Lengths before the parts: no two different changes give the same text.
            text += &format!("{}:{part};", part.len());
        }
        Digest::of(text.as_bytes())
    }
}

#[derive(Serialize)]
struct Writing<'a> {
    format: u32,
    pipeline: &'a str,
    pipeline_digest: &'a str,
    plan_digest: &'a str,
    changes: Changes<'a>,
}

struct Changes<'a>(&'a People);

impl Serialize for Changes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        self.0.each_change(|change| list.serialize_element(change), S::Error::custom)?;
        list.end()
    }
}

/// Writes the plan of a run that is over.
pub fn write_plan(report: &RunReport, people: &People, out: impl io::Write) -> io::Result<()> {
    let plan = Writing {
        format: FORMAT,
        pipeline: &report.pipeline,
        pipeline_digest: &report.pipeline_digest,
        plan_digest: report.plan_digest.as_deref().unwrap_or_default(),
        changes: Changes(people),
    };
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, &plan)?;
    io::Write::write_all(&mut out, b"\n")?;
    io::Write::flush(&mut out)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reading {
    format: u32,
    pipeline: String,
    #[serde(rename = "pipeline_digest")]
    _pipeline_digest: String,
    #[serde(rename = "plan_digest")]
    _plan_digest: String,
    #[serde(deserialize_with = "digests")]
    changes: BTreeSet<Digest>,
}

fn digests<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<Digest>, D::Error> {
    struct Each;
    impl<'de> Visitor<'de> for Each {
        type Value = BTreeSet<Digest>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of changes")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut digests = BTreeSet::new();
            while let Some(change) = list.next_element::<SavedChange>()? {
                digests.insert(change.digest());
            }
            Ok(digests)
        }
    }
    deserializer.deserialize_seq(Each)
}

/// Why a saved plan cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanFault {
    /// It does not read as a plan.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// A newer program wrote it.
    #[error("it has format {0}, and this program reads {FORMAT}; use the newer program")]
    Newer(u32),
}

/// Reads a saved plan.
pub fn read_plan(from: impl io::Read) -> Result<SavedPlan, PlanFault> {
    let plan: Reading = serde_json::from_reader(io::BufReader::new(from))?;
    if plan.format != FORMAT {
        return Err(PlanFault::Newer(plan.format));
    }
    Ok(SavedPlan { pipeline: plan.pipeline, changes: plan.changes })
}
