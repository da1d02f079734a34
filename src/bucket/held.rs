//! Having the lease: keeping it, writing under it, giving it back.
//!
//! Owns: when a lease of ours counts as lost. Leaves to others: taking it (`taking`), what each object holds (`lease`,
//! `segment`, `chain`), when it is renewed (`run`).
//! A newcomer gets wrong: our own clock is only ever a reason to stop earlier.

use std::path::Path;
use std::sync::{Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use bytes::Bytes;
use tokio::sync::Mutex;

use super::chain::{self, Read, Replica};
use super::connect::Bucket;
use super::error::BucketError;
use super::lease::{self, Base, Lease, Reached, Tail};
use super::objects::{Clock, Condition, Put, Tag};
use super::segment;
use super::served::Served;
use crate::http::Traffic;

/// So much is written into the lease, whatever the size of the snapshot.
const LITTLE: u64 = 16 << 10;

/// More than that never is: the lease is written again and again.
const MUCH: u64 = 64 << 10;

/// The lease, while it is ours. Shared by reference.
#[derive(Debug)]
pub(crate) struct Held {
    pub(super) bucket: Bucket,
    pub(super) run: String,
    pub(super) fence: u64,
    pub(super) lease: Mutex<(Lease, Tag)>,
    pub(super) chain: Mutex<Read>,
    pub(super) renewed: StdMutex<Renewed>,
    pub(super) lost: StdMutex<Option<BucketError>>,
}

/// What goes into the lease when it is given back.
#[derive(Debug)]
pub(crate) struct Packed(Tail);

/// When the lease was last written, never later than it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Renewed {
    here: Instant,
    /// Of this machine, too, which goes on while the machine sleeps.
    wall: SystemTime,
    there: Option<SystemTime>,
}

impl Renewed {
    /// Before it is written.
    pub(super) fn now(clock: &Clock) -> Self {
        Self { here: Instant::now(), wall: SystemTime::now(), there: clock() }
    }
}

impl Held {
    /// How often it is renewed.
    pub(crate) fn interval(&self) -> Duration {
        self.bucket.lease / 3
    }

    /// What went to the store and came from it.
    pub(crate) fn traffic(&self) -> Traffic {
        self.bucket.objects.traffic()
    }

    /// How far the lease has come.
    pub(crate) fn reached(&self) -> Option<Reached> {
        self.bucket.reached()
    }

    /// As it stands in the pipeline file.
    pub(crate) fn url(&self) -> &str {
        &self.bucket.objects.url
    }

    /// Makes a commit durable. It is so once this says yes; after a no, or no answer, nothing more can be written.
    pub(crate) async fn append(&self, commit: &[u8]) -> Result<(), BucketError> {
        let mut chain = self.chain.lock().await;
        self.sure()?;
        let name = segment::name(chain.next);
        let packed = segment::pack(chain.next, self.fence, &self.run, commit)
            .map_err(|error| self.lose(chain::local(&error)))?;
        match self.bucket.objects.put(&name, packed, &Condition::New).await {
            Ok(Put::Done(_)) => {}
            Ok(Put::Conflict) => return Err(self.lose(self.lost(format!("`{name}` was written by somebody else")))),
            Err(failure) => return Err(self.lose(failure)),
        }
        chain.next += 1;
        // It may have taken long to arrive.
        self.sure()
    }

    /// Writes the lease once more, so that it stays ours.
    pub(crate) async fn renew(&self) -> Result<(), BucketError> {
        self.sure()?;
        let mut kept = self.lease.lock().await;
        let mut lease = kept.0.again();
        // A commit that is under way is no reason to wait with it.
        if let Ok(chain) = self.chain.try_lock() {
            lease.appended = chain.next;
        }
        self.write(&mut kept, lease).await
    }

    /// Whether the lease is surely ours yet: whatever is sent next, nobody else can have been let in before.
    pub(crate) fn sure(&self) -> Result<(), BucketError> {
        if let Some(lost) = &*lock(&self.lost) {
            return Err(lost.clone());
        }
        let renewed = *lock(&self.renewed);
        let surely = self.bucket.lease * 4 / 5;
        let now = (self.bucket.objects.clock)();
        let there = now.zip(renewed.there).and_then(|(now, then)| now.duration_since(then).ok()).unwrap_or_default();
        let age = renewed.here.elapsed().max(renewed.wall.elapsed().unwrap_or_default()).max(there);
        if age >= surely {
            return Err(self.lose(self.lost(format!("it was last renewed {} ago", words(age)))));
        }
        Ok(())
    }

