//! A private key with its certificates, out of a PEM or PKCS#12 file.
//!
//! Owns: telling the two forms apart, and saying what is wrong with a file without quoting it.
//! Leaves to others: showing it to a server (`transport.rs`), signing with it (`sign_in`).
//! A newcomer gets wrong: which certificate is the key's own only the key tells; people write the chain in any order.

use std::path::Path;

use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use pem::{EncodeConfig, LineEnding, Pem};
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;

use super::trust::ClientIdentity;
use super::{Failure, FailureKind};
use crate::secret::Secret;
use crate::settings::Certificate;

/// When the certificate in a file of the pipeline ends, in Unix seconds; `None` where it cannot be read.
pub(crate) fn certificate_ends(certificate: &Certificate) -> Option<u64> {
    KeyPair::read("reading the certificate", &certificate.file, certificate.password.as_ref()).ok()?.ends()
}

/// A private key and the certificates that go with it.
pub(super) struct KeyPair {
    key: Pem,
    /// DER, the key's own first; never empty.
    certificates: Vec<Vec<u8>>,
}

impl Drop for KeyPair {
    fn drop(&mut self) {
        // The key leaves no copy of ours in freed memory.
        let key = std::mem::replace(&mut self.key, Pem::new("", Vec::new()));
        drop(zeroize::Zeroizing::new(key.into_contents()));
    }
}

impl KeyPair {
    /// Reads the file; `tried` says for what.
    pub(super) fn read(tried: &str, file: &Path, password: Option<&Secret>) -> Result<Self, Failure> {
        let bytes = zeroize::Zeroizing::new(contents(tried, file)?);
        let is_pem = bytes.windows(11).any(|window| window == b"-----BEGIN ");
        let read = if is_pem { Self::of_pem(&bytes, password) } else { Self::of_pkcs12(&bytes, password) };
        read.map_err(|Wrong(found, hint)| Failure::new(FailureKind::Misconfigured, tried, found).hint(hint))
    }

    fn of_pem(bytes: &[u8], password: Option<&Secret>) -> Result<Self, Wrong> {
        let blocks = pem::parse_many(bytes).map_err(|_| Wrong("its PEM is broken", "write it again"))?;
        let certificates: Vec<Vec<u8>> =
            blocks.iter().filter(|block| block.tag() == "CERTIFICATE").map(|block| block.contents().to_vec()).collect();
        let key = blocks.into_iter().find(|block| block.tag().ends_with("PRIVATE KEY"));
        let key =
            key.ok_or(Wrong("it holds no private key", "put `-----BEGIN PRIVATE KEY-----` into the same file"))?;
        let key = match key.tag() {
            "ENCRYPTED PRIVATE KEY" => decrypted(key.contents(), password)?,
            // The form of before PKCS#8 says it in a header.
            _ if key.headers().get("DEK-Info").is_some() => return Err(Wrong(UNKNOWN, CONVERT)),
            _ => key,
        };
        Self::new(key, certificates)
    }

    fn of_pkcs12(bytes: &[u8], password: Option<&Secret>) -> Result<Self, Wrong> {
        let store = KeyStore::from_pkcs12(bytes, password.map_or("", Secret::expose), Pkcs12ImportPolicy::Strict)
            // The library's words tell a wrong password from a broken file no better.
            .map_err(|_| {
                Wrong(
                    "it is neither PEM nor PKCS#12 that opens with this password",
                    "check `file` and `password` of the certificate",
                )
            })?;
        let (_, chain) = store.private_key_chain().ok_or(Wrong(
            "it holds no private key with a certificate",
            "export both into one file: openssl pkcs12 -export",
        ))?;
        let key = Pem::new("PRIVATE KEY", chain.key().as_der());
        Self::new(key, chain.certs().iter().map(|one| one.as_der().to_vec()).collect())
    }

    fn new(key: Pem, certificates: Vec<Vec<u8>>) -> Result<Self, Wrong> {
        if certificates.is_empty() {
            return Err(Wrong("it holds no certificate", "put `-----BEGIN CERTIFICATE-----` into the same file"));
        }
        let certificates = match public_half(&key) {
            Some(public) => chain(&public, certificates)?,
            // A kind of key that cannot be told from here: as they stand.
            None => certificates,
        };
        Ok(Self { key, certificates })
    }

    /// The key alone, as PEM. It is sent to nobody, so no text from outside can hold it.
    pub(super) fn key(&self) -> SecretString {
        SecretString::from(pem::encode_config(&self.key, lines()))
    }

    /// Everything, as a server is shown it.
    pub(super) fn shown(&self, tried: &str) -> Result<ClientIdentity, Failure> {
        // The library's own words could quote the file.
        let key = of_tag(&self.key)
            .ok_or_else(|| Failure::new(FailureKind::Misconfigured, tried, "its private key cannot be used"))?;
        Ok((self.certificates.iter().map(|der| CertificateDer::from(der.clone())).collect(), key))
    }

    /// When the key's own certificate ends, in Unix seconds; `None` if it cannot be read.
    pub(super) fn ends(&self) -> Option<u64> {
        let certificate = parsed(self.certificates.first()?)?;
        u64::try_from(certificate.validity().not_after.timestamp()).ok()
    }

