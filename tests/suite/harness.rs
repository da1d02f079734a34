//! A sandbox, a pipeline file that points at it, and a folder to work in.
//!
//! Owns: starting all of it, running the program there, and what people do to the world meanwhile.
//! Leaves to others: the words of the file (`pipe`), judging what came of it (`truth`, `ended`).
//! A newcomer gets wrong: the program gets an empty environment and its own working folder, so every path in its output
//! is short and nothing of the machine gets in.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use avatarpipe_sandbox::faults::Fault;
use avatarpipe_sandbox::s3::ObjectStore;
use avatarpipe_sandbox::{Options, Running, Sandbox, World};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::ended::{Ended, files};
use super::pipe::Pipe;
use super::population::{Population, address, file};

/// Where the files lie that a test keeps secret.
const SECRETS: &str = "secret/";

/// Until something that must happen counts as never happening.
const PATIENCE: Duration = Duration::from_secs(60);

/// A sandbox, a pipeline file and a folder.
pub(super) struct Harness {
    /// The simulators.
    pub sandbox: Running,
    /// The world's picture files.
    pub world: World,
    folder: TempDir,
    pipe: Pipe,
    environment: Vec<(String, String)>,
    /// Variables that hold no secret.
    open: Vec<(String, String)>,
    /// Secrets that stand in no variable.
    secrets: Vec<String>,
    /// Of every machine that this one becomes.
    beside: Vec<Arc<TempDir>>,
    /// Where the state stands, if in no file.
    store: Option<ObjectStore>,
}

impl Harness {
    /// The bundled world of three people.
    pub(super) fn tiny() -> Self {
        Self::of(World::bundled("tiny").unwrap_or_else(|fault| panic!("{fault}")))
    }

    /// People with faces of their own, each with an account.
    pub(super) fn with_people(names: &[&str]) -> Self {
        Self::of(Population::of(names).world())
    }

    /// This world.
    pub(super) fn of(world: World) -> Self {
        Self::with_folder(world, tempfile::tempdir().expect("a folder for the test"))
    }

