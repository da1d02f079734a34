//! The story of one seed: a small world, a few runs under faults with changes in between, then runs without faults.
//!
//! Owns: the people and accounts of a seed, what happens to them, and what must stand on the servers in the end.
//! Leaves to others: which request fails (`sandbox::schedule`), what no write may do at any time (`sandbox::oracle`).
//! A newcomer gets wrong: in between nothing is expected of a run but that it ends in a documented way; what it did
//! was judged at each write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, OnceLock, PoisonError};

use avatarpipe::sandbox::entra::world::{NoPhoto, Person, Photo, PhotoFailure};
use avatarpipe::sandbox::google::world::Photo as Thumbnail;
use avatarpipe::sandbox::oracle::{Chosen, Owner, Owners};
use avatarpipe::sandbox::requests::Entry;
use avatarpipe::sandbox::schedule::{Dice, Schedule};
use avatarpipe::sandbox::truth::{Account, Person as Truly, ShownKind};
use avatarpipe::sandbox::{World, bitbucket, confluence, jira};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::company::{Company, address, bought, face, file};
use super::ended::Ended;
use super::stage::Stage;
use super::truth::{looks, words};

/// Long names: they are told apart wherever they stand in a request.
const CAST: [&str; 6] = ["adelaide", "bernice", "cornelia", "dorothea", "evangeline", "genevieve"];
/// Whose address is another's, too, in Entra.
const AMBIGUOUS: &str = "genevieve";
const TARGETS: [&str; 3] = ["jira", "confluence", "bitbucket"];
/// The documented ends of a run that the server is to blame for (design §6).
const ENDS: [i32; 5] = [0, 3, 4, 5, 6];
/// For pauses and time-outs under faults. Without faults nothing is waited for.
const HASTY: &str = "{ default: { timeout: 2s, retry_pause: 5ms } }";

/// Where the people are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Entra,
    Google,
}

/// A seed being played.
pub struct Play<'a> {
    seed: u64,
    story: &'a Mutex<Vec<String>>,
    dice: Dice,
    source: Source,
    chosen: Chosen,
    /// Accounts that are not in use: target and name.
    inactive: BTreeSet<(String, String)>,
    stage: Stage,
}

impl<'a> Play<'a> {
    /// Makes the world of a seed.
    pub fn new(seed: u64, story: &'a Mutex<Vec<String>>) -> Self {
        let mut dice = Dice::of(&["world", &seed.to_string()]);
        let source = dice.one_of(&[Source::Entra, Source::Google]);
        let chosen = dice.one_of(&[Chosen::Replaced, Chosen::Replaced, Chosen::Left]);
        let mut world = source.world();
        people(&mut world, source, &mut dice);
        let inactive = accounts(&mut world, &mut dice);
        let stage = Stage::connected(world);
        let mut play = Self { seed, story, dice, source, chosen, inactive, stage };
        play.settings();
        play.stage.sandbox.watch(play.owners());
        play
    }

    /// Plays it.
    pub fn through(mut self) {
        let turns = 1 + self.dice.below(3);
        for turn in 0..turns {
            if turn > 0 {
                for _ in 0..=self.dice.below(2) {
                    self.happens(turn);
                }
            }
            let subjects = self.subjects();
            self.stage.sandbox.faults().follow(Schedule::new(self.seed, turn, &subjects));
            self.stage.edit(|pipe| _ = pipe.top("http", HASTY));
            let ended = self.run(&format!("turn {turn}"));
            ended.holds(ended.code().is_some_and(|code| self.is_documented(code)), "a documented exit code");
        }
        self.stage.sandbox.faults().clear();
        self.stage.edit(|pipe| _ = pipe.top("http", "{ default: { timeout: 60s } }"));
        let ended = self.run("without faults").expect_exit(0);
        self.tell(ended.stdout);
        self.expect_converged();
        // Each run costs its time: a third of the seeds must do.
        if self.dice.below(3) == 0 {
            self.stage.sandbox.reset_writes();
            self.run("again").expect_exit(0).expect_answer("nothing to do");
            assert_eq!(self.stage.sandbox.truth().writes, []);
        }
    }

