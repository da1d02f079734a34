//! `rates` and `http`, resolved: how fast a server is asked, and how it is reached.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::declare::declare;
use super::sources::Certificate;
use crate::secret::{Secret, cover_user_info, safe_url};

declare! {
    /// How fast a server is asked. What a unit is, the vendor says: a request, or each part of a batch.
    #[derive(Clone, Debug, PartialEq, Eq)]
    Rate in rate {
        /// How many units may be used in the time `per`.
        units: Within<1, 1_000_000> as u32 = Required,
        /// The time in which `units` may be used, such as `1s`.
        per: Time as Duration = Required,
        /// How many units may go at once. A batch with more parts than this waits for the whole of them.
        burst: Within<1, 1_000_000> as u32 = Else("1"),
        /// How many requests may be under way at once.
        concurrency: Within<1, 256> as u32 = Else("4"),
    }
}

declare! {
    /// How a server is reached.
    #[derive(Clone, Debug)]
    Http in http {
        /// For one request, its body included.
        timeout: Time as Duration = Else("60s"),
        /// Before a read that failed on the way is sent again; each further pause is twice as long. A server that asks
        /// for more gets more.
        retry_pause: Time as Duration = Else("1s"),
        /// `system`: `HTTPS_PROXY` and its like. `none`: no proxy, whatever the environment says. Else the URL of a proxy.
        proxy: Proxy = Else("system"),
        /// A file with more trusted certificates, PEM.
        ca_file: FilePath as Option<PathBuf> = Optional,
        /// The certificate with which we show who we are.
        client_cert: Certificate as Option<Certificate> = Optional,
        /// More headers for every request. Names that sound like a secret want their value as `${NAME}`.
        headers: ByName<HeaderValue> as Vec<(HeaderName, Secret)> = Else("{}"),
    }
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
