//! Who is told how a run ended: the heartbeat and the message of `notify`, which change nothing about the run.
//!
//! Owns: a listener that writes down what it is sent. Leaves to others: which end sends what (`run`, beside its code).
//! A newcomer gets wrong: both addresses are secrets, so the harness looks for them in every output.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::harness::Harness;

/// Whoever listens, answering everything with this status.
struct Hook {
    address: String,
    heard: Arc<Mutex<Vec<(String, String)>>>,
}

impl Hook {
    fn answering(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        // It ends with the process: nothing waits for it.
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for mut stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
                let (mut head, mut length) = (String::new(), 0);
                while reader.read_line(&mut head).is_ok_and(|read| read > 2) {
                    let line = head.lines().last().unwrap_or_default().to_ascii_lowercase();
                    length = line.strip_prefix("content-length: ").map_or(length, |text| text.parse().unwrap_or(0));
                }
                let mut body = vec![0; length];
                _ = reader.read_exact(&mut body);
                log.lock().expect("the log").push((head, String::from_utf8_lossy(&body).into_owned()));
                if status == HANGS {
                    held.push(stream);
                    continue;
                }
                let moved = if status == 302 { "location: /moved/tiny-one?to=tiny-two\r\n" } else { "" };
                _ = write!(stream, "HTTP/1.1 {status} X\r\n{moved}content-length: 2\r\nconnection: close\r\n\r\nok");
            }
        });
        Self { address, heard }
    }

    /// What came, by the first line; and forgets it.
    fn heard(&self) -> Vec<(String, String)> {
        let heard = std::mem::take(&mut *self.heard.lock().expect("the log"));
        heard.into_iter().map(|(head, body)| (head.lines().next().unwrap_or_default().to_owned(), body)).collect()
    }
}

fn told_by(hook: &Hook) -> Harness {
    let mut harness = Harness::tiny();
    harness.set("BEAT", &format!("{}/beat/never-known-beat", hook.address));
    harness.set("HOOK", &format!("{}/hook/never-known-hook?sig=never-known-sign", hook.address));
    harness.set("HEADER", "never-known-header");
    harness.edit(|pipe| {
        pipe.top("http", "{ default: { headers: { X-Api-Key: '${HEADER}' }, retry_pause: 10ms } }");
        pipe.top("notify", "{ heartbeat: '${BEAT}', webhook: { url: '${HOOK}', on: [failed, limit, changed] } }");
    });
    harness
}

/// In place of a status: no answer comes.
const HANGS: u16 = 0;

const BEAT: &str = "GET /beat/never-known-beat HTTP/1.1";
const HOOK: &str = "POST /hook/never-known-hook?sig=never-known-sign HTTP/1.1";

#[test]
fn a_whole_success_beats_and_what_happened_is_told_without_a_name() {
    let hook = Hook::answering(200);
    let harness = told_by(&hook);
    harness.plan_with(&[]).expect_exit(0);
    assert_eq!(hook.heard(), [], "a plan tells nobody");

    harness.run().expect_exit(0);
    let heads = hook.heard.lock().expect("the log").iter().map(|(head, _)| head.clone()).collect::<String>();
    assert!(!heads.to_lowercase().contains("x-api-key"), "the headers are for the configured servers:\n{heads}");
    let heard = hook.heard();
    let lines: Vec<_> = heard.iter().map(|(line, _)| line.as_str()).collect();
    assert_eq!(lines, [BEAT, HOOK]);
    let body: Value = serde_json::from_str(&heard[1].1).expect("JSON");
    let text = body["text"].as_str().expect("a text");
    assert!(text.starts_with("avatarpipe stage: done, exit code 0; jira: "), "{text}");
    assert_eq!((&body["pipeline"], &body["exit_code"]), (&"stage".into(), &0.into()));
    assert!(body["targets"][0]["replaced"].as_u64() > Some(0), "{body}");
    for account in harness.sandbox.truth().accounts {
        assert!(!heard[1].1.contains(&format!("\"{}\"", account.name)), "{} is named: {body}", account.name);
    }

    // Nothing changed, and nothing is wrong: only the heartbeat.
    harness.run().expect_exit(0);
    assert_eq!(hook.heard().into_iter().map(|(line, _)| line).collect::<Vec<_>>(), [BEAT]);
    // What only a part was asked of is no whole success.
    harness.run_with(&["--target", "jira"]).expect_exit(0);
    assert_eq!(hook.heard(), []);
    // Nor is one that could serve nobody.
    let frozen = harness.with(|pipe| _ = pipe.jira("freeze", "true"));
    frozen.run().expect_exit(0);
    assert_eq!(hook.heard(), []);
}

#[test]
fn who_does_not_listen_changes_nothing() {
    let hook = Hook::answering(503);
    let harness = told_by(&hook);
    let ended = harness.run().expect_exit(0);
    let ended =
        ended.expect_error("the heartbeat was not taken by 127.0.0.1: status 503; the run itself is not affected");
    let ended = ended.expect_error("the message about this run was not taken by 127.0.0.1: status 503");
    assert_eq!(ended.report()["exit_code"], 0);
    // Where nobody set the variables nobody is told, and a simulated run needs none of them.
    let mut quiet = Harness::tiny();
    quiet.edit(|pipe| _ = pipe.top("notify", "{ heartbeat: '${BEAT:-}', webhook: { url: '${HOOK:-}' } }"));
    quiet.run().expect_exit(0);
    quiet.edit(|pipe| _ = pipe.top("notify", "{ heartbeat: '${BEAT}', webhook: { url: '${HOOK}' } }"));
    quiet.run().expect_exit(2).expect_error("BEAT");
}

/// Whoever stops the job does not wait for somebody who only listens.
#[test]
fn a_stop_ends_the_wait_for_a_heartbeat() {
    let hook = Hook::answering(HANGS);
    let harness = told_by(&hook);
    let arguments = ["run", "pipeline.yaml"];
    let child = harness.spawn(&arguments);
    harness.until("the heartbeat", |_| !hook.heard.lock().expect("the log").is_empty());
    super::stopping::signal(&child, "TERM");
    harness.wait(child, &arguments).expect_exit(0).expect_error("asked to stop: whoever `notify` names");
}

/// Parts that are too short to be known as secrets stand in the address that a redirect makes of ours.
#[test]
fn where_a_heartbeat_is_sent_on_to_is_not_logged() {
    let hook = Hook::answering(302);
    let ended = told_by(&hook).finish(&["run", "pipeline.yaml", "-vv"]).expect_exit(0);
    assert!(hook.heard().iter().any(|(line, _)| line.contains("tiny-one")), "the redirect was followed");
    ended.holds(!ended.stderr.contains("tiny-"), "no part of the address");
}
