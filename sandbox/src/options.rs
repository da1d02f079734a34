//! How a sandbox is started.

use std::path::PathBuf;

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
