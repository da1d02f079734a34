//! The endpoints of a tenant.

use std::sync::Arc;

use super::directory::Directory;
use super::managed::Metadata;
use super::sign_in::SignIn;
use super::world::Tenant;
use crate::graph::Graph;
use crate::pictures::{FileRef, Pictures};
use crate::simulator::Simulator;
use crate::world::{Assembly, Part};

impl Part for Tenant {
    fn files(&self) -> Vec<&FileRef> {
        self.named_files().collect()
    }

    fn check(&self, pictures: &Pictures) -> Result<(), String> {
        self.fits_together(pictures)
    }

    fn simulators(&self, assembly: &Assembly) -> Vec<Arc<dyn Simulator>> {
        let directory = Arc::new(Directory::new(self, &assembly.pictures));
        let endpoint = |of: &str| (assembly.context(&self.endpoint(of)), Arc::clone(&directory));
        let (login, graph, metadata) = (endpoint("login"), endpoint("graph"), endpoint("metadata"));
        let mut simulators: Vec<Arc<dyn Simulator>> = vec![
            Arc::new(SignIn::new(login.0, login.1, assembly.issuers.clone())),
            Arc::new(Graph::new(graph.0, graph.1)),
        ];
        if !self.managed_identities.is_empty() {
            simulators.push(Arc::new(Metadata::new(metadata.0, metadata.1)));
        }
        simulators
    }
}
