//! The HTTP client that an entry under `http` of the pipeline file asks for.
//!
//! Owns: proxy, client certificate, time-out, extra headers. Leaves to others: what is sent (`request.rs`), whom we believe
//! (`trust.rs`), how `NO_PROXY` is read (`no_proxy.rs`).
//! A newcomer gets wrong: the client follows no redirect and repeats nothing by itself. Both are decided in `client.rs`,
//! where it is known whether a call is a read.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client as HttpClient, ClientBuilder};
use rustls::pki_types::CertificateDer;
use url::Url;

use super::hints::reason;
use super::jar::SessionJar;
use super::key_pair::{KeyPair, contents};
use super::no_proxy;
use super::origin::is_loopback;
use super::trust;
use super::{Failure, FailureKind};
use crate::secret::{cover_user_info, redact};
use crate::settings::{Certificate, Http, Proxy};

/// Who we are to every server; never a browser, since some gateways treat those differently.
const USER_AGENT: &str = concat!("avatarpipe/", env!("CARGO_PKG_VERSION"));

/// A connection that takes longer than this will hardly come; the rest of the time-out is for the answer.
const CONNECT: Duration = Duration::from_secs(15);

/// Shorter than servers and balancers keep idle connections (Tomcat: 20 s): a write on one that is just being closed
/// would count as "may have arrived".
const IDLE: Duration = Duration::from_secs(15);

/// Where the HTTP client looks for the system's proxy; what stands there may hold a password.
const SYSTEM: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// What a client does with cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookies {
    /// Drops them.
    Refuse,
    /// Keeps them in a jar of its own, for one session.
    Keep,
}

impl Http {
    /// A client of its own for this server: own connections, own cookies.
    pub(super) fn http_client(&self, base: &Url, jar: Option<&Arc<SessionJar>>) -> Result<HttpClient, Failure> {
        let mut builder = HttpClient::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_idle_timeout(IDLE)
            .connect_timeout(CONNECT.min(self.timeout));
        if let Some(jar) = jar {
            builder = builder.cookie_provider(Arc::clone(jar));
        }
        if self.timeout < Duration::MAX {
            builder = builder.timeout(self.timeout);
        }
        builder = self.proxied(base, builder)?;
        builder = self.secured(base, builder)?;
        builder.build().map_err(|error| broken("setting up the HTTP client", &reason(&error)))
    }

    /// The same without the client certificate.
    pub(super) fn without_identity(self) -> Self {
        Self { client_cert: None, ..self }
    }

    fn proxied(&self, base: &Url, builder: ClientBuilder) -> Result<ClientBuilder, Failure> {
        match &self.proxy {
            // Plain http with a credential is allowed there, so it must not leave this machine by way of a proxy.
            _ if is_loopback(base) => Ok(builder.no_proxy()),
            Proxy::System => Ok(system(base, builder)),
            Proxy::None => Ok(builder.no_proxy()),
            Proxy::Url(url) => {
                let proxy = reqwest::Proxy::all(url.expose().clone())
                    .map_err(|error| broken("using the proxy", &reason(&error)))?;
                Ok(builder.proxy(proxy))
            }
        }
    }

    /// Trust and identity: both are one setting of the TLS library.
    fn secured(&self, base: &Url, builder: ClientBuilder) -> Result<ClientBuilder, Failure> {
        let (named, shown) = (self.named()?, self.shown()?);
        // Plain http to this machine speaks no TLS, not even to a proxy; reading the system's trust store for it would take
        // longer than everything else that a client needs.
        if base.scheme() == "http" && is_loopback(base) {
            return Ok(builder.tls_certs_only([]));
        }
        let settings = trust::settings(named, shown).map_err(|error| {
            broken("setting up TLS", &error.to_string()).hint("look at `ca_file` and `client_cert`")
        })?;
        Ok(builder.tls_backend_preconfigured(settings))
    }

