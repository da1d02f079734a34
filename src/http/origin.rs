//! Which server a URL leads to.
//!
//! Owns: what a base URL may hold, and when two URLs mean one server. Leaves to others: what is sent there (`client.rs`).
//! A newcomer gets wrong: another port of the same host is another server, and a port left out is the scheme's own.

use url::{Host, Url};

use super::{Failure, FailureKind};
use crate::secret::safe_url;

/// What a base URL has to be.
pub(super) fn check_base(name: &str, base: &Url) -> Result<(), Failure> {
    let tried = || format!("using {} for `{name}`", safe_url(base));
    let wrong = |found: &str| Failure::new(FailureKind::Misconfigured, tried(), found);
    if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
        return Err(wrong("it is not an http or https URL"));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(wrong("it holds a credential").hint("write it under `credential`, as `${NAME}`"));
    }
    if base.query().is_some() || base.fragment().is_some() {
        return Err(wrong("a base URL has neither `?` nor `#`"));
    }
    Ok(())
}

/// Whether both lead to the same server: the scheme and the port count, too.
pub(super) fn is_same(one: &Url, other: &Url) -> bool {
    let port = Url::port_or_known_default;
    one.scheme() == other.scheme() && one.host() == other.host() && port(one) == port(other)
}

/// `https://jira.example.com`, for a message.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Whether a URL cannot leave this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}
