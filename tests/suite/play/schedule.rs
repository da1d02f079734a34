//! A seeded schedule of faults: one number decides which requests fail, and how.
//!
//! Owns: for each request the fault that strikes it, if any, from the seed and from what the request is: its simulator,
//! method, kind of path, whom it is about, and how many like it there were.
//! Leaves to others: what a fault does (`sandbox/src/faults/`), what becomes of it (`super`).
//! A newcomer gets wrong: the order in which requests of different people arrive changes nothing, so a seed fails again
//! whatever the machine does meanwhile. Only an outage counts all requests of its simulator.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use avatarpipe_sandbox::faults::{Answer, Effect, FaultSource, RequestFacts};
use serde_json::json;

/// How often a request is struck in a turn, of a thousand. A turn is quiet, ordinary or a bad day.
pub(super) const DENSITIES: [u64; 6] = [0, 20, 50, 100, 200, 400];
/// The same of writes, but on quiet days.
const LEAST_OF_WRITES: u64 = 200;
/// How many requests in a row a fault strikes. The last outlasts what any client should try.
pub(super) const LENGTHS: [u32; 8] = [1, 1, 1, 1, 1, 2, 3, LONGEST];
pub(super) const LONGEST: u32 = 8;
/// At which request of its simulator an outage begins.
pub(super) const OUTAGES: [u32; 7] = [0, 1, 2, 4, 8, 16, 32];
/// One turn in so many has an outage of a simulator.
pub(super) const OUTAGE: u64 = 10;

/// Whether a server may still do what it was asked when nobody waits for the answer any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Servers {
    /// What is not done when the connection ends is never done.
    Prompt,
    /// A write may be done so much later.
    Late(Duration),
}

/// How many faults of each kind struck.
pub(super) type Struck = Arc<Mutex<BTreeMap<String, u64>>>;

/// Which requests fail, and how, by a seed.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    seed: u64,
    turn: u64,
    subjects: Vec<String>,
    servers: Servers,
    like_it: HashMap<String, u32>,
    of_simulator: HashMap<String, u32>,
    struck: Struck,
}

/// What a request is, as far as it decides what may happen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A sign-in.
    SignIn,
    /// A question.
    Read,
    /// Many questions in one.
    Batch,
    /// One of them.
    Part,
    /// A change, or a call that may be one.
    Write,
}

/// Whose protocol it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Microsoft,
    Google,
    Atlassian,
}

/// Random numbers that are the same for the same words.
pub(super) struct Dice(blake3::OutputReader);

impl Dice {
    /// The dice of these words.
    pub(super) fn of(words: &[&str]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for word in words {
            hasher.update(&(word.len() as u64).to_le_bytes()).update(word.as_bytes());
        }
        Self(hasher.finalize_xof())
    }

    /// A number from 0 on, below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes) % end.max(1)
    }

    /// One of these.
    ///
    /// # Panics
    /// If there is none.
    pub(super) fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        let nth = self.below(all.len() as u64);
        all[usize::try_from(nth).unwrap_or_default()].clone()
    }
}

impl Schedule {
    /// The schedule of a turn of that seed: another turn has other faults. `subjects` are texts by which requests about
    /// different people and accounts are told apart, in path, query or body. What strikes is counted in `struck`.
    pub(super) fn new(seed: u64, turn: u64, subjects: &[String], servers: Servers, struck: Struck) -> Self {
        let (like_it, of_simulator) = (HashMap::new(), HashMap::new());
        Self { seed, turn, subjects: subjects.to_vec(), servers, like_it, of_simulator, struck }
    }

    /// The fault that is due at this request.
    fn due(&mut self, facts: &RequestFacts<'_>) -> Option<Effect> {
        let (kind, family) = (Kind::of(facts), Family::of(facts));
        let outage = self.outage(facts, family);
        let key = self.key(facts);
        let like_it = self.like_it.entry(key.clone()).or_default();
        let nth = *like_it;
        *like_it += 1;
        outage.or_else(|| self.scheduled(facts, &key, nth, kind, family))
    }

    /// A fault that began at this request or at an earlier one like it.
    fn scheduled(&self, facts: &RequestFacts<'_>, key: &str, nth: u32, kind: Kind, family: Family) -> Option<Effect> {
        let density = self.dice("density", "").one_of(&DENSITIES);
        // Most requests are reads, and what matters most is a write.
        let density = if kind == Kind::Write && density > 0 { density.max(LEAST_OF_WRITES) } else { density };
        (nth.saturating_sub(LONGEST - 1)..=nth).find_map(|began| {
            let mut dice = self.dice(key, &began.to_string());
            if dice.below(1000) >= density {
                return None;
            }
            let length = dice.one_of(&LENGTHS);
            let effect = effect(&mut dice, kind, family, facts, self.servers);
            let length = if is_slow(&effect) { 1 } else { length };
            (began + length > nth).then_some(effect)
        })
    }

