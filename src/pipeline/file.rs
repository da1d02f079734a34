//! The whole file: its top level, what its elements say about each other, and the way from text to [`Pipeline`].
//!
//! Owns: the order of checking, names used once, names that must be defined. Leaves to others: each element's own keys.
//! A newcomer gets wrong: checking and resolving are one reading; while a value is not known, rules about it are silent.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemars::generate::SchemaSettings;

use super::declare::element;
use super::elements::{self, Below};
use super::environment::Environment;
use super::fault::{Faults, FileFault};
use super::http::{self, Http};
use super::interpolate::{self, Text};
use super::kinds::{SourceElement, TargetElement};
use super::limits::Limits;
use super::lists::{refuse_empty, refuse_twice, refuse_twins, refuse_written_sources};
use super::matching::Match;
use super::notify::Notify;
use super::overlay::{self, OverlaidEnvironment, Overlay};
use super::rate::{self, Rate};
use super::read::{At, ByName, List, Reader, Setting, quoted};
use super::report::Report;
use super::scalar::{FormatVersion, Name};
use super::secret;
use super::settle::Settle;
use super::source::{DeclaredNames, SourceSettings};
use super::state::State;
use super::test_file;
use super::transform::Transform;
use super::tree::{Id, Kind, Tree};
use crate::model::{AccountKey, Digest, PersonKey, Place, SourceId};
use crate::settings::{self, Pipeline, StateBucket};

element! {
    /// A pipeline: people's photos from a company directory to accounts.
    File {
        /// The version of this format.
        version: FormatVersion = Required,
        /// The name of the pipeline; names its state.
        pipeline: Name = Required,
        /// How fast servers are asked, under names. `default` serves whoever names none.
        rates: ByName<Rate> = Else("{}"),
        /// How servers are reached, under names. `default` serves whoever names none.
        http: ByName<Http> = Else("{}"),
        /// Where people and photos come from, in order of preference.
        extract: List<SourceElement> = Required,
        /// How a photo becomes a picture, and what stands in its place if it does not.
        transform: Transform = Else("{}"),
        /// Where pictures go.
        load: List<TargetElement> = Required,
        /// What stops a run before it writes.
        limits: Limits = Else("{}"),
        /// What the reports show.
        report: Report = Else("{}"),
        /// Who is told how a run ended, besides whoever reads its report. Without `--sandbox`, and of `run` alone.
        notify: Notify = Else("{}"),
        /// Where what was done is kept between runs.
        state: State = Else("{}"),
    }
}

/// A pipeline file without a fault that can be seen before it runs.
#[derive(Clone)]
pub struct Document {
    pub(super) text: String,
    pub(super) file: Arc<str>,
    pub(super) tree: Tree,
    sources: Vec<Element>,
    pub(super) targets: Vec<Element>,
}

/// What can be said of an element before the pipeline runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Unique among the sources, or among the targets.
    pub id: String,
    /// The key that says the kind: `entra`, `jira`, `folder`.
    pub kind: String,
    /// The first key under `credential`: `client_secret`, `token`, `username`.
    pub credential: Option<String>,
    /// The server or folder, where the file has it in clear.
    pub stands: Option<String>,
    /// Of a target: the keys of people and of accounts that `match` compares.
    pub compared: Vec<(PersonKey, AccountKey)>,
    /// Where it begins.
    pub place: Place,
}

/// What is no fault and will hardly do what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where it stands.
    pub place: Place,
    /// Whose it is, and what to do.
    pub message: String,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text may hold what is secret in places nobody thought of.
        f.debug_struct("Document").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Reads a pipeline file and reports everything that can be known to be wrong without network, variables or files.
pub fn parse(text: &str, file: &str) -> Result<Document, Faults> {
    let file: Arc<str> = file.into();
    let (tree, mut faults) = Tree::parse(text);
    let Some(tree) = tree else {
        return Err(Faults::new(file, text, &secret::in_text(text), faults));
    };
    let secrets = secret::in_tree(&tree);
    let root = tree.root;
    if test_file::is_test(&tree) {
        let fault =
            FileFault::new(tree.node(root).head.clone(), "this is a test of a pipeline file, and no pipeline file");
        let fault = fault.help("`avatarpipe test FILE` reads it");
        return Err(Faults::new(file, text, &secrets, vec![fault]));
    }
    let mut reader = Reader::new(tree.clone(), text, Arc::clone(&file), None);
    let mut compared = Vec::new();
    if let Some(written) = File::read(&mut reader, root) {
        written.settle(&mut reader);
        compared = written.compared();
    }
    let (sources, mut targets) = (elements(&reader, "extract"), elements(&reader, "load"));
    targets.iter_mut().zip(compared).for_each(|(target, compared)| target.compared = compared);
    faults.append(&mut reader.faults);
    faults.iter_mut().for_each(say_where_it_belongs);
    match faults.is_empty() {
        true => Ok(Document { text: text.to_owned(), file, tree, sources, targets }),
        false => Err(Faults::new(file, text, &secrets, faults)),
    }
}

