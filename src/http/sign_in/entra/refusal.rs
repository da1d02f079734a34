//! What Entra's refusals of a token mean (docs/wire/microsoft-graph.md §1.6).
//!
//! Owns: the table, and the words. Leaves to others: trying again (`entra`).
//! A newcomer gets wrong: the answer is read on any status of 4xx; Entra sends 400 and 401 for the same thing.

use serde::Deserialize;

use crate::http::{Failure, FailureKind, Response, is_transient};
use crate::secret::server_message;

/// The documented error answer; every member may be missing in practice.
#[derive(Default, Deserialize)]
#[serde(default)]
struct EntraError {
    error: String,
    error_description: String,
    error_codes: Vec<u64>,
    trace_id: String,
    correlation_id: String,
}

/// A refused sign-in.
pub(super) struct EntraRefusal {
    pub(super) failure: Failure,
    pub(super) remedy: EntraRemedy,
}

/// What may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntraRemedy {
    None,
    /// It may pass by itself.
    Wait,
    /// The federated credential may be too new.
    WaitForCredential,
    /// The assertion was outside its time: another one, once.
    NewAssertion,
}

/// What a refusal means, and what may help.
pub(super) fn judge(response: &Response) -> EntraRefusal {
    let lasting = |failure| EntraRefusal { failure, remedy: EntraRemedy::None };
    // `read` has repeated it already.
    let in_trouble = || {
        let failure = response.failure(FailureKind::Unreachable, response.excerpt());
        lasting(failure.hint("the sign-in service is in trouble: run again later"))
    };
    if response.status >= 500 {
        return in_trouble();
    }
    let refusal: EntraError = match response.json() {
        Ok(refusal) => refusal,
        Err(_) if is_transient(response.status) => return in_trouble(),
        Err(failure) => return lasting(failure),
    };
    if refusal.error.is_empty() {
        return lasting(response.failure(FailureKind::Unreachable, response.excerpt()));
    }
    let passes = matches!(refusal.error.as_str(), "temporarily_unavailable" | "server_error");
    let kind = if passes || response.status == 429 { FailureKind::Unreachable } else { FailureKind::Refused };
    let failure = response.failure(kind, refusal.words(response.status));
    EntraRefusal {
        failure: with_hint(failure, &refusal),
        remedy: if passes { EntraRemedy::Wait } else { refusal.remedy() },
    }
}

impl EntraError {
    fn remedy(&self) -> EntraRemedy {
        let has = |code| self.error_codes.contains(&code);
        match () {
            () if has(700_024) => EntraRemedy::NewAssertion,
            () if has(70_021) => EntraRemedy::WaitForCredential,
            () => EntraRemedy::None,
        }
    }

    /// `400 invalid_client: AADSTS7000215: Invalid client secret provided. (trace …, correlation …)`
    fn words(&self, status: u16) -> String {
        // The description repeats the ids and the time; its first sentence is enough.
        let words =
            self.error_description.split(" Trace ID:").next().unwrap_or_default().lines().next().unwrap_or_default();
        let words = if words.is_empty() { String::new() } else { format!(": {words}") };
        server_message(&format!(
            "{status} {}{words} (trace {}, correlation {})",
            self.error, self.trace_id, self.correlation_id
        ))
    }
}

/// The hint of an assertion that the CI platform made, where it is outside its time.
pub(super) const STALE: &str = "the token of the CI platform is outside its time: it is good for minutes, or for as long as the job may run; start the job anew, and in GitLab set its `timeout` longer than the run";

fn with_hint(failure: Failure, refusal: &EntraError) -> Failure {
    match refusal.error_codes.iter().find_map(|code| hint(*code)).or_else(|| hint_by_error(&refusal.error)) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// The table of §1.6.
fn hint(code: u64) -> Option<&'static str> {
    Some(match code {
        7_000_215 => "the client secret is wrong: paste the secret's value, not its id",
        7_000_222 => "the client secret has expired: make a new one in the app registration",
        7_000_218 => "no client secret was sent: set the variable that `credential` names",
        700_016 => "the app is not in this tenant: check `client_id` and `tenant`",
        90_002 | 90_038 => "the tenant is not known here: check `tenant` and `cloud`",
        9_001_023 => "`tenant` must name your tenant, by its id or a verified domain; `common` does not do here",
        70_011 | 28_002 | 700_022 => "the scope is not the Graph host's `/.default`: check `cloud`",
        500_011 => "this tenant does not know that Graph host: check `cloud`",
        700_027 | 50_012 => {
            "the app does not know this certificate: upload it to the app registration; of those in `file`, the one that belongs to the key is the one that counts"
        }
        700_024 => "the assertion is outside its time: check this machine's clock",
        70_021 | 700_213 => {
            "no federated credential of the app has the issuer, subject and audience of the CI token; repositories made or renamed since July 2026 carry numbers in the subject"
        }
        530_032 | 53_003 => {
            "conditional access for workload identities blocks this app: ask whoever keeps the policies"
        }
        90_055 => "the whole tenant is throttled: run again later",
        90_006 | 90_012 | 90_024 | 90_033 | 90_090 => "the sign-in service is in trouble: run again later",
        _ => return None,
    })
}

fn hint_by_error(error: &str) -> Option<&'static str> {
    Some(match error {
        "invalid_client" => "check `client_id` and the client secret",
        "unauthorized_client" => "the app may not sign in to this tenant: check `client_id` and `tenant`",
        "invalid_scope" | "invalid_resource" => "check `cloud`",
        "temporarily_unavailable" | "server_error" => "the sign-in service is in trouble: run again later",
        _ => return None,
    })
}
