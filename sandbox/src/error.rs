//! Why a sandbox could not be started.

use super::store::StoreError;
use super::world::WorldError;

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
    Store(#[from] StoreError),
}
