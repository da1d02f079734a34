//! A plan in a file: what `plan --out` writes and `run --plan` reads.
//!
//! Owns: the form of the file, format 6. Leaves to others: what a reviewed plan lets pass (`selection`), paths (`cli`).
//! A newcomer gets wrong: the file may name everybody, so it is written and read change by change (promise P9).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeSeq as _, Serializer};
use serde::{Deserialize, Serialize};

use super::context::RunContext;
use super::people::RunPeople;
use super::reviewed::{SavedChange, ToldChange};
use super::selection::SavedPlan;
use crate::error::Trouble;
use crate::input;
use crate::model::{Digest, RunId, ServerId, TargetId};
use crate::plan::PlanDigest;
use crate::report::RunReport;

/// The form that this program writes, and the only one that it reads: earlier ones may be edited, in what is done or in what is told
/// to the reviewer, without anybody seeing it.
const FORMAT: u32 = 6;

/// Changes put into the facts at a time.
const PAGE: usize = 500;

#[derive(Serialize)]
struct Writing<'a> {
    format: u32,
    pipeline: &'a str,
    pipeline_digest: &'a str,
    plan_digest: &'a str,
    run: &'a str,
    last_run: Option<&'a str>,
    /// Who is to be written to: an address in the pipeline file can be changed after the review.
    servers: &'a BTreeMap<TargetId, ServerId>,
    changes: SavedChanges<'a>,
    /// Behind the changes, which it is worked out of.
    told_digest: &'a ToldDigest,
}

struct SavedChanges<'a> {
    people: &'a RunPeople,
    told: &'a ToldDigest,
}

/// The digest over what is told of all changes, and to which servers they go: a reviewer reads names and reasons, and signs
/// what they say.
struct ToldDigest(RefCell<PlanDigest>);

impl ToldDigest {
    fn of(servers: &BTreeMap<TargetId, ServerId>) -> Self {
        let mut digest = PlanDigest::default();
        for (target, server) in servers {
            digest.add([Some(target.as_str()), Some(server.as_str()), None, None, None, None, None, None]);
        }
        Self(RefCell::new(digest))
    }

    /// In the order of the changes.
    fn add(&self, told: Option<&ToldChange>) {
        self.0.borrow_mut().add(ToldChange::parts(told));
    }

    fn finish(&self) -> Digest {
        self.0.borrow().finish()
    }
}

impl Serialize for ToldDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.finish())
    }
}

impl Serialize for SavedChanges<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        let put = |change: &SavedChange| {
            self.told.add(change.told.as_ref());
            list.serialize_element(change)
        };
        self.people.each_change(put, S::Error::custom)?;
        list.end()
    }
}

/// Writes the plan of a run that is over.
pub(crate) fn write_plan(report: &RunReport, people: &RunPeople, out: impl io::Write) -> io::Result<()> {
    let last_run = people.last_run().map_err(io::Error::other)?;
    let told = ToldDigest::of(people.servers());
    let plan = Writing {
        format: FORMAT,
        pipeline: &report.pipeline,
        pipeline_digest: &report.pipeline_digest,
        plan_digest: report.plan_digest.as_deref().unwrap_or_default(),
        run: &report.run,
        last_run: last_run.as_ref().map(RunId::as_str),
        servers: people.servers(),
        changes: SavedChanges { people, told: &told },
        told_digest: &told,
    };
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, &plan)?;
    io::Write::write_all(&mut out, b"\n")?;
    io::Write::flush(&mut out)
}

/// Why a saved plan cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanFault {
    /// It cannot be read at all.
    #[error("{0}")]
    File(#[from] io::Error),
    /// It does not read as a plan.
    #[error("it is no plan of avatarpipe ({0}); `avatarpipe plan FILE --out PLAN` makes one")]
    Json(#[from] serde_json::Error),
    /// An earlier version of the program wrote it.
    #[error(
        "it has format {0}, of an older avatarpipe, whose digests do not cover all that is done and told, so it cannot be told whether it is what was reviewed; make and review it again with `avatarpipe plan FILE --out PLAN`"
    )]
    OlderFormat(u32),
    /// A later one wrote it.
    #[error(
        "it has format {0}, of a newer avatarpipe, and this one reads {FORMAT}; run it with that version, or make and review it again with `avatarpipe plan FILE --out PLAN`"
    )]
    NewerFormat(u32),
    /// Its changes are not those of its digest.
    #[error(
        "it was edited since it was made: its changes do not fit its `plan_digest`, which is what was reviewed; make and review it again with `plan --out`"
    )]
    Edited,
    /// What it tells of its changes is not what was told when it was made.
    #[error(
        "it was edited since it was made: its `servers`, or what `told` says of its changes, do not fit its `told_digest`; make and review it again with `plan --out`"
    )]
    EditedWords,
}

