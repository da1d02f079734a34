//! Why a world cannot be used.

#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error("no bundled world is named {name:?}; there are: {known}")]
    Unknown { name: String, known: String },
    #[error("could not read {path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("{path}:{place}: {fault}")]
    File {
        path: String,
        /// Line and column, or the line alone.
        place: String,
        fault: String,
    },
}
