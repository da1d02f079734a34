//! `--sandbox[=WORLD]`: the bundled simulators in place of every provider and target of the file.
//!
//! Owns: which world is taken, and where it, its state and its keys are kept between runs.
//! Leaves to others: the simulators (`sandbox`), which keys their addresses go to (`simulated`), laying them over the file
//! (`pipeline`).
//! A newcomer gets wrong: a sandbox run has a state of its own, `state/sandbox/WORLD/NAME.db`; it never touches the
//! real one, nor a folder that the file writes to. And a bare `--sandbox` is no fixed world: it is one that has everything the file names.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use avatarpipe_sandbox::{Options, Running, Sandbox, SandboxError, World};
use clap::Args;

use super::environment;
use super::output::tell;
use super::simulated::{self, Keeper, quoted};
use crate::error::Trouble;
use crate::pipeline::{Document, Element, ElementKeys, KeptKeys, KeyTexts, Overlay};
use crate::report::Severity;
use crate::run::write_private;
use crate::secret::Secret;

/// The world that is taken where nothing speaks for another.
pub(super) const DEFAULT: &str = "corporate";

/// Keys of a folder that mean something in a bucket alone.
const OF_A_BUCKET: [&str; 9] =
    ["bucket", "account", "region", "endpoint", "credential", "cache", "quiet", "rate", "http"];

/// In place of the key of `keep_replaced`: what it encrypts are pictures of nobody.
const KEPT_KEY: &str = "stand-in for the key of keep_replaced in a sandbox";

/// The folder beside the real state that holds a folder for each world.
const SANDBOXES: &str = "sandbox";

/// `--sandbox[=WORLD]`, of every command that talks to somebody.
#[derive(Debug, Args)]
pub(super) struct SandboxFlag {
    /// The bundled simulators stand in for every provider and target; no secret is needed. WORLD is a bundled
    /// world or a folder; without it, a bundled world that has everything the file names
    #[arg(long, value_name = "WORLD", num_args = 0..=1, require_equals = true, global = true)]
    sandbox: Option<Option<String>>,
}

impl SandboxFlag {
    /// Starts the simulators, if they are wanted.
    pub(super) fn start(&self, document: &Document) -> Result<Option<Sandboxed>, Trouble> {
        self.world(document).map(|name| start(&name, document)).transpose()
    }

    /// Whether they are wanted.
    pub(super) fn is_wanted(&self) -> bool {
        self.sandbox.is_some()
    }

    /// Where the pipeline's state stands.
    pub(super) fn state(&self, document: &Document) -> Result<PathBuf, Trouble> {
        let state = environment::state_path(document)?;
        let Some(name) = self.world(document) else { return Ok(state) };
        let there = state_path(&state, &name);
        // What was run in a world that is gone is shown; a name that no world has is a typo.
        if !there.is_file() {
            world(&name)?;
        }
        Ok(there)
    }

    /// The worlds in which a pipeline was run, but for the one that is asked for.
    pub(super) fn others(&self, document: &Document) -> Result<Vec<String>, Trouble> {
        let (state, asked) = (environment::state_path(document)?, self.world(document));
        let beside = state.parent().unwrap_or(Path::new("")).join(SANDBOXES);
        let worlds = std::fs::read_dir(beside).into_iter().flatten().flatten();
        let names = worlds.filter_map(|world| world.file_name().into_string().ok());
        let others = names.filter(|name| asked.as_ref() != Some(name) && state_path(&state, name).is_file());
        let mut names: Vec<_> = others.collect();
        names.sort();
        Ok(names)
    }

    /// As it was written.
    pub(super) fn written(&self) -> Option<String> {
        let flag =
            |world: &Option<String>| world.as_ref().map_or("--sandbox".to_owned(), |name| format!("--sandbox={name}"));
        self.sandbox.as_ref().map(flag)
    }

