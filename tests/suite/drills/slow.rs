//! What the program tries again and again before it gives up: as often as ever, with short pauses. All of it is under way
//! at once.

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::Arc;

use avatarpipe_sandbox::faults::{Effect, Fault};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::super::population::Population;
use super::{Book, Drill, PEOPLE, expect_caught_up, expect_untouched, served};

/// An address at which nobody listens.
fn nobody_there() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("its address"))
}

/// A name that does not exist. Nobody outside is asked about it, since no part of a name may be so long.
fn no_such_name() -> String {
    format!("https://{}.invalid", "n".repeat(64))
}

/// An address at which a server shows a certificate that nobody vouches for.
fn untrusted() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/test_keys/pair.pem");
    let chain = vec![CertificateDer::from_pem_file(file).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(file).expect("its key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a pair");
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let Ok(connection) = rustls::ServerConnection::new(Arc::clone(&config)) else { continue };
            // Ends when the client turns away.
            _ = rustls::StreamOwned::new(connection, stream).read(&mut [0; 1]);
        }
    });
    format!("https://{address}")
}

/// Where Entra and Graph are from now on.
fn source_at(pipe: &mut super::super::pipe::Pipe, url: &str) {
    pipe.entra("endpoints", &format!("{{ login: '{url}', graph: '{url}' }}"));
}

const DRILLS: [Drill; 9] = [
    Drill::new("source-connection-refused", 6, |harness| harness.edit(|pipe| source_at(pipe, &nobody_there()))),
    Drill::new("source-no-such-name", 6, |harness| harness.edit(|pipe| source_at(pipe, &no_such_name()))),
    Drill::new("source-untrusted", 6, |harness| harness.edit(|pipe| source_at(pipe, &untrusted()))),
    Drill::new("source-503", 6, |harness| {
        for simulator in ["login", "graph"] {
            harness.sandbox.fault(Fault::new(Effect::status(503)).at(simulator));
        }
    }),
    Drill::new("source-listing-torn", 6, |harness| {
        harness.sandbox.fault(Fault::new(Effect::Truncate { after_bytes: 100 }).at("graph").on("GET", "/v1.0/users"));
    }),
    Drill::new("target-connection-refused", 6, |harness| {
        harness.edit(|pipe| _ = pipe.jira("base_url", &format!("'{}'", nobody_there())));
    }),
    Drill::new("target-no-such-name", 6, |harness| {
        harness.edit(|pipe| _ = pipe.jira("base_url", &format!("'{}'", no_such_name())));
    }),
    Drill::new("target-untrusted", 6, |harness| {
        harness.edit(|pipe| _ = pipe.jira("base_url", &format!("'{}'", untrusted())));
    }),
    Drill::new("target-503", 6, |harness| _ = harness.sandbox.fault(Fault::new(Effect::status(503)).at("jira"))),
];

#[test]
fn what_cannot_be_reached_changes_nothing() {
    let arguments = ["run", "pipeline.yaml", "--report", "report"];
    let under_way: Vec<_> = DRILLS
        .iter()
        .map(|drill| {
            let mut harness = served(Population::of(&PEOPLE));
            let file = harness.pipe().clone();
            (drill.breaks)(&mut harness);
            harness.edit(|pipe| _ = pipe.top("http", "{ default: { retry_pause: 20ms } }"));
            let child = harness.spawn(&arguments);
            (drill, harness, file, child)
        })
        .collect();
    let mut book = Book::default();
    for (drill, mut harness, file, child) in under_way {
        println!("drill: {}", drill.name);
        let ended = harness.wait(child, &arguments).expect_exit(drill.exit);
        book.add(drill.name, drill.exit, &harness, &ended);
        expect_untouched(drill, &harness, &["jira"]);
        harness.sandbox.faults().clear();
        harness.edit(|pipe| *pipe = file);
        expect_caught_up(&harness, &["jira"]);
    }
    book.expect("not-reached");
}