    /// Everything that was written since the snapshot, for the lease; `None`: it is worth a snapshot.
    pub(crate) async fn tail(&self, since: &[u8]) -> Result<Option<Packed>, BucketError> {
        let next = self.chain.lock().await.next;
        let packed = segment::pack(next, self.fence, &self.run, since).map_err(|error| chain::local(&error))?;
        let room = self.lease.lock().await.0.base.as_ref().map_or(0, |base| (base.bytes / 4).clamp(LITTLE, MUCH));
        Ok((packed.len() as u64 <= room).then(|| Packed(Tail { next, segment: BASE64.encode(packed) })))
    }

    /// Makes a file the snapshot from which the state goes on: it holds all that was appended. What only the snapshot
    /// before the last one needed goes.
    pub(crate) async fn publish(&self, file: &Path) -> Result<(), BucketError> {
        let mut chain = self.chain.lock().await;
        self.sure()?;
        // One name for one snapshot: what was written since it may be in no segment.
        let taken = self.lease.lock().await.0.base.as_ref().is_some_and(|base| base.next == chain.next);
        let next = chain.next + u64::from(taken);
        let snapshot = format!("snapshots/{next:012}-{}.db", self.fence);
        let (bytes, digest) = self.upload(&snapshot, file).await?;
        let mut kept = self.lease.lock().await;
        let former = kept.0.base.clone();
        let kept_from = self.clear(former.as_ref(), kept.0.shut).await;
        let base = Base { snapshot, bytes, digest, next, kept_from, former: former.map(|former| former.snapshot) };
        let lease = Lease { base: Some(base), tail: None, appended: next, ..kept.0.again() };
        // Where nobody knows whether it was written, nobody knows which number is the next.
        self.write(&mut kept, lease).await.map_err(|error| if taken { self.lose(error) } else { error })?;
        chain.next = next;
        Ok(())
    }

    /// As [`Held::publish`], and nothing that stood there before is left.
    pub(crate) async fn publish_alone(&self, file: &Path) -> Result<(), BucketError> {
        self.publish(file).await?;
        let mut kept = self.lease.lock().await;
        let Some(base) = kept.0.base.clone() else { return Ok(()) };
        let objects = &self.bucket.objects;
        if let Some(former) = &base.former {
            objects.delete(former).await?;
        }
        // Nothing but a number stands in the one that is in somebody's way.
        for number in (base.kept_from..base.next).filter(|number| Some(*number) != kept.0.shut) {
            objects.delete(&segment::name(number)).await?;
        }
        for copy in &kept.0.copies {
            objects.delete(copy).await?;
        }
        let base = Base { former: None, kept_from: base.next, ..base };
        let lease = Lease { base: Some(base), copies: Vec::new(), ..kept.0.again() };
        self.write(&mut kept, lease).await
    }

    /// Keeps a file beside the state until [`Held::publish_alone`]. The lease names it first, so that nothing is left over of
    /// whoever dies meanwhile.
    pub(crate) async fn keep(&self, what: &str, file: &Path) -> Result<(), BucketError> {
        self.sure()?;
        let name = format!("copies/{what}-{}.db", self.fence);
        let mut kept = self.lease.lock().await;
        let mut lease = kept.0.again();
        lease.copies.push(name.clone());
        self.write(&mut kept, lease).await?;
        drop(kept);
        self.upload(&name, file).await.map(drop)
    }

    /// Gives the lease back, with what was written since the snapshot if that goes into it. Nothing can be written after it.
    pub(crate) async fn release(&self, packed: Option<Packed>) -> Result<(), BucketError> {
        let appended = self.chain.lock().await.next;
        let mut kept = self.lease.lock().await;
        self.sure()?;
        let again = kept.0.again();
        let tail = packed.map_or(again.tail, |Packed(tail)| Some(tail));
        let lease = Lease { holder: None, appended, tail, ..again };
        self.write(&mut kept, lease).await?;
        self.lose(self.lost("it was given back".to_owned()));
        Ok(())
    }

