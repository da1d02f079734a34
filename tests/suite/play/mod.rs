//! The story of one seed: a small world, a few runs under faults with changes in between, then runs without faults.
//!
//! Owns: the settings of a seed, what happens between its runs, and what a run may end with.
//! Leaves to others: who there is (`generator`), what must stand there in the end (`end`), which request fails
//! (`schedule`), what no write may do at any time (`invariants`).
//! A newcomer gets wrong: in between nothing is expected of a run but that it ends in a documented way; what it did
//! was judged at each write.

mod bucket;
mod end;
mod generator;
mod invariants;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use avatarpipe_sandbox::requests::Entry;
use avatarpipe_sandbox::truth::Person as Truly;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::ended::Ended;
use super::harness::Harness;
use super::population::file;
use super::truth::words;
use bucket::StateInBucket;
use generator::{AMBIGUOUS, NEWCOMER, PEOPLE, SOURCES, Source, TARGETS, portrait};
use invariants::{Chosen, InvariantChecker, Owner, Owners};
use schedule::{Dice, Schedule, Servers, Struck};

/// The documented ends of a run that the server is to blame for (docs/command-line.md, "Exit codes").
const ENDS: [i32; 5] = [0, 3, 4, 5, 6];
/// For pauses and time-outs under faults.
const HASTY: &str = "{ default: { timeout: 2s, retry_pause: 5ms } }";
/// Without faults nothing times out, however busy the machine is. A photo that cannot be got is still asked for again.
const CALM: &str = "{ default: { timeout: 60s, retry_pause: 5ms } }";
/// One seed in so many runs the real program.
const REAL: u64 = 10;
/// One seed in so many has its state in a bucket: of those of the real program half.
const IN_BUCKET: u64 = 4;
/// How long after the client gave up a slow server still does what it was asked, and what the file says about it: the
/// seconds between are for a busy machine.
const LATE: (Duration, &str) = (Duration::from_millis(300), "3s");

/// What runs the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    /// The program in its own process, which may be killed.
    Real,
    /// The library.
    Inside,
}

/// A seed being played.
pub(super) struct Play<'a> {
    seed: u64,
    story: &'a Mutex<Vec<String>>,
    dice: Dice,
    program: Program,
    sources: &'static [Source],
    targets: &'static [&'static str],
    servers: Servers,
    chosen: Chosen,
    /// Accounts that are not in use: target and name.
    inactive: BTreeSet<(String, String)>,
    /// Whose the accounts of that name are: one person of each source, or nobody.
    owners: BTreeMap<String, Vec<(Source, String)>>,
    /// Every photo that a person had, by id.
    had: BTreeMap<String, Vec<Bytes>>,
    /// What struck so far.
    struck: Struck,
    /// Whether somebody took an account over.
    handed_over: bool,
    /// Where the state stands; `None`: in a file.
    bucket: Option<StateInBucket>,
    harness: Harness,
}

impl<'a> Play<'a> {
    /// Makes the world of a seed.
    pub(super) fn new(seed: u64, story: &'a Mutex<Vec<String>>) -> Self {
        let mut dice = Dice::of(&["world", &seed.to_string()]);
        let program = if seed.is_multiple_of(REAL) { Program::Real } else { Program::Inside };
        let sources = dice.one_of(&SOURCES);
        let targets = dice.one_of(&TARGETS);
        let chosen = dice.one_of(&[Chosen::Replaced, Chosen::Replaced, Chosen::Left]);
        let servers = dice.one_of(&[Servers::Prompt, Servers::Prompt, Servers::Prompt, Servers::Late(LATE.0)]);
        let mut world = generator::world(sources);
        generator::people(&mut world, sources, &mut dice);
        let inactive = generator::accounts(&mut world, targets, &mut dice);
        if dice.below(12) == 0 {
            generator::bystanders(&mut world);
        }
        let harness = Harness::in_memory(world).connect_all();
        let (owners, had, handed_over) = (BTreeMap::new(), BTreeMap::new(), false);
        let mut play = Self {
            seed,
            story,
            dice,
            program,
            sources,
            targets,
            servers,
            chosen,
            inactive,
            owners,
            had,
            struck: Struck::default(),
            handed_over,
            bucket: None,
            harness,
        };
        play.settings();
        play.begin();
        play
    }

