//! The life of `auth`: every source and target signs in, at the same time (docs/command-line.md).
//!
//! Owns: who is asked what. Leaves to others: what an answer means (`extract`, `load`), words
//! (`cli`).
//! A newcomer gets wrong: without `--probe` nothing is written anywhere, the state included; with it this is a run of
//! its own, with the lock, a row and a journal.

use std::sync::Arc;

use futures::future::join_all;

#[cfg(feature = "bucket")]
use super::ask_reports::ask_reports;
use super::auth_report::{AuthReport, ElementReport, Uploads};
use super::clients::Clients;
use super::context::{Mode, RunContext};
use super::identify::{Halt, bind, identify};
use super::journal::StoreJournal;
use super::stop::Stop;
use super::target_run::TargetRun;
use super::{credentials, run_row, settle};
use crate::error::Trouble;
use crate::http::Failure;
use crate::load::{Learnt, Probe, ProbeResult, Server, Target, Tried};
use crate::model::{SignedIn, rfc3339};
use crate::report::Listener;
use crate::settings::{self, Pipeline};
use crate::state::Store;

/// What is done here, for people.
const SIGN_IN: &str = "sign in";

/// Signs in everywhere.
pub(crate) async fn auth(
    pipeline: &Pipeline,
    uploads: Uploads,
    listener: Arc<dyn Listener>,
    stop: Stop,
    started_by: String,
) -> Result<AuthReport, Trouble> {
    let clients = Clients::new(pipeline, &stop);
    if uploads == Uploads::NotTried {
        let store = super::context::view_state(pipeline).await?;
        store.expect_pipeline(&pipeline.name)?;
        return ask(pipeline, &clients, &store, &stop, None).await;
    }
    let context = RunContext::open(pipeline, Mode::Run, listener, stop.clone(), Some(started_by.clone())).await?;
    let begun = run_row::begin(&context, pipeline, "auth", vec!["--probe".to_owned()], Some(started_by)).await;
    context.or_give_back(begun).await?;
    let clients = clients.permitted(context.permit());
    let asked = ask(pipeline, &clients, &context.store, &stop, Some(&context)).await;
    let exit = asked.as_ref().map_or_else(Trouble::exit, AuthReport::exit);
    let closed = context.store.finish_run(&context.run, run_row::end(exit, None)).await;
    context.give_back().await?;
    closed?;
    asked
}

async fn ask(
    pipeline: &Pipeline,
    clients: &Clients,
    store: &Store,
    stop: &Stop,
    context: Option<&RunContext>,
) -> Result<AuthReport, Trouble> {
    let sources = join_all(pipeline.sources.iter().map(|entry| ask_source(clients, stop, entry)));
    let targets = join_all(pipeline.targets.iter().map(|entry| ask_target(clients, store, stop, context, entry)));
    let (sources, targets) = futures::future::join(sources, targets).await;
    let (mut sources, mut targets): (Vec<ElementReport>, Vec<ElementReport>) =
        (sources.into_iter().collect::<Result<_, _>>()?, targets.into_iter().collect::<Result<_, _>>()?);
    for (list, ends) in [&mut sources, &mut targets].into_iter().zip(credentials::client_certificates(pipeline)) {
        for (signed, ends) in list.iter_mut().map(|asked| &mut asked.signed).zip(ends) {
            signed.iter_mut().for_each(|signed| signed.expires.extend(ends.clone()));
            signed.iter_mut().for_each(miss_what_expired);
        }
    }
    #[cfg(feature = "bucket")]
    let reports = ask_reports(pipeline, if context.is_some() { Uploads::Tried } else { Uploads::NotTried }).await?;
    #[cfg(not(feature = "bucket"))]
    let reports = None;
    Ok(AuthReport { sources, targets, reports })
}

async fn ask_source(clients: &Clients, stop: &Stop, entry: &settings::Source) -> Result<ElementReport, Trouble> {
    let mut asked = ElementReport::of(entry.id.as_str());
    let Some(provider) = &entry.provider else { return Ok(ElementReport { off: true, ..asked }) };
    let signed = match clients.source(entry, provider) {
        Ok(source) => stop.unless_requested(SIGN_IN, source.whoami()).await.flatten().map_err(Halt::Failure),
        Err(trouble) => Err(Halt::Trouble(trouble)),
    };
    asked.failure = of_element(signed.map(|signed| asked.signed = Some(signed)))?;
    Ok(asked)
}