    fn world(&self, document: &Document) -> Option<String> {
        self.sandbox.as_ref().map(|name| name.clone().unwrap_or_else(|| fitting(document)))
    }
}

/// The first bundled world that has everything the file names; the default one comes first, and where none fits: starting
/// it says what it lacks.
fn fitting(document: &Document) -> String {
    let others = World::bundled_names().into_iter().filter(|name| *name != DEFAULT);
    let fits = |name: &&str| World::bundled(name).is_ok_and(|world| has_everything(&world, document));
    std::iter::once(DEFAULT).chain(others).find(fits).unwrap_or(DEFAULT).to_owned()
}

fn has_everything(world: &World, document: &Document) -> bool {
    // Folders are everywhere.
    let has = |element: &Element| element.kind == "folder" || world.has(&element.kind);
    document.sources().iter().chain(document.targets()).all(has)
}

/// A running sandbox for one pipeline file.
pub(super) struct Sandboxed {
    running: Running,
    state: PathBuf,
}

/// Where a pipeline's state stands in a sandbox.
fn state_path(state: &Path, world: &str) -> PathBuf {
    let name = state.file_name().map_or_else(|| "pipeline.db".into(), PathBuf::from);
    folder(state, world).join(name)
}

/// The folder of a world, beside the real state.
fn folder(state: &Path, world: &str) -> PathBuf {
    let world = Path::new(world).file_name().map_or_else(|| "world".into(), PathBuf::from);
    state.parent().unwrap_or(Path::new("")).join(SANDBOXES).join(world)
}

/// A bundled world by its name, or a world in a folder.
pub(super) fn world(name: &str) -> Result<World, Trouble> {
    let folder = Path::new(name);
    let known = World::bundled_names().contains(&name);
    let world =
        if !known && (name.contains('/') || folder.is_dir()) { World::from_dir(folder) } else { World::bundled(name) };
    world.map_err(|error| Trouble::Usage(format!("the sandbox's world: {error}")))
}

/// Starts the simulators, with what earlier runs did to the world.
fn start(name: &str, document: &Document) -> Result<Sandboxed, Trouble> {
    let state = environment::state_path(document)?;
    let options = Options { state: Some(folder(&state, name).join("world")), ..Options::default() };
    let running =
        Sandbox::start(world(name)?, options).map_err(|error| refused("the sandbox", &error, BESIDE_THE_STATE))?;
    let begins = if running.resumed() { "as the last run left it" } else { "at its beginning" };
    tell(
        Severity::Progress,
        &format!("sandbox: the world `{}`, {begins}; page while it runs: {}", running.world(), running.page()),
    );
    Ok(Sandboxed { running, state: state_path(&state, name) })
}

/// Why a sandbox did not start; `elsewhere`: how another folder is named. The disk and its rights are no matter of the command line.
pub(super) fn refused(whose: &str, error: &SandboxError, elsewhere: &str) -> Trouble {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, StorageFull};
    if error.is_in_use() {
        return Trouble::WorldInUse(format!("{whose}: {error}"));
    }
    match error.kept() {
        Some(found) if matches!(found.kind(), PermissionDenied | ReadOnlyFilesystem | StorageFull) => Trouble::File {
            tried: format!("start {whose}"),
            error: std::io::Error::new(found.kind(), format!("{error}; {elsewhere}")),
        },
        Some(_) => Trouble::Usage(format!("{whose}: {error}; {elsewhere}")),
        None => Trouble::Usage(format!("{whose}: {error}")),
    }
}

/// What is said where the world cannot be kept beside the state.
const BESIDE_THE_STATE: &str = "the world is kept beside the state: make the folder writable, or name another with `state: { path: … }` of the pipeline file";

