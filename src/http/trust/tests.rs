//! Certificates of every kind, shown by a server on this machine.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject as _;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, Stream};

use super::*;
use crate::http::client::Route;
use crate::http::{Client, Failure, RateLimit, Request, Url};
use crate::settings::{Certificate, Http};

fn keys(file: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/test_keys")).join(file)
}

/// Answers `{}` to whoever believes the certificate; `wants` is the authority of the clients.
fn serve(file: &str, wants: Option<&str>) -> u16 {
    let chain = vec![CertificateDer::from_pem_file(keys(file)).unwrap()];
    let key = PrivateKeyDer::from_pem_file(keys(file)).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let builder = match wants {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(keys(authority)).unwrap()).unwrap();
            let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(clients)
        }
    };
    let settings = Arc::new(builder.with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let (Ok(mut socket), Ok(mut tls)) = (socket, ServerConnection::new(Arc::clone(&settings))) else { return };
            let mut stream = Stream::new(&mut tls, &mut socket);
            if stream.read(&mut [0; 4096]).is_ok() {
                _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
            }
        }
    });
    port
}

async fn ask(
    server: &str,
    wants: Option<&str>,
    ca_file: Option<&str>,
    http_client: Option<&str>,
) -> Result<u16, Failure> {
    let http = Http {
        ca_file: ca_file.map(keys),
        client_cert: http_client.map(|file| Certificate { file: keys(file), password: None }),
        ..Http::default()
    };
    let base = Url::parse(&format!("https://localhost:{}", serve(server, wants))).unwrap();
    let client = Client::new("test", base, RateLimit::recording(), &http)?;
    client.read(Request::get(client.url("x"))).await.map(|response| response.status)
}

#[tokio::test]
async fn what_ca_file_names_is_believed_and_each_refusal_has_its_hint() {
    for (server, ca_file, words) in [
        ("tls-self.pem", Some("tls-self.pem"), None),
        ("tls-self-ca.pem", Some("tls-self-ca.pem"), None),
        ("tls-issued.pem", Some("tls-ca.pem"), None),
        // The very certificate, though its authority is not known.
        ("tls-issued.pem", Some("tls-issued.pem"), None),
        ("tls-self.pem", None, Some("name that certificate in `ca_file`")),
        ("tls-self-ca.pem", None, Some("name that certificate in `ca_file`")),
        ("tls-self.pem", Some("tls-ca.pem"), Some("name that certificate in `ca_file`")),
        ("tls-issued.pem", None, Some("name its CA")),
        ("tls-issued.pem", Some("tls-self.pem"), Some("name its CA")),
        ("tls-expired.pem", Some("tls-expired.pem"), Some("has expired")),
        ("tls-elsewhere.pem", Some("tls-elsewhere.pem"), Some("for another name")),
        // A leaf vouches for itself, and for nobody else.
        ("tls-signed-by-a-leaf.pem", Some("tls-self.pem"), Some("name its CA")),
    ] {
        let told = ask(server, None, ca_file, None).await;
        match words {
            None => assert_eq!(told.unwrap(), 200, "{server} {ca_file:?}"),
            Some(words) => {
                let failure = told.unwrap_err();
                assert!(
                    failure.hint.as_ref().is_some_and(|hint| hint.contains(words)),
                    "{server} {ca_file:?}: {failure}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_says_what_is_wrong_with_ours() {
    for (http_client, words) in [
        (Some("ca-first.pem"), None),
        (None, Some("wants a client certificate")),
        (Some("tls-self.pem"), Some("does not know the authority of our client certificate")),
    ] {
        let told = ask("tls-self.pem", Some("tls-ca.pem"), Some("tls-self.pem"), http_client).await;
        match words {
            None => assert_eq!(told.unwrap(), 200, "{http_client:?}"),
            Some(words) => assert!(told.as_ref().unwrap_err().to_string().contains(words), "{http_client:?}: {told:?}"),
        }
    }
}

/// Whoever issues tokens is no configured product.
#[tokio::test]
async fn the_client_certificate_is_not_shown_beside_the_configured_server() {
    let client_cert = Some(Certificate { file: keys("ca-first.pem"), password: None });
    let http = Http { ca_file: Some(keys("tls-self.pem")), client_cert, ..Http::default() };
    let base = || Url::parse(&format!("https://localhost:{}", serve("tls-self.pem", Some("tls-ca.pem")))).unwrap();
    let client = Client::new("test", base(), RateLimit::recording(), &http).unwrap();
    assert!(client.read(Request::get(client.url("x"))).await.is_ok());
    for route in [Route::Configured, Route::Foreign, Route::Direct] {
        let beside = client.beside(base(), route).unwrap();
        let failure = beside.read(Request::get(beside.url("x"))).await.unwrap_err();
        assert!(failure.to_string().contains("wants a client certificate"), "{failure}");
    }
}
