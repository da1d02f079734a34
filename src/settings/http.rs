//! `rates` and `http`, resolved: how fast a server is asked, and how it is reached.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::Certificate;

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
    pub headers: Vec<(String, SecretString)>,
}

/// Which proxy is used.
#[derive(Clone, Debug)]
pub enum Proxy {
    /// `HTTPS_PROXY` and its like.
    System,
    /// None, whatever the environment says.
    None,
    /// This URL, checked to be one; it may hold a password.
    Url(SecretString),
}
