//! One Bitbucket, and a call to it.

use super::store::Store;
use super::world::Instance;
use crate::atlassian::site::{self, Site};
use crate::context::Context;
use crate::pictures::Pictures;

/// Bitbucket Data Center.
pub(crate) struct Product;

/// One Bitbucket instance.
pub(crate) type Bitbucket = Site<Product>;

/// One call in progress.
pub(super) type Call<'a> = site::Call<'a, Product>;

impl Bitbucket {
    /// An instance at the beginning of its world.
    pub(crate) fn of(context: Context, instance: &Instance, pictures: &Pictures) -> Self {
        let store = Store::new(instance, pictures).expect("the world was checked: `Instance::check` found no fault");
        Self::new(context, &instance.settings(), pictures, store)
    }
}
