//! The people and accounts of a seed, and what is special about each at its beginning.
//!
//! Owns: who there is, where they are listed, how commands name them.
//! Leaves to others: what happens to them later (`super`), how a world is written (`population`).
//! A newcomer gets wrong: the photos are small on purpose. Thousands of worlds are played, and nothing here is about
//! pixels.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use avatarpipe_sandbox::entra::world::{NoPhoto, Person, Photo, PhotoFailure};
use avatarpipe_sandbox::google::world::{Photo as Thumbnail, User};
use avatarpipe_sandbox::{World, bitbucket, confluence, jira};
use serde_json::{Value, json};

use super::schedule::Dice;
use crate::suite::population::{Population, address, bought, face_of, file};

/// Long names: they are told apart wherever they stand in a request.
pub(super) const PEOPLE: [&str; 4] = ["adelaide", "bernice", "cornelia", "genevieve"];
/// Whose address is another's, too, in Entra.
pub(super) const AMBIGUOUS: &str = "genevieve";
/// Has no account until somebody's is handed over.
pub(super) const NEWCOMER: &str = "winifred";
/// Where everybody has an account. Most seeds write to one or two of them: more seeds find more than larger ones do.
pub(super) const TARGETS: [&[&str]; 6] = [
    &["jira"],
    &["confluence"],
    &["bitbucket"],
    &["jira", "confluence"],
    &["jira", "bitbucket"],
    &["jira", "confluence", "bitbucket"],
];
/// Pixels a side of a photo: more than the rendition has, and than Jira takes in one step.
const SIDE: u32 = 60;
/// So many accounts in all make a listing ask for a second page.
const ROUND: usize = 50;

/// Where people are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Entra,
    Google,
}

/// The sources of a pipeline, in order of preference.
pub(super) const SOURCES: [&[Source]; 3] = [&[Source::Entra], &[Source::Google], &[Source::Entra, Source::Google]];

/// A photo that no other has.
pub(super) fn portrait(of: &str) -> Vec<u8> {
    face_of(of, SIDE)
}

/// The people of a seed in these sources, each with an account of the same name everywhere. Made once: the keys of
/// Google take their time.
pub(super) fn world(sources: &[Source]) -> World {
    static WORLDS: OnceLock<[World; 3]> = OnceLock::new();
    let worlds = WORLDS.get_or_init(|| {
        let entra =
            |names: &[&str]| names.iter().fold(Population::of(names), |population, name| small(population, name));
        let google = |population: Population| {
            [&PEOPLE[..], &[NEWCOMER]].concat().iter().fold(population, |c, name| small(c, name))
        };
        let both = PEOPLE.iter().fold(entra(&PEOPLE).with_google(&[]), |population, name| {
            let mut user = User::new(&bought(name), name, "Fabrikam").photo(&file(&second(name)));
            user.aliases.push(address(name));
            with_user(population.with_picture(&second(name), portrait(&second(name))), user)
        });
        [
            small(entra(&PEOPLE).with_person(NEWCOMER), NEWCOMER),
            google(with_user(Population::of(&[]).with_google(&PEOPLE), newcomer())),
            small(with_user(both.with_person(NEWCOMER), newcomer()), NEWCOMER),
        ]
        .map(|population| small(small(population, "spare"), "hand").everywhere().world())
    });
    let place = SOURCES.iter().position(|known| *known == sources).expect("sources of the table");
    worlds[place].clone()
}

fn small(population: Population, name: &str) -> Population {
    population.picture(name, portrait(name))
}

/// What the second source shows of somebody whom the first has, too.
fn second(name: &str) -> String {
    format!("{name}-bought")
}

fn newcomer() -> User {
    User::new(&bought(NEWCOMER), NEWCOMER, "Fabrikam").photo(&file(NEWCOMER))
}

fn with_user(population: Population, user: User) -> Population {
    population.google(|customer| customer.users.push(user))
}

