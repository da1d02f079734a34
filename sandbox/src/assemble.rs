//! The simulators of a world.
//!
//! Owns: which simulators a part of a world becomes, and their order.
//! Leaves to others: what they are (one folder each), starting them (`server`).
//! A newcomer gets wrong: the order is that of the ports, so new kinds come last.

use std::sync::Arc;

use super::context::{Context, Shared};
use super::simulator::Simulator;
use super::world::World;
use super::{bitbucket, ci, confluence, entra, google, graph, jira};

/// Makes the simulators of a world. The one place that lists the products.
pub(super) fn assemble(world: &World, shared: &Arc<Shared>) -> Vec<Arc<dyn Simulator>> {
    let context = |name: &str| Context::new(name, Arc::clone(shared));
    let mut simulators: Vec<Arc<dyn Simulator>> = Vec::new();
    let mut machines: Vec<Arc<dyn Simulator>> = Vec::new();
    let issuer = |platform| Arc::new(ci::Issuer::new(platform, &world.pictures));
    let issuers: Vec<Arc<ci::Issuer>> = world.ci.iter().map(issuer).collect();
    for tenant in &world.entra {
        let directory = Arc::new(entra::Directory::new(tenant, &world.pictures));
        let login = context(&tenant.login_name());
        simulators.push(Arc::new(entra::SignIn::new(login, Arc::clone(&directory), issuers.clone())));
        if !tenant.managed_identities.is_empty() {
            machines.push(Arc::new(entra::Metadata::new(context(&tenant.metadata_name()), Arc::clone(&directory))));
        }
        simulators.push(Arc::new(graph::Graph::new(context(&tenant.graph_name()), directory)));
    }
    for instance in &world.jira {
        simulators.push(Arc::new(jira::site::Jira::of(context(&instance.id), instance, &world.pictures)));
    }
    for instance in &world.confluence {
        simulators.push(Arc::new(confluence::site::Confluence::of(context(&instance.id), instance, &world.pictures)));
    }
    for instance in &world.bitbucket {
        simulators.push(Arc::new(bitbucket::site::Bitbucket::of(context(&instance.id), instance, &world.pictures)));
    }
    for customer in &world.google {
        simulators.extend(google::simulators::simulators(customer, &world.pictures, &issuers, context));
    }
    for issuer in &issuers {
        simulators.push(Arc::new(ci::Ci::new(context(&issuer.platform.id), Arc::clone(issuer))));
    }
    // After all others, so that worlds without them keep the order of their ports.
    simulators.extend(machines);
    simulators
}
