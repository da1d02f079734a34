//! Every kind of credential goes through every command and every failure, as loud as can be, and none comes out again
//! (promise P7): neither the secret nor what was made of it.
//!
//! Owns: the commands and the failures. Leaves to others: who is sent a credential at all (`foreign_hosts`).
//! A newcomer gets wrong: what a sandbox issues is a secret, too. Tokens and cookies are known by their shape.

#[cfg(feature = "bucket")]
mod buckets; // what opens object storage, at a store that gives it back
mod kinds; // the kinds of credentials
mod proxied; // a proxy's password, and nothing for whoever a redirect names
mod tls; // a proxy that opens TLS, with the simulators behind it

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use avatarpipe_sandbox::World;
use avatarpipe_sandbox::echo::Form;
use avatarpipe_sandbox::faults::{Answer, Effect, Fault};

use super::ended::{Ended, files};
use super::harness::Harness;
use super::population::Population;
use kinds::{KINDS, Kind};

const LOUD: [&str; 3] = ["-vvv", "--log-format", "json"];

/// The `http` element. What fails on the way is tried six times, so the pauses are short.
fn http(more: &str) -> String {
    format!("{{ default: {{ retry_pause: 10ms, {more} }} }}")
}

/// Two companies and three products, and this kind of credential.
fn harness(kind: &Kind) -> Harness {
    let mut harness = Harness::connected(World::bundled("merged").unwrap_or_else(|fault| panic!("{fault}")));
    // The key of the source that is not looked at lies with the other secrets, too.
    kinds::google_key(&mut harness);
    std::fs::remove_file(harness.path("google-key.json")).expect("the key file of the harness");
    harness.edit(|pipe| {
        pipe.top("limits", "{ reverts: { count: 50, share: 100% }, foreign: { share: 100% } }").top("http", &http(""));
    });
    (kind.put)(&mut harness);
    harness
}

/// Tokens, assertions and cookies that only the servers know, by their shape, in everything that was printed or written.
#[track_caller]
fn expect_nothing_derived(harness: &Harness, ended: &Ended) {
    let printed = [("standard output", ended.stdout.as_bytes()), ("standard error", ended.stderr.as_bytes())];
    let printed = printed.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
    let written = files(harness.folder()).into_iter().filter(|(name, _)| !name.starts_with("secret/"));
    for (place, bytes) in printed.into_iter().chain(written) {
        let bytes = without_pictures(&bytes);
        for (head, least) in [
            ("eyJ", 20),
            ("ya29.", 8),
            ("Bearer ", 12),
            ("Basic ", 8),
            ("JSESSIONID=", 8),
            // What signs a request to a store.
            ("Signature=", 20),
            ("SharedKey ", 20),
        ] {
            let found = bytes.windows(head.len()).enumerate().filter(|(_, window)| *window == head.as_bytes());
            for (at, _) in found {
                let rest = &bytes[at + head.len()..];
                let long = rest.iter().take_while(|b| b.is_ascii_alphanumeric() || b"-_.+/=%".contains(b)).count();
                let text = String::from_utf8_lossy(&rest[..long.min(24)]).into_owned();
                ended.holds(long < least, &format!("no credential in {place}, found {head}{text}…"));
            }
        }
    }
}

/// The same without the pictures of a page: what letters stand for a picture's bytes is chance.
fn without_pictures(bytes: &[u8]) -> Vec<u8> {
    const HEAD: &[u8] = b";base64,";
    let (mut out, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    while let Some(at) = rest.windows(HEAD.len()).position(|window| window == HEAD) {
        let (before, encoded) = rest.split_at(at + HEAD.len());
        let end = encoded.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"+/=".contains(byte));
        let (encoded, after) = encoded.split_at(end.unwrap_or(encoded.len()));
        out.extend_from_slice(before);
        // Whatever else is encoded there stays as it stands.
        let is_picture = STANDARD
            .decode(encoded)
            .is_ok_and(|picture| [&b"\x89PNG"[..], b"\xff\xd8\xff"].iter().any(|magic| picture.starts_with(magic)));
        out.extend_from_slice(if is_picture { b"" } else { encoded });
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

#[track_caller]
fn finish(harness: &Harness, arguments: &[&str]) -> Ended {
    let ended = harness.finish(&[arguments, &LOUD].concat());
    expect_nothing_derived(harness, &ended);
    ended
}

/// Each kind has tests of its own, so that they run side by side and a failure names its kind.
macro_rules! each_kind {
    ($($name:ident)*) => {
        mod no_command_gives_it_away {
            $(#[test]
            fn $name() {
                super::go_through_the_commands(super::kind(stringify!($name)));
            })*
        }

        mod no_failure_gives_it_away {
            $(#[test]
            fn $name() {
                super::give_back(super::kind(stringify!($name)));
            })*
        }

        #[test]
        fn every_kind_is_tried() {
            assert_eq!(KINDS.each_ref().map(|kind| kind.name), [$(stringify!($name)),*]);
        }
    };
}

each_kind! {
    entra_client_secret entra_certificate_pem entra_certificate_pkcs12
    entra_federated_github entra_federated_azure_devops entra_federated_variable entra_federated_file entra_managed_identity
    google_service_account_file google_external_account_file google_federated
    atlassian_token atlassian_password http_headers client_cert secret_in_a_file
}

fn kind(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).expect("a kind of that name")
}

/// What `--help` lists, but for what serves a sandbox until it is killed.
fn commands(harness: &Harness) -> Vec<String> {
    let ended = harness.finish(&["--help"]).expect_exit(0);
    let list = ended.stdout.lines().skip_while(|line| *line != "Commands:").skip(1);
    let list = list.take_while(|line| !line.is_empty()).filter(|line| !line[2..].starts_with(' '));
    list.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).filter(|name| name != "sandbox").collect()
}

