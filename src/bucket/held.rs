//! Having the lease: taking it, keeping it, writing under it, giving it back.
//!
//! Owns: when a lease of ours counts as lost. Leaves to others: what each object holds (`lease`, `segment`, `chain`), when
//! it is renewed (`run`).
//! A newcomer gets wrong: no clock of ours is asked how old somebody else's lease is; the store's own is. Our own is only
//! ever a reason to stop earlier.

use std::path::Path;
use std::sync::{Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use bytes::Bytes;
use tokio::sync::Mutex;

use super::chain::{self, End, Read, Replica};
use super::connect::Bucket;
use super::error::BucketError;
use super::lease::{self, Base, FORMAT, Holder, Lease, Reached, Tail};
use super::objects::{Condition, Object, Put, Tag};
use super::segment;
use super::served::Served;
use crate::http::Traffic;

/// Whoever loses a race for the lease is told so by the next reading.
const RACES: usize = 5;

/// So much is written into the lease, whatever the size of the snapshot.
const LITTLE: u64 = 16 << 10;

/// More than that never is: the lease is written again and again.
const MUCH: u64 = 64 << 10;

const FALSE_MARKS: &str = "the store refuses a write over an object that is still as it was: the marks that it tells (`ETag`) are \
    not those that it compares. A proxy may change them; else take another store";

/// The lease, while it is ours. Shared by reference.
#[derive(Debug)]
pub(crate) struct Held {
    bucket: Bucket,
    run: String,
    fence: u64,
    lease: Mutex<(Lease, Tag)>,
    chain: Mutex<Read>,
    renewed: StdMutex<Renewed>,
    lost: StdMutex<Option<BucketError>>,
}

/// What goes into the lease when it is given back.
#[derive(Debug)]
pub(crate) struct Packed(Tail);

/// When the lease was last written, never later than it was.
#[derive(Clone, Copy, Debug)]
struct Renewed {
    here: Instant,
    /// Of this machine, too, which goes on while the machine sleeps.
    wall: SystemTime,
    there: Option<SystemTime>,
}

/// What is done about a lease that somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taking {
    IfFree,
    Anyway,
}

impl Bucket {
    /// Makes the state of the bucket anew on this machine, for a look; whether there is one.
    pub(crate) async fn view(&self, replica: &mut dyn Replica) -> Result<bool, BucketError> {
        let Some(mut lease) = self.lease().await? else {
            replica.clear().map_err(|error| chain::local(&error))?;
            return Ok(false);
        };
        for _ in 0..RACES {
            let read = chain::read(&self.objects, &lease, End::of(&lease), replica).await;
            // Nobody has written since.
            if read.is_ok() && End::of(&lease) == End::Told {
                return read.map(|read| lease.base.is_some() || read.next > 0);
            }
            let Some(now) = self.lease().await? else { break };
            // What was read may have been removed meanwhile, by whoever made the next snapshot; and what went into the lease
            // alone is in no segment.
            if (&now.base, &now.tail) == (&lease.base, &lease.tail) {
                return read.map(|read| lease.base.is_some() || read.next > 0);
            }
            lease = now;
        }
        Err(self.unusable("it changes faster than it can be read"))
    }

    /// Who has the lease.
    pub(crate) async fn holder(&self) -> Result<Option<Holder>, BucketError> {
        Ok(self.lease().await?.and_then(|lease| lease.holder))
    }

    /// Refuses while somebody may write.
    pub(crate) async fn expect_nobody(&self) -> Result<(), BucketError> {
        let Some(object) = self.objects.get(lease::NAME).await? else { return Ok(()) };
        self.expect_free(&object, &self.parse(&object)?)
    }

    /// Takes the lease, if nobody has it, and makes the state anew on this machine.
    pub(crate) async fn acquire(self, holder: Holder, replica: &mut dyn Replica) -> Result<Held, BucketError> {
        self.take(holder, replica, Taking::IfFree).await
    }

    /// Takes the lease away from whoever has it: their next write ends them.
    pub(crate) async fn break_lease(self, by: Holder, replica: &mut dyn Replica) -> Result<Held, BucketError> {
        self.take(by, replica, Taking::Anyway).await
    }

    async fn take(self, holder: Holder, replica: &mut dyn Replica, taking: Taking) -> Result<Held, BucketError> {
        let mut refused = None;
        for _ in 0..RACES {
            let there = self.objects.get(lease::NAME).await?;
            let former = there.as_ref().map(|object| self.parse(object)).transpose()?;
            if let (Some(object), Some(lease), Taking::IfFree) = (&there, &former, taking) {
                self.expect_free(object, lease)?;
            }
            // What was refused in its favour is still the same.
            if former.is_some() && former == refused {
                return Err(self.unusable(FALSE_MARKS));
            }
            let condition = there.map_or(Condition::New, |object| Condition::Over(object.tag));
            let mut lease = Lease {
                format: FORMAT,
                fence: former.as_ref().map_or(0, |former| former.fence) + 1,
                holder: Some(holder.clone()),
                seconds: self.lease.as_secs(),
                base: former.as_ref().and_then(|former| former.base.clone()),
                tail: former.as_ref().and_then(|former| former.tail.clone()),
                heeds: former.as_ref().and_then(|former| former.heeds.clone()),
                appended: former.as_ref().map_or(0, |former| former.appended),
                open: former.as_ref().is_some_and(|former| former.open || former.holder.is_some()),
                nonce: String::new(),
            }
            .again();
            let renewed = self.renewing();
            let Put::Done(mut tag) = self.objects.put(lease::NAME, lease.bytes(), &condition).await? else {
                refused = former;
                continue;
            };
            if lease.heeds.as_ref() != Some(&self.objects.site) {
                (lease, tag) = self.expect_conditions(lease, tag).await?;
            }
            let end = former.as_ref().map_or(End::Open, End::of);
            *lock(&self.reached) = Some(lease.reached());
            let read = match chain::read(&self.objects, &lease, end, replica).await {
                Ok(read) => read,
                Err(error) => {
                    // Nobody waits for who could not begin. Where it cannot be given back, it runs out.
                    let free = Lease { holder: None, ..lease.again() };
                    _ = self.objects.put(lease::NAME, free.bytes(), &Condition::Over(tag)).await;
                    return Err(error);
                }
            };
            let open = lease.open;
            let held = Held {
                run: holder.run,
                fence: lease.fence,
                lease: Mutex::new((lease, tag)),
                chain: Mutex::new(read),
                renewed: StdMutex::new(renewed),
                lost: StdMutex::default(),
                bucket: self,
            };
            if let Some(former) = former.and_then(|former| former.holder) {
                tracing::warn!("{former} did not give the lease on the state back: it is taken over");
            }
            if open {
                held.shut_out_former(replica).await?;
            }
            return Ok(held);
        }
        Err(self.unusable("its lease passes from hand to hand: is it used by too many at once?"))
    }

