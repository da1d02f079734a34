//! What stands in the bucket, and which accounts the state knows there.
//!
//! Owns: what all sessions share: the store, what the last listing saw, and that the store heeds conditions.
//! Leaves to others: when something is written (`session.rs`).
//! A newcomer gets wrong: an object whose name is no digest is nobody's account, and is never touched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::OnceCell;

use crate::bucket::{Condition, Objects, Put, Served, Tag, There};
use crate::http::{Counts, Failure, FailureKind, ObjectsWay};
use crate::load::Learnt;
use crate::model::{AccountId, PictureRef, Shown};

use super::super::naming::EmailDigest;
use super::kept::{self, Sent};

/// What the objects of accounts stand below.
const BELOW: &str = "avatar";
/// Says what made the objects beside it; and conditions are tried on it.
const MARKER: &str = "avatarpipe.json";
const MARKER_TEXT: &[u8] = b"{\"format\":1,\"made_by\":\"avatarpipe\"}\n";
/// A throw-away object, for `auth --probe`.
const PROBE: &str = "avatar/avatarpipe-probe";
/// What is larger is no picture that anybody shows.
const LARGEST: usize = 32 << 20;

/// Requests of [`BucketConnection::expect_conditions`].
pub(super) const CONDITIONS: u64 = 3;

/// What the sessions share.
pub(super) struct BucketConnection {
    objects: Objects,
    way: ObjectsWay,
    digest: EmailDigest,
    cache_control: String,
    /// Accounts on record.
    recorded: Mutex<BTreeSet<String>>,
    /// What the last listing saw, and was written since.
    stands: Mutex<BTreeMap<String, PictureRef>>,
    /// What was put there since.
    sent: Mutex<BTreeMap<String, Sent>>,
    /// How many pictures were.
    puts: AtomicU64,
    /// Objects that do not hold what was put there, each with the mark that it has so.
    spoilt: Mutex<BTreeMap<String, PictureRef>>,
    heeds: OnceCell<()>,
}