    /// Takes the next number, so that whoever had the lease before finds it taken: even if they do not know yet that they
    /// lost it. What they wrote until then counts.
    pub(super) async fn shut_out_former(&self, replica: &mut dyn Replica) -> Result<(), BucketError> {
        let mut chain = self.chain.lock().await;
        loop {
            let packed = segment::pack(chain.next, self.fence, &self.run, &[]).map_err(|error| chain::local(&error))?;
            let put = self.bucket.objects.put(&segment::name(chain.next), packed, &Condition::New).await?;
            if put != Put::Conflict {
                let mut kept = self.lease.lock().await;
                (kept.0.open, kept.0.shut) = (false, Some(chain.next));
                chain.next += 1;
                chain.fence = self.fence;
                return self.sure();
            }
            chain::follow(&self.bucket.objects, &mut chain, replica).await?;
        }
    }

    async fn write(&self, kept: &mut (Lease, Tag), lease: Lease) -> Result<(), BucketError> {
        let renewed = Renewed::now(&self.bucket.objects.clock);
        let put = async |tag| self.bucket.objects.put(lease::NAME, lease.bytes(), &Condition::Over(tag)).await;
        let mut went = put(kept.1.clone()).await?;
        if went == Put::Conflict
            && let Some((there, tag)) = self.there().await
            && self.is_ours(&there)
        {
            // Only we write under our fencing number: nobody else was let in.
            let url = &self.bucket.objects.url;
            tracing::warn!("the store said yes to a write of the lease on {url} and lost it: it is written once more");
            went = put(tag).await?;
        }
        match went {
            Put::Done(tag) => {
                *lock(&self.bucket.reached) = Some(lease.reached());
                *kept = (lease, tag);
                *lock(&self.renewed) = renewed;
                Ok(())
            }
            Put::Conflict => {
                let why = match self.there().await {
                    Some((there, _)) if self.is_ours(&there) => {
                        format!("the store says yes to a write of `{}` and keeps it not", lease::NAME)
                    }
                    Some((Lease { holder: Some(holder), .. }, _)) => format!("{holder} took it"),
                    _ => "somebody took it".to_owned(),
                };
                Err(self.lose(self.lost(why)))
            }
        }
    }

    /// The lease that stands there, however old; `None`: that is not known.
    async fn there(&self) -> Option<(Lease, Tag)> {
        let object = self.bucket.objects.get(lease::NAME).await.ok()??;
        Some((chain::parse(&self.bucket.objects.url, &object).ok()?, object.tag))
    }

    fn is_ours(&self, there: &Lease) -> bool {
        there.fence == self.fence && there.holder.as_ref().is_some_and(|holder| holder.run == self.run)
    }

    async fn upload(&self, name: &str, file: &Path) -> Result<(u64, String), BucketError> {
        use std::io::Read as _;
        let mut file = std::fs::File::open(file).map_err(|error| chain::local(&error))?;
        let (mut hasher, mut length) = (blake3::Hasher::new(), 0);
        self.bucket
            .objects
            .put_large(name, &Served::default(), &mut || {
                let mut part = Vec::new();
                let most = crate::http::LARGEST_PART as u64;
                file.by_ref().take(most).read_to_end(&mut part).map_err(|error| chain::local(&error))?;
                hasher.update(&part);
                length += part.len() as u64;
                Ok(Bytes::from(part))
            })
            .await?;
        Ok((length, chain::digest(&hasher)))
    }

    /// Removes what only the snapshot before the last one needed; says which segment is the first that is left.
    async fn clear(&self, last: Option<&Base>, shut: Option<u64>) -> u64 {
        let Some(last) = last else { return 0 };
        let objects = &self.bucket.objects;
        if let Some(former) = &last.former
            && objects.delete(former).await.is_err()
        {
            return last.kept_from;
        }
        for number in (last.kept_from..last.next).filter(|number| Some(*number) != shut) {
            if objects.delete(&segment::name(number)).await.is_err() {
                // What is in nobody's way is removed another time.
                return number;
            }
        }
        last.next
    }

    fn lost(&self, why: String) -> BucketError {
        BucketError::Lost { url: self.bucket.objects.url.clone(), why }
    }

    /// From now on nothing is written; what came first stays the reason.
    fn lose(&self, why: impl Into<BucketError>) -> BucketError {
        lock(&self.lost).get_or_insert(why.into()).clone()
    }
}

pub(super) fn words(time: Duration) -> String {
    humantime::format_duration(Duration::from_secs(time.as_secs())).to_string()
}

pub(super) fn lock<T>(shared: &StdMutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
