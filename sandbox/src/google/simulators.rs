//! The endpoints of a customer.

use std::sync::Arc;

use super::directory::Directory;
use super::iam::IamCredentials;
use super::sts::Sts;
use super::token::TokenEndpoint;
use super::workspace::Workspace;
use super::world::Customer;
use crate::pictures::{FileRef, Pictures};
use crate::simulator::Simulator;
use crate::world::{Assembly, Part};

impl Part for Customer {
    fn files(&self) -> Vec<&FileRef> {
        Self::files(self).collect()
    }

    fn check(&self, pictures: &Pictures) -> Result<(), String> {
        self.fits_together(pictures)
    }

    fn simulators(&self, assembly: &Assembly) -> Vec<Arc<dyn Simulator>> {
        let workspace = Arc::new(Workspace::new(self, &assembly.pictures, assembly.issuers.clone()));
        let endpoint = |of: &str| (assembly.context(&self.endpoint(of)), Arc::clone(&workspace));
        let (token, sts, iam, directory) =
            (endpoint("token"), endpoint("sts"), endpoint("iamcredentials"), endpoint("directory"));
        vec![
            Arc::new(TokenEndpoint::new(token.0, token.1)),
            Arc::new(Sts::new(sts.0, sts.1)),
            Arc::new(IamCredentials::new(iam.0, iam.1)),
            Arc::new(Directory::new(directory.0, directory.1)),
        ]
    }
}