    /// This world, with a folder that lies on no disk where the machine has such a place: a run waits for the disk many
    /// times, and that it does so is not what is tested.
    pub(super) fn in_memory(world: World) -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self::with_folder(world, folder.expect("a folder for the test"))
    }

    fn with_folder(world: World, folder: TempDir) -> Self {
        let sandbox = Sandbox::start(world.clone(), Options::default()).unwrap_or_else(|fault| panic!("{fault}"));
        let mut harness = Self {
            folder,
            pipe: Pipe::default(),
            environment: Vec::new(),
            open: Vec::new(),
            secrets: Vec::new(),
            beside: Vec::new(),
            store: None,
            world,
            sandbox,
        };
        harness.point_at_the_sandbox();
        harness
    }

    fn point_at_the_sandbox(&mut self) {
        let mut pipe = Pipe::default();
        pipe.top("pipeline", "stage");
        pipe.top("rates", "{ fast: { units: 100000, per: 1s, burst: 100000, concurrency: 4 } }");
        let has = "the world has this simulator";
        pipe.source("entra").lay(&self.reach("entra", None).expect(has)).set("rate", "fast");
        // For who signs in with it instead.
        self.reach("jira", Some("token")).expect(has);
        pipe.target("jira").lay(&self.reach("jira", None).expect(has));
        pipe.jira("match", "[email, username]").jira("rate", "fast");
        self.pipe = pipe;
    }

    /// With another pipeline file.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Pipe)) -> Self {
        self.edit(change);
        self
    }

    /// With a fault at the simulators from the start.
    pub(super) fn fault(self, fault: Fault) -> Self {
        self.sandbox.fault(fault);
        self
    }

    /// With a switch of a simulator set.
    pub(super) fn switch(self, simulator: &str, name: &str, value: &str) -> Self {
        self.sandbox.switch(simulator, name, value).unwrap_or_else(|fault| panic!("{fault}"));
        self
    }

    /// Changes the pipeline file.
    pub(super) fn edit(&mut self, change: impl FnOnce(&mut Pipe)) {
        change(&mut self.pipe);
    }

    /// The pipeline file as it is now.
    pub(super) fn pipe(&self) -> &Pipe {
        &self.pipe
    }

    /// Sets an environment variable of the program.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// An environment variable of the program.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let mut all = self.environment.iter().chain(&self.open);
        all.find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Sets an environment variable of the program that holds no secret.
    pub(super) fn tell(&mut self, name: &str, value: &str) {
        self.open.push((name.to_owned(), value.to_owned()));
    }

    /// Writes a file that is secret, and remembers what of it no output may hold; its path for the pipeline file.
    pub(super) fn hide(&mut self, name: &str, bytes: impl AsRef<[u8]>, secrets: &[&str]) -> String {
        let path = format!("{SECRETS}{name}");
        self.write(&path, bytes);
        self.secrets.extend(secrets.iter().map(|secret| (*secret).to_owned()));
        path
    }

    /// Keeps a folder for as long as this is there, whatever machine it becomes.
    pub(super) fn keep_beside(&mut self, folder: Option<Arc<TempDir>>) {
        self.beside.extend(folder);
    }

    /// Keeps the store in which the state stands.
    pub(super) fn keep_store(&mut self, store: ObjectStore) {
        self.store = Some(store);
    }

    /// The store in which the state stands, if in no file.
    pub(super) fn store(&self) -> Option<&ObjectStore> {
        self.store.as_ref()
    }

    /// Remembers a secret that no output may hold, and that stands in no variable or file of its own.
    pub(super) fn keep(&mut self, secret: &str) {
        self.secrets.push(secret.to_owned());
    }

    /// A path in the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder.
    pub(super) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder for a file");
        std::fs::write(path, bytes).expect("a file in the folder of the test");
    }

    /// Another machine: an empty folder that gets the state file, what is kept beside it, and nothing else.
    pub(super) fn move_with_the_state_alone(&mut self) {
        let folder = tempfile::tempdir().expect("a folder for the test");
        std::fs::create_dir(folder.path().join("state")).expect("a folder for the state");
        // A rollback journal belongs to the file: without it a commit that was cut off would be taken for done.
        for name in ["state/stage.db", "state/stage.db-journal"] {
            if self.path(name).exists() {
                std::fs::copy(self.path(name), folder.path().join(name)).expect("a copy of the state");
            }
        }
        for (name, bytes) in files(&self.path("state/stage.kept")) {
            let path = folder.path().join("state/stage.kept").join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for pictures");
            std::fs::write(path, bytes).expect("a copy of what is kept");
        }
        self.folder = folder;
    }

    /// `run`.
    pub(super) fn run(&self) -> Ended {
        self.run_with(&[])
    }

    /// `run` with more flags.
    pub(super) fn run_with(&self, flags: &[&str]) -> Ended {
        self.finish(&[&["run", "pipeline.yaml", "--report", "report"], flags].concat())
    }

    /// `plan` with more flags.
    pub(super) fn plan_with(&self, flags: &[&str]) -> Ended {
        self.finish(&[&["plan", "pipeline.yaml", "--report", "report"], flags].concat())
    }

    /// Any command, to its end.
    pub(super) fn finish(&self, arguments: &[&str]) -> Ended {
        _ = std::fs::remove_dir_all(self.path("report"));
        let child = self.spawn(arguments);
        let ended = self.wait(child, arguments);
        self.expect_no_secret(&ended);
        ended
    }

    /// Waits for a command that was begun.
    pub(super) fn wait(&self, child: Child, arguments: &[&str]) -> Ended {
        let output = child.wait_with_output().expect("the program ends");
        Ended::new(format!("avatarpipe {}", arguments.join(" ")), output, self.folder())
    }

    /// Begins a command.
    pub(super) fn spawn(&self, arguments: &[&str]) -> Child {
        self.spawn_by(Command::new(env!("CARGO_BIN_EXE_avatarpipe")), arguments)
    }

    /// Begins a command by way of another program, which is to end in it.
    pub(super) fn spawn_by(&self, mut command: Command, arguments: &[&str]) -> Child {
        // Another one may be reading it.
        if std::fs::read_to_string(self.path("pipeline.yaml")).ok().as_ref() != Some(&self.pipe.text()) {
            self.write("pipeline.yaml", self.pipe.text());
        }
        let variables = self.environment.iter().chain(&self.open).cloned();
        command.args(arguments).current_dir(self.folder()).env_clear().envs(variables);
        let streams = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        streams.spawn().expect("the program starts")
    }

    /// Waits until the world says so.
    #[track_caller]
    pub(super) fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < PATIENCE, "never happened: {what}\n{:#?}", self.sandbox.requests().entries());
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }

    /// The person gets another photo: the face of `of`.
    pub(super) fn new_photo(&self, name: &str, of: &str) {
        self.directory(&json!({ "photo": { "person": address(name), "now": { "file": file(of) } } }));
    }

    /// The photo is taken away.
    pub(super) fn no_photo(&self, name: &str) {
        self.directory(&json!({ "photo": { "person": address(name), "now": { "none": "image_not_found" } } }));
    }

    /// The directory cannot say whether there is a photo.
    pub(super) fn photo_fails(&self, name: &str, how: &str) {
        self.directory(&json!({ "photo": { "person": address(name), "now": { "failure": how } } }));
    }

    /// The person is disabled in the directory, or enabled.
    pub(super) fn enabled(&self, name: &str, now: bool) {
        self.directory(&json!({ "enabled": { "person": address(name), "now": now } }));
    }

    /// The person is deleted from the directory.
    pub(super) fn deleted(&self, name: &str) {
        self.directory(&json!({ "delete": { "person": address(name) } }));
    }

    /// The owner of an account uploads a picture by hand: the face of `of`.
    pub(super) fn by_hand(&self, name: &str, of: &str) -> u64 {
        let answer = self.by_hand_in("jira", name, of);
        answer["avatar"].as_u64().expect("the id of the picture")
    }

    /// The same in any product.
    #[track_caller]
    pub(super) fn by_hand_in(&self, target: &str, name: &str, of: &str) -> Value {
        let upload = json!({ "upload": { "name": name, "picture": file(of) } });
        self.sandbox.command(target, &upload).unwrap_or_else(|fault| panic!("{upload}: {fault}"))
    }

    /// A command to the directory.
    #[track_caller]
    pub(super) fn directory(&self, command: &Value) {
        self.sandbox.command("graph", command).unwrap_or_else(|fault| panic!("{command}: {fault}"));
    }

    /// A command to the Jira.
    #[track_caller]
    pub(super) fn jira(&self, command: &Value) -> Value {
        self.sandbox.command("jira", command).unwrap_or_else(|fault| panic!("{command}: {fault}"))
    }

    /// No secret may stand in anything that the program printed or wrote (promise P7).
    #[track_caller]
    pub(super) fn expect_no_secret(&self, ended: &Ended) {
        let printed = [("standard output", &ended.stdout), ("standard error", &ended.stderr)];
        let printed = printed.map(|(name, text)| (name.to_owned(), text.clone().into_bytes()));
        // What `--sandbox` keeps of its servers is the servers' own, passwords included.
        let written = files(self.folder())
            .into_iter()
            .filter(|(name, _)| !(name.starts_with("state/sandbox/") && name.contains("/world/")))
            .filter(|(name, _)| !name.starts_with(SECRETS));
        let secrets = self.spellings();
        for (place, bytes) in printed.into_iter().chain(written) {
            // Secrets are ASCII, which this leaves as it is.
            let text = String::from_utf8_lossy(&bytes);
            for secret in &secrets {
                ended.holds(!text.contains(secret), &format!("no secret in {place}, found {secret}"));
            }
        }
    }

    /// The secrets as they are, and as the wire spells them.
    fn spellings(&self) -> Vec<String> {
        use base64::Engine as _;
        let mut all = Vec::new();
        for secret in self.environment.iter().map(|(_, secret)| secret).chain(&self.secrets) {
            all.push(secret.clone());
            all.push(url::form_urlencoded::byte_serialize(secret.as_bytes()).collect());
            all.push(base64::engine::general_purpose::STANDARD.encode(format!("svc-avatars:{secret}")));
        }
        all.sort();
        all.dedup();
        all
    }
}
