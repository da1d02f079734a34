//! One Jira, and a call to it.

use super::store::Store;
use super::world::Instance;
use crate::atlassian::instance;
use crate::atlassian::site::{self, Settings, Site};
use crate::pictures::{FileRef, Pictures};

pub(crate) struct Product;

pub(crate) type Jira = Site<Product>;

pub(super) type Call<'a> = site::Call<'a, Product>;

impl instance::Instance for Instance {
    type Product = Product;

    fn settings(&self) -> Settings<'_> {
        self.settings()
    }

    fn pictures(&self) -> Vec<&FileRef> {
        self.accounts.iter().flat_map(|account| &account.avatars).collect()
    }

    fn store(&self, pictures: &Pictures) -> Result<Store, String> {
        Store::new(self, pictures)
    }
}
