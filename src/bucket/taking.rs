//! Looking at the state and taking the lease on it.
//!
//! Owns: who may take it, and what is believed of what stands there. Leaves to others: keeping it (`held`), what each object
//! holds (`lease`, `segment`, `chain`).
//! A newcomer gets wrong: no clock of ours is asked how old somebody else's lease is; the store's own is.

use std::sync::Mutex as StdMutex;

use tokio::sync::Mutex;

use super::chain::{self, End, Replica};
use super::connect::Bucket;
use super::error::BucketError;
use super::held::{Held, Renewed, lock, words};
use super::lease::{self, FORMAT, Holder, Lease, Leased, Left, Reached};
use super::objects::{Condition, Object, Put, Tag};

/// Whoever loses a race for the lease is told so by the next reading.
const RACES: usize = 5;

const FALSE_MARKS: &str = "the store refuses a write over an object that is still as it was: the marks that it tells (`ETag`) are \
    not those that it compares. A proxy may change them; else take another store";

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

    /// Who has the lease, and for how long.
    pub(crate) async fn leased(&self) -> Result<Option<Leased>, BucketError> {
        let Some(object) = self.objects.get(lease::NAME).await? else { return Ok(None) };
        Ok(self.leased_by(&object, &self.parse(&object)?))
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
                shut: former.as_ref().and_then(|former| former.shut),
                copies: former.as_ref().map_or_else(Vec::new, |former| former.copies.clone()),
                nonce: String::new(),
            }
            .again();
            let renewed = Renewed::now(&self.objects.clock);
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
    fn leased_by(&self, object: &Object, lease: &Lease) -> Option<Leased> {
        let age = (self.objects.clock)().map(|now| now.duration_since(object.written).unwrap_or_default());
        let left = match age {
            Some(age) if age >= lease.time() => Left::None(age - lease.time()),
            Some(age) => Left::For(lease.time() - age),
            None => Left::Unknown,
        };
        Some(Leased { holder: lease.holder.clone()?, left })
    }

    fn expect_free(&self, object: &Object, lease: &Lease) -> Result<(), BucketError> {
        let Some(Leased { holder, left }) = self.leased_by(object, lease) else { return Ok(()) };
        let left = match left {
            Left::None(_) => return Ok(()),
            Left::For(time) => format!("for {} yet unless it is renewed", words(time)),
            Left::Unknown => "and the store does not tell the time".to_owned(),
        };
        Err(BucketError::Leased { url: self.objects.url.clone(), holder: Box::new(holder), left })
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

    fn unusable(&self, why: &str) -> BucketError {
        BucketError::Unusable { url: self.objects.url.clone(), why: why.to_owned() }
    }
}