async fn ask_target(
    clients: &Clients,
    store: &Store,
    stop: &Stop,
    context: Option<&RunContext>,
    entry: &settings::Target,
) -> Result<ElementReport, Trouble> {
    let mut asked = ElementReport::of(entry.id.as_str());
    let ended = talk(clients, store, stop, context, entry, &mut asked).await;
    asked.failure = of_element(ended)?;
    Ok(asked)
}

/// As a run does before its survey, so that what is seen here is what a run would meet.
async fn talk(
    clients: &Clients,
    store: &Store,
    stop: &Stop,
    context: Option<&RunContext>,
    entry: &settings::Target,
    asked: &mut ElementReport,
) -> Result<(), Halt> {
    let target_run = TargetRun::new(entry.clone(), clients.target(entry).map_err(Halt::Trouble)?);
    let target = &target_run.target;
    let (server, mut learnt) = identify(store, stop, SIGN_IN, &target_run).await?;
    asked.server = Some(server.clone());
    asked.signed = Some(stop.unless_requested(SIGN_IN, target.whoami()).await??);
    if let Some(context) = context.filter(|context| !context.stop.requested()) {
        asked.tried = if entry.freeze.value {
            not_tried(&*target_run.target, &mut learnt, "`freeze: true`: nothing is written there").await?
        } else if entry.dry_run.value {
            not_tried(&*target_run.target, &mut learnt, "`dry_run: true`: nothing is written there").await?
        } else if !settle::clear_probes(context, &target_run, &server.id).await.map_err(Halt::Trouble)? {
            not_tried(&*target_run.target, &mut learnt, "an earlier probe is not taken back yet: try again in a minute")
                .await?
        } else {
            try_out(context, &target_run, &server, &mut learnt).await?
        };
    }
    let upload = target.prepare(&mut learnt, None).await?;
    let closed = asked.tried.iter().find(|tried| tried.route == upload.route).and_then(|tried| match &tried.told {
        ProbeResult::Fails(failure) => Some(failure.clone()),
        ProbeResult::Works | ProbeResult::NotTried(_) => None,
    });
    asked.upload = Some(upload);
    match closed {
        Some(failure) => Err(Halt::Failure(failure)),
        None => Ok(()),
    }
}

async fn try_out(
    context: &RunContext,
    target_run: &TargetRun,
    server: &Server,
    learnt: &mut Learnt,
) -> Result<Vec<Tried>, Halt> {
    bind(&context.store, target_run, server).await?;
    let mut journal = StoreJournal::new(&context.store);
    let tried = target_run.target.try_out(learnt, Probe { run: &context.run, journal: &mut journal }).await?;
    context.store.learn(&server.id, learnt).await?;
    Ok(tried)
}

async fn not_tried(target: &dyn Target, learnt: &mut Learnt, why: &str) -> Result<Vec<Tried>, Failure> {
    let route = target.prepare(learnt, None).await?.route;
    Ok(vec![Tried { route, told: ProbeResult::NotTried(why.to_owned()) }])
}

/// What has expired opens nothing, whatever a server let through so far.
fn miss_what_expired(signed: &mut SignedIn) {
    let now = super::context::unix_now();
    let expired = signed.expires.iter().filter(|(_, ends)| *ends < now);
    let words = expired.map(|(what, ends)| format!("a {what} that is valid: it expired on {}", rfc3339(*ends)));
    signed.missing.extend(words.collect::<Vec<_>>());
}

/// A failure is the element's own; trouble ends the command.
fn of_element(ended: Result<(), Halt>) -> Result<Option<Failure>, Trouble> {
    match ended {
        Ok(()) => Ok(None),
        Err(Halt::Failure(failure) | Halt::Trouble(Trouble::Failure(failure))) => Ok(Some(failure)),
        Err(Halt::Trouble(trouble)) => Err(trouble),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn what_has_expired_is_missing() {
        let expires = vec![("certificate".to_owned(), 1_700_000_000), ("token".to_owned(), u64::MAX / 2)];
        let mut report =
            ElementReport { signed: Some(SignedIn { expires, ..SignedIn::default() }), ..ElementReport::default() };
        assert_eq!(report.exit(), Exit::Done);
        report.signed.iter_mut().for_each(miss_what_expired);
        let missing = report.signed.as_ref().map(|signed| signed.missing.clone());
        assert_eq!(missing.unwrap(), ["a certificate that is valid: it expired on 2023-11-14T22:13:20Z"]);
        assert_eq!(report.exit(), Exit::Refused);
    }
}
