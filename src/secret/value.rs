//! A value that nobody is shown.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};

use super::redact;

/// A secret of ours: of the pipeline file, or a token that we were given. To make one is to tell the redactor, so none can
/// be sent anywhere that is not covered in what comes back (promise P7).
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Makes it, and has it covered in every text from now on.
    pub fn new(text: impl Into<String>) -> Self {
        let secret = SecretString::from(text.into());
        redact::know(secret.expose_secret());
        Self(secret)
    }

    /// For whom it is meant.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(redact::REDACTED)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
