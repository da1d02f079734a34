//! Which way pictures go.
//!
//! Owns: the choice, from the file, what was learnt, a probe, or the careful assumption (docs/wire/atlassian.md §1.1).
//! Leaves to others: the ways themselves (`upload.rs`), trying one out (`probe.rs`).
//! A newcomer gets wrong: what is learnt of one version and one kind of credential says nothing about another.

use crate::http::Failure;
use crate::load::{Learnt, Probe, Upload};
use crate::settings::JiraUpload;

use super::client::JiraClient;
use super::connection::UploadRoute;
use super::probe;
use super::server::version;
use super::upload::{self, ENDS, LARGEST, ONE_STEP, SWITCH};

/// Jira's default limit on attachments, which holds for avatars too.
const BYTES: usize = 10 * 1024 * 1024;

/// Decides the route.
pub(super) async fn prepare(
    client: &JiraClient,
    learnt: &mut Learnt,
    probe: Option<Probe<'_>>,
) -> Result<Upload, Failure> {
    let shared = client.shared();
    let key = upload::key(shared, &version(client).await?);
    let remembered = learnt.get(&key).and_then(|word| UploadRoute::from_word(word));
    let route = match (shared.upload, remembered, probe) {
        (JiraUpload::OneStep, ..) => UploadRoute::OneStep,
        (JiraUpload::Session, ..) => UploadRoute::Session,
        (JiraUpload::Auto, ..) if !shared.is_token() => UploadRoute::Session,
        (JiraUpload::Auto, Some(route), _) => route,
        (JiraUpload::Auto, None, Some(probe)) => {
            let told = probe::session(client, probe).await?.route();
            if let Some(route) = told {
                learnt.insert(key, route.word().to_owned());
            }
            told.unwrap_or(UploadRoute::OneStep)
        }
        (JiraUpload::Auto, None, None) => UploadRoute::OneStep,
    };
    shared.learn(|known| known.route = Some(route));
    Ok(Upload {
        side: Some(match route {
            UploadRoute::Session => LARGEST,
            UploadRoute::OneStep => ONE_STEP,
        }),
        bytes: BYTES,
        route: route.word().to_owned(),
        note: (route == UploadRoute::OneStep && shared.upload == JiraUpload::Auto)
            .then(|| format!("pictures go up at 48 px, since {ENDS}. For 256 px {SWITCH}")),
    })
}
