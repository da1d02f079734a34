//! `--sandbox[=WORLD]`: the bundled simulators in place of every provider and target of the file.
//!
//! Owns: which simulator stands for which element, and where the world and its state are kept between runs.
//! Leaves to others: the simulators (`sandbox`), putting addresses into the file (`pipeline`).
//! A newcomer gets wrong: a sandbox run has a state of its own, `state/sandbox/WORLD/NAME.db`; it never touches the
//! real one, nor a folder that the file writes to. And a bare `--sandbox` is no fixed world: it is one that has everything the file names.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use url::Url;

use super::environment;
use super::output::tell;
use crate::error::Trouble;
use crate::model::{SourceId, TargetId};
use crate::pipeline::{Document, Element, HttpOverride, Overrides, SourceOverride, TargetOverride};
use crate::report::Severity;
use crate::run::write_private;
use avatarpipe_sandbox::{Options, Running, Sandbox, Secret, World};

use crate::settings::{AtlassianCredential, GoogleEndpoints};

/// The world that is taken where nothing speaks for another.
pub(super) const DEFAULT: &str = "corporate";

/// The folder beside the real state that holds a folder for each world.
const SANDBOXES: &str = "sandbox";

/// `--sandbox[=WORLD]`, of every command that talks to somebody.
#[derive(Debug, Args)]
pub(super) struct Flag {
    /// The bundled simulators stand in for every provider and target; no secret is needed. WORLD is a bundled
    /// world or a folder; without it, a bundled world that has everything the file names
    #[arg(long, value_name = "WORLD", num_args = 0..=1, require_equals = true)]
    sandbox: Option<Option<String>>,
}

impl Flag {
    /// Starts the simulators, if they are wanted.
    pub(super) fn start(&self, document: &Document) -> Result<Option<Sandboxed>, Trouble> {
        self.world(document).map(|name| start(&name, document)).transpose()
    }

    /// Where the pipeline's state stands.
    pub(super) fn state(&self, document: &Document) -> Result<PathBuf, Trouble> {
        let state = environment::state_path(document)?;
        Ok(self.world(document).map_or(state.clone(), |name| state_path(&state, &name)))
    }

