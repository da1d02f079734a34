//! Why a world cannot be used.

/// Why a world cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// No such world in the program.
    #[error("no bundled world is named {name:?}; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A file cannot be read.
    #[error("could not read {path}: {source}")]
    Read {
        /// Which file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// `world.yaml` is not what it should be.
    #[error("{path}:{place}: {fault}")]
    File {
        /// Which file.
        path: String,
        /// Line and column, or the line alone.
        place: String,
        /// What is wrong.
        fault: String,
    },
}
