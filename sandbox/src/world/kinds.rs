//! The kinds of simulators.
//!
//! Owns: which there are, the key of each in `world.yaml`, and the order in which they take their ports.
//! Leaves to others: what an entry says (`world` of each product) and becomes (its `Part`), reading files (`file`).
//! A newcomer gets wrong: the order of the lines is that of the ports.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;

use super::part::{Assembly, Part};
use crate::ci::{Issuer, Platform};
use crate::context::Shared;
use crate::entra::world::Tenant;
use crate::faults::Fault;
use crate::google::world::Customer;
use crate::pictures::{Maker, Pictures};
use crate::simulator::Simulator;
use crate::{bitbucket, confluence, jira};

/// A world in the making, for tests.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct WorldBuilder {
    pub(super) world: World,
    pub(super) pictures: BTreeMap<String, Bytes>,
    pub(super) maker: Option<Maker>,
}

/// Declares the world: for each kind its key, its type, and how a test adds one.
macro_rules! kinds {
    ($($(#[$about:meta])* $key:ident: $part:ty, $add:ident;)*) => {
        /// The people, accounts and pictures that the simulators begin with.
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct World {
            /// The name: that of its folder.
            #[serde(skip)]
            pub name: String,
            /// One sentence for the page.
            pub about: String,
            /// Changes with every file of the world.
            #[serde(skip)]
            pub digest: String,
            $($(#[$about])* #[serde(default)] pub $key: Vec<$part>,)*
            /// Switches that do not stand on their default: simulator, switch, value.
            #[serde(default)]
            pub switches: BTreeMap<String, BTreeMap<String, String>>,
            /// Faults that are there from the start.
            #[serde(default)]
            pub faults: Vec<Fault>,
            /// The picture files by name.
            #[serde(skip)]
            pub pictures: Pictures,
        }

        impl World {
            /// Whether it has any of that kind.
            pub fn has(&self, kind: &str) -> bool {
                match kind {
                    $(stringify!($key) => !self.$key.is_empty(),)*
                    _ => false,
                }
            }

            pub(super) fn parts(&self) -> impl Iterator<Item = &dyn Part> {
                let parts = std::iter::empty::<&dyn Part>();
                $(let parts = parts.chain(self.$key.iter().map(|part| part as &dyn Part));)*
                parts
            }
        }

        impl WorldBuilder {
            $(pub fn $add(mut self, part: $part) -> Self {
                self.world.$key.push(part);
                self
            })*
        }
    };
}

kinds! {
    /// The Entra tenants: each is a sign-in and a Graph.
    entra: Tenant, tenant;
    /// The Jira instances.
    jira: jira::world::Instance, jira;
    /// The Confluence instances.
    confluence: confluence::world::Instance, confluence;
    /// The Bitbucket instances.
    bitbucket: bitbucket::world::Instance, bitbucket;
    /// The Google customers: each is a token endpoint, an STS, an IAM credentials API and a Directory API.
    google: Customer, google;
    /// The CI platforms.
    ci: Platform, ci;
}

impl World {
    /// What the world becomes, in the order of the ports.
    pub(crate) fn simulators(&self, shared: &Arc<Shared>) -> Vec<Arc<dyn Simulator>> {
        let pictures = self.pictures.clone();
        let issuers = self.ci.iter().map(|platform| Arc::new(Issuer::new(platform, &pictures))).collect();
        let assembly = Assembly { pictures, issuers, shared: Arc::clone(shared) };
        let mut simulators: Vec<_> = self.parts().flat_map(|part| part.simulators(&assembly)).collect();
        simulators.sort_by_key(|simulator| simulator.comes_last());
        simulators
    }
}