    /// The worlds in which a pipeline with this state was run; none if one of them is asked for.
    pub(super) fn others(&self, state: &Path) -> Vec<String> {
        let beside = state.parent().unwrap_or(Path::new("")).join(SANDBOXES);
        let worlds = std::fs::read_dir(beside).into_iter().flatten().flatten().filter(|_| self.sandbox.is_none());
        let names = worlds.filter_map(|world| world.file_name().into_string().ok());
        let mut names: Vec<_> = names.filter(|name| state_path(state, name).is_file()).collect();
        names.sort();
        names
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
    let kinds = document.sources().iter().chain(document.targets()).map(|element| element.kind.as_str());
    kinds.into_iter().all(|kind| match kind {
        "entra" => !world.entra.is_empty(),
        "google" => !world.google.is_empty(),
        "jira" => !world.jira.is_empty(),
        "confluence" => !world.confluence.is_empty(),
        "bitbucket" => !world.bitbucket.is_empty(),
        _ => true,
    })
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
        Sandbox::start(world(name)?, options).map_err(|error| Trouble::Usage(format!("the sandbox: {error}")))?;
    let begins = if running.resumed() { "as the last run left it" } else { "at its beginning" };
    tell(
        Severity::Progress,
        &format!("sandbox: the world `{}`, {begins}; page while it runs: {}", running.world(), running.page()),
    );
    Ok(Sandboxed { running, state: state_path(&state, name) })
}

impl Sandboxed {
    /// What stands in place of the file's addresses and secrets.
    pub(super) fn overrides(&self, document: &Document) -> Result<Overrides, Trouble> {
        let mut overrides =
            Overrides { http: HttpOverride::Direct, state: Some(self.state.clone()), ..Overrides::default() };
        for source in document.sources() {
            let wanted = match source.kind.as_str() {
                "entra" => self.entra(source)?,
                "google" => self.google(source)?,
                // A folder is only read, in a sandbox too.
                _ => continue,
            };
            overrides.sources.insert(SourceId::new(&source.id), wanted);
        }
        for target in document.targets() {
            let atlassian = || self.atlassian(target);
            let wanted = match target.kind.as_str() {
                "jira" => atlassian().map(|(base_url, credential)| TargetOverride::Jira { base_url, credential })?,
                "confluence" => {
                    atlassian().map(|(base_url, credential)| TargetOverride::Confluence { base_url, credential })?
                }
                "bitbucket" => {
                    atlassian().map(|(base_url, credential)| TargetOverride::Bitbucket { base_url, credential })?
                }
                "folder" => TargetOverride::Folder { path: self.copy(target) },
                _ => continue,
            };
            overrides.targets.insert(TargetId::new(&target.id), wanted);
        }
        Ok(overrides)
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

    fn entra(&self, element: &Element) -> Result<SourceOverride, Trouble> {
        let login = self.simulator(element, &["entra", "login"], "login")?;
        let graph = self.simulator(element, &["entra", "graph"], "graph")?;
        let app = self.running.credentials().into_iter().find_map(|credential| match credential.secret {
            Secret::App { tenant, client_secret } if credential.simulator == login => {
                Some((tenant, credential.user, client_secret))
            }
            _ => None,
        });
        let (tenant, client_id, client_secret) = app.ok_or_else(|| self.missing(element, "an app registration"))?;
        let (login, graph) = (self.url(&login)?, self.url(&graph)?);
        Ok(SourceOverride::Entra {
            tenant,
            client_id,
            client_secret: crate::secret::Secret::new(client_secret),
            login,
            graph,
        })
    }

    /// The key file is written beside the world: a source reads it from disk, as a real one.
    fn google(&self, element: &Element) -> Result<SourceOverride, Trouble> {
        let part = |part: &str| {
            let name = self.simulator(element, &["google", part], part)?;
            self.url(&name)
        };
        let endpoints = GoogleEndpoints {
            token: part("token")?,
            directory: part("directory")?,
            sts: part("sts")?,
            iam_credentials: part("iamcredentials")?,
        };
        let token = self.simulator(element, &["google", "token"], "token")?;
        let account = self.running.credentials().into_iter().find_map(|credential| match credential.secret {
            Secret::ServiceAccount { key_file, subject, customer } if credential.simulator == token => {
                Some((key_file, subject, customer))
            }
            _ => None,
        });
        let (key_file, subject, customer) = account.ok_or_else(|| self.missing(element, "a service account"))?;
        let service_account_file = self.state.with_file_name(format!("{}-key.json", element.id));
        let folder = service_account_file.parent().unwrap_or(Path::new(""));
        let wrote = std::fs::create_dir_all(folder).and_then(|()| {
            write_private(&service_account_file, |file| file.write_all(key_file.to_string().as_bytes()))
        });
        wrote.map_err(Trouble::file(format!("write {}", service_account_file.display())))?;
        Ok(SourceOverride::Google { customer, subject, service_account_file, endpoints })
    }

    /// Where the simulator of an Atlassian product answers, and a credential of the kind that the file has.
    fn atlassian(&self, element: &Element) -> Result<(Url, AtlassianCredential), Trouble> {
        let name = self.simulator(element, &[&element.kind], &element.kind)?;
        let mut token = None;
        let mut password = None;
        for credential in self.running.credentials().into_iter().filter(|credential| credential.simulator == name) {
            match credential.secret {
                Secret::Token(secret) => token = Some(AtlassianCredential::Token(crate::secret::Secret::new(secret))),
                Secret::Password(secret) => {
                    let username = credential.user;
                    password =
                        Some(AtlassianCredential::Password { username, password: crate::secret::Secret::new(secret) });
                }
                Secret::App { .. }
                | Secret::Certificate { .. }
                | Secret::ServiceAccount { .. }
                | Secret::Job { .. } => {}
            }
        }
        let credential =
            if element.credential.as_deref() == Some("token") { token.or(password) } else { password.or(token) };
        let credential = credential.ok_or_else(|| self.missing(element, "a service account"))?;
        Ok((self.url(&name)?, credential))
    }

    /// The simulator that has the element's id, else the one that has the kind's plain name.
    fn simulator(&self, element: &Element, plain: &[&str], part: &str) -> Result<String, Trouble> {
        let own = if plain.len() > 1 { format!("{}-{part}", element.id) } else { element.id.clone() };
        let names = [own, part.to_owned()];
        let known = self.running.endpoints();
        names
            .into_iter()
            .find(|name| known.contains_key(name))
            .ok_or_else(|| self.missing(element, &format!("a simulator for `{}`", element.kind)))
    }

    fn url(&self, simulator: &str) -> Result<Url, Trouble> {
        self.running
            .endpoint(simulator)
            .and_then(|url| Url::parse(url).ok())
            .ok_or_else(|| Trouble::Own(format!("the simulator {simulator} has no address")))
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