    /// Plays it; the faults that struck come back, by kind.
    pub(super) fn through(mut self) -> BTreeMap<String, u64> {
        let turns = 1 + self.dice.below(3);
        for turn in 0..turns {
            if turn > 0 {
                // What a slow server was asked for before is done before the world goes on.
                self.harness.until("the servers are at rest", |harness| harness.sandbox.is_at_rest());
                for _ in 0..=self.dice.below(2) {
                    self.happens(turn);
                }
            }
            if let Some(bucket) = &self.bucket {
                bucket.between_runs(&mut self.dice, &self.harness);
                bucket.fails_in(turn);
            }
            let subjects = self.subjects();
            self.harness.sandbox.faults().follow(Schedule::new(
                self.seed,
                turn,
                &subjects,
                self.servers,
                Arc::clone(&self.struck),
            ));
            self.harness.edit(|pipe| _ = pipe.top("http", HASTY));
            let killed = self.program == Program::Real && self.dice.below(2) == 0;
            let kill = killed.then(|| self.dice.below(60));
            let ended = self.run(&format!("turn {turn}"), kill);
            let documented = ended.code().map_or(kill.is_some(), |code| self.is_documented(code));
            ended.holds(documented, "a documented exit code");
        }
        let struck = self.struck.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.harness.sandbox.faults().clear();
        self.bucket.iter().for_each(StateInBucket::is_well);
        self.harness.edit(|pipe| _ = pipe.top("http", CALM));
        let ended = expect_success(self.run("without faults", None));
        self.tell(ended.stdout);
        self.expect_converged();
        // Each run costs its time: a third of the seeds must do.
        if self.dice.below(3) == 0 {
            self.harness.sandbox.reset_writes();
            let again = expect_success(self.run("again", None));
            // Where most photos cannot be got, that is told instead.
            let quiet = again.code() != Some(0) || again.stdout.contains("nothing to do");
            again.holds(quiet, "nothing to do");
            assert_eq!(self.harness.sandbox.truth().writes, []);
        }
        struck
    }

    /// What the pipeline file says and how the servers behave where the pages under docs/wire leave it open.
    fn settings(&mut self) {
        let dice = &mut self.dice;
        let lanes = dice.one_of(&[1, 1, 3]);
        let (small_pages, by_groups) = (dice.below(2) == 0, dice.below(3) == 0);
        let (by_token, by_endpoint) = (dice.below(4) == 0, dice.below(4) == 0);
        let token_session = dice.one_of(&["ends", "stays"]);
        let user_list = dice.one_of(&["version", "version", "on"]);
        let ownership = if self.chosen == Chosen::Left { "ours" } else { "provider" };
        let quiet = if self.servers == Servers::Prompt { "0s" } else { LATE.1 };
        let (state, key) = (self.harness.path("state/stage.db"), self.harness.path("google-key.json"));
        let (sources, targets) = (self.sources, self.targets);
        self.harness.edit(|pipe| {
            let rate = format!("{{ units: 100000, per: 1s, burst: 100000, concurrency: {lanes} }}");
            // None waits for another's places.
            let rates = ["fast", "jira", "confluence", "bitbucket"].map(|name| format!("{name}: {rate}"));
            pipe.top("rates", &format!("{{ {} }}", rates.join(", ")));
            pipe.top("transform", "{ resize: { size: 56 } }");
            pipe.top("state", &format!("{{ path: '{}' }}", state.display()));
            if sources.contains(&Source::Google) {
                pipe.source("google").set("credential", &format!("{{ service_account_file: '{}' }}", key.display()));
            }
            if !targets.contains(&"jira") {
                pipe.without_target("jira");
            }
            for target in targets {
                pipe.target(target).set("quiet", quiet).set("ownership", ownership).set("rate", target);
            }
            if !sources.contains(&Source::Entra) {
                pipe.without_source("entra");
            }
            if by_token && targets.contains(&"jira") {
                pipe.by_token();
            }
            if by_groups && targets.contains(&"jira") {
                pipe.jira("accounts", "{ groups: [staff] }");
            }
            if by_endpoint && targets.contains(&"confluence") {
                pipe.target("confluence").set("upload", "endpoint");
            }
        });
        let mut switches = vec![("jira", "token_session", token_session), ("jira", "user_list", user_list)];
        if small_pages {
            switches.extend([("jira", "group_page", "2"), ("confluence", "list_page", "3")]);
            switches.extend([
                ("bitbucket", "page_cap", "3"),
                ("graph", "page_size", "2"),
                ("directory", "page_size", "2"),
            ]);
        }
        if by_endpoint {
            switches.push(("confluence", "endpoint", "installed"));
        }
        for (simulator, name, value) in switches {
            if self.harness.sandbox.endpoint(simulator).is_some() {
                self.harness.sandbox.switch(simulator, name, value).unwrap_or_else(|fault| panic!("{fault}"));
            }
        }
        if self.seed.is_multiple_of(IN_BUCKET) {
            self.bucket = Some(StateInBucket::of(self.seed, Arc::clone(&self.struck), &mut self.harness));
        }
        let kept = if self.bucket.is_some() { "the state in a bucket" } else { "the state in a file" };
        self.tell(format!(
            "{:?}, {:?} to {:?}, {:?}, {kept}, {ownership}, {lanes} at once, small pages {small_pages}, groups {by_groups}, token \
             {by_token} {token_session}, endpoint {by_endpoint}, user list {user_list}",
            self.program, self.sources, self.targets, self.servers
        ));
    }