    /// What the pipeline file says and how the servers behave where the references leave it open.
    fn settings(&mut self) {
        let dice = &mut self.dice;
        let lanes = dice.one_of(&[1, 1, 3]);
        let (small_pages, by_groups) = (dice.below(2) == 0, dice.below(3) == 0);
        let (by_token, by_endpoint) = (dice.below(4) == 0, dice.below(4) == 0);
        let token_session = dice.one_of(&["ends", "stays"]);
        let ownership = if self.chosen == Chosen::Left { "ours" } else { "provider" };
        let source = self.source;
        self.stage.write("one.pem", certificate());
        self.stage.set("SSL_CERT_FILE", "one.pem");
        self.stage.edit(|pipe| {
            let rate = format!("{{ units: 100000, per: 1s, burst: 100000, concurrency: {lanes} }}");
            // None waits for another's places.
            let rates = ["fast", "jira", "confluence", "bitbucket"].map(|name| format!("{name}: {rate}"));
            pipe.top("rates", &format!("{{ {} }}", rates.join(", ")));
            pipe.top("transform", "{ resize: { size: 64 } }");
            for target in TARGETS {
                pipe.target(target).set("quiet", "0s").set("ownership", ownership).set("rate", target);
            }
            if source == Source::Google {
                pipe.without_source("entra");
            }
            if by_token {
                pipe.by_token();
            }
            if by_groups {
                pipe.jira("accounts", "{ groups: [staff] }");
            }
            if by_endpoint {
                pipe.target("confluence").set("upload", "endpoint");
            }
        });
        let mut switches = vec![("jira", "token_session", token_session)];
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
            if self.stage.sandbox.endpoint(simulator).is_some() {
                self.stage.sandbox.switch(simulator, name, value).unwrap_or_else(|fault| panic!("{fault}"));
            }
        }
        self.tell(format!(
            "{source:?}, {ownership}, {lanes} at once, small pages {small_pages}, groups {by_groups}, token {by_token} \
             {token_session}, endpoint {by_endpoint}"
        ));
    }

    /// By whom requests are told apart.
    fn subjects(&self) -> Vec<String> {
        let ids = self.stage.sandbox.people().into_iter().map(|person| person.id);
        CAST.map(str::to_owned).into_iter().chain(ids).chain(["svc-avatars".to_owned()]).collect()
    }

    /// Whose accounts these are: the same name everywhere; nobody's where two people fit, or the account is inactive.
    fn owners(&self) -> Owners {
        let people = self.stage.sandbox.people();
        let owners = TARGETS
            .into_iter()
            .fold(Owners::new(self.chosen), |owners, target| owners.account(target, "svc-avatars", Owner::Client));
        let accounts = TARGETS.into_iter().flat_map(|target| CAST.map(|name| (target, name)));
        accounts.filter(|(target, name)| self.is_touched(target, name)).fold(owners, |owners, (target, name)| {
            let person = self.person(&people, name).expect("somebody of that name");
            let owner = Owner::Person(self.source.simulator().to_owned(), person.id.clone());
            owners.account(target, name, owner)
        })
    }

    /// Whether an account is in use, and somebody's.
    fn is_touched(&self, target: &str, name: &str) -> bool {
        let ambiguous = self.source == Source::Entra && name == AMBIGUOUS;
        name != "svc-avatars" && !ambiguous && !self.inactive.contains(&(target.to_owned(), name.to_owned()))
    }

    fn person<'t>(&self, people: &'t [Truly], name: &str) -> Option<&'t Truly> {
        let user_name = self.source.address(name);
        people.iter().find(|person| person.user_name == user_name)
    }

    /// One thing that people do between two runs.
    fn happens(&mut self, turn: u64) {
        let name = self.dice.one_of(&CAST);
        let target = self.dice.one_of(&TARGETS);
        let there = self.person(&self.stage.sandbox.people(), name).is_some();
        let what = match self.dice.below(10) {
            0..=2 if there => {
                let picture = STANDARD.encode(face(&format!("{name} in turn {turn}")));
                self.source_does("photo", name, json!({ "bytes": picture }));
                "has a new photo".to_owned()
            }
            3..=4 if there => {
                self.source_does("photo", name, self.source.no_photo());
                "has no photo any more".to_owned()
            }
            5 if there => {
                self.source_does("photo", name, self.source.failing_photo());
                "has a photo that cannot be got".to_owned()
            }
            6 if there => {
                let enabled = self.dice.below(2) == 0;
                let (word, value) = self.source.enabled(enabled);
                self.source_does(word, name, value);
                format!("is enabled: {enabled}")
            }
            7 if there && name != AMBIGUOUS => {
                let key = self.source.key();
                self.source_gets(&json!({ "delete": { key: self.source.address(name) } }));
                "is deleted".to_owned()
            }
            8 => {
                self.target_gets(target, &json!({ "end_sessions": {} }));
                format!("sees {target} restart")
            }
            _ => {
                self.target_gets(target, &json!({ "upload": { "name": name, "picture": file("hand") } }));
                format!("uploads a picture to {target} by hand")
            }
        };
        self.tell(format!("{name} {what}"));
    }

    fn source_does(&self, word: &str, name: &str, now: Value) {
        self.source_gets(&json!({ word: { self.source.key(): self.source.address(name), "now": now } }));
    }

    fn source_gets(&self, command: &Value) {
        self.target_gets(self.source.simulator(), command);
    }

    fn target_gets(&self, simulator: &str, command: &Value) {
        self.stage.sandbox.command(simulator, command).unwrap_or_else(|fault| panic!("{command}: {fault}"));
    }

    /// Runs the program; nothing that it did may have been wrong when it did it.
    fn run(&self, when: &str) -> Ended {
        self.stage.sandbox.requests().reset();
        let ended = self.stage.run();
        self.tell(format!("--- {when}: exit {:?}", ended.code()));
        for entry in self.stage.sandbox.requests().entries() {
            let fault = entry.fault.as_ref().map(|fault| format!("  <- {fault}"));
            let odd_parts = entry.parts.iter().filter(|part| part.1 != 200).map(|part| format!("\n      {part:?}"));
            self.tell(format!("  {}{}{}", words(&entry), fault.unwrap_or_default(), odd_parts.collect::<String>()));
        }
        let panicked = ended.stdout.contains("panicked") || ended.stderr.contains("panicked");
        ended.holds(!panicked, "no panic");
        let violations = self.stage.sandbox.violations();
        ended.holds(violations.is_empty(), &format!("no broken promise, found {violations:#?}"));
        ended
    }

    /// Whether a run under faults may end so. A server that finds nothing may well not be the one that was meant.
    fn is_documented(&self, code: i32) -> bool {
        let not_found = |entry: &Entry| entry.fault.is_some() && entry.status == Some(404);
        ENDS.contains(&code) || (code == 2 && self.stage.sandbox.requests().entries().iter().any(not_found))
    }

    fn tell(&self, line: String) {
        self.story.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    /// Everybody shows what the directory says, and nothing of ours is left over.
    fn expect_converged(&self) {
        let truth = self.stage.sandbox.truth();
        let creators: BTreeMap<_, _> = truth
            .avatars
            .iter()
            .map(|avatar| {
                ((avatar.simulator.as_str(), avatar.owner.as_str(), avatar.id.as_str()), avatar.creator.as_str())
            })
            .collect();
        for account in truth.accounts.iter().filter(|account| account.name != "svc-avatars") {
            let place = (account.simulator.as_str(), account.key.as_str(), account.now.id.as_str());
            let by_hand = creators.get(&place) == Some(&"world");
            let ours = account.now.kind == ShownKind::Custom && !by_hand;
            let person = self.person(&truth.people, &account.name);
            let person = person.filter(|person| person.enabled && self.is_touched(&account.simulator, &account.name));
            let at = format!("{}/{}", account.simulator, account.name);
            match person {
                _ if by_hand && self.chosen == Chosen::Left => {}
                Some(Truly { photo: Some((photo, _)), .. }) => {
                    let fits = ours && looks(&account.now.bytes).fits(&looks(photo));
                    assert!(fits, "{at} does not show its person's photo");
                }
                Some(Truly { proven_absent: true, .. }) => assert!(!ours, "{at} shows a photo that there is no more"),
                _ => {}
            }
        }
        for avatar in truth.avatars.iter().filter(|avatar| avatar.creator != "world" && !avatar.selected) {
            let at = format!("{} {} of {}", avatar.simulator, avatar.id, avatar.owner);
            // What was shown once and then passed over for an own choice lies among the person's own pictures.
            let select = format!("select {}", avatar.id);
            let shown = truth.writes.iter().any(|write| write.account == avatar.owner && write.what == select);
            let places = |account: &&Account| account.simulator == avatar.simulator && account.key == avatar.owner;
            let passed_over = truth.accounts.iter().find(places).is_some_and(|account| {
                let place = (account.simulator.as_str(), account.key.as_str(), account.now.id.as_str());
                creators.get(&place) == Some(&"world")
            });
            assert!(shown && passed_over, "{at} is a stray");
        }
    }
}

