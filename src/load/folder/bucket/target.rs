//! A folder in a bucket as a target.
//!
//! Owns: who has an account there, and what each question of the trait is answered by.
//! Leaves to others: what stands for whom (`shared.rs`).
//! A newcomer gets wrong: a digest does not tell whose address it is of. It is the account's name, too, since an account on
//! record is known by it alone until the person who has it comes by.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::bucket::Objects;
use crate::http::{Counts, Failure, FailureKind, ObjectsWay};
use crate::load::account_filter::{AccountFilter, Life};
use crate::load::{Changes, Claim, Learnt, Probe, ProbeResult, Seen, Server, Session, Surveyed, Target, Tried, Upload};
use crate::model::{
    Account, AccountId, Digest, IntentKind, OpenIntent, Person, PictureRef, ServerId, SignedIn, Status, TargetId,
};
use crate::settings::{self, FolderNames};

use super::super::naming::Naming;
use super::super::session::WholeSession;
use super::in_bucket::InBucket;
use super::kept;
use super::shared::{BucketConnection, CONDITIONS};

/// Accounts that a survey hands over at once.
const PAGE: usize = 500;
/// The one way that pictures go.
const ROUTE: &str = "put";

/// A folder in a bucket.
pub(crate) struct BucketFolder {
    id: TargetId,
    /// As it stands in the file.
    url: String,
    server: ServerId,
    naming: Naming,
    accounts: AccountFilter,
    /// A store may be at a write so long after it was sent.
    quiet: Duration,
    shared: Arc<BucketConnection>,
}

impl BucketFolder {
    /// A target below this prefix; nothing is asked yet.
    pub(crate) fn new(
        target: &settings::Target,
        folder: &settings::FolderInBucket,
        way: ObjectsWay,
        pause: Duration,
    ) -> Result<Self, Failure> {
        let settings::FolderInBucket { bucket, names, cache } = folder;
        let Naming::Email(digest) = Naming::of(&target.matching, *names)? else {
            let found = "its objects are not named by a digest";
            return Err(Failure::new(FailureKind::Misconfigured, format!("using {}", bucket.url), found));
        };
        let objects = Objects::open(bucket, way.clone(), pause)?;
        Ok(Self {
            id: target.id.clone(),
            url: bucket.url.clone(),
            server: server_id(bucket, objects.account.as_deref(), *names),
            naming: Naming::Email(digest),
            accounts: AccountFilter::new(&target.accounts),
            quiet: target.quiet,
            shared: Arc::new(BucketConnection::new(
                objects,
                way,
                digest,
                format!("public, max-age={}", cache.as_secs()),
            )),
        })
    }

    /// `address`: whose digest it is, if that is known.
    fn account(&self, id: String, address: Option<String>, display_name: String) -> Account {
        let (shown, name) = (self.shared.shown(&id), id.clone());
        let id = AccountId::new(id);
        // Patterns are of addresses; a digest fits none.
        let standing = self.accounts.standing(&id, address.as_deref().unwrap_or(&name), Life::Active, true);
        Account { handle: None, standing, id, email: address, name, display_name, shown }
    }
}

/// The place, with the storage account if it has one, the store if it is not the vendor's own, and what names the objects: two
/// targets of one prefix that name them in two ways have nothing in common. Never with `://`, which is an address that stands
/// in for an id.
fn server_id(bucket: &settings::Bucket, account: Option<&str>, names: FolderNames) -> ServerId {
    let account = account.map(|account| format!("{account}/")).unwrap_or_default();
    let place = bucket.url.replace("://", &format!(":{account}"));
    let names = if names == FolderNames::EmailMd5 { "#md5" } else { "" };
    let host = bucket.endpoint.as_ref().and_then(|url| url.host_str()).map(|host| format!("@{host}"));
    ServerId::new(format!("bucket:{place}{}{names}", host.unwrap_or_default()))
}

#[async_trait]
impl Target for BucketFolder {
    fn id(&self) -> &TargetId {
        &self.id
    }

    async fn identify(&self) -> Result<Server, Failure> {
        Ok(Server { id: self.server.clone(), address: None, product: format!("folder {}", self.url), user: None })
    }

