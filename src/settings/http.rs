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
    /// For one request, its body included.
    pub timeout: Duration,
    /// Before a read is sent again for the first time.
    pub retry_pause: Duration,
    /// Which proxy.
    pub proxy: Proxy,
    /// More trusted certificates, PEM.
    pub ca_file: Option<PathBuf>,
    /// What we show of ourselves.
    pub client_cert: Option<Certificate>,
    /// Sent with every request. Values may be secrets.
    pub headers: Vec<(String, Secret)>,
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
