//! What a command asks of a pipeline file before, or without, resolving it.
//!
//! Owns: its warnings, its programs, where its state stands, how people are named. Leaves to others: reading and resolving it
//! (`file`).
//! A newcomer gets wrong: only the values that an answer needs are looked up, so that `status` wants no secret.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::elements;
use super::environment::Environment;
use super::fault::{Faults, FileFault};
use super::file::{Document, Element, Warning, named, put_value_in};
use super::http::{self, Http};
use super::interpolate::{self, Text, TextPart};
use super::read::{ByName, Reader};
use super::secret;
use super::state::{State, copy_path};
use super::tree::{Id, Kind, MapEntry};
use crate::model::Place;
use crate::settings::{self, FolderOf, FolderUse, StateBucket};

/// A file that a run reads besides the pipeline file.
#[derive(Clone, Debug)]
pub(crate) struct LocalFile {
    pub used: LocalUse,
    /// Of a folder with people, the folder.
    pub path: PathBuf,
    /// Where it is named.
    pub place: Place,
}

/// What such a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LocalUse {
    /// The folder of a source.
    People,
    /// Who is who.
    Map,
    /// A picture for all whom a rule meets.
    Image,
}

impl Document {
    /// What is no fault and will hardly do what is wanted, each with its place.
    pub fn warnings(&self) -> Vec<Warning> {
        let by_token =
            |element: &&Element| element.kind == "bitbucket" && element.credential.as_deref() == Some("token");
        let warning = |element: &Element| Warning {
            place: element.place.clone(),
            message: format!("`{}`: {}", element.id, super::kinds::BY_TOKEN),
        };
        let sources: HashSet<&str> = self.sources().iter().map(|source| source.id.as_str()).collect();
        let alike = |element: &&Element| sources.contains(element.id.as_str());
        let named_alike = |element: &Element| Warning {
            place: element.place.clone(),
            message: format!(
                "`{}` is the id of a source, too: tables and messages name both alike; give one of them an `id` of its own, such as \
                 `id: people`, before the first run",
                element.id
            ),
        };
        let by_token = self.targets.iter().filter(by_token).map(warning);
        by_token.chain(self.targets.iter().filter(alike).map(named_alike)).collect()
    }

    /// The programs that the file has run once it runs, each where it stands.
    pub fn programs(&self) -> Vec<(Place, String)> {
        let mut found = Vec::new();
        for id in self.tree.reachable(&HashSet::new()) {
            let node = self.tree.node(id);
            let Kind::Scalar(scalar) = &node.kind else { continue };
            for part in scalar.text.parts().unwrap_or_default() {
                let TextPart::Command(command) = part else { continue };
                let line = self.text[..node.span.start].matches('\n').count() + 1;
                let place = Place { file: Arc::clone(&self.file), line: u32::try_from(line).unwrap_or(u32::MAX) };
                found.push((place, command.first().cloned().unwrap_or_default()));
            }
        }
        found.sort_by_key(|(place, _)| place.line);
        found
    }

    /// The folders that it reads from and writes to, where their paths stand in the file as they are; none of a source that is
    /// switched off.
    pub(crate) fn folders(&self) -> impl Iterator<Item = FolderOf> {
        let lists = [("extract", FolderUse::Read, self.sources()), ("load", FolderUse::Written, self.targets())];
        lists.into_iter().flat_map(move |(list, used, placed)| {
            let below = elements::elements(&self.tree, list).into_iter().zip(placed);
            below.filter_map(move |(below, element)| {
                let written = |key: &str| match &self.tree.node(self.tree.get(below.settings, key)?).kind {
                    Kind::Scalar(scalar) => scalar.text.value(),
                    Kind::List(_) | Kind::Map(_) => None,
                };
                let off = used == FolderUse::Read && written("enabled") == Some("false");
                let path = written("path").filter(|_| below.kind == "folder" && !off)?;
                Some(FolderOf::new(used, &element.id, &element.place, Path::new(path)))
            })
        })
    }

    /// The files that a run reads besides, where their paths stand in the file as they are; none of a source that is switched off.
    pub(crate) fn local_files(&self) -> Vec<LocalFile> {
        let people = self.folders().filter(|folder| folder.used == FolderUse::Read);
        let mut files: Vec<_> =
            people.map(|folder| LocalFile { used: LocalUse::People, path: folder.path, place: folder.place }).collect();
        let tree = &self.tree;
        let maps = elements::elements(tree, "load").into_iter().filter_map(|below| {
            let map = tree.get(tree.get(below.settings, "match")?, "map")?;
            self.local_file(LocalUse::Map, map)
        });
        files.extend(maps);
        let fallback = tree.get(tree.root, "transform").and_then(|transform| tree.get(transform, "fallback"));
        if let Some(Kind::Map(rules)) = fallback.map(|fallback| &tree.node(fallback).kind) {
            let image = |rule: &MapEntry| self.local_file(LocalUse::Image, tree.get(rule.value, "image")?);
            files.extend(rules.iter().filter_map(image));
        }
        files
    }

