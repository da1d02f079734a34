//! What a run works with: the pipeline with everything looked up, the only form of a setting that other rooms know.
//!
//! Owns: sources, targets, rates, ways to a server, the recipe, rules and limits, as plain types without spans, text to
//! parse or `${…}`.
//! Leaves to others: the file as written and its faults (`pipeline`, which ends here); what a setting does (`extract`,
//! `transform`, `plan`, `load`, `http`).
//! A newcomer gets wrong: every rule has a [`Place`](crate::model::Place), also one that nobody wrote; it is then that of
//! the nearest element that stands in the file, so that each decision can name a line (promise P10).

mod limits;
mod sources;
mod targets;
mod transform;

pub(crate) use limits::*;
pub(crate) use sources::*;
pub(crate) use targets::*;
pub(crate) use transform::*;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::model::Digest;

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
    /// The durable state file.
    pub state: PathBuf,
}

/// How fast one server is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What the vendor counts; each part of a batch is one.
    pub units: u32,
    /// The time in which `units` may be used.
    pub per: Duration,
    /// How many units may go at once.
    pub burst: u32,
    /// How many requests may be under way at once.
    pub concurrency: u32,
}

/// How a server is reached.
#[derive(Clone, Debug)]
pub struct Http {
    /// For one request, its body included.
    pub timeout: Duration,
    /// Before a read is sent again for the first time.
    pub retry_pause: Duration,
    /// Which proxy.
    pub proxy: Proxy,
    /// More trusted certificates, PEM.
    pub ca_file: Option<PathBuf>,
    /// What we show of ourselves.
    pub client_cert: Option<Certificate>,
    /// Sent with every request. Values may be secrets.
    pub headers: Vec<(String, SecretString)>,
}

/// Which proxy is used.
#[derive(Clone, Debug)]
pub enum Proxy {
    /// `HTTPS_PROXY` and its like.
    System,
    /// None, whatever the environment says.
    None,
    /// This URL, checked to be one; it may hold a password.
    Url(SecretString),
}

/// What the reports show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Of people.
    pub names: Names,
    /// In the contact sheet.
    pub pictures: Pictures,
}

/// How people are named in reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Names {
    /// As they are.
    Full,
    /// By a word that says nothing of the person.
    Pseudonym,
}

/// Which pictures are in reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pictures {
    /// None.
    None,
    /// Those of accounts that change.
    Changed,
}