    /// Whether the simulator is down from some request on, until the turn ends.
    fn outage(&mut self, facts: &RequestFacts<'_>, family: Family) -> Option<Effect> {
        if facts.part {
            return None;
        }
        let nth = self.of_simulator.entry(facts.simulator.to_owned()).or_default();
        let passed = *nth;
        *nth += 1;
        let mut dice = self.dice("outage", facts.simulator);
        if dice.below(OUTAGE) > 0 || passed < dice.one_of(&OUTAGES) {
            return None;
        }
        let dead = match family {
            Family::Atlassian => Effect::Special("login_refused".to_owned()),
            Family::Microsoft | Family::Google => Effect::status(401),
        };
        // A servlet container whose application is not up yet.
        let starting = Effect::Answer(Answer {
            status: 404,
            headers: [("Content-Type".to_owned(), "text/html;charset=utf-8".to_owned())].into(),
            body: json!("<!doctype html><title>HTTP Status 404</title><h1>HTTP Status 404 - Not Found</h1>"),
        });
        let down = [Effect::status(503), Effect::Drop {}, Effect::LoginPage {}, Effect::status(429), starting];
        Some(dice.one_of(&[&down[..], &[dead.clone(), dead]].concat()))
    }

    fn dice(&self, what: &str, which: &str) -> Dice {
        Dice::of(&[&self.seed.to_string(), &self.turn.to_string(), what, which])
    }

    /// What requests that count as like each other have in common.
    fn key(&self, facts: &RequestFacts<'_>) -> String {
        let path = facts.target.split('?').next().unwrap_or_default();
        let digits = |segment: &str| segment.len() > 2 && segment.bytes().all(|byte| byte.is_ascii_digit());
        let segments: Vec<&str> = path.split('/').map(|segment| if digits(segment) { "*" } else { segment }).collect();
        let body = std::str::from_utf8(facts.body).unwrap_or_default();
        let about = |subject: &&String| facts.target.contains(subject.as_str()) || body.contains(subject.as_str());
        // Of a batch the parts are about somebody, and each has a fault of its own.
        let subject = self.subjects.iter().find(about).filter(|_| Kind::of(facts) != Kind::Batch);
        let (part, subject) = (if facts.part { "part" } else { "" }, subject.map_or("", String::as_str));
        format!("{} {part} {} {} {subject}", facts.simulator, facts.method, segments.join("/"))
    }
}

impl FaultSource for Schedule {
    fn strike(&mut self, facts: &RequestFacts<'_>) -> Option<Effect> {
        let effect = self.due(facts)?;
        *self.struck.lock().unwrap_or_else(PoisonError::into_inner).entry(kind(&effect)).or_default() += 1;
        Some(effect)
    }
}

impl Kind {
    fn of(facts: &RequestFacts<'_>) -> Self {
        let path = facts.target.split('?').next().unwrap_or_default();
        match facts.method {
            _ if facts.part => Self::Part,
            _ if path.ends_with("/token") => Self::SignIn,
            _ if path.ends_with("/$batch") || path.ends_with("/batch") => Self::Batch,
            "GET" => Self::Read,
            _ => Self::Write,
        }
    }
}

impl Family {
    fn of(facts: &RequestFacts<'_>) -> Self {
        let path = facts.target;
        match path {
            _ if path.starts_with("/v1.0/") || path.contains("/oauth2/v2.0/") => Self::Microsoft,
            _ if facts.part && path.starts_with("/users/") => Self::Microsoft,
            _ if path.starts_with("/admin/directory/") || path.starts_with("/batch") || path == "/token" => {
                Self::Google
            }
            _ => Self::Atlassian,
        }
    }
}

/// The kind of a fault, for counting: numbers and dates in it do not matter.
fn kind(effect: &Effect) -> String {
    let word = effect.word();
    if let Some(after) = word.strip_prefix("answer 429, Retry-After: ") {
        return format!("429, Retry-After: {}", if after.ends_with("GMT") { "a date" } else { after });
    }
    match effect {
        Effect::Truncate { .. } | Effect::Drip { .. } | Effect::HandleLate { .. } => {
            word.split(' ').next().unwrap_or_default().to_owned()
        }
        // Of other answers only the status counts.
        Effect::Answer(answer) => format!("answer {}", answer.status),
        _ => word,
    }
}