#[derive(Deserialize)]
struct PlanFormat {
    format: u32,
}

#[derive(Deserialize)]
struct PlanHeader {
    pipeline: String,
    plan_digest: String,
    told_digest: String,
    #[serde(default)]
    last_run: Option<String>,
    servers: BTreeMap<TargetId, ServerId>,
}

/// Reads a saved plan to its end, and keeps none of its changes.
pub(crate) fn read_plan(path: &Path) -> Result<SavedPlan, PlanFault> {
    let open = || Ok::<_, PlanFault>(io::BufReader::new(input::open(path)?));
    match serde_json::from_reader(open()?)? {
        PlanFormat { format: FORMAT } => {}
        PlanFormat { format } if format < FORMAT => return Err(PlanFault::OlderFormat(format)),
        PlanFormat { format } => return Err(PlanFault::NewerFormat(format)),
    }
    let header: PlanHeader = serde_json::from_reader(open()?)?;
    let digest: Digest = header
        .plan_digest
        .parse()
        .map_err(|_| <serde_json::Error as serde::de::Error>::custom("`plan_digest` is no digest"))?;
    let (changes, told) = digests_of_changes(path, &header.servers)?;
    if changes != Some(digest) {
        return Err(PlanFault::Edited);
    }
    if told.to_string() != header.told_digest {
        return Err(PlanFault::EditedWords);
    }
    let last_run = header.last_run.map(RunId::new);
    Ok(SavedPlan { pipeline: header.pipeline, digest, last_run, servers: header.servers, file: path.to_owned() })
}

/// The digest by which the changes of a plan were reviewed; `None` where one of them does not say what was to be shown. It shows what was edited in good faith: whoever forges a plan forges this, too.
/// And that of what is told of them.
fn digests_of_changes(
    path: &Path,
    servers: &BTreeMap<TargetId, ServerId>,
) -> Result<(Option<Digest>, Digest), PlanFault> {
    let (mut digest, words) = (Some(PlanDigest::default()), ToldDigest::of(servers));
    each_change(path, &mut |change| {
        words.add(change.told.as_ref());
        match (&mut digest, &change.told) {
            (Some(digest), Some(told)) => {
                digest.add(change.parts(&told.to));
            }
            _ => digest = None,
        }
        Ok(())
    })?;
    Ok((digest.map(|digest| digest.finish()), words.finish()))
}

/// Puts the changes of a saved plan into the facts.
pub(super) fn take_in(context: &RunContext, plan: &SavedPlan) -> Result<(), Trouble> {
    let mut page = Vec::new();
    let mut put = |change: Option<SavedChange>| {
        let last = change.is_none();
        page.extend(change.map(SavedChange::into_row));
        if last || page.len() == PAGE {
            context.facts.put_reviewed(&page).map_err(|error| error.to_string())?;
            page.clear();
        }
        Ok(())
    };
    let wrong = |found: String| Trouble::Usage(format!("the plan {}: {found}", plan.file.display()));
    each_change(&plan.file, &mut |change| put(Some(change))).map_err(|fault| wrong(fault.to_string()))?;
    put(None).map_err(wrong)
}

type TakeChange<'a> = &'a mut dyn FnMut(SavedChange) -> Result<(), String>;

fn each_change(path: &Path, take: TakeChange<'_>) -> Result<(), PlanFault> {
    let mut reader = serde_json::Deserializer::from_reader(io::BufReader::new(input::open(path)?));
    WholePlan(take).deserialize(&mut reader)?;
    Ok(reader.end()?)
}

/// The whole file, whose changes go to whoever takes them.
struct WholePlan<'a>(TakeChange<'a>);

impl<'de> DeserializeSeed<'de> for WholePlan<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for WholePlan<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a saved plan")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut changes = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "format" => _ = map.next_value::<u32>()?,
                "pipeline" | "pipeline_digest" | "plan_digest" | "told_digest" | "run" => {
                    _ = map.next_value::<String>()?
                }
                "servers" => _ = map.next_value::<IgnoredAny>()?,
                "last_run" => _ = map.next_value::<Option<String>>()?,
                "changes" => {
                    changes = true;
                    map.next_value_seed(Each(&mut *self.0))?;
                }
                other => return Err(A::Error::custom(format!("unknown key `{}`", other.escape_debug()))),
            }
        }
        if changes { Ok(()) } else { Err(A::Error::missing_field("changes")) }
    }
}

/// The list of changes.
struct Each<'a>(TakeChange<'a>);

impl<'de> DeserializeSeed<'de> for Each<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Each<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of changes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(change) = list.next_element::<SavedChange>()? {
            (self.0)(change).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}
