//! Simulators of the providers and targets, speaking HTTP on loopback, so that the main job can be tried and tested
//! without a tenant or a server.
//!
//! Owns: the worlds (people, accounts, pictures), one listener for each simulator, the faults and switches that can be
//! dialled in, the log of requests, the page that shows every account's picture, and the truth that tests read.
//! Leaves to others: everything about avatarpipe itself. This room uses nothing of the rest of the crate and is written
//! from the pages under docs/wire alone, so that it cannot share a misunderstanding with the client it is there to
//! test.
//! A newcomer gets wrong: a new product is a new folder plus one line in [`World`] and one in `assemble`; the
//! core knows no product.

mod atlassian;
pub mod bitbucket;
pub mod ci;
pub mod confluence;
mod connection;
mod context;
mod control;
pub mod echo;
pub mod entra;
pub mod faults;
pub mod google;
pub mod graph;
mod handle;
pub mod jira;
mod jwt;
pub mod observer;
mod page;
pub mod requests;
mod server;
mod simulator;
mod store;
pub mod switches;
pub mod truth;
pub mod world;

use std::path::PathBuf;
use std::sync::Arc;

pub use context::Context;
pub use handle::Special;
pub use jwt::KeyFiles;
pub use server::Running;
pub use simulator::{Credential, Secret, SimulatedAnswer, Simulator};
pub use store::Saved;
pub use world::{World, WorldError};

/// How a sandbox is started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which ports the listeners take.
    pub ports: Ports,
    /// Where the state of the world is kept between runs; without it every start is the beginning of the world.
    pub state: Option<PathBuf>,
}

/// Which loopback ports the listeners take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ports {
    /// Whatever the system has free.
    #[default]
    Free,
    /// The page takes this one, the simulators the following ones in the order of their start.
    From(u16),
}

/// Why a sandbox could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The world could not be read.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A port is taken or forbidden.
    #[error(
        "could not listen on 127.0.0.1:{port} for the {simulator} simulator: {source}; free the port or choose another"
    )]
    Listen {
        /// For which simulator.
        simulator: String,
        /// Which port; 0 stands for any.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// Two simulators of the world have the same name.
    #[error("the world {world} has two simulators named {name}; give one of them another `id`")]
    SameName {
        /// Which world.
        world: String,
        /// The name that stands twice.
        name: String,
    },
    /// A switch or a fault of the world is not one that the simulators know.
    #[error("in the world {world}: {fault}")]
    Setting {
        /// Which world.
        world: String,
        /// What is wrong with it.
        fault: String,
    },
    /// The thread or the runtime of the servers could not be made.
    #[error("could not start the servers of the sandbox: {0}")]
    Runtime(std::io::Error),
    /// The state folder cannot be used.
    #[error(transparent)]
    Store(#[from] store::StoreError),
}

/// The entry: starts the simulators of a world.
pub struct Sandbox;

impl Sandbox {
    /// Starts every simulator of `world`, each behind its own loopback listener, on a thread and a runtime of its own.
    pub fn start(world: World, options: Options) -> Result<Running, SandboxError> {
        server::start(world, &options)
    }
}

/// Makes the simulators of a world. The one place that lists the products.
fn assemble(world: &World, shared: &Arc<context::Shared>) -> Vec<Arc<dyn Simulator>> {
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
        simulators.push(Arc::new(jira::Jira::new(context(&instance.id), instance, &world.pictures)));
    }
    for instance in &world.confluence {
        simulators.push(Arc::new(confluence::Confluence::new(context(&instance.id), instance, &world.pictures)));
    }
    for instance in &world.bitbucket {
        simulators.push(Arc::new(bitbucket::Bitbucket::new(context(&instance.id), instance, &world.pictures)));
    }
    for customer in &world.google {
        simulators.extend(google::simulators(customer, &world.pictures, &issuers, context));
    }
    for issuer in &issuers {
        simulators.push(Arc::new(ci::Ci::new(context(&issuer.platform.id), Arc::clone(issuer))));
    }
    // After all others, so that worlds without them keep the order of their ports.
    simulators.extend(machines);
    simulators
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