    async fn whoami(&self) -> Result<SignedIn, Failure> {
        let mut signed = SignedIn::of(format!("writer of {}", self.url));
        signed.needs("list the objects", self.shared.may_list().await?);
        signed.notes.push("whether objects may be written and removed there `auth --probe` tells".to_owned());
        Ok(signed)
    }

    fn recall(&self, recorded: Vec<(AccountId, PictureRef, Claim)>) {
        self.shared.recall(recorded.into_iter().map(|(account, ..)| account));
    }

    /// What is on record; people who have no picture yet come by [`Target::accounts_for`], to what the listing saw.
    async fn survey(
        &self,
        learnt: &mut Learnt,
        page: &mut (dyn FnMut(Vec<Account>) + Send),
    ) -> Result<Surveyed, Failure> {
        self.shared.list(learnt).await?;
        let known = self.shared.on_record();
        for known in known.chunks(PAGE) {
            page(known.iter().map(|id| self.account(id.clone(), None, id.clone())).collect());
        }
        Ok(Surveyed { accounts: known.len() as u64, ..Surveyed::default() })
    }

    async fn prepare(&self, _learnt: &mut Learnt, _probe: Option<Probe<'_>>) -> Result<Upload, Failure> {
        Ok(Upload { side: None, bytes: usize::MAX, route: ROUTE.into(), note: None })
    }

    /// Nobody's picture is touched, so that there is nothing to write down.
    async fn try_out(&self, _learnt: &mut Learnt, _probe: Probe<'_>) -> Result<Vec<Tried>, Failure> {
        let told = self.shared.try_out().await.map_or_else(ProbeResult::Fails, |()| ProbeResult::Works);
        Ok(vec![Tried { route: ROUTE.into(), told }])
    }

    fn follows_people(&self) -> bool {
        true
    }

    fn names_say_whose(&self) -> bool {
        false
    }

    async fn accounts_for(&self, person: &Person) -> Result<Vec<Account>, Failure> {
        let names = self.naming.names(person).into_iter();
        Ok(names.map(|name| self.account(self.naming.file(&name), Some(name), person.display_name.clone())).collect())
    }

    fn loses_what_it_replaces(&self) -> bool {
        true
    }

    async fn look(&self, account: &Account) -> Result<Option<Bytes>, Failure> {
        Ok(self.shared.read(account.id.as_str()).await?.map(|(bytes, _)| bytes))
    }

    async fn observe(&self, open: &OpenIntent, _account: Option<&Account>, now: u64) -> Result<Seen, Failure> {
        let ready = open.last_write().map_or(0, |at| at.saturating_add(self.quiet.as_secs()));
        if now < ready {
            return Ok(Seen::TooEarly(ready));
        }
        let (account, nothing) = (open.intent.account.as_str(), "an object is written whole or not at all");
        if !matches!(open.status, Status::Sent { .. }) {
            return Ok(Seen::Nothing(nothing.into()));
        }
        // The listing may be of before it was sent.
        let there = self.shared.read(account).await?;
        Ok(match (open.intent.kind, there) {
            (IntentKind::Revert, None) => Seen::Reset(None),
            (IntentKind::Replace, Some((bytes, mark))) if Some(Digest::of(&bytes)) == open.intent.rendition => {
                Seen::Shown(mark)
            }
            _ => Seen::Nothing(nothing.into()),
        })
    }

    async fn session(&self) -> Result<Session, Failure> {
        self.shared.expect_conditions().await?;
        Ok(Session::new(WholeSession(InBucket(Arc::clone(&self.shared)))))
    }

    fn forecast(&self, changes: &Changes) -> u64 {
        let puts = changes.replace + changes.replace_over_ours + changes.finish + changes.finish_over_ours;
        let reverts = changes.revert_made + changes.revert_adopted;
        let looks = changes.replace_over_ours * self.shared.looks_before_over();
        let samples = kept::samples(changes.replace + changes.replace_over_ours);
        CONDITIONS + puts + looks + changes.kept + 2 * reverts + changes.tidy + self.shared.pages() + samples
    }

    fn counts(&self) -> Counts {
        self.shared.counts()
    }
}
