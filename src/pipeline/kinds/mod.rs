//! The kinds of source and target: one line each.
//!
//! Owns: the word that stands in the file. Leaves to others: the keys below it (one file a kind).
//! A newcomer gets wrong: the order is that of the schema and of the words that a fault lists.

mod bitbucket;
mod confluence;
mod entra;
mod folder_source;
mod folder_target;
mod google;
mod jira;

use crate::pipeline::declare::kinds;
use crate::pipeline::source::SourceSettings;
use crate::pipeline::target::TargetSettings;

pub(super) use bitbucket::BY_TOKEN;
pub(super) use entra::{EntraEndpoints, ManagedIdentity};
pub(super) use google::{EmailAddress, ExternalAccountFile, GoogleEndpoints, PoolProvider};

kinds! {
    /// Where people and photos come from.
    SourceElement as SourceSettings {
        /// Microsoft Entra ID, through Microsoft Graph.
        "entra" => Entra(entra::Entra),
        /// Google Workspace or Cloud Identity, through the Directory API.
        "google" => Google(google::Google),
        /// A folder with `people.csv` and pictures: an HR share, or a way to try things without a provider.
        "folder" => Folder(folder_source::FolderSource),
    }
}

kinds! {
    /// Where pictures go.
    TargetElement as TargetSettings {
        /// Jira Data Center.
        "jira" => Jira(jira::Jira),
        /// Confluence Data Center.
        "confluence" => Confluence(confluence::Confluence),
        /// Bitbucket Data Center.
        "bitbucket" => Bitbucket(bitbucket::Bitbucket),
        /// A static copy: `NAME.png` and `index.json`.
        "folder" => Folder(folder_target::FolderTarget),
    }
}