impl Source {
    /// The people of the cast in this source, each with an account of the same name everywhere. Made once: the keys of
    /// Google take their time.
    fn world(self) -> World {
        static WORLDS: OnceLock<[World; 2]> = OnceLock::new();
        let [entra, google] = WORLDS.get_or_init(|| {
            [Company::of(&CAST).everywhere().world(), Company::of(&[]).with_google(&CAST).everywhere().world()]
        });
        if self == Self::Entra { entra.clone() } else { google.clone() }
    }

    fn simulator(self) -> &'static str {
        if self == Self::Entra { "graph" } else { "directory" }
    }

    fn address(self, name: &str) -> String {
        if self == Self::Entra { address(name) } else { bought(name) }
    }

    /// How commands name a person.
    fn key(self) -> &'static str {
        if self == Self::Entra { "person" } else { "user" }
    }

    fn no_photo(self) -> Value {
        if self == Self::Entra { json!({ "none": "image_not_found" }) } else { json!({ "none": {} }) }
    }

    fn failing_photo(self) -> Value {
        json!({ "failure": if self == Self::Entra { "no_mailbox" } else { "userNotFound" } })
    }

    fn enabled(self, now: bool) -> (&'static str, Value) {
        if self == Self::Entra { ("enabled", json!(now)) } else { ("suspended", json!(!now)) }
    }
}

