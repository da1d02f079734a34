//! What a Jira holds at the beginning of its world (docs/wire/atlassian.md).
//!
//! Owns: making accounts and avatars of what a world file says, and what does not fit together in it.
//! Leaves to others: what happens to them later (`store`).
//! A newcomer gets wrong: ids are made from the title, so that no client can know the default's.

use std::collections::HashMap;

use bytes::Bytes;

use super::pictures::Uploaded;
use super::store::{Account, SYSTEM_AVATARS, Store};
use super::world::{AccountWorld, Choice, Instance, Standing};
use crate::atlassian::auth::AccountStore as _;
use crate::atlassian::made_up::number_from;
use crate::pictures::Pictures;

/// Ids that public examples show as the default (§3.2); none of ours is one of them.
const DEFAULTS_IN_EXAMPLES: [u64; 4] = [10122, 10202, 10341, 10346];

impl Store {
    pub(crate) fn new(world: &Instance, pictures: &Pictures) -> Result<Store, String> {
        let first_system = first_system(world);
        let spread = number_from(&world.title, "default") % SYSTEM_AVATARS;
        let mut store = Store {
            groups: world.groups.iter().cloned().collect(),
            next_avatar: world.next_avatar.unwrap_or(first_system + 1000 + number_from(&world.title, "next") % 3000),
            first_system,
            default_avatar: world.default_avatar.unwrap_or(first_system + spread),
            ..Store::default()
        };
        if store.default_avatar >= store.next_avatar || first_system + SYSTEM_AVATARS >= store.next_avatar {
            let (default, next) = (store.default_avatar, store.next_avatar);
            return Err(format!("next_avatar {next} must be above the system avatars and the default {default}"));
        }
        // A world may give one picture to thousands.
        let mut made = HashMap::new();
        for (position, written) in world.accounts.iter().enumerate() {
            store.add(position, written, pictures, &mut made)?;
        }
        Ok(store)
    }

    fn add<'a>(
        &mut self,
        position: usize,
        written: &'a AccountWorld,
        pictures: &Pictures,
        made: &mut HashMap<&'a str, Bytes>,
    ) -> Result<(), String> {
        let key = written.key.clone().unwrap_or_else(|| format!("JIRAUSER{}", 10_100 + position));
        let mut custom = Vec::new();
        for name in written.avatars.iter().map(|file| &file.name) {
            if !made.contains_key(name.as_str()) {
                let bytes =
                    pictures.get(name).ok_or_else(|| format!("account {}: no picture named {name}", written.name))?;
                let png = by_hand(&bytes).ok_or_else(|| format!("account {}: {name} is no picture", written.name))?;
                made.insert(name, png.into());
            }
            custom.push(self.create(&key, "world", made[name.as_str()].clone()));
        }
        let chosen = match written.shows {
            None => custom.last().copied(),
            Some(Choice::Default) => None,
            Some(Choice::Custom(nth)) => {
                Some(*custom.get(nth).ok_or_else(|| format!("account {}: no custom avatar {nth}", written.name))?)
            }
            Some(Choice::System(nth)) => {
                let other = self.system_ids().into_iter().filter(|id| *id != self.default_avatar).nth(nth);
                Some(other.ok_or_else(|| format!("account {}: no system avatar {nth}", written.name))?)
            }
            Some(Choice::Dead) => {
                self.next_avatar += 1;
                Some(self.next_avatar - 1)
            }
        };
        let anonymised = written.standing == Standing::Anonymised;
        let name = if anonymised { key.to_lowercase() } else { written.name.to_lowercase() };
        self.groups.extend(written.groups.iter().cloned());
        let mut account = Account { chosen, ..Account::written(written, key, name) };
        if anonymised {
            account.display_name = format!("user-{:05x}", number_from(&account.key, "anonymised") & 0xf_ffff);
            account.email = None;
        }
        self.enter(account).map_err(|fault| format!("account {fault}"))
    }
}

/// What the cropping page makes when a person uploads by hand: the whole middle.
pub(super) fn by_hand(bytes: &[u8]) -> Option<Vec<u8>> {
    let uploaded = Uploaded::read(bytes, 100.0).ok()?;
    uploaded.cut(uploaded.middle())
}

fn first_system(world: &Instance) -> u64 {
    let start = 10_400 + number_from(&world.title, "system") % 2000;
    let clear = |first: u64| !DEFAULTS_IN_EXAMPLES.iter().any(|id| (first..=first + SYSTEM_AVATARS).contains(id));
    if clear(start) { start } else { start + 100 }
}
