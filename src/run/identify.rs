//! Who answers at a target, and whether that is the server that the state knows (docs/architecture.md, "The state").
//!
//! Owns: the first question of a run and of `auth`, and what ends the talk with one target.
//! Leaves to others: the wire (`load`), what follows (`survey`, `auth`), binding (`state`).
//! A newcomer gets wrong: a server that is only starting hides its id, so nothing is bound here.

use super::selection::SavedPlan;
use super::stop::Stop;
use super::target_run::TargetRun;
use crate::error::Trouble;
use crate::http::{Failure, FailureKind};
use crate::load::{Learnt, Server};
use crate::model::ServerId;
use crate::settings::TargetKind;
use crate::state::{StateError, Store};

/// What ends the talk with one target: its own failure, or trouble of the whole run.
pub(super) enum Halt {
    /// Of the target alone.
    Failure(Failure),
    /// Of everything.
    Trouble(Trouble),
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<StateError> for Halt {
    fn from(error: StateError) -> Self {
        Self::Trouble(error.into())
    }
}

/// Asks who answers there, and reads what earlier runs learnt of that server.
pub(super) async fn identify(
    store: &Store,
    stop: &Stop,
    work: &str,
    target_run: &TargetRun,
) -> Result<(Server, Learnt), Halt> {
    let bound = store.bound(target_run.id())?;
    let server = stop.unless_requested(work, target_run.target.identify()).await??;
    check_binding(target_run, bound.as_ref(), &server)?;
    // What was learnt under the address goes with it.
    let known = bound.filter(|bound| steps_up(bound, &server)).unwrap_or_else(|| server.id.clone());
    let learnt = store.learnt(&known)?;
    Ok((server, learnt))
}

/// Binds the target to the server that [`identify`] found.
pub(super) async fn bind(store: &Store, target_run: &TargetRun, server: &Server) -> Result<(), StateError> {
    match store.bound(target_run.id())? {
        Some(bound) if steps_up(&bound, server) => store.step_up(target_run.id(), &bound, &server.id).await,
        _ => store.bind(target_run.id(), &server.id).await,
    }
}

/// Whether a target is bound to the address alone and the server at that address shows its id now. An earlier version took an
/// empty id for one.
fn steps_up(bound: &ServerId, server: &Server) -> bool {
    let stood_in = bound.as_str().is_empty() || server.address.as_ref() == Some(bound);
    stood_in && !server.id.is_address() && *bound != server.id
}

/// A reviewed plan is of a server, and an address in the pipeline file can be changed after the review.
pub(super) fn check_reviewed(
    reviewed: Option<&SavedPlan>,
    target_run: &TargetRun,
    server: &Server,
) -> Result<(), Failure> {
    match reviewed.and_then(|plan| plan.servers.get(target_run.id())) {
        Some(planned) if *planned != server.id && !steps_up(planned, server) => Err(Failure::new(
            FailureKind::Misconfigured,
            format!("ask {} who it is", target_run.id()),
            format!("server `{}` ({}), but the plan was reviewed for `{planned}`", server.id, server.product),
        )
        .hint(format!("put back the {} of the review, or review a new plan: `plan --out`", address(target_run)))),
        _ => Ok(()),
    }
}

/// The key that says where a target is.
fn address(target_run: &TargetRun) -> &'static str {
    match target_run.entry.kind {
        TargetKind::FolderInBucket(_) => "`bucket`",
        TargetKind::Folder(_) => "`path`",
        _ => "`base_url`",
    }
}

/// A target is bound to the server's own id.
fn check_binding(target_run: &TargetRun, bound: Option<&ServerId>, server: &Server) -> Result<(), Failure> {
    match bound {
        Some(bound) if steps_up(bound, server) => Ok(()),
        // What stands before it, or a dead login, hides the id: that is no proof of another server.
        Some(bound) if server.id.is_address() && !bound.is_address() => Err(Failure::new(
            FailureKind::Unreachable,
            format!("ask {} who it is", target_run.id()),
            format!("{} does not show its id, and the state belongs to `{bound}`", server.product),
        )
        .hint("see that `rest/applinks/1.0/manifest` opens there, and run again")),
        Some(bound) if *bound != server.id => Err(Failure::new(
            FailureKind::Misconfigured,
            format!("ask {} who it is", target_run.id()),
            format!("server `{}` ({}), but the state belongs to `{bound}`", server.id, server.product),
        )
        .hint(format!(
            "put back the right {}, or give the other {} a target with another `id`",
            address(target_run),
            if target_run.target.follows_people() { "folder" } else { "server" },
        ))),
        _ => Ok(()),
    }
}
