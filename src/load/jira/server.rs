//! Who answers: the product, its version and the server's own id.
//!
//! Owns: the first question to a server. Leaves to others: what the version means (`version.rs`), the id (`manifest.rs` of
//! `atlassian`).
//! A newcomer gets wrong: Jira Cloud answers this call, too.

use crate::http::{Failure, FailureKind};
use crate::load::Server;
use crate::load::atlassian::{login, manifest};

use super::client::JiraClient;
use super::version::JiraVersion;
use super::wire::ServerInfo;

/// The version, and who we are where the server says so.
async fn server_info(client: &JiraClient) -> Result<(JiraVersion, ServerInfo, Option<String>), Failure> {
    let response = client.read(client.api("serverInfo", &[])).await?;
    let wrong = |found: String| response.failure(FailureKind::Misconfigured, found);
    if response.status == 404 {
        return Err(wrong("404, no Jira here".into())
            .hint("`base_url` is the address of Jira's start page, with its context path if it has one"));
    }
    if response.status != 200 {
        return Err(client.failed(&response));
    }
    let info: ServerInfo = response.json()?;
    if info.deployment_type.as_deref() == Some("Cloud") {
        return Err(wrong("this is Jira Cloud".into())
            .hint("Cloud takes pictures from the Atlassian account; avatarpipe writes to Data Center and Server"));
    }
    let version = JiraVersion::of(&info)
        .ok_or_else(|| response.failure(FailureKind::Odd, format!("the version `{}` cannot be read", info.version)))?;
    client.shared().learn(|known| {
        known.way.get_or_insert(version.way());
        known.version = Some(version.clone());
    });
    Ok((version, info, login::user(&response)))
}

/// Who answers there.
pub(super) async fn identify(client: &JiraClient) -> Result<Server, Failure> {
    let (version, info, user) = server_info(client).await?;
    let base = info.base_url.as_deref();
    let id = manifest::server_id(client.atlassian(), "Jira", &["jira"], base, user.as_deref()).await?;
    client.shared().learn(|known| known.server = Some(id.clone()));
    let address = Some(manifest::address(client.atlassian(), base));
    Ok(Server { id, address, product: format!("Jira {version}"), user })
}

/// The version, asked for unless [`identify`] has done so.
pub(super) async fn version(client: &JiraClient) -> Result<JiraVersion, Failure> {
    match client.shared().known().version {
        Some(version) => Ok(version),
        None => Ok(server_info(client).await?.0),
    }
}
