//! A static copy: one picture a person in a folder, and an index of them.
//!
//! Owns: which file stands for whom.
//! Leaves to others: which people are wanted there (`plan`), how a file gets there whole (`files.rs`).
//! A newcomer gets wrong: the folder has no accounts of its own. Every person in scope has one, named after the mail
//! address, and what it shows is whatever file stands there, indexed or not.

mod files;
mod index;
mod session;

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::http::{Counts, Failure};
use crate::load::{Changes, Learnt, Probe, Seen, Server, Session, Surveyed, Target, Upload};
use crate::model::{
    Account, AccountId, AccountStanding, IntentKind, OpenIntent, Person, PersonKey, ServerId, Shown, SignedIn, Status,
    TargetId,
};

use files::Files;
use index::Index;
use session::FolderSession;

/// Accounts that a survey hands over at once.
const PAGE: usize = 500;

/// A `folder` target of the pipeline file, resolved.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `id` in the pipeline file.
    pub id: TargetId,
    /// The folder as the file names it; made when the first picture is placed.
    pub path: PathBuf,
}

/// A folder of pictures.
pub struct Folder {
    settings: Settings,
    shared: Arc<Shared>,
}

/// What the sessions share.
struct Shared {
    files: Files,
    index: Index,
}

impl Folder {
    /// A target in this folder.
    pub fn new(settings: Settings) -> Self {
        let shared = Shared { files: Files::new(settings.path.clone()), index: Index::default() };
        Self { settings, shared: Arc::new(shared) }
    }

    /// What stands under a name now. It is noted, so that the index is whole again after a run that was killed before
    /// writing it.
    async fn shown(&self, name: &str) -> Result<Shown, Failure> {
        self.shared.index.load(&self.shared.files).await?;
        let standing = self.shared.files.standing(name).await?;
        let shown = standing.as_ref().map_or(Shown::Default, |found| Shown::Custom(found.mark()));
        self.shared.index.note(name, standing);
        Ok(shown)
    }
}

#[async_trait]
impl Target for Folder {
    fn id(&self) -> &TargetId {
        &self.settings.id
    }

    async fn identify(&self, _learnt: &mut Learnt) -> Result<Server, Failure> {
        // The path as written: an absolute one would differ from one CI job to the next.
        let path = self.settings.path.display();
        Ok(Server { id: ServerId::new(format!("folder:{path}")), product: format!("folder {path}"), user: None })
    }

    async fn whoami(&self) -> Result<SignedIn, Failure> {
        let path = &self.settings.path;
        let mut signed = SignedIn::of(format!("writer of {}", path.display()));
        match tokio::fs::metadata(path).await {
            Ok(found) => signed.needs("write", found.is_dir() && !found.permissions().readonly()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                signed.notes.push("the folder is made when the first picture is placed".to_owned());
            }
            Err(error) => return Err(self.shared.files.failed("looking at", "", &error)),
        }
        Ok(signed)
    }

    /// What the index names; people who are not in it come by [`Target::account_for`].
    async fn survey(
        &self,
        _learnt: &mut Learnt,
        page: &mut (dyn FnMut(Vec<Account>) + Send),
    ) -> Result<Surveyed, Failure> {
        let names = self.shared.index.names(&self.shared.files).await?;
        for names in names.chunks(PAGE) {
            let mut accounts = Vec::with_capacity(names.len());
            for name in names {
                accounts.push(account(name, None, name, self.shown(name).await?));
            }
            page(accounts);
        }
        Ok(Surveyed { accounts: names.len() as u64, default: None, notes: Vec::new() })
    }

    async fn prepare(&self, _learnt: &mut Learnt, _probe: Option<Probe<'_>>) -> Result<Upload, Failure> {
        Ok(Upload { side: None, bytes: usize::MAX, route: "file".into(), note: None })
    }

    fn follows_people(&self) -> bool {
        true
    }

    async fn account_for(&self, person: &Person) -> Result<Option<Account>, Failure> {
        let keys = [PersonKey::EmailLocal, PersonKey::UpnLocal, PersonKey::Id];
        let Some(name) = keys.into_iter().find_map(|key| person.values(key).next()) else { return Ok(None) };
        let name = files::safe_name(name);
        let shown = self.shown(&name).await?;
        let email = person.values(PersonKey::Email).next().map(str::to_owned);
        Ok(Some(account(&name, email, &person.display_name, shown)))
    }

    async fn finish(&self) -> Result<(), Failure> {
        self.shared.index.write(&self.shared.files).await
    }

    async fn look(&self, account: &Account) -> Result<Option<Bytes>, Failure> {
        match self.shared.files.standing(&account.name).await? {
            Some(standing) => self.shared.files.read(&standing.file).await,
            None => Ok(None),
        }
    }

    async fn observe(&self, open: &OpenIntent, _account: Option<&Account>, _now: u64) -> Result<Seen, Failure> {
        let stands = self.shared.files.standing(&open.intent.account_name).await?;
        Ok(match (&open.status, open.intent.kind, stands) {
            (Status::Sent { .. }, IntentKind::Replace, Some(found)) if open.intent.rendition == Some(found.digest) => {
                Seen::Shown(found.mark())
            }
            (Status::Sent { .. }, IntentKind::Revert, None) => Seen::Reset(None),
            _ => Seen::Nothing("a file is replaced whole or not at all".into()),
        })
    }

    async fn session(&self) -> Result<Box<dyn Session>, Failure> {
        self.shared.index.load(&self.shared.files).await?;
        Ok(Box::new(FolderSession::new(Arc::clone(&self.shared))))
    }

    fn forecast(&self, _changes: &Changes) -> u64 {
        0
    }

    fn counts(&self) -> Counts {
        Counts::default()
    }
}

fn account(name: &str, email: Option<String>, display_name: &str, shown: Shown) -> Account {
    Account {
        handle: None,
        id: AccountId::new(name),
        name: name.to_owned(),
        email,
        display_name: display_name.to_owned(),
        standing: AccountStanding::Active,
        shown,
    }
}

#[cfg(test)]
mod tests;