/// Some have no photo, or one that cannot be got, or are disabled; two share an address.
fn people(world: &mut World, source: Source, dice: &mut Dice) {
    let everybody = world.entra[0].people.iter_mut().filter(|_| source == Source::Entra);
    for person in everybody {
        match dice.below(10) {
            0 => person.photo = Photo::Failure(dice.one_of(&[PhotoFailure::NoMailbox, PhotoFailure::StoreError])),
            1 => person.enabled = false,
            2 => person.photo = Photo::None(NoPhoto::OnePixel),
            3 => person.photo = Photo::None(dice.one_of(&[NoPhoto::ImageNotFound, NoPhoto::ItemNotFound])),
            _ => {}
        }
    }
    if source == Source::Entra {
        let mut other = Person::new("genevieve@subsidiary.example", "genevieve too").photo(&file("spare"));
        other.mail = Some(address(AMBIGUOUS));
        world.entra[0].people.push(other);
    }
    for user in world.google.iter_mut().flat_map(|customer| &mut customer.users).skip(1) {
        match dice.below(10) {
            0 => user.photo = Thumbnail::Failure("userNotFound".to_owned()),
            1 => user.suspended = true,
            2 => user.photo = Thumbnail::Vanished,
            3 => user.photo = Thumbnail::None,
            _ => {}
        }
    }
}

/// Some accounts show what their owner uploaded, some are inactive; these come back.
fn accounts(world: &mut World, dice: &mut Dice) -> BTreeSet<(String, String)> {
    let hand = || file("hand").as_str().into();
    let mut inactive = BTreeSet::new();
    let mut fate = |target: &str, name: &str| match dice.below(12) {
        _ if name == "svc-avatars" => Fate::Usual,
        0..=2 => Fate::ByHand,
        3 => {
            inactive.insert((target.to_owned(), name.to_owned()));
            Fate::Inactive
        }
        _ => Fate::Usual,
    };
    for account in &mut world.jira[0].accounts {
        account.groups = vec!["staff".to_owned()];
        match fate("jira", &account.name) {
            Fate::ByHand => account.avatars = vec![hand()],
            Fate::Inactive => account.standing = jira::world::Standing::Inactive,
            Fate::Usual => {}
        }
    }
    for account in &mut world.confluence[0].accounts {
        match fate("confluence", &account.name) {
            Fate::ByHand => account.picture = Some(hand()),
            Fate::Inactive => account.standing = confluence::world::Standing::Inactive,
            Fate::Usual => {}
        }
    }
    for account in &mut world.bitbucket[0].accounts {
        match fate("bitbucket", &account.name) {
            Fate::ByHand => account.picture = Some(hand()),
            Fate::Inactive => account.standing = bitbucket::world::Standing::Inactive,
            Fate::Usual => {}
        }
    }
    inactive
}

/// What is special about an account.
enum Fate {
    Usual,
    ByHand,
    Inactive,
}

/// One trusted certificate: reading the system's hundreds takes longer than a run, and nothing here is encrypted.
fn certificate() -> Vec<u8> {
    static PEM: OnceLock<Vec<u8>> = OnceLock::new();
    PEM.get_or_init(|| {
        let merged = World::bundled("merged").unwrap_or_else(|fault| panic!("{fault}"));
        merged.pictures.get("keys/entra.certificate.pem").expect("a certificate of the bundled world").to_vec()
    })
    .clone()
}