/// The JSON Schema of the pipeline file.
pub(crate) fn schema() -> serde_json::Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<File>().to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), "avatarpipe pipeline".into());
    }
    schema
}

/// A key that is known elsewhere stands in the wrong place.
fn say_where_it_belongs(fault: &mut FileFault) {
    let Some(key) = fault.unknown.take() else { return };
    let places = places_of(&key);
    if !places.is_empty() {
        fault.help = Some(format!("`{key}` belongs to {}", quoted(&places).replace(", ", " or to ")));
    }
}

/// More places than these tell nobody where a key was to stand.
const PLACES: usize = 3;

/// The first-level keys and the kinds below which a key stands, for whoever wrote it elsewhere; empty where there are many.
fn places_of(key: &str) -> Vec<String> {
    let schema = schema();
    let mut places = Vec::new();
    for (first, below) in schema["properties"].as_object().into_iter().flatten() {
        let element = referred(&schema, below);
        if element["properties"].get(key).is_some() {
            places.push(first.clone());
        }
        for kind in referred(&schema, &below["items"])["oneOf"].as_array().into_iter().flatten() {
            for (name, settings) in kind["properties"].as_object().into_iter().flatten() {
                if referred(&schema, settings)["properties"].get(key).is_some() {
                    places.push(format!("{first}: {name}"));
                }
            }
        }
    }
    if places.len() > PLACES { Vec::new() } else { places }
}