    fn local_file(&self, used: LocalUse, path: Id) -> Option<LocalFile> {
        let node = self.tree.node(path);
        let Kind::Scalar(scalar) = &node.kind else { return None };
        let line = self.text[..node.span.start].matches('\n').count() + 1;
        let place = Place { file: Arc::clone(&self.file), line: u32::try_from(line).unwrap_or(u32::MAX) };
        Some(LocalFile { used, path: PathBuf::from(scalar.text.value()?), place })
    }

    /// How people are named in reports, for commands that look nothing up: what is not known yet names nobody.
    pub fn names(&self) -> settings::Names {
        let report = self.tree.get(self.tree.root, "report").and_then(|report| self.tree.get(report, "names"));
        match report.map(|id| &self.tree.node(id).kind) {
            None => settings::Names::Full,
            Some(Kind::Scalar(scalar)) if scalar.text.value() == Some("full") => settings::Names::Full,
            Some(_) => settings::Names::Pseudonym,
        }
    }

    /// The pipeline's name; `None`: it is yet to be looked up.
    pub fn name(&self) -> Option<&str> {
        let name = self.tree.get(self.tree.root, "pipeline")?;
        match &self.tree.node(name).kind {
            Kind::Scalar(scalar) => scalar.text.value(),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// The state file, for commands that need nothing else: only the values that its path holds are looked up.
    pub fn state_path(&self, environment: &dyn Environment) -> Result<PathBuf, Faults> {
        let scalar = |id: Id| match &self.tree.node(id).kind {
            Kind::Scalar(scalar) => Some((id, &scalar.text)),
            Kind::List(_) | Kind::Map(_) => None,
        };
        let root = self.tree.root;
        let state = self.tree.get(root, "state");
        let path = state.and_then(|state| self.tree.get(state, "path")).and_then(scalar);
        if state.is_some_and(|state| self.tree.get(state, "bucket").is_some()) {
            return Ok(copy_path(self.name().unwrap_or("pipeline")));
        }
        let Some((id, text)) = path else {
            return Ok(PathBuf::from(format!("state/{}.db", self.name().unwrap_or("pipeline"))));
        };
        match text {
            Text::Later(_, parts) => match interpolate::resolve(parts, environment) {
                Ok(value) => Ok(PathBuf::from(value.expose_secret())),
                Err(missing) => {
                    let span = &self.tree.node(id).span;
                    let fault = |missing: interpolate::Missing| {
                        FileFault::new(span.clone(), missing.message).help(missing.help)
                    };
                    let faults = missing.into_iter().map(fault).collect();
                    Err(Faults::new(Arc::clone(&self.file), &self.text, &secret::in_tree(&self.tree), faults))
                }
            },
            text => Ok(PathBuf::from(text.value().unwrap_or_else(|| text.raw()))),
        }
    }

    /// The bucket that the state stands in and the way there, for commands that need nothing else: only the values of `state`
    /// and `http` are looked up.
    pub(crate) fn bucket(
        &self,
        environment: &dyn Environment,
    ) -> Result<Option<(StateBucket, settings::Http)>, Faults> {
        let root = self.tree.root;
        if self.tree.get(root, "state").is_none_or(|state| self.tree.get(state, "bucket").is_none()) {
            return Ok(None);
        }
        let mut tree = self.tree.clone();
        tree.keep(root, &["state", "http"]);
        if let Some(http) = tree.get(root, "http") {
            tree.keep(http, &["default"]);
        }
        let mut faults = Vec::new();
        for id in tree.reachable(&HashSet::new()) {
            faults.extend(put_value_in(&mut tree, id, environment));
        }
        let mut reader = Reader::new(tree, &self.text, Arc::clone(&self.file), Some(environment));
        let http = reader.tree.get(root, "http").or_else(|| reader.tree.graft("{}", &(0..0)));
        let found = reader.tree.get(root, "state").zip(http).and_then(|(state, http)| {
            let (state, http) = (reader.read::<State>(state), reader.read::<ByName<Http>>(http));
            let bucket = state.get()?.bucket(&mut reader)?;
            let way = named(&http, &mut reader, http::BUILT_IN, Http::judge)?.remove("default")?;
            Some(bucket.map(|bucket| (bucket, way)))
        });
        faults.append(&mut reader.faults);
        match found {
            Some(found) if faults.is_empty() => Ok(found),
            _ => Err(Faults::new(Arc::clone(&self.file), &self.text, &secret::in_tree(&self.tree), faults)),
        }
    }
}