    async fn lease(&self) -> Result<Option<Lease>, BucketError> {
        let object = self.objects.get(lease::NAME).await?;
        object.map(|object| self.parse(&object)).transpose()
    }

    /// The lease, unless it is an older one than was seen here: then all of it may be, and what is lost may be whose picture
    /// stands on an account.
    fn parse(&self, object: &Object) -> Result<Lease, BucketError> {
        let lease = chain::parse(&self.objects.url, object)?;
        if lock(&self.reached).is_some_and(|reached| lease.reached() < reached) {
            return Err(self.unusable(
                "it is older than what this machine saw there last: put the newer objects back. If it is meant, remove the \
                 file beside the copy on this machine whose name ends in `.seen`",
            ));
        }
        *lock(&self.reached) = Some(lease.reached());
        Ok(lease)
    }

    /// How far it had come when it was last seen.
    pub(crate) fn reached(&self) -> Option<Reached> {
        *lock(&self.reached)
    }

    /// By the store's clock alone.
    fn expect_free(&self, object: &Object, lease: &Lease) -> Result<(), BucketError> {
        let Some(holder) = &lease.holder else { return Ok(()) };
        let age = (self.objects.clock)().map(|now| now.duration_since(object.written).unwrap_or_default());
        let left = match age {
            Some(age) if age >= lease.time() => return Ok(()),
            Some(age) => format!("for {} yet unless it is renewed", words(lease.time().saturating_sub(age))),
            None => "and the store does not tell the time".to_owned(),
        };
        Err(BucketError::Leased { url: self.objects.url.clone(), holder: Box::new(holder.clone()), left })
    }

    /// Some stores pass conditions over in silence: there every lease would be everybody's. Some tell marks that are no
    /// good: there it would be nobody's. The lease remembers which store has shown that it does neither.
    async fn expect_conditions(&self, lease: Lease, tag: Tag) -> Result<(Lease, Tag), BucketError> {
        if !self.objects.heeds_conditions(lease::NAME, &lease.bytes()).await? {
            return Err(self.unusable(
                "the store writes an object though the condition for it (`If-None-Match`, `If-Match`) does not hold, so two runs \
                 could write at once: take one that heeds conditions",
            ));
        }
        let lease = Lease { heeds: Some(self.objects.site.clone()), ..lease.again() };
        match self.objects.put(lease::NAME, lease.bytes(), &Condition::Over(tag)).await? {
            Put::Done(tag) => Ok((lease, tag)),
            Put::Conflict => Err(self.unusable(FALSE_MARKS)),
        }
    }

    fn renewing(&self) -> Renewed {
        Renewed { here: Instant::now(), wall: SystemTime::now(), there: (self.objects.clock)() }
    }

    fn unusable(&self, why: &str) -> BucketError {
        BucketError::Unusable { url: self.objects.url.clone(), why: why.to_owned() }
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
        let kept_from = self.clear(former.as_ref()).await;
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
        for number in base.kept_from..base.next {
            objects.delete(&segment::name(number)).await?;
        }
        let base = Base { former: None, kept_from: base.next, ..base };
        let lease = Lease { base: Some(base), ..kept.0.again() };
        self.write(&mut kept, lease).await
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
    async fn shut_out_former(&self, replica: &mut dyn Replica) -> Result<(), BucketError> {
        let mut chain = self.chain.lock().await;
        loop {
            let packed = segment::pack(chain.next, self.fence, &self.run, &[]).map_err(|error| chain::local(&error))?;
            let put = self.bucket.objects.put(&segment::name(chain.next), packed, &Condition::New).await?;
            if put != Put::Conflict {
                chain.next += 1;
                chain.fence = self.fence;
                self.lease.lock().await.0.open = false;
                return self.sure();
            }
            chain::follow(&self.bucket.objects, &mut chain, replica).await?;
        }
    }

    async fn write(&self, kept: &mut (Lease, Tag), lease: Lease) -> Result<(), BucketError> {
        let renewed = self.bucket.renewing();
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
    async fn clear(&self, last: Option<&Base>) -> u64 {
        let Some(last) = last else { return 0 };
        let objects = &self.bucket.objects;
        if let Some(former) = &last.former
            && objects.delete(former).await.is_err()
        {
            return last.kept_from;
        }
        for number in last.kept_from..last.next {
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

fn words(time: Duration) -> String {
    humantime::format_duration(Duration::from_secs(time.as_secs())).to_string()
}

fn lock<T>(shared: &StdMutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