    /// Learns whose accounts there are, and has every write held against it.
    fn begin(&mut self) {
        let people = self.harness.sandbox.people();
        for person in &people {
            let photo = person.photo.iter().map(|(photo, _)| photo.clone());
            self.had.entry(person.id.clone()).or_default().extend(photo);
        }
        for name in PEOPLE {
            let owners = self.sources.iter().filter_map(|source| {
                let person = find(&people, *source, name)?;
                Some((*source, person.id.clone()))
            });
            self.owners.insert(name.to_owned(), owners.collect());
        }
        self.harness.sandbox.watch(InvariantChecker::new(self.watched(None)));
    }

    /// By whom requests are told apart.
    fn subjects(&self) -> Vec<String> {
        let ids = self.harness.sandbox.people().into_iter().map(|person| person.id);
        PEOPLE.map(str::to_owned).into_iter().chain(ids).chain(["svc-avatars".to_owned()]).collect()
    }

    /// Whose accounts these are: nobody's where two people fit, or the account is inactive.
    fn watched(&self, handed_over: Option<&str>) -> Owners {
        let mut owners = Owners::new(self.chosen);
        for target in self.targets {
            owners = owners.account(target, "svc-avatars", Owner::Client);
            for (name, people) in self.owners.iter().filter(|(name, _)| self.is_touched(target, name)) {
                let people = people.iter().map(|(source, id)| (source.simulator().to_owned(), id.clone()));
                owners = owners.account(target, name, Owner::People(people.collect()));
                if handed_over == Some(name) {
                    owners = owners.handed_over(target, name);
                }
            }
        }
        owners
    }

    /// Whether an account is in use, and somebody's.
    fn is_touched(&self, target: &str, name: &str) -> bool {
        let ambiguous = self.sources.contains(&Source::Entra) && name == AMBIGUOUS;
        !ambiguous && !self.inactive.contains(&(target.to_owned(), name.to_owned()))
    }

    /// Every photo that the people of an account have or had.
    fn photos_of(&self, name: &str) -> impl Iterator<Item = &Bytes> {
        self.owners[name].iter().filter_map(|(_, id)| self.had.get(id)).flatten()
    }

    /// One thing that people do between two runs.
    fn happens(&mut self, turn: u64) {
        let name = self.dice.one_of(&PEOPLE);
        let target = self.dice.one_of(self.targets);
        let source = self.dice.one_of(self.sources);
        let there = find(&self.harness.sandbox.people(), source, name).is_some();
        let what = match self.dice.below(12) {
            0..=2 if there => {
                self.gets_a_photo(source, name, &format!("{name} in turn {turn} at {source:?}"));
                "has a new photo".to_owned()
            }
            3..=4 if there => {
                self.source_does(source, "photo", name, source.no_photo());
                "has no photo any more".to_owned()
            }
            5 if there => {
                self.source_does(source, "photo", name, source.failing_photo());
                "has a photo that cannot be got".to_owned()
            }
            6 if there => {
                let enabled = self.dice.below(2) == 0;
                let (word, value) = source.enabled(enabled);
                self.source_does(source, word, name, value);
                format!("is enabled: {enabled}")
            }
            7 if there && name != AMBIGUOUS => {
                self.is_deleted(source, name);
                if self.sources.len() > 1 {
                    // Whom the other source knows under that address is another person by the rules
                    // (docs/architecture.md, "Matching").
                    self.harness.sandbox.watch(InvariantChecker::new(self.watched(Some(name))));
                }
                "is deleted".to_owned()
            }
            8..=9 if there && self.can_be_handed_over(source, name) => {
                self.hands_over(source, name);
                format!("is gone, and {NEWCOMER} gets the address")
            }
            10 => {
                self.target_gets(target, &json!({ "end_sessions": {} }));
                format!("sees {target} restart")
            }
            _ => {
                self.target_gets(target, &json!({ "upload": { "name": name, "picture": file("hand") } }));
                format!("uploads a picture to {target} by hand")
            }
        };
        self.tell(format!("{source:?} {name} {what}"));
    }

    fn gets_a_photo(&mut self, source: Source, name: &str, face: &str) {
        self.source_does(source, "photo", name, json!({ "bytes": STANDARD.encode(portrait(face)) }));
        // As the source serves it: Google makes another picture of it.
        let people = self.harness.sandbox.people();
        let person = find(&people, source, name).expect("somebody of that name");
        let photo = person.photo.iter().map(|(photo, _)| photo.clone());
        self.had.entry(person.id.clone()).or_default().extend(photo);
    }