/// What a part of the schema refers to.
fn referred<'s>(schema: &'s serde_json::Value, part: &'s serde_json::Value) -> &'s serde_json::Value {
    let name = part["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
    name.map_or(part, |name| &schema["$defs"][name])
}

impl Document {
    /// The elements under `extract`.
    pub fn sources(&self) -> &[Element] {
        &self.sources
    }

    /// The elements under `load`.
    pub fn targets(&self) -> &[Element] {
        &self.targets
    }

    /// Puts the values of `${…}` in and looks everything up. Everything missing is reported at once.
    pub fn resolve(&self, environment: &dyn Environment, overlay: &Overlay) -> Result<Pipeline, Faults> {
        let mut tree = self.tree.clone();
        let mut faults = overlay::apply(&mut tree, overlay);
        let environment = &OverlaidEnvironment { overlay, environment };
        faults.extend(put_values_in(&mut tree, environment));
        let root = tree.root;
        let mut reader = Reader::new(tree, &self.text, Arc::clone(&self.file), Some(environment));
        let parts = File::read(&mut reader, root).and_then(|written| written.settle(&mut reader));
        faults.append(&mut reader.faults);
        match parts {
            Some(parts) if faults.is_empty() => Ok(parts.into_pipeline(Arc::clone(&self.file), &self.text)),
            _ => {
                if faults.is_empty() {
                    faults
                        .push(FileFault::new(0..0, "a value is missing and no reason is known: a fault of avatarpipe"));
                }
                Err(Faults::new(Arc::clone(&self.file), &self.text, &secret::in_tree(&self.tree), faults))
            }
        }
    }
}

/// Resolves every scalar that is still in use; what was laid over, or what is switched off, needs no value.
fn put_values_in(tree: &mut Tree, environment: &dyn Environment) -> Vec<FileFault> {
    let sources: Vec<Id> = elements::elements(tree, "extract").into_iter().map(|below| below.settings).collect();
    let switches: Vec<Id> = sources.iter().filter_map(|source| tree.get(*source, "enabled")).collect();
    let mut faults: Vec<FileFault> = switches.into_iter().flat_map(|id| put_value_in(tree, id, environment)).collect();
    let off = |source: &Id| match tree.get(*source, "enabled").map(|id| &tree.node(id).kind) {
        Some(Kind::Scalar(scalar)) => scalar.text.value() == Some("false"),
        _ => false,
    };
    let off: HashSet<Id> = sources.iter().copied().filter(off).collect();
    for id in tree.reachable(&off) {
        faults.extend(put_value_in(tree, id, environment));
    }
    faults
}

/// Resolves one scalar.
pub(super) fn put_value_in(tree: &mut Tree, id: Id, environment: &dyn Environment) -> Vec<FileFault> {
    let node = tree.node(id);
    let Kind::Scalar(scalar) = &node.kind else { return Vec::new() };
    let Text::Later(raw, parts) = &scalar.text else { return Vec::new() };
    match interpolate::resolve(parts, environment) {
        Ok(value) => {
            let text = Text::Resolved(raw.clone(), parts.clone(), value);
            tree.set_text(id, text);
            Vec::new()
        }
        Err(missing) => {
            let fault =
                |missing: interpolate::Missing| FileFault::new(node.span.clone(), missing.message).help(missing.help);
            missing.into_iter().map(fault).collect()
        }
    }
}

/// All that the file says, looked up.
struct Parts {
    name: String,
    sources: Vec<settings::Source>,
    transform: settings::Transform,
    targets: Vec<settings::Target>,
    limits: settings::Limits,
    rates: BTreeMap<String, settings::Rate>,
    http: BTreeMap<String, settings::Http>,
    report: settings::Report,
    notify: settings::Notify,
    state: PathBuf,
    bucket: Option<StateBucket>,
    keep_runs: Option<Duration>,
    keep_replaced: Option<settings::KeepReplaced>,
    short_secrets: Vec<Place>,
}

impl Parts {
    fn into_pipeline(self, file: Arc<str>, text: &str) -> Pipeline {
        Pipeline {
            name: self.name,
            file,
            digest: Digest::of(text.as_bytes()),
            sources: self.sources,
            transform: self.transform,
            targets: self.targets,
            limits: self.limits,
            rates: self.rates,
            http: self.http,
            report: self.report,
            notify: self.notify,
            state: self.state,
            bucket: self.bucket,
            keep_runs: self.keep_runs,
            keep_replaced: self.keep_replaced,
            short_secrets: self.short_secrets,
        }
    }
}

impl File {
    /// Judges everything, and only then asks for the values, so that no fault hides another.
    fn settle(&self, reader: &mut Reader<'_>) -> Option<Parts> {
        let rates = named(&self.rates, reader, rate::BUILT_IN, Rate::judge);
        let http = named(&self.http, reader, http::BUILT_IN, Http::judge);
        let names = DeclaredNames { rates: defined(&self.rates), http: defined(&self.http) };
        let sources = self.settle_sources(reader, &names);
        let targets = self.settle_targets(reader, &names);
        self.judge_keys(reader);
        let transform = self.transform.get().and_then(|keys| keys.settle(reader, &self.transform.place));
        let limits = self.limits.get().and_then(|keys| keys.settle(reader));
        let report = self.report.get().and_then(|keys| keys.settle(reader));
        let notify = self.notify.get().and_then(|keys| keys.settle(reader, &names));
        let bucket = self.state.get().and_then(|keys| keys.bucket(reader));
        // Of another version nothing is known.
        self.version.get()?;
        let name = self.pipeline.get()?.0.clone();
        Some(Parts {
            sources: sources?,
            transform: transform?,
            targets: targets?,
            limits: limits?,
            rates: rates?,
            http: http?,
            report: report?,
            notify: notify?,
            state: self.state.get()?.settle(Some(&name))?,
            bucket: bucket?,
            keep_runs: self.state.get()?.keep_runs()?,
            keep_replaced: self.state.get()?.keep_replaced(reader)?,
            short_secrets: std::mem::take(&mut reader.short_secrets),
            name,
        })
    }

    fn settle_sources(&self, reader: &mut Reader<'_>, names: &DeclaredNames) -> Option<Vec<settings::Source>> {
        let list = self.extract.get()?;
        refuse_empty(reader, &self.extract.span, list.0.len(), "extract", "entra");
        let ids = list.0.iter().filter_map(|at| Some((at.get()?.settings().shared().id, at)));
        refuse_twice(reader, ids.map(|(id, at)| (id, &at.span)), "sources");
        all(list.0.iter().map(|at| settle_source(at, reader, names)))
    }

    /// What each target's `match` compares.
    fn compared(&self) -> Vec<Vec<(PersonKey, AccountKey)>> {
        let of = |at: &At<TargetElement>| {
            at.get()
                .and_then(|target| target.settings().shared().matching.get())
                .map(Match::compared)
                .unwrap_or_default()
        };
        self.load.get().map(|list| list.0.iter().map(of).collect()).unwrap_or_default()
    }

    /// Every target's `match` against the sources that are switched on.
    fn judge_keys(&self, reader: &mut Reader<'_>) {
        let (Some(sources), Some(targets)) = (self.extract.get(), self.load.get()) else { return };
        let read: Option<Vec<_>> = sources.0.iter().map(|at| Some(at.get()?.settings())).collect();
        // Of a source that could not be read nothing is known.
        let Some(read) = read else { return };
        let off = |source: &&dyn SourceSettings| source.shared().enabled.get().is_some_and(|enabled| !enabled.0);
        let on: Vec<_> = read.into_iter().filter(|source| !off(source)).collect();
        for target in targets.0.iter().filter_map(At::get) {
            Match::judge_sources(target.settings().shared().matching, reader, &on);
        }
    }

    fn settle_targets(&self, reader: &mut Reader<'_>, names: &DeclaredNames) -> Option<Vec<settings::Target>> {
        let list = self.load.get()?;
        refuse_empty(reader, &self.load.span, list.0.len(), "load", "jira");
        let ids = list.0.iter().filter_map(|at| Some((at.get()?.settings().shared().id, at)));
        refuse_twice(reader, ids.map(|(id, at)| (id, &at.span)), "targets");
        refuse_twins(reader, list.0.iter().filter_map(|at| at.get()?.settings().server()));
        let read = self.extract.get().map(|list| &list.0[..]).unwrap_or_default().iter().filter_map(|at| {
            let settings = at.get()?.settings();
            settings.folder().filter(|_| settings.shared().enabled.get().is_none_or(|enabled| enabled.0))
        });
        refuse_written_sources(reader, read, list.0.iter().filter_map(|at| at.get()?.settings().folder()));
        let settle = |at: &At<TargetElement>| at.get()?.settings().settle(reader, names, at.place.clone());
        all(list.0.iter().map(settle))
    }
}

/// What is switched off was judged when the file was checked, and its values from outside are not asked for.
fn settle_source(at: &At<SourceElement>, reader: &mut Reader<'_>, names: &DeclaredNames) -> Option<settings::Source> {
    let settings = at.get()?.settings();
    let shared = settings.shared();
    let off = shared.enabled.get().is_some_and(|enabled| !enabled.0);
    if off && reader.environment().is_some() {
        return Some(settings::Source {
            id: SourceId::new(shared.id.get()?.0.clone()),
            place: at.place.clone(),
            rate: "default".to_owned(),
            http: "default".to_owned(),
            provider: None,
        });
    }
    settings.settle(reader, names, at.place.clone())
}

/// The elements of a list that has been read without a fault.
fn elements(reader: &Reader<'_>, list: &str) -> Vec<Element> {
    let element = |below: Below| {
        let place = reader.place(&reader.tree.node(below.settings).head);
        let Below { id, kind, credential, stands, .. } = below;
        Element { id, kind, credential, stands, compared: Vec::new(), place }
    };
    elements::elements(&reader.tree, list).into_iter().map(element).collect()
}

/// Collects everything first: stopping at the first `None` would leave the rest unjudged.
fn all<T>(items: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    items.collect::<Vec<_>>().into_iter().collect()
}

/// The names that may be pointed to.
fn defined<T>(at: &At<ByName<T>>) -> Vec<String> {
    let mut names: Vec<String> =
        at.get().map(|named| &named.0).into_iter().flatten().map(|(name, ..)| name.clone()).collect();
    if !names.iter().any(|name| name == "default") {
        names.push("default".to_owned());
    }
    names
}

/// Settles the entries under names, and `default` if the file has none.
pub(super) fn named<T: Setting + Settle<R>, R>(
    at: &At<ByName<T>>,
    reader: &mut Reader<'_>,
    built_in: &str,
    judge: impl Fn(&T, &mut Reader<'_>),
) -> Option<BTreeMap<String, R>> {
    let mut settled = Vec::new();
    let mut settle = |reader: &mut Reader<'_>, name: &str, at: &At<T>| {
        at.get().into_iter().for_each(|keys| judge(keys, reader));
        settled.push(T::settle(at, reader).map(|value| (name.to_owned(), value)));
    };
    for (name, span, value) in &at.get()?.0 {
        if !Name::is_one(name) {
            reader.fault(FileFault::new(span.clone(), format!("`{}` is not {}", name.escape_debug(), Name::EXPECTED)));
        }
        settle(reader, name, value);
    }
    if !at.get()?.0.iter().any(|(name, ..)| name == "default")
        && let Some(default) = reader.tree.graft(built_in, &at.span)
    {
        let default = reader.read(default);
        settle(reader, "default", &default);
    }
    settled.into_iter().collect()
}
