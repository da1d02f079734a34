//! A static copy: one picture a person in a folder, and an index of them.
//!
//! Owns: which file stands for whom, and whether it is what the state says.
//! Leaves to others: which people are wanted there (`plan`), how a file gets there whole (`files.rs`).
//! A newcomer gets wrong: the folder has no accounts of its own. `match` names the files, and whoever has a name has an
//! account; so has every picture on record, whoever it was for. The account's id is the safe form of its name.

mod files;
mod index;
mod names;
mod session;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::http::{Counts, Failure, FailureKind};
use crate::load::account_filter::{AccountFilter, Life};
use crate::load::{Changes, Claim, Fingerprinter, Learnt, Probe, Seen, Server, Session, Surveyed, Target, Upload};
use crate::model::{
    Account, AccountId, Digest, IntentKind, OpenIntent, Person, PersonKey, PictureRef, ServerId, Shown, SignedIn,
    Status, TargetId,
};
use crate::settings::Accounts;

use files::{Files, Standing};
use session::FolderSession;

/// Accounts that a survey hands over at once.
const PAGE: usize = 500;

/// A `folder` target of the pipeline file, resolved.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The `id` in the pipeline file.
    pub id: TargetId,
    /// The folder as the file names it; made when the first picture is placed.
    pub path: PathBuf,
    /// How the files are named: `match` of the pipeline file.
    pub naming: Naming,
    /// Which names are written to.
    pub accounts: Accounts,
    /// What is written again.
    pub repair: Repair,
}

/// How a person's file is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// After the first of these keys that the person has.
    Keys(Vec<PersonKey>),
    /// After the name that a list has for one of the person's keys.
    Map {
        /// The key.
        person: PersonKey,
        /// Its values, in their compared form, and the name of each.
        names: BTreeMap<String, String>,
    },
}

impl Naming {
    fn names(&self, person: &Person) -> Vec<String> {
        match self {
            Self::Keys(keys) => {
                keys.iter().find_map(|key| person.values(*key).next()).map(str::to_owned).into_iter().collect()
            }
            // Several make the person ambiguous, which is for matching to say.
            Self::Map { person: key, names } => {
                person.values(*key).filter_map(|value| names.get(value)).cloned().collect()
            }
        }
    }
}

/// Which files in the place of a picture of ours are written again, though they do not hold what the state says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repair {
    /// All: `ownership: provider`.
    Everything,
    /// What cannot be decoded: `ownership: ours`. A picture may be somebody's choice.
    Damage,
}

/// A folder of pictures.
pub(crate) struct Folder {
    settings: Settings,
    rules: AccountFilter,
    shared: Arc<Shared>,
}

/// What the sessions share.
struct Shared {
    files: Files,
    repair: Repair,
    looks: Arc<dyn Fingerprinter>,
    /// What the state says, by account: the picture there, and what may be there of a write that is open.
    recorded: Mutex<BTreeMap<String, Vec<(PictureRef, Claim)>>>,
    /// What was seen there last, by account.
    stands: Mutex<BTreeMap<String, Standing>>,
}

impl Shared {
    /// What stands for an account, and is noted: the recorded picture before any other.
    fn standing(&self, account: &str) -> std::io::Result<Option<Standing>> {
        let all = self.files.standing(account)?;
        let found = all.iter().find(|found| self.is_recorded(account, found)).or_else(|| all.first()).cloned();
        self.note(account, found.clone());
        Ok(found)
    }

    fn note(&self, account: &str, standing: Option<Standing>) {
        let mut stands = lock(&self.stands);
        match standing {
            Some(standing) => stands.insert(account.to_owned(), standing),
            None => stands.remove(account),
        };
    }

    fn is_recorded(&self, account: &str, found: &Standing) -> bool {
        lock(&self.recorded).get(account).is_some_and(|marks| marks.iter().any(|(mark, _)| *mark == found.mark()))
    }

    fn shown(&self, account: &str) -> Shown {
        match self.standing(account) {
            Ok(None) => Shown::Default,
            Ok(Some(found)) if self.is_spoilt(account, &found) => Shown::Custom(PictureRef::spoilt(&found.digest)),
            Ok(Some(found)) => Shown::Custom(found.mark()),
            Err(error) => Shown::Unknown(error.to_string()),
        }
    }