    /// The certificates of `ca_file`.
    fn named(&self) -> Result<Vec<CertificateDer<'static>>, Failure> {
        let Some(file) = &self.ca_file else { return Ok(Vec::new()) };
        let tried = format!("reading the CA file {}", file.display());
        let bytes = contents(&tried, file)?;
        let blocks = pem::parse_many(&bytes).map_err(|error| broken(&tried, &error.to_string()))?;
        let certificates = blocks.into_iter().filter(|block| block.tag().ends_with("CERTIFICATE"));
        let certificates: Vec<_> = certificates.map(|block| CertificateDer::from(block.into_contents())).collect();
        if certificates.is_empty() {
            return Err(broken(&tried, "it holds no certificate").hint("write PEM: -----BEGIN CERTIFICATE-----"));
        }
        Ok(certificates)
    }

    fn shown(&self) -> Result<Option<trust::ClientIdentity>, Failure> {
        let Some(Certificate { file, password }) = &self.client_cert else { return Ok(None) };
        let tried = format!("reading the client certificate {}", file.display());
        KeyPair::read(&tried, file, password.as_ref())?.shown(&tried).map(Some)
    }
}

/// The proxy of the environment, by curl's reading of `NO_PROXY`; where the environment names none, the system's.
fn system(base: &Url, builder: ClientBuilder) -> ClientBuilder {
    let look = |name: &str| std::env::var(name).ok();
    SYSTEM.iter().filter_map(|name| look(name)).for_each(|url| cover_user_info(&url));
    if no_proxy::bypasses(base, &look) {
        return builder.no_proxy();
    }
    let named = (base.scheme() == "https").then(|| no_proxy::proxy(&look)).flatten();
    match named.and_then(|url| reqwest::Proxy::all(url).ok()) {
        Some(proxy) => builder.proxy(proxy),
        None => builder,
    }
}

fn broken(tried: &str, found: &str) -> Failure {
    Failure::new(FailureKind::Misconfigured, tried, redact(found))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::secret::Secret;

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let base = Url::parse("https://h.example").unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "hello").unwrap();
        let missing = folder.path().join("missing.pem");
        let cert = |file: &Path| Some(Certificate { file: file.to_owned(), password: None });
        for (http, named, found) in [
            (Http { ca_file: Some(missing.clone()), ..Http::default() }, "missing.pem", "No such file"),
            (Http { ca_file: Some(empty.clone()), ..Http::default() }, "empty.pem", "no certificate"),
            (Http { client_cert: cert(&missing), ..Http::default() }, "missing.pem", "No such file"),
            (Http { client_cert: cert(&empty), ..Http::default() }, "empty.pem", "neither PEM nor PKCS#12"),
        ] {
            let failure = http.http_client(&base, None).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Misconfigured);
            assert!(failure.tried.contains(named) && failure.found.contains(found), "{failure}");
        }
    }

    #[test]
    fn a_client_certificate_is_taken_from_pem_and_from_pkcs12() {
        let base = Url::parse("https://h.example").unwrap();
        let keys = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/test_keys"));
        for (file, password, found) in [
            ("pair.pem", None, None),
            ("ec.pem", None, None),
            ("pair.p12", Some("open-sesame"), None),
            ("legacy.p12", Some("open-sesame"), None),
            ("no-password.p12", None, None),
            ("pair.p12", Some("wrong-one"), Some("opens with this password")),
            ("encrypted.pem", Some("open-sesame"), None),
            ("encrypted.pem", Some("wrong-one"), Some("does not open with this password")),
            ("encrypted.pem", None, Some("is encrypted")),
            ("encrypted-old.pem", Some("open-sesame"), Some("in a form that is not read here")),
            ("public.pem", None, Some("no private key")),
            ("ca-first.pem", None, None),
            ("not-its-own.pem", None, Some("none of its certificates belongs to its private key")),
        ] {
            let client_cert = Some(Certificate { file: keys.join(file), password: password.map(Secret::new) });
            let http_client = Http { client_cert, ..Http::default() }.http_client(&base, None);
            match found {
                None => assert!(http_client.is_ok(), "{file}: {}", http_client.unwrap_err()),
                Some(found) => {
                    let failure = http_client.unwrap_err();
                    assert!(failure.found.contains(found) && !failure.to_string().contains("wrong-one"), "{failure}");
                }
            }
        }
    }
}