    /// SHA-256 of the key's own certificate, the raw digest.
    pub(super) fn thumbprint(&self) -> [u8; 32] {
        Sha256::digest(self.certificates.first().map(Vec::as_slice).unwrap_or_default()).into()
    }
}

/// The key in the form that its tag says.
fn of_tag(key: &Pem) -> Option<PrivateKeyDer<'static>> {
    let der = key.contents().to_vec();
    Some(match key.tag() {
        "PRIVATE KEY" => PrivateKeyDer::Pkcs8(der.into()),
        "RSA PRIVATE KEY" => PrivateKeyDer::Pkcs1(der.into()),
        "EC PRIVATE KEY" => PrivateKeyDer::Sec1(der.into()),
        _ => return None,
    })
}

/// The public half of a key, as certificates hold it.
fn public_half(key: &Pem) -> Option<Vec<u8>> {
    let key = aws_lc_rs::sign::any_supported_type(&of_tag(key)?).ok()?;
    Some(key.public_key()?.as_ref().to_vec())
}

/// The key's own certificate first, then each one's issuer as far as it is there, then the rest.
fn chain(public: &[u8], mut left: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, Wrong> {
    let own = left.iter().position(|der| parsed(der).is_some_and(|one| one.public_key().raw == public));
    let own = own.ok_or(Wrong(
        "none of its certificates belongs to its private key",
        "put the certificate that was issued for this very key into the file",
    ))?;
    let mut chain = vec![left.remove(own)];
    while let Some(issuer) = chain.last().and_then(|der| parsed(der)).map(|last| last.issuer().as_raw().to_vec()) {
        let next = left.iter().position(|der| parsed(der).is_some_and(|one| one.subject().as_raw() == issuer));
        let Some(next) = next else { break };
        chain.push(left.remove(next));
    }
    chain.append(&mut left);
    Ok(chain)
}

fn parsed(der: &[u8]) -> Option<X509Certificate<'_>> {
    x509_parser::parse_x509_certificate(der).ok().map(|(_, certificate)| certificate)
}

const CONVERT: &str = "write the key again: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD.pem -out NEW.pem, and put the \
    certificate behind it";

/// A key that a password protects (PKCS#8, PBES2).
fn decrypted(der: &[u8], password: Option<&Secret>) -> Result<Pem, Wrong> {
    let password = password
        .ok_or(Wrong("its private key is encrypted", "write the `password` of the certificate, as `${NAME}`"))?;
    let sealed = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| Wrong(UNKNOWN, CONVERT))?;
    let opened = sealed.decrypt(password.expose()).map_err(|_| {
        // The library's words tell a wrong password from an algorithm that it does not know no better.
        Wrong(
            "its private key does not open with this password",
            "check `password`; a key of an old program may have to be written again: openssl pkcs8 -topk8 -v2 aes-256-cbc",
        )
    })?;
    Ok(Pem::new("PRIVATE KEY", opened.as_bytes()))
}

const UNKNOWN: &str = "its private key is encrypted in a form that is not read here";

/// What is wrong, and what to do.
struct Wrong(&'static str, &'static str);

fn lines() -> EncodeConfig {
    EncodeConfig::new().set_line_ending(LineEnding::LF)
}

/// The largest file of keys, certificates or a token.
const LARGEST: u64 = 16 << 20;

/// The bytes of a file that the pipeline names, without the mark that some editors put before a text.
pub(super) fn contents(tried: &str, file: &Path) -> Result<Vec<u8>, Failure> {
    let wrong = |found: &str| Failure::new(FailureKind::Misconfigured, tried, found);
    let mut bytes = crate::input::bytes(file, LARGEST).map_err(|error| wrong(&error.to_string()))?;
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err(wrong("it is UTF-16").hint("save it as UTF-8"));
    }
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        bytes.drain(..3);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(file: &str) -> std::path::PathBuf {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/test_keys")).join(file)
    }

    #[test]
    fn the_certificate_that_belongs_to_the_key_comes_first_whatever_the_order() {
        let read = |file: &Path| KeyPair::read("reading", file, None);
        let pair = read(&keys("ca-first.pem")).unwrap_or_else(|failure| panic!("{failure}"));
        let own = pem::parse(std::fs::read_to_string(keys("tls-issued.pem")).unwrap()).unwrap();
        assert_eq!(pair.certificates[0], own.contents());
        assert_eq!(pair.certificates.len(), 2);
        assert_eq!(pair.thumbprint()[..], Sha256::digest(own.contents())[..]);
        let failure = read(&keys("not-its-own.pem")).err().unwrap();
        assert!(failure.found.contains("none of its certificates belongs to its private key"), "{failure}");
    }

    #[test]
    fn the_mark_before_a_text_is_dropped_and_another_encoding_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.pem");
        let pem = std::fs::read(keys("pair.pem")).unwrap();
        std::fs::write(&file, [b"\xEF\xBB\xBF", &pem[..]].concat()).unwrap();
        assert_eq!(contents("reading", &file).unwrap(), pem);
        assert!(KeyPair::read("reading", &file, None).is_ok());
        std::fs::write(&file, b"\xFF\xFEk\0").unwrap();
        assert!(contents("reading", &file).unwrap_err().found.contains("UTF-16"));
    }
}