/// Whether each costs the client its patience, or a second that the server asks for.
fn is_slow(effect: &Effect) -> bool {
    let waits = |after: &String| !matches!(after.as_str(), "0" | "-5" | "soon" | "" | "Sun, 06 Nov 1994");
    match effect {
        Effect::Endless {} => true,
        Effect::Answer(answer) => answer.headers.get("Retry-After").is_some_and(waits),
        _ => false,
    }
}

/// Whether a request goes on with a listing: only there somebody can be skipped or come again.
fn goes_on(facts: &RequestFacts<'_>) -> bool {
    let query = facts.target.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|pair| match pair.split_once('=') {
        Some(("start" | "startAt", from)) => from.parse::<u64>().is_ok_and(|from| from > 0),
        Some(("pageToken", token)) => !token.is_empty(),
        _ => false,
    })
}

/// One of the faults that such a request can meet.
fn effect(dice: &mut Dice, kind: Kind, family: Family, facts: &RequestFacts<'_>, servers: Servers) -> Effect {
    let special = |word: &str| Effect::Special(word.to_owned());
    let mut effects = vec![
        throttled(dice),
        throttled(dice),
        broken(dice),
        broken(dice),
        Effect::Drop {},
        Effect::HandleThenDrop {},
        Effect::LoginPage {},
    ];
    let cut = Effect::Truncate { after_bytes: usize::try_from(dice.below(60)).unwrap_or_default() };
    if kind != Kind::Part {
        // Nothing on the way can cut a part of a batch whose whole is sound.
        effects.push(cut);
    }
    match kind {
        Kind::Part => effects.extend([refused(dice, 404), refused(dice, 403), refused(dice, 401)]),
        Kind::SignIn => effects.push(Effect::Endless {}),
        Kind::Batch => effects.push(drip()),
        Kind::Read => effects.extend([drip(), Effect::Endless {}, refused(dice, 404), refused(dice, 403)]),
        Kind::Write => {
            effects.extend([
                Effect::HandleThenDrop {},
                Effect::HandleThenDrop {},
                Effect::HandleThenAnswer(Answer { status: 504, ..Answer::default() }),
                Effect::Endless {},
                refused(dice, 403),
                refused(dice, 400),
                refused(dice, 404),
            ]);
            if let Servers::Late(after) = servers {
                let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
                effects.extend(std::iter::repeat_n(Effect::HandleLate { after_ms }, 6));
            }
        }
    }
    match (family, kind) {
        (Family::Atlassian, _) => {
            effects.extend(["login_refused", "affinity_lost", "session_lost"].map(special));
            if facts.target.contains("/rpc/") {
                effects.extend(["empty_answer", "empty_answer", "empty_answer"].map(special));
            }
            if goes_on(facts) {
                effects.extend(["page_skips", "page_repeats", "page_skips", "page_repeats"].map(special));
            }
        }
        (Family::Microsoft, Kind::Read) => effects.push(special("token_expired")),
        (Family::Google, Kind::Read) => {
            effects.extend(["token_expired", "backendError", "userRateLimitExceeded"].map(special));
            if goes_on(facts) {
                effects.extend(["page_skips", "page_repeats", "page_skips", "page_repeats"].map(special));
            }
        }
        (Family::Google, Kind::Part) => {
            let rows = ["authError", "backendError", "userRateLimitExceeded", "userNotFound", "forbidden"];
            effects.extend([rows, rows].concat().into_iter().map(special));
        }
        _ => {}
    }
    dice.one_of(&effects)
}

fn drip() -> Effect {
    Effect::Drip { bytes: 100, every_ms: 1 }
}

/// 429 with everything that was seen in `Retry-After`, and some that was not.
fn throttled(dice: &mut Dice) -> Effect {
    let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(1));
    let texts = [
        Some("0"),
        Some("0"),
        Some("0"),
        Some("1"),
        Some("0.249"),
        Some("-5"),
        Some("soon"),
        Some(""),
        Some("3600"),
        Some("9223372036854775807"),
        Some("Sun, 06 Nov 1994 08:49:37 GMT"),
        Some("Sun, 06 Nov 1994"),
        Some(soon.as_str()),
        None,
        None,
        None,
    ];
    Effect::Answer(
        dice.one_of(&texts).map_or(Answer { status: 429, ..Answer::default() }, |text| Answer::retry_after(429, text)),
    )
}

fn broken(dice: &mut Dice) -> Effect {
    let status = dice.one_of(&[500, 502, 503, 504]);
    let after = dice.one_of(&[None, None, Some("0"), Some("soon")]);
    Effect::Answer(after.map_or(Answer { status, ..Answer::default() }, |after| Answer::retry_after(status, after)))
}

