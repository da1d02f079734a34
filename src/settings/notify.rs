//! `notify`, resolved.

use std::fmt;

use url::Url;

use crate::secret::Secret;

/// Who is told how a run ended.
#[derive(Clone, Debug)]
pub struct Notify {
    /// Asked for after each whole run that ended in 0.
    pub heartbeat: Option<SecretUrl>,
    /// Told of the ends that somebody wants to know of.
    pub webhook: Option<Webhook>,
    /// The entry under `http` by which both are reached.
    pub http: String,
}

/// Where a message about a run goes.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The address, with what is secret in it.
    pub url: SecretUrl,
    /// Any of these sends it.
    pub on: Vec<Occasion>,
}

/// What a message is sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Something failed.
    Failed,
    /// A limit stopped a source or target.
    Limit,
    /// A signal or the time budget stopped the run.
    Stopped,
    /// Something was written.
    Changed,
    /// A run ended.
    Always,
}

/// A URL of which whoever knows it may send something there. It is covered in every text from the moment it is made.
#[derive(Clone)]
pub struct SecretUrl(Url);

/// A shorter path is a word, and would be covered wherever it stands.
const SHORTEST_PATH: usize = 8;

/// A shorter part of an address may be a word.
const SHORTEST_TOKEN: usize = 16;

impl SecretUrl {
    /// Makes it.
    pub fn new(url: Url) -> Self {
        // A server tells of its paths without its name.
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        for text in [url.as_str(), path].into_iter().filter(|text| text.len() >= SHORTEST_PATH) {
            let _covered = Secret::new(text);
        }
        // A redirect puts the token in another place.
        let parts = url.path_segments().into_iter().flatten().map(str::to_owned);
        let values = url.query_pairs().map(|(_, value)| value.into_owned());
        for part in parts.chain(values).filter(|part| part.len() >= SHORTEST_TOKEN) {
            let _covered = Secret::new(part);
        }
        Self(url)
    }

    /// Whole.
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretUrl(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::redact;

    #[test]
    fn neither_the_address_nor_its_path_is_shown() {
        let url = SecretUrl::new(Url::parse("https://hook.example/never-known/path?sig=never-told").unwrap());
        assert_eq!(format!("{url:?}"), "SecretUrl(***)");
        for text in ["https://hook.example/never-known/path?sig=never-told", "no /never-known/path?sig=never-told here"]
        {
            assert!(!redact(text).contains("never"), "{}", redact(text));
        }
        SecretUrl::new(Url::parse("https://hook.example/services/token-of-some-path?key=token-of-a-query").unwrap());
        let moved = redact("302 to https://hook.example/v2/token-of-some-path/?with=token-of-a-query");
        assert!(!moved.contains("token-of"), "{moved}");
        assert_eq!(redact("services"), "services");
    }
}
