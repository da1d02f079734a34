//! One Confluence, and a call to it.

use super::store::Store;
use super::world::Instance;
use crate::atlassian::site::{self, Site};
use crate::context::Context;
use crate::pictures::Pictures;

/// Confluence Data Center.
pub(crate) struct Product;

/// One Confluence instance.
pub(crate) type Confluence = Site<Product>;

/// One call in progress.
pub(super) type Call<'a> = site::Call<'a, Product>;

impl Confluence {
    /// An instance at the beginning of its world.
    pub(crate) fn of(context: Context, instance: &Instance, pictures: &Pictures) -> Self {
        let store = Store::new(instance, pictures).expect("the world was checked: `Instance::check` found no fault");
        Self::new(context, &instance.settings(), pictures, store)
    }
}