impl BucketConnection {
    pub(super) fn new(objects: Objects, way: ObjectsWay, digest: EmailDigest, cache_control: String) -> Self {
        Self {
            objects,
            way,
            digest,
            cache_control,
            recorded: Mutex::default(),
            stands: Mutex::default(),
            sent: Mutex::default(),
            puts: AtomicU64::default(),
            spoilt: Mutex::default(),
            heeds: OnceCell::new(),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        self.way.counts()
    }

    /// Takes which accounts the state knows, in place of what it knew before.
    pub(super) fn recall(&self, recorded: impl Iterator<Item = AccountId>) {
        let ids = recorded.map(|account| account.as_str().to_owned()).filter(|id| self.is_account(id));
        *lock(&self.recorded) = ids.collect();
    }

    /// Whether this may be an account's id: the state is input, too.
    pub(super) fn is_account(&self, id: &str) -> bool {
        self.digest.is_one(id)
    }

    /// The accounts on record.
    pub(super) fn on_record(&self) -> Vec<String> {
        lock(&self.recorded).iter().cloned().collect()
    }

    /// Lists what stands there, and looks at what may not be what this run put there.
    pub(super) async fn list(&self, learnt: &mut Learnt) -> Result<(), Failure> {
        let (mut stands, mut doubted) = (BTreeMap::new(), Vec::new());
        let mut markless = 0_u64;
        self.objects
            .list(BELOW, &mut |name, tag, bytes| match tag.word().map(PictureRef::new) {
                Some(mark) if self.is_account(name) => {
                    let doubt = lock(&self.sent).get(name).and_then(|sent| sent.doubt(&mark, bytes));
                    doubted.extend(doubt.map(|doubt| (name.to_owned(), doubt)));
                    stands.insert(name.to_owned(), mark);
                }
                None => markless += 1,
                Some(_) => {}
            })
            .await?;
        if markless > 0 {
            let tried = format!("list {}/{BELOW}", self.objects.url);
            let found = format!("{markless} objects have no ETag, without which nobody knows whose they are");
            return Err(Failure::new(FailureKind::Odd, tried, found));
        }
        let mut spoilt = kept::recall(learnt);
        // What this run put there it knows better.
        spoilt.retain(|account, mark| stands.get(account) == Some(mark) && !lock(&self.sent).contains_key(account));
        let found = self.look_at(&doubted, &stands).await?.into_iter();
        spoilt.extend(found.filter_map(|account| Some((account.clone(), stands.get(&account)?.clone()))));
        kept::learn(learnt, &spoilt);
        *lock(&self.spoilt) = spoilt;
        *lock(&self.stands) = stands;
        Ok(())
    }

    /// What this run put there.
    pub(super) fn was_sent(&self, account: &str) -> Option<Sent> {
        lock(&self.sent).get(account).cloned()
    }

    /// Those of which a listing saw what this run put there.
    pub(super) fn sent_as(&self, stands: &BTreeMap<String, PictureRef>) -> Vec<String> {
        let sent = lock(&self.sent);
        sent.iter()
            .filter(|(account, sent)| stands.get(*account) == Some(&sent.mark))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Requests of a listing of the accounts that stand there.
    pub(super) fn pages(&self) -> u64 {
        self.objects.pages_of(lock(&self.stands).len() as u64)
    }

    /// Requests before a put over something.
    pub(super) fn looks_before_over(&self) -> u64 {
        self.objects.looks_before_over()
    }

    /// What the last listing saw there.
    pub(super) fn shown(&self, account: &str) -> Shown {
        let Some(mark) = self.stands(account) else { return Shown::Default };
        let is_spoilt = lock(&self.spoilt).get(account) == Some(&mark);
        Shown::Custom(if is_spoilt { kept::spoilt(&mark) } else { mark })
    }

    /// The mark of what the last listing saw there, or was written since.
    pub(super) fn stands(&self, account: &str) -> Option<PictureRef> {
        lock(&self.stands).get(account).cloned()
    }

    pub(super) fn note(&self, account: &str, mark: Option<&PictureRef>) {
        let mut stands = lock(&self.stands);
        match mark {
            Some(mark) => stands.insert(account.to_owned(), mark.clone()),
            None => stands.remove(account),
        };
    }

    /// Which bytes stand there now.
    pub(super) async fn mark(&self, account: &str) -> Result<Option<PictureRef>, Failure> {
        Ok(self.objects.head(&name(account)).await?.and_then(|tag| tag.word()).map(PictureRef::new))
    }

    /// What stands there now, with the mark of these very bytes.
    pub(super) async fn read(&self, account: &str) -> Result<Option<(Bytes, PictureRef)>, Failure> {
        match self.objects.get_up_to(&name(account), LARGEST).await? {
            There::Nothing => Ok(None),
            There::Object(object) => Ok(object.tag.word().map(|mark| (object.bytes, PictureRef::new(mark)))),
            There::Larger => {
                let tried = format!("read {}/{}", self.objects.url, name(account));
                Err(Failure::new(FailureKind::Odd, tried, format!("it is larger than {LARGEST} bytes, and no picture")))
            }
        }
    }

    /// Puts a picture there, if what the plan saw is what stands there. `None`: something else does, and nothing was
    /// written.
    pub(super) async fn put(
        &self,
        account: &str,
        stood: Option<&PictureRef>,
        bytes: &Bytes,
        media_type: &'static str,
    ) -> Result<Option<PictureRef>, Failure> {
        let condition = stood.map_or(Condition::New, |mark| Condition::Over(Tag::of_word(mark.as_str())));
        let served = Served::new(media_type, &self.cache_control);
        match self.objects.put_served(&name(account), bytes.clone(), &condition, &served).await? {
            Put::Conflict => Ok(None),
            Put::Done(tag) => match tag.word() {
                Some(mark) => {
                    let mark = PictureRef::new(mark);
                    let nth = self.puts.fetch_add(1, Ordering::Relaxed);
                    lock(&self.sent).insert(account.to_owned(), Sent::new(mark.clone(), bytes, nth));
                    Ok(Some(mark))
                }
                None => {
                    let tried = format!("write {}/{}", self.objects.url, name(account));
                    Err(Failure::new(FailureKind::Odd, tried, "the answer has no ETag"))
                }
            },
        }
    }

    /// Takes an object away; one that is gone already is as good.
    pub(super) async fn delete(&self, account: &str) -> Result<(), Failure> {
        self.objects.delete(&name(account)).await
    }

    /// Some stores speak S3 and pass conditions over in silence: there a picture could be written over that nobody saw. Once
    /// in a run, before its first write.
    pub(super) async fn expect_conditions(&self) -> Result<(), Failure> {
        self.heeds.get_or_try_init(|| self.try_conditions()).await.copied()
    }

    async fn try_conditions(&self) -> Result<(), Failure> {
        let marker = Bytes::from_static(MARKER_TEXT);
        // The first makes it where there is none, and is refused where there is one.
        self.objects.refuses(MARKER, marker.clone(), &Condition::New).await?;
        if self.objects.heeds_conditions(MARKER, &marker).await? {
            return Ok(());
        }
        let found =
            "the store writes an object though the condition for it (`If-None-Match`, `If-Match`) does not hold";
        let failure = Failure::new(FailureKind::Misconfigured, format!("write to {}", self.objects.url), found);
        Err(failure.hint("take a store that heeds conditions: without them a picture could be lost"))
    }

    /// Whether we may list, as far as the store says.
    pub(super) async fn may_list(&self) -> Result<bool, Failure> {
        match self.objects.first_page(BELOW).await {
            Ok(()) => Ok(true),
            Err(failure) if failure.kind == FailureKind::Refused => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Puts a throw-away object there and takes it away. An earlier one that was left is ours by its name.
    pub(super) async fn try_out(&self) -> Result<(), Failure> {
        self.expect_conditions().await?;
        let text = Bytes::from_static(b"avatarpipe tries whether it may write here\n");
        self.objects.put(PROBE, text, &Condition::New).await?;
        self.objects.delete(PROBE).await
    }
}

/// The object of an account.
fn name(account: &str) -> String {
    format!("{BELOW}/{account}")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
