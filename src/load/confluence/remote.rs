//! The two ways to set another person's picture: Confluence's remote API, and the script that we ship.
//!
//! Owns: which way a call goes. Leaves to others: each way (`remote_api.rs`, `endpoint.rs`).
//! A newcomer gets wrong: one call of the remote API is made whichever way is configured: only it can leave a file behind
//! unshown.

use crate::http::Failure;
use crate::load::{Upload, WriteError};
use crate::model::{Fault, PictureRef, Rendition, Shown};
use crate::settings::ConfluenceUpload;

use super::answer::Whom;
use super::client::{ConfluenceClient, File};
use super::picture::{ConfluencePicture, STOCK};
use super::{endpoint, remote_api};

/// The word of the route in reports and in the journal.
pub(super) fn route(upload: &ConfluenceUpload) -> &'static str {
    match upload {
        ConfluenceUpload::Xmlrpc => "xmlrpc",
        ConfluenceUpload::Endpoint { .. } => "endpoint",
    }
}

/// Asks whether pictures can be set at all.
pub(super) async fn prepare(client: &ConfluenceClient) -> Result<Upload, Failure> {
    let shared = client.shared();
    let upload = &shared.upload;
    if !shared.known().probed {
        match upload {
            ConfluenceUpload::Xmlrpc => _ = remote_api::version(client).await?,
            ConfluenceUpload::Endpoint { path } => endpoint::probe(client, path).await?,
        }
        shared.learn(|known| known.probed = true);
    }
    let bytes = match upload {
        ConfluenceUpload::Xmlrpc => remote_api::BYTES,
        ConfluenceUpload::Endpoint { .. } => endpoint::BYTES,
    };
    Ok(Upload { side: None, bytes, route: route(upload).to_owned(), note: None })
}

/// Whether we are a Confluence administrator; `None` if the server does not tell.
pub(super) async fn is_administrator(client: &ConfluenceClient) -> Result<Option<bool>, Failure> {
    match &client.shared().upload {
        ConfluenceUpload::Xmlrpc => remote_api::is_administrator(client).await,
        // The script answers nobody else.
        ConfluenceUpload::Endpoint { .. } => Ok(Some(true)),
    }
}

/// Stores the picture under this name with the person, and shows it. `seen` is the path that is shown now.
pub(super) async fn add(
    client: &ConfluenceClient,
    whom: Whom<'_>,
    file: &PictureRef,
    rendition: &Rendition,
    seen: Option<&str>,
) -> Result<(), WriteError> {
    match &client.shared().upload {
        ConfluenceUpload::Xmlrpc => remote_api::add(client, whom, file, rendition).await,
        ConfluenceUpload::Endpoint { path } => endpoint::add(client, path, whom, file, rendition, seen).await,
    }
}

/// Shows a file that is there already. Only the remote API can leave one behind unshown: the endpoint stores and
/// selects in one transaction.
pub(super) async fn select(client: &ConfluenceClient, whom: Whom<'_>, file: &PictureRef) -> Result<(), WriteError> {
    remote_api::select(client, whom, file.as_str()).await
}

/// Shows what an account showed before; `default` is the default's path, `seen` what is shown now.
pub(super) async fn show(
    client: &ConfluenceClient,
    whom: Whom<'_>,
    earlier: &Shown,
    default: Option<&str>,
    seen: &ConfluencePicture,
) -> Result<(), WriteError> {
    match (earlier, default) {
        (Shown::Custom(file), _) => select(client, whom, file).await,
        // A value under that folder is used as it is (docs/wire/atlassian.md §4.4).
        (Shown::System(file), _) => select(client, whom, &PictureRef::new(format!("{STOCK}{file}"))).await,
        (Shown::Default, Some(default)) => reset(client, whom, default, seen.plain_path().as_deref()).await,
        (Shown::Default | Shown::Unknown(_), _) => {
            Err(WriteError::Refused(Fault::new("default_unknown", "the path of the default picture is not known")))
        }
    }
}

/// Shows the default; no file is removed. `seen` is the path that is shown now.
pub(super) async fn reset(
    client: &ConfluenceClient,
    whom: Whom<'_>,
    default: &str,
    seen: Option<&str>,
) -> Result<(), WriteError> {
    match &client.shared().upload {
        ConfluenceUpload::Xmlrpc => remote_api::select(client, whom, default).await,
        ConfluenceUpload::Endpoint { path } => endpoint::reset(client, path, whom, default, seen).await,
    }
}

/// Takes a file away; one that is gone already is as good.
pub(super) async fn remove(client: &ConfluenceClient, whom: Whom<'_>, which: File<'_>) -> Result<(), WriteError> {
    match &client.shared().upload {
        ConfluenceUpload::Xmlrpc => remote_api::remove(client, which).await,
        ConfluenceUpload::Endpoint { path } => endpoint::remove(client, path, whom, which.file).await,
    }
}
