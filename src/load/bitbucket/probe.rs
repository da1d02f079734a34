//! Trying out whether pictures can be set, on the service account's own profile.
//!
//! Owns: the throw-away picture and taking it away again.
//! Leaves to others: the calls (`client.rs`), a probe that was killed (`observe.rs`, `session.rs`).
//! A newcomer gets wrong: Bitbucket keeps no earlier picture, so an account that has one is left alone. Everybody may set
//! their own; whether we may set that of others is told by the permission alone.

use crate::http::{Failure, FailureKind};
use crate::load::clock::now;
use crate::load::probe::{self, ProbeEnd};
use crate::load::{Probe, ProbeResult, Tried, WriteError, recorded};
use crate::model::{Event, Fault, Intent, PictureRef, Shown};

use super::client::BitbucketClient;
use super::mark::Window;
use super::session::{ROUTE, sent, window};
use super::slug::Slug;

/// The side of the picture that is sent, in pixels.
const SIDE: u32 = 256;

/// Sends a picture and takes it away again.
pub(super) async fn try_out(client: &BitbucketClient, probe: Probe<'_>) -> Result<Vec<Tried>, Failure> {
    let told = match send(client, probe).await {
        Ok(()) => ProbeResult::Works,
        Err(ProbeEnd::NotTried(why)) => ProbeResult::NotTried(why),
        Err(ProbeEnd::Fails(fault)) => ProbeResult::Fails(Failure::new(FailureKind::Odd, tried(client), fault.message)),
        Err(ProbeEnd::Stop(failure)) => return Err(failure),
    };
    Ok(vec![Tried { route: ROUTE.to_owned(), told }])
}

async fn send(client: &BitbucketClient, probe: Probe<'_>) -> Result<(), ProbeEnd> {
    let shared = client.shared();
    let own = own(client).await?;
    let slug =
        Slug::read(own.handle.as_deref().unwrap_or_default()).map_err(|why| ProbeEnd::NotTried(why.to_owned()))?;
    let picture = probe::picture(SIDE, Some(shared.looks.as_ref()))?;
    let intent = probe::intent(&probe, &shared.id, own, &picture);
    probe.journal.begin(intent.clone(), sent(1)).await?;
    let from = now();
    let response = recorded(client.post(&slug, &picture).await, probe.journal).await?;
    let window = window(from, now(), &response, &intent.stood);
    probe.journal.record(Event::Abandoned { mark: window.mark() }).await?;
    // Somebody else may have uploaded meanwhile, and a deleted picture does not come back.
    let shown = client.stands(&intent.account, &intent.account_name, &slug).await?.map_err(ProbeEnd::Fails)?;
    match &shown {
        Some(Shown::Custom(v)) if is_the_probes(&window, v) => {}
        // A server that shows no version of anything: the default was there before, so what looks like ours is ours.
        Some(Shown::Default | Shown::Unknown(_)) if looks_like_it(client, &slug, &intent).await? => {}
        other => {
            probe.journal.record(Event::Closed).await?;
            return Err(ProbeEnd::Fails(Fault::new("not_shown", format!("201, but {}", words(other.as_ref())))));
        }
    }
    client.delete(&slug).await.map_err(left_over)?;
    probe.journal.record(Event::Closed).await?;
    Ok(())
}

/// The service account, if a picture of it could be taken away again without loss.
async fn own(client: &BitbucketClient) -> Result<probe::Own, ProbeEnd> {
    let not_tried = |why: &str| ProbeEnd::NotTried(why.to_owned());
    let name = client.who().await?.ok_or_else(|| not_tried("the server does not say who we are"))?;
    let user = client.namesake(&name, &|user| user.name.as_deref() == Some(&name)).await?.map_err(ProbeEnd::Fails)?;
    let shown = user.as_ref().map(|user| client.shown(user));
    let Some((id, slug, shown)) = user.zip(shown).and_then(|(user, shown)| Some((user.id?, user.slug?, shown))) else {
        return Err(not_tried("our own account is not listed, or without an id and a slug"));
    };
    match shown {
        Shown::Default => {}
        Shown::Unknown(why) => return Err(ProbeEnd::NotTried(why)),
        Shown::Custom(_) | Shown::System(_) => {
            return Err(not_tried(
                "our own account has a picture, and Bitbucket keeps no earlier one that could be put back: take it away by \
                 hand, or look at the first replacement of a `run`",
            ));
        }
    }
    let server = probe::server(client.shared().known().server, || tried(client))?;
    Ok(probe::Own { server, account: id.to_string().as_str().into(), name, handle: Some(slug), shown })
}

/// Whether a picture with this `v` is the one that was sent; a `v` that is no time cannot say otherwise.
fn is_the_probes(window: &Window, v: &PictureRef) -> bool {
    window.holds(v) != Some(false)
}

async fn looks_like_it(client: &BitbucketClient, slug: &Slug, intent: &Intent) -> Result<bool, Failure> {
    let Some(sent) = &intent.luma else { return Ok(false) };
    Ok(client.looks(slug).await?.is_some_and(|served| served.fits(sent)))
}

fn words(shown: Option<&Shown>) -> &'static str {
    match shown {
        None => "our slug leads to another account by now",
        Some(Shown::Default) => "no picture is shown",
        Some(Shown::Unknown(_)) => "it cannot be told what is shown",
        Some(Shown::Custom(_) | Shown::System(_)) => "another picture is shown, which was left alone",
    }
}

fn left_over(error: WriteError) -> ProbeEnd {
    ProbeEnd::from(error.explained(|fault| {
        let found = format!("it got there, but could not be taken away again; the next run tries: {}", fault.message);
        Fault::new("not_taken_back", found)
    }))
}

fn tried(client: &BitbucketClient) -> String {
    format!("a probe on our own account of {}", client.atlassian().http().base())
}