impl Source {
    pub(super) fn simulator(self) -> &'static str {
        if self == Self::Entra { "graph" } else { "directory" }
    }

    pub(super) fn address(self, name: &str) -> String {
        if self == Self::Entra { address(name) } else { bought(name) }
    }

    /// How commands name a person.
    pub(super) fn key(self) -> &'static str {
        if self == Self::Entra { "person" } else { "user" }
    }

    pub(super) fn no_photo(self) -> Value {
        if self == Self::Entra { json!({ "none": "image_not_found" }) } else { json!({ "none": {} }) }
    }

    pub(super) fn failing_photo(self) -> Value {
        json!({ "failure": if self == Self::Entra { "no_mailbox" } else { "userNotFound" } })
    }

    pub(super) fn enabled(self, now: bool) -> (&'static str, Value) {
        if self == Self::Entra { ("enabled", json!(now)) } else { ("suspended", json!(!now)) }
    }
}

/// Some have no photo, or one that cannot be got, or are disabled; in Entra two share an address.
pub(super) fn people(world: &mut World, sources: &[Source], dice: &mut Dice) {
    let tenant = &mut world.entra[0];
    if sources.contains(&Source::Entra) {
        for person in tenant.people.iter_mut().filter(|person| person.name != NEWCOMER) {
            match dice.below(10) {
                0 => person.photo = Photo::Failure(dice.one_of(&[PhotoFailure::NoMailbox, PhotoFailure::StoreError])),
                1 => person.enabled = false,
                2 => person.photo = Photo::None(NoPhoto::OnePixel),
                3 => person.photo = Photo::None(dice.one_of(&[NoPhoto::ImageNotFound, NoPhoto::ItemNotFound])),
                _ => {}
            }
        }
        let mut other = Person::new("genevieve@subsidiary.example", "genevieve too").photo(&file("spare"));
        other.mail = Some(address(AMBIGUOUS));
        tenant.people.push(other);
    }
    for user in world.google.iter_mut().flat_map(|customer| &mut customer.users).skip(1) {
        match dice.below(10) {
            _ if user.given_name == NEWCOMER => {}
            0 => user.photo = Thumbnail::Failure("userNotFound".to_owned()),
            1 => user.suspended = true,
            2 => user.photo = Thumbnail::Vanished,
            3 => user.photo = Thumbnail::None,
            _ => {}
        }
    }
}

/// What is special about an account.
enum Fate {
    Usual,
    ByHand,
    Inactive,
}

/// Some accounts show what their owner uploaded, some are inactive; these come back. Other targets than these are left
/// out.
pub(super) fn accounts(world: &mut World, targets: &[&str], dice: &mut Dice) -> BTreeSet<(String, String)> {
    world.confluence.retain(|_| targets.contains(&"confluence"));
    world.bitbucket.retain(|_| targets.contains(&"bitbucket"));
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
    for account in world.confluence.iter_mut().flat_map(|wiki| &mut wiki.accounts) {
        match fate("confluence", &account.name) {
            Fate::ByHand => account.picture = Some(hand()),
            Fate::Inactive => account.standing = confluence::world::Standing::Inactive,
            Fate::Usual => {}
        }
    }
    for account in world.bitbucket.iter_mut().flat_map(|git| &mut git.accounts) {
        match fate("bitbucket", &account.name) {
            Fate::ByHand => account.picture = Some(hand()),
            Fate::Inactive => account.standing = bitbucket::world::Standing::Inactive,
            Fate::Usual => {}
        }
    }
    inactive
}

/// Accounts that belong to nobody: as many as make the Jira's listing go on to a second page.
pub(super) fn bystanders(world: &mut World) {
    let accounts = &mut world.jira[0].accounts;
    for nth in accounts.len()..ROUND {
        let account = json!({ "name": format!("bystander-{nth}") });
        accounts.push(serde_json::from_value(account).expect("an account as a world file writes it"));
    }
}