fn go_through_the_commands(kind: &Kind) {
    let harness = harness(kind);
    let holds = |ended: &Ended| {
        let said = format!("{}: {}", kind.name, if kind.works { "it works" } else { "it is refused" });
        ended.holds(ended.succeeded() == kind.works, &said);
    };
    holds(&finish(&harness, &["auth", "pipeline.yaml", "--probe", "--format", "json"]));
    holds(&finish(&harness, &["auth", "pipeline.yaml"]));
    holds(&finish(
        &harness,
        &["plan", "pipeline.yaml", "--out", "plan.json", "--report", "report", "--format", "json"],
    ));
    assert_eq!(files(&harness.path("state/stage.cache/pictures")), [], "{}: no face is left", kind.name);
    holds(&finish(&harness, &["run", "pipeline.yaml", "--plan", "plan.json", "--report", "report"]));
    holds(&finish(&harness, &["run", "pipeline.yaml", "--report", "report", "--rerender", "--format", "json"]));
    for file in ["plan.json", "report/run.json", "report/summary.md", "state/stage.db", "state/stage.db.lock"] {
        assert!(harness.path(file).exists(), "{}: {file} was not looked into", kind.name);
    }
    let all = commands(&harness);
    assert!(["auth", "check", "plan", "run", "schema", "status"].iter().all(|name| all.iter().any(|one| one == name)));
    for name in all {
        finish(&harness, &[&name, "pipeline.yaml"]);
        finish(&harness, &[&name, "--help"]);
    }
}

/// What goes wrong at a server that was sent a secret.
fn failures() -> Vec<Effect> {
    let echo = |status, form| Effect::Echo { status, form };
    let answer = |status, headers: &[(&str, &str)], body: &str| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Effect::Answer(Answer { status, headers, body: body.into() })
    };
    vec![
        echo(200, Form::Text),
        echo(400, Form::Oauth),
        echo(401, Form::Json),
        echo(403, Form::Page),
        echo(403, Form::Headers),
        echo(302, Form::Headers),
        echo(503, Form::Json),
        answer(200, &[("content-type", "application/json")], "{\"access_token\": \"canary"),
        answer(301, &[("location", "https://elsewhere.invalid/")], ""),
        Effect::Drop {},
        Effect::Truncate { after_bytes: 30 },
    ]
}

/// Each server in turn gives back what it was sent, at its first request or at a later one.
fn give_back(kind: &Kind) {
    for simulator in kind.sent_to {
        let harness = harness(kind);
        for (nth, effect) in failures().into_iter().enumerate() {
            let skip = if nth % 3 == 2 { 2 } else { 0 };
            let number = harness.sandbox.faults().add(Fault::new(effect).at(simulator).after(skip));
            let arguments: &[&str] = match nth % 2 {
                0 => &["auth", "pipeline.yaml"],
                _ => &["plan", "pipeline.yaml", "--report", "report"],
            };
            finish(&harness, arguments);
            harness.sandbox.faults().remove(number);
        }
    }
}

#[test]
fn a_write_that_is_given_back_gives_nothing_away() {
    for (status, form) in [(400, Form::Text), (500, Form::Json), (403, Form::Page), (302, Form::Headers)] {
        for (simulator, method) in [("jira", "POST"), ("jira", "PUT"), ("confluence", "POST"), ("bitbucket", "POST")] {
            let harness = Harness::connected(Population::of(&["ada"]).everywhere().world()).with(|pipe| {
                for product in ["jira", "confluence", "bitbucket"] {
                    pipe.target(product).set("quiet", "0s");
                }
                pipe.top("http", &http(""));
            });
            harness.sandbox.fault(Fault::new(Effect::Echo { status, form }).at(simulator).on(method, "*"));
            let ended = finish(&harness, &["run", "pipeline.yaml", "--report", "report"]);
            ended.holds(!ended.succeeded(), "a failure");
        }
    }
}

#[test]
fn a_server_that_speaks_no_tls_gives_nothing_away() {
    let mut harness = harness(kind("entra_client_secret"));
    let https = harness.sandbox.endpoint("jira").expect("a Jira").replace("http://", "https://");
    harness.edit(|pipe| _ = pipe.jira("base_url", &format!("'{https}'")));
    finish(&harness, &["run", "pipeline.yaml", "--report", "report"]).expect_exit(6);
}

/// Killed while a write is under way, the program leaves more behind than it does in the end: open journals of its files,
/// the name in the open intent, its lock.
#[test]
fn what_a_kill_leaves_behind_gives_nothing_away() {
    const RUN: [&str; 5] = ["run", "pipeline.yaml", "--report", "report", "-vvv"];
    for name in ["entra_client_secret", "google_federated", "atlassian_token"] {
        let harness = harness(kind(name));
        let hangs = Effect::Delay { ms: 600_000 };
        harness.sandbox.fault(Fault::new(hangs).at("jira").on("PUT", "*"));
        let mut child = harness.spawn(&RUN);
        harness.until("a picture is shown", |harness| harness.calls("jira").iter().any(|call| call.contains("PUT ")));
        child.kill().expect("SIGKILL");
        let ended = harness.wait(child, &RUN);
        assert_eq!(ended.code(), None, "{name}: it was killed");
        let left = files(harness.folder());
        for part in ["stage.db.lock", "stage.db", "stage.cache/facts.db", "stage.cache/pictures/"] {
            assert!(left.iter().any(|(name, bytes)| name.contains(part) && !bytes.is_empty()), "{name}: no {part}");
        }
        harness.expect_no_secret(&ended);
        expect_nothing_derived(&harness, &ended);
    }
}
