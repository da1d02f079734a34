//! Telling others how a run ended: the heartbeat and the message of `notify`.
//!
//! Owns: what is sent for which end, and the body. Leaves to others: the way there (`http`), who is told (`pipeline`).
//! A newcomer gets wrong: nothing of this changes how the run ended; what cannot be sent is a warning that names the host
//! alone, since the rest of the address is a secret.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use crate::exit::Exit;
use crate::http::{ClientSettings, RateLimit, Request, Sent, Stopping};
use crate::report::{LimitLine, RunReport, TargetLine};
use crate::settings::{Http, Notify, Occasion, Pipeline, Rate, SecretUrl};

/// For one request: a job does not wait long for whoever only listens.
const PATIENCE: Duration = Duration::from_secs(10);

/// For one of the two, its repetitions included.
const ENOUGH: Duration = Duration::from_secs(30);

/// The same after a stop: whoever asked for it kills what does not end in some ten seconds.
const ENOUGH_AFTER_A_STOP: Duration = Duration::from_secs(3);

/// How a run ended, for whoever is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending<'a> {
    /// Of the process.
    pub exit: Exit,
    /// `None`: it ended before there was one.
    pub report: Option<&'a RunReport>,
    /// Everybody was asked for, and not only some people or targets.
    pub whole: bool,
    /// The page of the CI job, if it is known.
    pub job: Option<&'a str>,
}

/// Sends what the file asks for; what could not be sent, in words.
pub(crate) async fn notify(pipeline: &Pipeline, end: Ending<'_>) -> Vec<String> {
    let Notify { heartbeat, webhook, http } = &pipeline.notify;
    let Some(http) = pipeline.http.get(http) else { return Vec::new() };
    let mut warnings = Vec::new();
    let served = end.report.is_none_or(|report| report.served);
    if let Some(url) = heartbeat.as_ref().filter(|_| end.exit == Exit::Done && end.whole && served) {
        warnings.extend(told("the heartbeat", url, ENOUGH, beat(url, http)).await);
    }
    if let Some(webhook) = webhook.as_ref().filter(|webhook| webhook.on.iter().any(|on| applies(*on, end))) {
        let body = message(&pipeline.name, end);
        let enough = if end.exit == Exit::Stopped { ENOUGH_AFTER_A_STOP } else { ENOUGH };
        warnings
            .extend(told("the message about this run", &webhook.url, enough, post(&webhook.url, http, &body)).await);
    }
    warnings
}

async fn told(
    what: &str,
    url: &SecretUrl,
    enough: Duration,
    sent: impl Future<Output = Result<(), String>>,
) -> Option<String> {
    let found = match tokio::time::timeout(enough, sent).await {
        Ok(sent) => sent.err()?,
        Err(_) => format!("no answer within {}", humantime::format_duration(enough)),
    };
    let host = url.expose().host_str().unwrap_or_default();
    Some(format!("{what} was not taken by {host}: {found}; the run itself is not affected"))
}

async fn beat(url: &SecretUrl, http: &Http) -> Result<(), String> {
    let client = client(url.expose(), http).map_err(|failure| failure.found)?;
    let response = client.read(Request::get(url.expose().clone()).private()).await.map_err(|_| {
        // What was found may quote an address that a redirect named, with the secret of ours in it (P7).
        "it was not reached, or sent us elsewhere".to_owned()
    })?;
    good(response.status)
}

/// Sent once: whoever reads the messages is not told twice.
async fn post(url: &SecretUrl, http: &Http, body: &Value) -> Result<(), String> {
    let client = client(url.expose(), http).map_err(|failure| failure.found)?;
    match client.write(Request::post(url.expose().clone()).private().json(body)).await {
        Sent::Response(response) => good(response.status),
        Sent::Lost(fault) | Sent::Never(fault) => Err(fault.code),
    }
}

fn good(status: u16) -> Result<(), String> {
    if (200..300).contains(&status) { Ok(()) } else { Err(format!("status {status}")) }
}

/// With the proxy and the trust of the entry, and with nothing of it that is meant for the configured products.
fn client(url: &Url, http: &Http) -> Result<crate::http::Client, crate::http::Failure> {
    let mut base = url.clone();
    base.set_path("/");
    base.set_query(None);
    base.set_fragment(None);
    let http = Http { timeout: http.timeout.min(PATIENCE), headers: Vec::new(), ..http.clone() };
    let rate_limit = RateLimit::new(&Rate { units: 10, per: Duration::from_secs(1), burst: 10, concurrency: 1 });
    ClientSettings { name: "notify".to_owned(), rate_limit, http, stopping: Stopping::Never }.sign_in_client(&base)
}