    fn is_deleted(&self, source: Source, name: &str) {
        self.target_gets(source.simulator(), &json!({ "delete": { source.key(): source.address(name) } }));
    }

    /// Once a seed; and not where the accounts go by the other source's address.
    fn can_be_handed_over(&self, source: Source, name: &str) -> bool {
        !self.handed_over && name != AMBIGUOUS && source == self.sources[0]
    }

    /// The address goes to somebody new, and with it the accounts (docs/architecture.md, "Matching").
    fn hands_over(&mut self, source: Source, name: &str) {
        self.is_deleted(source, name);
        let rename = json!({ source.key(): source.address(NEWCOMER), "to": source.address(name) });
        self.target_gets(source.simulator(), &json!({ "rename": rename }));
        let people = self.harness.sandbox.people();
        let newcomer = find(&people, source, name).expect("the newcomer").id.clone();
        for (of, id) in self.owners.get_mut(name).into_iter().flatten().filter(|(of, _)| *of == source) {
            (*of, *id) = (source, newcomer.clone());
        }
        self.handed_over = true;
        self.harness.sandbox.watch(InvariantChecker::new(self.watched(Some(name))));
    }

    fn source_does(&self, source: Source, word: &str, name: &str, now: Value) {
        self.target_gets(source.simulator(), &json!({ word: { source.key(): source.address(name), "now": now } }));
    }

    fn target_gets(&self, simulator: &str, command: &Value) {
        self.harness.sandbox.command(simulator, command).unwrap_or_else(|fault| panic!("{command}: {fault}"));
    }

    /// Runs; nothing that was done may have been wrong when it was done. `kill`: after so many requests.
    fn run(&self, when: &str, kill: Option<u64>) -> Ended {
        self.harness.sandbox.requests().reset();
        let ended = match (self.program, kill) {
            (Program::Inside, _) => self.harness.run_inside(),
            (Program::Real, None) => self.harness.run(),
            (Program::Real, Some(after)) => self.killed(after),
        };
        self.tell(format!("--- {when}: exit {:?}", ended.code()));
        for entry in self.harness.sandbox.requests().entries() {
            let fault = entry.fault.as_ref().map(|fault| format!("  <- {fault}"));
            let odd_parts = entry.parts.iter().filter(|part| part.1 != 200).map(|part| format!("\n      {part:?}"));
            self.tell(format!("  {}{}{}", words(&entry), fault.unwrap_or_default(), odd_parts.collect::<String>()));
        }
        for asked in self.bucket.iter().flat_map(StateInBucket::log) {
            self.tell(format!("  store: {asked}"));
        }
        let panicked = ended.stdout.contains("panicked") || ended.stderr.contains("panicked");
        ended.holds(!panicked, "no panic");
        let violations = self.harness.sandbox.violations();
        ended.holds(violations.is_empty(), &format!("no broken promise, found {violations:#?}"));
        ended
    }

    /// Runs the program and kills it once so many requests have arrived; it may end before.
    fn killed(&self, after: u64) -> Ended {
        let arguments = ["run", "pipeline.yaml", "--report", "report"];
        let mut child = self.harness.spawn(&arguments);
        let at_store = || self.bucket.as_ref().map_or(0, |bucket| bucket.log().len());
        let arrived = || self.harness.sandbox.requests().entries().len() + at_store();
        while child.try_wait().expect("a child").is_none() && (arrived() as u64) < after {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        // One that has ended meanwhile cannot be killed, and need not be.
        _ = child.kill();
        let ended = self.harness.wait(child, &arguments);
        // A run that begins while a server is still at work waits for `quiet`; here none does.
        self.harness.until("the servers are at rest", |harness| harness.sandbox.is_at_rest());
        ended
    }

    /// Whether a run under faults may end so. A server that finds nothing may well not be the one that was meant.
    fn is_documented(&self, code: i32) -> bool {
        let not_found = |entry: &Entry| entry.fault.is_some() && entry.status == Some(404);
        // Whoever finds the lease taken, or loses it.
        let leased = code == 7 && self.bucket.is_some();
        ENDS.contains(&code) || leased || (code == 2 && self.harness.sandbox.requests().entries().iter().any(not_found))
    }

    fn tell(&self, line: String) {
        self.story.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

fn find<'t>(people: &'t [Truly], source: Source, name: &str) -> Option<&'t Truly> {
    let user_name = source.address(name);
    people.iter().find(|person| person.simulator == source.simulator() && person.user_name == user_name)
}

/// Done, or no success only since most of the photos cannot be got for good.
#[track_caller]
fn expect_success(ended: Ended) -> Ended {
    let lost = ended.stdout.contains("photos could not be learnt");
    ended.expect_exit(if lost { 3 } else { 0 })
}
