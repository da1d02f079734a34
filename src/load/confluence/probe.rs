//! Trying out whether pictures can be set, on the service account's own profile.
//!
//! Owns: the throw-away picture and putting back what stood there before.
//! Leaves to others: the calls (`remote.rs`), a probe that was killed (`observe.rs`, `session.rs`).
//! A newcomer gets wrong: here a picture is shown as soon as it is there, so a probe changes what the account shows. Only
//! what can be put back is tried.

use crate::http::{Failure, FailureKind};
use crate::load::clock::now;
use crate::load::probe::{self, ProbeEnd};
use crate::load::{Probe, ProbeResult, Tried, WriteError, recorded};
use crate::model::{AccountId, Event, Fault, Intent, PictureRef, Shown};
use crate::settings::ConfluenceUpload;

use super::answer::Whom;
use super::client::{ConfluenceClient, File, Now};
use super::picture::{self, ConfluencePicture};
use super::remote;

/// The side of the picture that is sent, in pixels.
const SIDE: u32 = 128;

/// Sends a picture, looks whether it is shown, and puts back what stood there.
pub(super) async fn try_out(client: &ConfluenceClient, probe: Probe<'_>) -> Result<Vec<Tried>, Failure> {
    let upload = &client.shared().upload;
    remote::prepare(client).await?;
    let route = remote::route(upload).to_owned();
    // Our own picture would be set without the right to set those of others.
    if remote::is_administrator(client).await? == Some(false) {
        let told = ProbeResult::Fails(failure(
            client,
            "the account is no Confluence administrator".to_owned(),
            FailureKind::Refused,
        ));
        return Ok(vec![Tried { route, told }]);
    }
    let told = match send(client, probe).await {
        Ok(()) => ProbeResult::Works,
        Err(ProbeEnd::NotTried(why)) => ProbeResult::NotTried(why),
        Err(ProbeEnd::Fails(fault)) => ProbeResult::Fails(failure(client, fault.message, FailureKind::Odd)),
        Err(ProbeEnd::Stop(failure)) => return Err(failure),
    };
    Ok(vec![Tried { route, told }])
}

async fn send(client: &ConfluenceClient, probe: Probe<'_>) -> Result<(), ProbeEnd> {
    let upload = &client.shared().upload;
    let account = client.own_key().await?;
    let now = client.now(&account).await?.map_err(ProbeEnd::Fails)?;
    let sent = probe::picture(SIDE, None)?;
    let file = picture::file_name(&sent.digest, &sent, None);
    if let Some(why) = not_to_be_put_back(&now, &file, upload) {
        return Err(ProbeEnd::NotTried(why));
    }
    let default = now.picture.default.clone();
    let seen = now.picture.plain_path();
    let intent = begun(client, &probe, account, now, &file)?;
    let first = Event::Sent { attempt: 1, route: remote::route(upload).to_owned(), at: self::now() };
    probe.journal.begin(intent.clone(), first).await?;

    let whom = Whom::of(&intent);
    recorded(remote::add(client, whom, &file, &sent, seen.as_deref()).await, probe.journal).await?;
    probe.journal.record(Event::Abandoned { mark: file.clone() }).await?;
    let after = client.now(&intent.account).await?.map_err(ProbeEnd::Fails)?;
    if after.picture.shown != Shown::Custom(file.clone()) {
        return Err(ProbeEnd::Fails(Fault::new("not_shown", "the server said yes, and shows another picture")));
    }
    let content = after.picture.content.unwrap_or_default();
    put_back(client, &intent, &content, &file, default.as_deref()).await.map_err(left_over)?;
    let sent = File { content: &content, file: &file };
    remote::remove(client, whom, sent).await.map_err(left_over)?;
    probe.journal.record(Event::Closed).await?;
    Ok(())
}

fn begun(
    client: &ConfluenceClient,
    probe: &Probe<'_>,
    account: AccountId,
    now: Now,
    file: &PictureRef,
) -> Result<Intent, Failure> {
    let server = probe::server(client.shared().known().server, || tried(client))?;
    let Now { name, picture, .. } = now;
    let own = probe::Own { server, account, name, handle: picture.content, shown: picture.shown };
    let sent = probe::picture(SIDE, None)?;
    let intent = probe::intent(probe, &client.shared().id, own, &sent);
    Ok(Intent { making: Some(file.clone()), ..intent })
}

/// Why what stands there could not be put back.
fn not_to_be_put_back(now: &Now, file: &PictureRef, upload: &ConfluenceUpload) -> Option<String> {
    match (&now.picture.shown, upload) {
        (Shown::Unknown(why), _) => Some(why.clone()),
        (Shown::Custom(shown), _) if shown == file => {
            Some("the picture of an earlier probe is still there; the next `run` takes it away".to_owned())
        }
        (Shown::Default, _) | (_, ConfluenceUpload::Xmlrpc) => None,
        (Shown::System(_) | Shown::Custom(_), ConfluenceUpload::Endpoint { .. }) => Some(
            "our own account shows a picture that was chosen, and the endpoint can put back only the default".into(),
        ),
    }
}

/// Shows what stood there before the probe.
pub(super) async fn put_back(
    client: &ConfluenceClient,
    intent: &Intent,
    content: &str,
    probe: &PictureRef,
    default: Option<&str>,
) -> Result<(), WriteError> {
    remote::show(client, Whom::of(intent), &intent.stood, default, &ConfluencePicture::of_file(content, probe)).await
}

fn left_over(error: WriteError) -> ProbeEnd {
    ProbeEnd::from(error.explained(|fault| {
        let found = format!("it got there, but could not be taken back; the next run tries: {}", fault.message);
        Fault::new("not_taken_back", found)
    }))
}

fn tried(client: &ConfluenceClient) -> String {
    format!("a probe on our own account of {}", client.atlassian().http().base())
}

fn failure(client: &ConfluenceClient, found: String, kind: FailureKind) -> Failure {
    let hint = match kind {
        FailureKind::Refused => {
            "make the account a Confluence administrator: nobody else may set the pictures of others"
        }
        _ => "is the account a Confluence administrator? Nobody else may set pictures",
    };
    Failure::new(kind, tried(client), found).hint(hint)
}
