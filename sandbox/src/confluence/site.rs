//! One Confluence, and a call to it.

use super::store::Store;
use super::world::Instance;
use crate::atlassian::instance;
use crate::atlassian::site::{self, Settings, Site};
use crate::pictures::{FileRef, Pictures};

pub(crate) struct Product;

pub(crate) type Confluence = Site<Product>;

pub(super) type Call<'a> = site::Call<'a, Product>;

impl instance::Instance for Instance {
    type Product = Product;

    fn settings(&self) -> Settings<'_> {
        self.settings()
    }

    fn pictures(&self) -> Vec<&FileRef> {
        self.accounts.iter().flat_map(|account| account.picture.iter().chain(account.files.values())).collect()
    }

    fn store(&self, pictures: &Pictures) -> Result<Store, String> {
        Store::new(self, pictures)
    }
}
