//! A private key with its certificates, out of a PEM or PKCS#12 file.
//!
//! Owns: telling the two forms apart, and saying what is wrong with a file without quoting it.
//! Leaves to others: showing it to a server (`transport.rs`), signing with it (`sign_in`).
//! A newcomer gets wrong: the first certificate is the key's own; those after it only lead up to a CA.

use std::path::Path;

use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use pem::{EncodeConfig, LineEnding, Pem};
use pkcs8::EncryptedPrivateKeyInfoRef;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};

use super::{Failure, FailureKind};

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
    pub(super) fn read(tried: &str, file: &Path, password: Option<&SecretString>) -> Result<Self, Failure> {
        let bytes = zeroize::Zeroizing::new(contents(tried, file)?);
        let is_pem = bytes.windows(11).any(|window| window == b"-----BEGIN ");
        let read = if is_pem { Self::of_pem(&bytes, password) } else { Self::of_pkcs12(&bytes, password) };
        read.map_err(|Wrong(found, hint)| Failure::new(FailureKind::Misconfigured, tried, found).hint(hint))
    }

    fn of_pem(bytes: &[u8], password: Option<&SecretString>) -> Result<Self, Wrong> {
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

    fn of_pkcs12(bytes: &[u8], password: Option<&SecretString>) -> Result<Self, Wrong> {
        let store =
            KeyStore::from_pkcs12(bytes, password.map_or("", ExposeSecret::expose_secret), Pkcs12ImportPolicy::Strict)
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
        Ok(Self { key, certificates })
    }

    /// The key alone, as PEM.
    pub(super) fn key(&self) -> SecretString {
        SecretString::from(pem::encode_config(&self.key, lines()))
    }

    /// Everything, as PEM.
    pub(super) fn pem(&self) -> SecretString {
        let mut text = self.key().expose_secret().to_owned();
        for der in &self.certificates {
            text.push_str(&pem::encode_config(&Pem::new("CERTIFICATE", der.as_slice()), lines()));
        }
        SecretString::from(text)
    }

    /// When the key's own certificate ends, in Unix seconds; `None` if it cannot be read.
    pub(super) fn ends(&self) -> Option<u64> {
        let (_, certificate) = x509_parser::parse_x509_certificate(self.certificates.first()?).ok()?;
        u64::try_from(certificate.validity().not_after.timestamp()).ok()
    }

    /// SHA-256 of the key's own certificate, the raw digest.
    pub(super) fn thumbprint(&self) -> [u8; 32] {
        Sha256::digest(self.certificates.first().map(Vec::as_slice).unwrap_or_default()).into()
    }
}

const CONVERT: &str = "write the key again: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD.pem -out NEW.pem, and put the \
    certificate behind it";

/// A key that a password protects (PKCS#8, PBES2).
fn decrypted(der: &[u8], password: Option<&SecretString>) -> Result<Pem, Wrong> {
    let password = password
        .ok_or(Wrong("its private key is encrypted", "write the `password` of the certificate, as `${NAME}`"))?;
    let sealed = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| Wrong(UNKNOWN, CONVERT))?;
    let opened = sealed.decrypt(password.expose_secret()).map_err(|_| {
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

/// The bytes of a file that the pipeline names.
pub(super) fn contents(tried: &str, file: &Path) -> Result<Vec<u8>, Failure> {
    crate::input::bytes(file, LARGEST)
        .map_err(|error| Failure::new(FailureKind::Misconfigured, tried, error.to_string()))
}
