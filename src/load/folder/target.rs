//! A folder as a target.
//!
//! Owns: who has an account there, and what each question of the trait is answered by.
//! Leaves to others: what stands for whom (`shared.rs`).
//! A newcomer gets wrong: the survey lists what is on record; people who have no picture yet are asked for one by one.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::http::{Counts, Failure, FailureKind};
use crate::load::account_filter::{AccountFilter, Life};
use crate::load::{Changes, Claim, Fingerprinter, Learnt, Probe, Seen, Server, Session, Surveyed, Target, Upload};
use crate::model::{
    Account, AccountId, Digest, IntentKind, MediaType, OpenIntent, Person, PictureRef, ServerId, SignedIn, Status,
    TargetId,
};
use crate::settings;

use super::files::{PictureFiles, StandingPicture};
use super::index;
use super::naming::Naming;
use super::on_disk::OnDisk;
use super::session::WholeSession;
use super::shared::FolderConnection;

/// Accounts that a survey hands over at once.
const PAGE: usize = 500;
/// Writes at the same time: with so many a commit of the journal or the disk's is no part of what a picture costs.
const SIDE_BY_SIDE: usize = 64;

/// A folder of pictures.
pub(crate) struct Folder {
    id: TargetId,
    /// As the file names it; made when the first picture is placed.
    path: PathBuf,
    naming: Naming,
    accounts: AccountFilter,
    shared: Arc<FolderConnection>,
}

impl Folder {
    /// A target in this folder.
    pub(crate) fn new(
        target: &settings::Target,
        folder: &settings::FolderTarget,
        looks: Arc<dyn Fingerprinter>,
    ) -> Result<Self, Failure> {
        let path = folder.path.clone();
        let shared = FolderConnection::new(PictureFiles::new(path.clone()), target.ownership.value, looks);
        Ok(Self {
            id: target.id.clone(),
            path,
            naming: Naming::of(&target.matching, folder.names)?,
            accounts: AccountFilter::new(&target.accounts),
            shared: Arc::new(shared),
        })
    }

    fn account(&self, id: String, name: String, display_name: String) -> Account {
        let shown = self.shared.shown(&id);
        let id = AccountId::new(id);
        Account {
            handle: None,
            standing: self.accounts.standing(&id, &name, Life::Active, true),
            // Where `match` names files by addresses, or the file is named by the digest of one.
            email: name.contains('@').then(|| name.clone()),
            // What is on record is known by the digest alone, and keeps its name.
            name: if self.naming.is_digest() { id.as_str().to_owned() } else { name },
            id,
            display_name,
            shown,
        }
    }
}

#[async_trait]
impl Target for Folder {
    fn id(&self) -> &TargetId {
        &self.id
    }

    async fn identify(&self) -> Result<Server, Failure> {
        // The path as written: an absolute one would differ from one CI job to the next.
        let path = self.path.display();
        let id = ServerId::of_folder(&path.to_string());
        Ok(Server { id, address: None, product: format!("folder {path}"), user: None })
    }

    async fn whoami(&self) -> Result<SignedIn, Failure> {
        let path = &self.path;
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

    fn recall(&self, recorded: Vec<(AccountId, PictureRef, Claim)>) {
        self.shared.recall(recorded);
    }

    /// What is on record; people who have no picture yet come by [`Target::accounts_for`].
    async fn survey(
        &self,
        _learnt: &mut Learnt,
        page: &mut (dyn FnMut(Vec<Account>) + Send),
    ) -> Result<Surveyed, Failure> {
        if tokio::fs::metadata(&self.path).await.is_ok_and(|found| !found.is_dir()) {
            let tried = format!("looking at {}", self.path.display());
            return Err(Failure::new(FailureKind::Misconfigured, tried, "it is no folder").hint("see `path`"));
        }
        index::check(&self.shared.files)?;
        let known = self.shared.on_record();
        for known in known.chunks(PAGE) {
            page(known.iter().map(|(id, name)| self.account(id.clone(), name.clone(), name.clone())).collect());
        }
        // A run writes the index last, and leaves none where it wrote nothing.
        let lost = !known.is_empty() && !index::is_there(&self.shared.files);
        let gone =
            || format!("{} has no index.json any more: what is missing there is written again", self.path.display());
        Ok(Surveyed { accounts: known.len() as u64, default: None, notes: lost.then(gone).into_iter().collect(), lost })
    }

    async fn prepare(&self, _learnt: &mut Learnt, _probe: Option<Probe<'_>>) -> Result<Upload, Failure> {
        Ok(Upload { side: None, bytes: usize::MAX, route: "file".into(), note: None })
    }

    fn side_by_side(&self) -> Option<usize> {
        Some(SIDE_BY_SIDE)
    }

    fn follows_people(&self) -> bool {
        true
    }

    fn names_say_whose(&self) -> bool {
        !self.naming.is_digest()
    }

    async fn accounts_for(&self, person: &Person) -> Result<Vec<Account>, Failure> {
        let names = self.naming.names(person).into_iter();
        Ok(names.map(|name| self.account(self.naming.file(&name), name, person.display_name.clone())).collect())
    }

    async fn finish(&self) -> Result<(), Failure> {
        let files = &self.shared.files;
        files.sweep().await;
        files.settle().await?;
        // Made from the state, and not from what it says itself.
        let pictures = self.shared.confirmed();
        index::write(files, pictures.iter().map(|(name, standing)| (name.as_str(), standing))).await?;
        files.settle().await
    }

    fn keeps_no_earlier_picture(&self) -> Option<&'static str> {
        Some("a folder keeps no earlier file")
    }

    fn loses_what_it_replaces(&self) -> bool {
        true
    }

    fn goes_beside(&self, account: &Account, form: MediaType) -> Option<String> {
        let standing = self.shared.noted(account.id.as_str())?;
        let ending = standing.file.rsplit_once('.').map(|(_, ending)| ending);
        (ending != Some(form.ending())).then_some(standing.file)
    }

    async fn look(&self, account: &Account) -> Result<Option<Bytes>, Failure> {
        let odd = |error: std::io::Error| Failure::new(FailureKind::Odd, "looking at a picture", error.to_string());
        match self.shared.standing(account.id.as_str()).map_err(odd)? {
            Some(standing) => self.shared.files.read(&standing.file).map_err(odd),
            None => Ok(None),
        }
    }

    async fn observe(&self, open: &OpenIntent, _account: Option<&Account>, _now: u64) -> Result<Seen, Failure> {
        let Ok(stands) = self.shared.files.standing(open.intent.account.as_str()) else {
            return Ok(Seen::Unsure("what stands there is no file".into()));
        };
        let written = |digest: &Digest| stands.iter().find(|found| found.digest == *digest).map(StandingPicture::mark);
        Ok(match (&open.status, open.intent.kind) {
            (Status::Sent { .. }, IntentKind::Replace) => match open.intent.rendition.as_ref().and_then(written) {
                Some(mark) => Seen::Shown(mark),
                None => Seen::Nothing("a file is replaced whole or not at all".into()),
            },
            (Status::Sent { .. }, IntentKind::Revert) if stands.is_empty() => Seen::Reset(None),
            _ => Seen::Nothing("a file is replaced whole or not at all".into()),
        })
    }

    async fn session(&self) -> Result<Session, Failure> {
        Ok(Session::new(WholeSession(OnDisk(Arc::clone(&self.shared)))))
    }

    fn forecast(&self, _changes: &Changes) -> u64 {
        0
    }

    fn counts(&self) -> Counts {
        Counts::default()
    }
}
