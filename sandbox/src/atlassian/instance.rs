//! An instance of an Atlassian product as a part of a world.
//!
//! Owns: from what a world file says of it to its simulator.
//! Leaves to others: what it says (`world` of each product), what it holds (`store`).
//! A newcomer gets wrong: whether it fits together is found out by making what it holds.

use std::fmt::Debug;
use std::sync::Arc;

use super::site::{Product, Settings, Site};
use crate::pictures::{FileRef, Pictures};
use crate::simulator::Simulator;
use crate::world::{Assembly, Part};

pub(crate) trait Instance: Debug {
    type Product: Product;

    fn settings(&self) -> Settings<'_>;

    fn pictures(&self) -> Vec<&FileRef>;

    /// What it holds at the beginning of its world.
    fn store(&self, pictures: &Pictures) -> Result<<Self::Product as Product>::Store, String>;
}

impl<I: Instance> Part for I {
    fn files(&self) -> Vec<&FileRef> {
        self.pictures()
    }

    fn check(&self, pictures: &Pictures) -> Result<(), String> {
        let told = |fault| format!("{} {}: {fault}", I::Product::NAME.to_lowercase(), self.settings().id);
        self.store(pictures).map(drop).map_err(told)
    }

    fn simulators(&self, assembly: &Assembly) -> Vec<Arc<dyn Simulator>> {
        let (settings, pictures) = (self.settings(), &assembly.pictures);
        let store = self.store(pictures).expect("the world was checked: `Part::check` found no fault");
        vec![Arc::new(Site::<I::Product>::new(assembly.context(settings.id), &settings, pictures, store))]
    }
}
