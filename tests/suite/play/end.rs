//! What must stand on the servers in the end: everybody shows what the directory says, and nothing of ours is left over.
//!
//! Owns: that judgement. Leaves to others: what may be written at any time (`invariants`).
//! A newcomer gets wrong: where nothing is proven, what stood there stays; but whoever shows a picture of ours shows one
//! that they themselves have or had.

use std::collections::BTreeMap;

use avatarpipe_sandbox::truth::{Account, Person, ShownKind, Truth};

use super::Play;
use super::invariants::Chosen;
use crate::suite::truth::looks;

/// Who uploaded each picture: by simulator, account and id.
type Creators<'t> = BTreeMap<(&'t str, &'t str, &'t str), &'t str>;

/// What the sources say of an account, down the list.
enum Wanted<'t> {
    Photo(&'t [u8]),
    Default,
    /// Nothing is proven.
    AsItWas,
}

impl Play<'_> {
    /// Panics where the world has not converged.
    pub(super) fn expect_converged(&self) {
        let truth = self.harness.sandbox.truth();
        let avatars = truth.avatars.iter();
        let creators: Creators<'_> = avatars
            .map(|avatar| ((&*avatar.simulator, &*avatar.owner, &*avatar.id), avatar.creator.as_str()))
            .collect();
        let targets = truth.accounts.iter().filter(|account| self.targets.contains(&account.simulator.as_str()));
        for account in targets.filter(|account| self.owners.contains_key(&account.name)) {
            self.expect_right(account, is_by_hand(account, &creators), &truth);
        }
        expect_no_strays(&truth, &creators);
    }

    fn expect_right(&self, account: &Account, by_hand: bool, truth: &Truth) {
        let at = format!("{}/{}", account.simulator, account.name);
        let ours = account.now.kind == ShownKind::Custom && !by_hand;
        // Of an account that nobody has any more the last picture stays (pipelines/README.md, "Transform": `gone`).
        let people = &self.owners[&account.name];
        let somebody = people.iter().any(|(_, id)| truth.people.iter().any(|person| person.id == *id));
        if ours && somebody {
            let shown = looks(&account.now.bytes);
            let own = self.photos_of(&account.name).any(|photo| looks(photo).fits(&shown));
            assert!(own, "{at} shows a picture that its person never had");
        }
        if by_hand && self.chosen == Chosen::Left {
            return;
        }
        match self.wanted(account, truth) {
            Wanted::Photo(photo) => {
                let fits = ours && looks(&account.now.bytes).fits(&looks(photo));
                assert!(fits, "{at} does not show its person's photo");
            }
            Wanted::Default => assert!(!ours, "{at} shows a photo that there is no more"),
            Wanted::AsItWas => {}
        }
    }

    /// As docs/architecture.md, "Precedence", has it.
    fn wanted<'t>(&self, account: &Account, truth: &'t Truth) -> Wanted<'t> {
        if !self.is_touched(&account.simulator, &account.name) {
            return Wanted::AsItWas;
        }
        let mut wanted = Wanted::AsItWas;
        for (source, id) in &self.owners[&account.name] {
            let person = truth.people.iter().find(|person| person.simulator == source.simulator() && person.id == *id);
            match person {
                None => {}
                Some(Person { enabled: true, photo: Some((photo, _)), .. }) => return Wanted::Photo(photo),
                Some(Person { enabled: true, proven_absent: true, .. }) => wanted = Wanted::Default,
                Some(_) => return Wanted::AsItWas,
            }
        }
        wanted
    }
}

fn is_by_hand(account: &Account, creators: &Creators<'_>) -> bool {
    creators.get(&(&*account.simulator, &*account.key, &*account.now.id)) == Some(&"world")
}

/// What was shown once and then passed over for an own choice lies among the person's own pictures; nothing else of ours
/// lies anywhere unshown.
fn expect_no_strays(truth: &Truth, creators: &Creators<'_>) {
    for avatar in truth.avatars.iter().filter(|avatar| avatar.creator != "world" && !avatar.selected) {
        let select = format!("select {}", avatar.id);
        let shown = truth.writes.iter().any(|write| write.account == avatar.owner && write.what == select);
        let here = |account: &&Account| account.simulator == avatar.simulator && account.key == avatar.owner;
        let passed_over = truth.accounts.iter().find(here).is_some_and(|account| is_by_hand(account, creators));
        assert!(shown && passed_over, "{} {} of {} is a stray", avatar.simulator, avatar.id, avatar.owner);
    }
}
