//! What to do about a way that is broken, by the words that the TLS and proxy libraries have for it.
//!
//! Owns: why a request failed, the table, and which of it no repetition mends. Leaves to others: repeating (`client.rs`).
//! A newcomer gets wrong: the libraries' words are all there is to go by; the tests in `trust` hold them against real
//! handshakes, so that a new release that says it otherwise is seen.

use std::error::Error as _;

use super::trust::SELF_SIGNED;
use crate::secret::redact;

/// How every failure to connect begins.
pub(super) const NO_CONNECTION: &str = "no connection";

/// What it is about; the first that fits counts.
const TABLE: [(&[&str], &str); 12] = [
    (
        &[SELF_SIGNED],
        "name that certificate in `ca_file` of the `http` entry, once you know that it is the server's own",
    ),
    (
        &["certificate expired", "certificate: Expired"],
        "the server's certificate has expired: renew it there; or this machine's clock is wrong",
    ),
    (
        &["certificate not valid yet", "certificate: NotValidYet"],
        "the server's certificate is not valid yet: set this machine's clock right",
    ),
    (
        &["certificate not valid for name", "certificate: NotValidForName"],
        "the server's certificate is for another name: write the URL with a name that it is for, or have one issued for this name",
    ),
    (
        &["certificate: UnknownIssuer"],
        "the server's certificate is not trusted here: name its CA in `ca_file` of the `http` entry; a server that leaves out the certificates between looks the same",
    ),
    // What TLS libraries call a server that wants to see a client certificate.
    (&["CertificateRequired"], "the server wants a client certificate: name one in `client_cert` of the `http` entry"),
    (
        &["alert: UnknownCA", "alert: UnknownCa"],
        "the server does not know the authority of our client certificate: have `client_cert` issued by one that it knows, or add that CA there",
    ),
    (
        &["alert: CertificateExpired", "alert: CertificateRevoked"],
        "our client certificate has expired or is revoked: put a new one in `client_cert` of the `http` entry",
    ),
    (
        &["alert: BadCertificate", "alert: CertificateUnknown", "alert: UnsupportedCertificate", "alert: AccessDenied"],
        "the server refuses our client certificate: see which it takes, and name it in `client_cert` of the `http` entry",
    ),
    // What a TLS library makes of a first answer in clear.
    (
        &["InvalidContentType"],
        "whoever answers there does not speak TLS: see whether the URL is one of `http://`, or the port another",
    ),
    (
        &["proxy authorization required"],
        "the proxy refuses the name or password (407): correct them in the proxy's URL (`proxy` of the `http` entry, or HTTPS_PROXY)",
    ),
    (
        &["certificate"],
        "the server's certificate cannot be used: see what it shows, and name its CA in `ca_file` of the `http` entry",
    ),
];

/// Why a request failed, in the words of the innermost cause; the outer ones say only that it failed.
pub(super) fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return if error.is_connect() { format!("{NO_CONNECTION} in time") } else { "no answer in time".to_owned() };
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let words = innermost.to_string();
    // What the TLS library puts before words of our own.
    let words = words.strip_prefix("unexpected error: ").unwrap_or(&words);
    match error.source() {
        Some(_) if error.is_connect() => redact(&format!("{NO_CONNECTION}: {words}")),
        Some(_) => redact(words),
        // The only text that could name the URL with its query.
        None => "the request could not be made".to_owned(),
    }
}

/// What to do about it, if it is about certificates or the proxy.
pub(super) fn hint(found: &str) -> Option<&'static str> {
    let fits = |(words, _): &&(&[&str], &str)| words.iter().any(|word| found.contains(word));
    TABLE.iter().find(fits).map(|(_, hint)| *hint)
}

/// Whether asking again would be answered in the same way.
pub(super) fn is_final(found: &str) -> bool {
    hint(found).is_some()
}