impl Sandboxed {
    /// What stands in place of the file's addresses and secrets.
    pub(super) fn overlay(&self, document: &Document) -> Result<Overlay, Trouble> {
        let mut overlay = Overlay {
            // Whoever is told of real runs hears nothing of these.
            file: vec![("notify", None)],
            state: Some(KeptKeys {
                kept: &["keep_runs", "keep_replaced"],
                keys: vec![("path", Some(path_of(&self.state)))],
            }),
            // Whoever looks at reports of real runs sees none of these.
            report: Some(KeptKeys { kept: &["names", "pictures"], keys: Vec::new() }),
            // Simulators on loopback need neither certificates nor headers.
            http: Some(KeptKeys { kept: &["timeout"], keys: vec![("proxy", Some("none".to_owned()))] }),
            ..Overlay::default()
        };
        let mut keeper = Beside { state: &self.state, secrets: &mut overlay.secrets, trouble: None };
        overlay.kept_key = Some(keeper.secret("key", KEPT_KEY));
        for (list, elements) in [("extract", document.sources()), ("load", document.targets())] {
            for element in elements {
                let keys = match (list, element.kind.as_str()) {
                    // A folder is only read, in a sandbox too.
                    ("extract", "folder") => continue,
                    (_, "folder") => {
                        let mut keys: KeyTexts = OF_A_BUCKET.map(|key| (key, None)).into();
                        keys.push(("path", Some(path_of(&self.copy(element)))));
                        keys
                    }
                    _ => self.simulated(element, &mut overlay.secrets)?,
                };
                overlay.elements.push(ElementKeys { list, kind: element.kind.clone(), id: element.id.clone(), keys });
            }
        }
        Ok(overlay)
    }

    /// The real folder is as little touched as a real server.
    fn copy(&self, element: &Element) -> PathBuf {
        let path = self.state.with_extension("folders").join(&element.id);
        tell(
            Severity::Progress,
            &format!("sandbox: `{}` writes to {}, and not to the folder of the file", element.id, path.display()),
        );
        path
    }

    fn simulated(&self, element: &Element, secrets: &mut BTreeMap<String, Secret>) -> Result<KeyTexts, Trouble> {
        let mut keeper = Beside { state: &self.state, secrets, trouble: None };
        let credential = element.credential.as_deref();
        let keys = simulated::simulated_keys(&self.running, &element.kind, &element.id, credential, &mut keeper);
        match (keys, keeper.trouble) {
            (_, Some(trouble)) => Err(trouble),
            (keys, None) => keys.map_err(|what| self.missing(element, &what)),
        }
    }

    fn missing(&self, element: &Element, what: &str) -> Trouble {
        Trouble::Usage(format!(
            "{}: the world `{}` lacks {what}; choose another with --sandbox=WORLD, or give `{}` the id of one of: {}",
            element.place,
            self.running.world(),
            element.id,
            self.running.endpoints().keys().cloned().collect::<Vec<_>>().join(", ")
        ))
    }
}

/// Secrets are handed in; a key file is written beside the state, since a source reads it from disk, as a real one.
struct Beside<'a> {
    state: &'a Path,
    secrets: &'a mut BTreeMap<String, Secret>,
    trouble: Option<Trouble>,
}

impl Keeper for Beside<'_> {
    fn secret(&mut self, key: &'static str, value: &str) -> String {
        let name = format!("{key} of simulator {}", self.secrets.len());
        self.secrets.insert(name.clone(), Secret::new(value));
        format!("${{file:{name}}}")
    }

    fn file(&mut self, name: &str, text: &str) -> Result<String, String> {
        let path = self.state.with_file_name(name);
        let folder = path.parent().unwrap_or(Path::new(""));
        let wrote =
            std::fs::create_dir_all(folder).and_then(|()| write_private(&path, |file| file.write_all(text.as_bytes())));
        wrote.map_err(|error| {
            let found = error.to_string();
            self.trouble = Some(Trouble::file(format!("write {}", path.display()))(error));
            found
        })?;
        Ok(path.to_string_lossy().into_owned())
    }
}

/// A path as YAML.
fn path_of(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}