    fn is_spoilt(&self, account: &str, found: &Standing) -> bool {
        let placed = |marks: &Vec<(PictureRef, Claim)>| marks.iter().any(|(_, claim)| *claim == Claim::Placed);
        if !lock(&self.recorded).get(account).is_some_and(placed) || self.is_recorded(account, found) {
            return false;
        }
        let is_picture =
            || self.files.read(&found.file).ok().flatten().and_then(|bytes| self.looks.luma(&bytes)).is_some();
        self.repair == Repair::Everything || !is_picture()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Folder {
    /// A target in this folder.
    pub(crate) fn new(settings: Settings, looks: Arc<dyn Fingerprinter>) -> Result<Self, Failure> {
        let shared = Shared {
            files: Files::new(settings.path.clone()),
            repair: settings.repair,
            looks,
            recorded: Mutex::default(),
            stands: Mutex::default(),
        };
        Ok(Self { rules: AccountFilter::new(&settings.accounts)?, settings, shared: Arc::new(shared) })
    }

    fn account(&self, id: String, name: String, display_name: String) -> Account {
        let shown = self.shared.shown(&id);
        let id = AccountId::new(id);
        Account {
            handle: None,
            standing: self.rules.standing(&id, &name, Life::Active, true),
            id,
            // Where `match` names files by addresses.
            email: name.contains('@').then(|| name.clone()),
            name,
            display_name,
            shown,
        }
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

    fn recall(&self, recorded: Vec<(AccountId, PictureRef, Claim)>) {
        let mut known: BTreeMap<String, Vec<(PictureRef, Claim)>> = BTreeMap::new();
        for (account, mark, claim) in recorded {
            // The state is input, too: what is no safe form names no file.
            if names::name_of(account.as_str()).is_some() {
                known.entry(account.as_str().to_owned()).or_default().push((mark, claim));
            }
        }
        *lock(&self.shared.recorded) = known;
    }

    /// What is on record; people who have no picture yet come by [`Target::accounts_for`].
    async fn survey(
        &self,
        _learnt: &mut Learnt,
        page: &mut (dyn FnMut(Vec<Account>) + Send),
    ) -> Result<Surveyed, Failure> {
        if tokio::fs::metadata(&self.settings.path).await.is_ok_and(|found| !found.is_dir()) {
            let tried = format!("looking at {}", self.settings.path.display());
            return Err(Failure::new(FailureKind::Misconfigured, tried, "it is no folder").hint("see `path`"));
        }
        index::check(&self.shared.files)?;
        let name = |id: &String| names::name_of(id).map(|name| (id.clone(), name));
        let known: Vec<_> = lock(&self.shared.recorded).keys().filter_map(name).collect();
        for known in known.chunks(PAGE) {
            page(known.iter().map(|(id, name)| self.account(id.clone(), name.clone(), name.clone())).collect());
        }
        Ok(Surveyed { accounts: known.len() as u64, default: None, notes: Vec::new() })
    }

    async fn prepare(&self, _learnt: &mut Learnt, _probe: Option<Probe<'_>>) -> Result<Upload, Failure> {
        Ok(Upload { side: None, bytes: usize::MAX, route: "file".into(), note: None })
    }

    fn follows_people(&self) -> bool {
        true
    }

    async fn accounts_for(&self, person: &Person) -> Result<Vec<Account>, Failure> {
        let names = self.settings.naming.names(person).into_iter();
        Ok(names.map(|name| self.account(names::safe_name(&name), name, person.display_name.clone())).collect())
    }

    async fn finish(&self) -> Result<(), Failure> {
        let files = &self.shared.files;
        files.sweep().await;
        files.settle().await?;
        // Made from the state: what is on record and stands there.
        let mut pictures = lock(&self.shared.stands).clone();
        pictures.retain(|account, found| self.shared.is_recorded(account, found));
        index::write(files, pictures.iter().map(|(name, standing)| (name.as_str(), standing))).await?;
        files.settle().await
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
        let written = |digest: &Digest| stands.iter().find(|found| found.digest == *digest).map(Standing::mark);
        Ok(match (&open.status, open.intent.kind) {
            (Status::Sent { .. }, IntentKind::Replace) => match open.intent.rendition.as_ref().and_then(written) {
                Some(mark) => Seen::Shown(mark),
                None => Seen::Nothing("a file is replaced whole or not at all".into()),
            },
            (Status::Sent { .. }, IntentKind::Revert) if stands.is_empty() => Seen::Reset(None),
            _ => Seen::Nothing("a file is replaced whole or not at all".into()),
        })
    }

    async fn session(&self) -> Result<Box<dyn Session>, Failure> {
        Ok(Box::new(FolderSession::new(Arc::clone(&self.shared))))
    }

    fn forecast(&self, _changes: &Changes) -> u64 {
        0
    }

    fn counts(&self) -> Counts {
        Counts::default()
    }
}

#[cfg(test)]
mod tests;