fn applies(on: Occasion, end: Ending<'_>) -> bool {
    let of_targets = |count: fn(&TargetLine) -> u64| {
        end.report.is_some_and(|report| report.targets.iter().any(|target| count(target) > 0))
    };
    match on {
        Occasion::Failed => {
            !matches!(end.exit, Exit::Done | Exit::Limit | Exit::Stopped) || of_targets(|target| target.failed)
        }
        Occasion::Limit => end.exit == Exit::Limit || broken(end.report).next().is_some(),
        Occasion::Stopped => end.exit == Exit::Stopped,
        Occasion::Changed => of_targets(written),
        Occasion::Always => true,
    }
}

fn written(target: &TargetLine) -> u64 {
    // In a dry run the same counts say what would be.
    if target.is_dry_run() {
        return 0;
    }
    target.replaced + target.reverted + target.removed + target.tidied + target.finished
}

fn broken(report: Option<&RunReport>) -> impl Iterator<Item = &LimitLine> {
    report.into_iter().flat_map(|report| report.limits.iter().filter(|limit| limit.broken))
}

/// Counts and the names of the file; of nobody's failure, which may name somebody.
fn message(pipeline: &str, end: Ending<'_>) -> Value {
    let targets = end.report.map(|report| &report.targets);
    let limits: Vec<_> =
        broken(end.report).map(|limit| json!({ "limit": limit.limit, "scope": limit.scope })).collect();
    json!({
        "format": 1,
        "text": text(pipeline, end),
        "pipeline": pipeline,
        "run": end.report.map(|report| &report.run),
        "outcome": end.exit.outcome(),
        "exit_code": end.exit.code(),
        "started": end.report.map(|report| &report.started),
        "finished": end.report.map(|report| &report.finished),
        "sources": end.report.map(|report| &report.sources),
        "targets": targets,
        "broken_limits": limits,
        "job": end.job,
    })
}

/// What a chat shows: one line.
fn text(pipeline: &str, end: Ending<'_>) -> String {
    let mut text = format!("avatarpipe {pipeline}: {}, exit code {}", end.exit.outcome(), end.exit.code());
    for target in end.report.into_iter().flat_map(|report| &report.targets) {
        let TargetLine { id, replaced, reverted, removed, failed, not_done, .. } = target;
        let [replace, revert] =
            if target.is_dry_run() { ["to replace", "to revert"] } else { ["replaced", "reverted"] };
        _ = write!(text, "; {id}: {replaced} {replace}, {} {revert}, {failed} failed", reverted + removed);
        if *not_done > 0 {
            _ = write!(text, ", {not_done} not begun");
        }
        if target.state != "ok" {
            _ = write!(text, " ({})", target.state);
        }
    }
    for limit in broken(end.report) {
        _ = write!(text, "; limit {} of {} broken", limit.limit, limit.scope);
    }
    if let Some(job) = end.job {
        _ = write!(text, " {job}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_for_which_end() {
        let all = [Occasion::Failed, Occasion::Limit, Occasion::Stopped, Occasion::Changed, Occasion::Always];
        for (exit, expected) in [
            (Exit::Done, &all[4..]),
            (Exit::Locked, &[Occasion::Failed, Occasion::Always]),
            (Exit::SomeFailed, &[Occasion::Failed, Occasion::Always]),
            (Exit::Limit, &[Occasion::Limit, Occasion::Always]),
            (Exit::Stopped, &[Occasion::Stopped, Occasion::Always]),
        ] {
            let end = Ending { exit, report: None, whole: true, job: None };
            let found: Vec<_> = all.into_iter().filter(|on| applies(*on, end)).collect();
            assert_eq!(found, expected, "{exit:?}");
        }
    }

    #[test]
    fn an_end_without_a_report_is_told_too() {
        let end = Ending { exit: Exit::Locked, report: None, whole: true, job: Some("https://ci.example/1") };
        let message = message("corporate", end);
        assert_eq!(message["text"], "avatarpipe corporate: locked, exit code 7 https://ci.example/1");
        assert_eq!((&message["run"], &message["exit_code"]), (&Value::Null, &json!(7)));
    }
}
