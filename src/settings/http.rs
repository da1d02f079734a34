//! `rates` and `http`, resolved: how fast a server is asked, and how it is reached.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::Certificate;
use crate::secret::{Secret, cover_user_info, safe_url};

/// How fast one server is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What the vendor counts; each part of a batch is one.
    pub units: u32,
    /// The time in which `units` may be used.
    pub per: Duration,
    /// How many units may go at once.
    pub burst: u32,
    /// How many requests may be under way at once.
    pub concurrency: u32,
}

/// How a server is reached.
#[derive(Clone, Debug)]
pub struct Http {
    /// For one request, its body included. [`Duration::MAX`]: none.
    pub timeout: Duration,
    /// Before a read is sent again for the first time; each further pause is twice as long.
    pub retry_pause: Duration,
    /// Which proxy.
    pub proxy: Proxy,
    /// More trusted certificates, PEM.
    pub ca_file: Option<PathBuf>,
    /// What we show of ourselves.
    pub client_cert: Option<Certificate>,
    /// Sent with every request to the configured server. Values may be secrets.
    pub headers: Vec<(HeaderName, Secret)>,
}

/// As the file has it where nothing is written.
#[cfg(test)]
impl Default for Http {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            retry_pause: Duration::from_secs(1),
            proxy: Proxy::System,
            ca_file: None,
            client_cert: None,
            headers: Vec::new(),
        }
    }
}

/// The name of a header, in lower case as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderName(String);

impl HeaderName {
    /// A token of RFC 9110, no longer than the HTTP client takes.
    pub fn new(text: &str) -> Option<Self> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let fits = (1..1 << 16).contains(&text.len()) && text.chars().all(is_token);
        fits.then(|| Self(text.to_ascii_lowercase()))
    }

    /// As it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which proxy is used; to this machine itself there is never one.
#[derive(Clone, Debug, Default)]
pub enum Proxy {
    /// `HTTPS_PROXY` and its like.
    #[default]
    System,
    /// None, whatever the environment says.
    None,
    /// This one.
    Url(ProxyUrl),
}

/// The URL of a proxy. What is secret in it is covered in every text from the moment it is made.
#[derive(Clone)]
pub struct ProxyUrl(Url);

impl ProxyUrl {
    /// Makes it.
    pub fn new(url: Url) -> Self {
        cover_user_info(url.as_str());
        Self(url)
    }

    /// With its name and password.
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&safe_url(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_s_credential_is_nobody_s_business() {
        let proxy = Proxy::Url(ProxyUrl::new(Url::parse("http://svc:never-known@proxy:3128/").unwrap()));
        assert_eq!(format!("{proxy:?}"), "Url(http://proxy:3128/)");
    }
}