/// A refusal in words that prove nothing.
fn refused(dice: &mut Dice, status: u16) -> Effect {
    let bodies = [
        json!(null),
        json!("Forbidden by the gateway"),
        json!({ "error": { "code": "UnknownError", "message": "" } }),
        json!({ "errorMessages": ["not now"], "errors": {} }),
    ];
    Effect::Answer(Answer { status, body: dice.one_of(&bodies), ..Answer::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'a>(method: &'a str, target: &'a str) -> RequestFacts<'a> {
        RequestFacts { simulator: "jira", method, target, body: b"", part: false }
    }

    fn schedule(seed: u64) -> Schedule {
        Schedule::new(
            seed,
            0,
            &["adelaide".to_owned(), "bernice".to_owned()],
            Servers::Late(Duration::from_millis(7)),
            Struck::default(),
        )
    }

    /// What strikes fifty requests of each of these, in words; the dates in them are of the same second or the next.
    fn struck(schedule: &mut Schedule, order: &[&str]) -> HashMap<String, Vec<String>> {
        let mut struck: HashMap<String, Vec<String>> = HashMap::new();
        for _ in 0..50 {
            for target in order {
                let effect = schedule.strike(&facts("PUT", target));
                let word = effect.map_or_else(String::new, |effect| effect.word());
                let word = if word.ends_with("GMT") { "a date".to_owned() } else { word };
                struck.entry((*target).to_owned()).or_default().push(word);
            }
        }
        struck
    }

    #[test]
    fn the_order_of_arrival_changes_nothing() {
        let (ada, bea) = ("/rest/api/2/user/avatar?username=adelaide", "/rest/api/2/user/avatar?username=bernice");
        let mut some = 0;
        for seed in 0..60 {
            let forth = struck(&mut schedule(seed), &[ada, bea]);
            let mut outages = schedule(seed);
            if outages.dice("outage", "jira").below(OUTAGE) == 0 {
                // An outage counts every request, whoever sends it.
                continue;
            }
            assert_eq!(forth, struck(&mut schedule(seed), &[bea, ada]), "seed {seed}");
            assert_eq!(forth[ada], struck(&mut outages, &[ada])[ada], "seed {seed}");
            some += forth.values().flatten().filter(|word| !word.is_empty()).count();
        }
        assert!(some > 100, "{some} faults");
    }

    #[test]
    fn another_seed_and_another_turn_have_other_faults() {
        let target = "/rest/api/2/user/avatar?username=adelaide";
        let of = |seed, turn| {
            struck(&mut Schedule::new(seed, turn, &[], Servers::Prompt, Struck::default()), &[target]).remove(target)
        };
        let all: std::collections::BTreeSet<_> = (0..20).flat_map(|n| [of(n, 0), of(n, 1)]).collect();
        assert!(all.len() > 20, "{} different ones", all.len());
    }

    #[test]
    fn every_effect_strikes_somewhere_and_ids_do_not_tell_requests_apart() {
        let mut words = std::collections::BTreeSet::new();
        for seed in 0..300 {
            let mut schedule = schedule(seed);
            for (method, target) in [
                ("GET", "/rest/api/user/list?start=3"),
                ("POST", "/rpc/xmlrpc"),
                ("PUT", "/rest/api/2/user/avatar?username=adelaide"),
                ("GET", "/admin/directory/v1/users?pageToken=x"),
                ("GET", "/v1.0/users"),
            ] {
                for _ in 0..20 {
                    words.extend(schedule.strike(&facts(method, target)).as_ref().map(super::kind));
                }
            }
        }
        for word in [
            "429, Retry-After: soon",
            "429, Retry-After: 9223372036854775807",
            "429, Retry-After: ",
            "429, Retry-After: -5",
            "429, Retry-After: a date",
            "answer 429",
            "answer 503",
            "answer 403",
            "answer 404",
            "drop",
            "handle_then_drop",
            "handle_then_answer 504",
            "handle_late",
            "truncate",
            "drip",
            "endless",
            "login_page",
            "login_refused",
            "affinity_lost",
            "session_lost",
            "empty_answer",
            "page_skips",
            "page_repeats",
            "token_expired",
            "backendError",
        ] {
            assert!(words.contains(word), "{word}: {words:?}");
        }
        let schedule = schedule(0);
        let key = |id: u32| schedule.key(&facts("DELETE", &format!("/rest/api/2/user/avatar/{id}?username=bernice")));
        assert_eq!(key(15017), key(15018));
        assert!(key(15017).ends_with("/avatar/* bernice"));
    }
}
