//! The whole file, resolved.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::http::{Http, Rate};
use super::limits::Limits;
use super::report::Report;
use super::{Notify, Source, StateBucket, Target, Transform};
use crate::model::{Digest, Place};
use crate::secret::Secret;

/// One pipeline file, resolved.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Names the state file.
    pub name: String,
    /// The file as it was named on the command line.
    pub file: Arc<str>,
    /// Of the file's text, before anything is put in.
    pub digest: Digest,
    /// In order of preference, those switched off included.
    pub sources: Vec<Source>,
    /// How a photo becomes a picture.
    pub transform: Transform,
    /// In the order of the file.
    pub targets: Vec<Target>,
    /// What stops a run.
    pub limits: Limits,
    /// Every rate of the file, and `default`.
    pub rates: BTreeMap<String, Rate>,
    /// Every `http` entry of the file, and `default`.
    pub http: BTreeMap<String, Http>,
    /// What the reports show.
    pub report: Report,
    /// Who is told how a run ended.
    pub notify: Notify,
    /// The durable state file; of a state in a bucket its copy on this machine.
    pub state: PathBuf,
    /// The bucket that the state stands in.
    pub bucket: Option<StateBucket>,
    /// How long a run stays on record; `None`: for good.
    pub keep_runs: Option<Duration>,
    /// How pictures that runs replace are kept; `None`: they are not.
    pub keep_replaced: Option<KeepReplaced>,
    /// Where secrets stand that may be words of a message, too.
    pub short_secrets: Vec<Place>,
}

/// How pictures are kept that runs replace, and that their product does not keep.
#[derive(Clone, Debug)]
pub struct KeepReplaced {
    /// How long.
    pub time: Duration,
    /// What they are encrypted with.
    pub key: Secret,
}
