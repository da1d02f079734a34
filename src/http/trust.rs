//! Which servers are believed, and how we show who we are to one that asks.
//!
//! Owns: the system's authorities, what `ca_file` adds, and telling a certificate that signed itself from one of an unknown
//! authority. Leaves to others: reading files (`transport.rs`), the words of a failure (`hints.rs`).
//! A newcomer gets wrong: a certificate that is no authority's is believed itself and vouches for no other, though its key
//! could sign one.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;
use x509_parser::certificate::X509Certificate;
use x509_parser::parse_x509_certificate;

/// What a certificate that vouches for itself alone is told as.
pub(super) const SELF_SIGNED: &str = "the server's certificate is signed by itself";

/// What we show: the chain, our own certificate first, and its key.
pub(super) type ClientIdentity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The TLS settings of a client; `named` are the certificates of `ca_file`.
pub(super) fn settings(
    named: Vec<CertificateDer<'static>>,
    shown: Option<ClientIdentity>,
) -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let trust = Trust::new(named, Arc::clone(&provider))?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trust));
    let mut settings = match shown {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
        None => builder.with_no_client_auth(),
    };
    settings.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(settings)
}

/// The system's verifier, besides the very certificates that the file names.
#[derive(Debug)]
struct Trust {
    authorities: Verifier,
    named: Vec<CertificateDer<'static>>,
}

impl Trust {
    fn new(named: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let authorities = named.iter().filter(|one| parsed(one).is_none_or(|one| may_sign(&one))).cloned();
        let authorities = match named.is_empty() {
            true => Verifier::new(provider)?,
            false => Verifier::new_with_extra_roots(authorities, provider)?,
        };
        Ok(Self { authorities, named })
    }
}

/// Authorities say so; those of before version 3 cannot.
fn may_sign(certificate: &X509Certificate<'_>) -> bool {
    certificate.is_ca() || certificate.version().0 < 2
}

fn parsed<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    parse_x509_certificate(der).ok().map(|(_, certificate)| certificate)
}

/// A certificate that is believed itself still has its time and its names.
fn itself(shown: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<ServerCertVerified, Error> {
    let certificate = parsed(shown).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now > certificate.validity().not_after.timestamp() {
        return Err(Error::InvalidCertificate(CertificateError::Expired));
    }
    if now < certificate.validity().not_before.timestamp() {
        return Err(Error::InvalidCertificate(CertificateError::NotValidYet));
    }
    verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
    Ok(ServerCertVerified::assertion())
}

/// The verifier calls whoever vouches for itself an unknown issuer, or an authority where no authority belongs.
fn told(error: Error, shown: &CertificateDer<'_>) -> Error {
    let vague =
        matches!(error, Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::Other(_)));
    let own = vague && parsed(shown).is_some_and(|one| one.issuer().as_raw() == one.subject().as_raw());
    if own { Error::General(SELF_SIGNED.to_owned()) } else { error }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.named.iter().any(|named| named.as_ref() == shown.as_ref()) {
            return itself(shown, name, now);
        }
        self.authorities.verify_server_cert(shown, between, name, ocsp, now).map_err(|error| told(error, shown))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls12_signature(message, shown, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls13_signature(message, shown, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests;
