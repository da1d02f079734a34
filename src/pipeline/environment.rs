//! What a file may ask of the machine that it is read on.

/// Where `${…}` takes its values from.
pub trait Environment {
    /// An environment variable; `None` if it is not set or not text.
    fn var(&self, name: &str) -> Option<String>;

    /// What to do about a variable that is not set.
    fn where_set(&self, name: &str) -> String {
        format!("set `{name}` where the pipeline runs; in CI, as a masked variable")
    }

    /// A text file; the error says what was found, without the path.
    fn file(&self, path: &str) -> Result<String, String>;

    /// What a program prints, given its name and arguments; the error says how it went, without anything that it printed.
    fn output(&self, _command: &[String]) -> Result<String, String> {
        Err("no program is run here".to_owned())
    }
}
