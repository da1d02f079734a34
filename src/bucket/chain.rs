//! The state as it stands in the bucket: a snapshot, and the segments after it.
//!
//! Owns: reading both in order, and refusing what does not belong to one chain.
//! Leaves to others: where pages and bytes go ([`Replica`]).
//! A newcomer gets wrong: the end of the chain is the first number that is missing, so no number is ever left out.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;

use super::error::BucketError;
use super::lease::{self, Base, FORMAT, Lease, OLDEST, Tail};
use super::objects::{Object, Objects};
use super::segment::{self, Segment};
use crate::http::{Failure, FailureKind};
use crate::model::Digest;

/// What a state is made of again, on this machine.
pub(crate) trait Replica: Send {
    /// Begins anew with an empty file.
    fn clear(&mut self) -> std::io::Result<()>;
    /// Bytes of the snapshot, from this place on.
    fn bytes(&mut self, at: u64, bytes: &[u8]) -> std::io::Result<()>;
    /// A commit after it.
    fn commit(&mut self, commit: &[u8]) -> std::io::Result<()>;
}

/// How far a chain was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Read {
    /// The first number that is missing.
    pub(super) next: u64,
    /// The highest fencing number so far.
    pub(super) fence: u64,
    /// It began with a snapshot.
    pub(super) based: bool,
}

/// The lease as it stands there.
pub(super) fn parse(url: &str, object: &Object) -> Result<Lease, BucketError> {
    let unusable = |why: String| BucketError::Unusable { url: url.to_owned(), why };
    let format = serde_json::from_slice::<serde_json::Value>(&object.bytes)
        .ok()
        .and_then(|value| value.get("format")?.as_u64())
        .ok_or_else(|| unusable(format!("its object `{}` is not of avatarpipe", lease::NAME)))?;
    if !(u64::from(OLDEST)..=u64::from(FORMAT)).contains(&format) {
        return Err(unusable(format!("its format is {format}, this program knows {FORMAT}: use the newer program")));
    }
    let lease = serde_json::from_slice(&object.bytes).ok().filter(Lease::is_sound);
    lease.ok_or_else(|| unusable(format!("its object `{}` is damaged", lease::NAME)))
}

/// Who may have written since the lease was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Nobody: it was given back, so the log ends where the lease says.
    Told,
    /// Whoever has it, or had it.
    Open,
}

impl End {
    /// Of a lease as it was found.
    pub(super) fn of(lease: &Lease) -> Self {
        if lease.holder.is_none() && !lease.open && lease.format == FORMAT { Self::Told } else { Self::Open }
    }
}

/// Reads the snapshot and all that came after it.
pub(super) async fn read(
    objects: &Objects,
    lease: &Lease,
    end: End,
    replica: &mut dyn Replica,
) -> Result<Read, BucketError> {
    replica.clear().map_err(|error| local(&error))?;
    let mut read = Read::default();
    if let Some(base) = &lease.base {
        snapshot(objects, base, replica).await?;
        (read.next, read.based) = (base.next, true);
    }
    if let Some(last) = &lease.tail {
        tail(objects, last, &mut read, replica)?;
    }
    match end {
        End::Open => follow(objects, &mut read, replica).await?,
        End::Told => while read.next < lease.appended && follow_one(objects, &mut read, replica).await? {},
    }
    // What is lost may be that an account has passed on, and whose picture is ours (promise P1).
    if read.next < lease.appended {
        let (name, last) = (segment::name(read.next), segment::name(lease.appended.saturating_sub(1)));
        return Err(BucketError::Unusable {
            url: objects.url.clone(),
            why: format!(
                "`{name}` to `{last}` were written and are missing: put them back, from the store's versions for one; or remove \
                 everything below it, and `state push` a backup or begin anew"
            ),
        });
    }
    Ok(read)
}

/// Reads the segments from where a reading ended.
pub(super) async fn follow(objects: &Objects, read: &mut Read, replica: &mut dyn Replica) -> Result<(), BucketError> {
    while follow_one(objects, read, replica).await? {}
    Ok(())
}

/// Reads the next segment; whether there was one.
async fn follow_one(objects: &Objects, read: &mut Read, replica: &mut dyn Replica) -> Result<bool, BucketError> {
    let Some(object) = objects.get(&segment::name(read.next)).await? else { return Ok(false) };
    take(objects, read, &object, replica)?;
    Ok(true)
}

/// What stands in the lease.
fn tail(objects: &Objects, tail: &Tail, read: &mut Read, replica: &mut dyn Replica) -> Result<(), BucketError> {
    let packed = BASE64.decode(&tail.segment).map_err(|_| "it is not Base64".to_owned());
    let segment = packed.and_then(|packed| segment::unpack(&packed)).map_err(|why| BucketError::Unusable {
        url: objects.url.clone(),
        why: format!("what stands in its object `{}`: {why}", lease::NAME),
    })?;
    commit(objects, &format!("what stands in its object `{}`", lease::NAME), &segment, read, replica)?;
    (read.next, read.fence) = (tail.next, segment.fence);
    Ok(())
}

fn take(objects: &Objects, read: &mut Read, object: &Object, replica: &mut dyn Replica) -> Result<(), BucketError> {
    let name = segment::name(read.next);
    let unusable = |why: String| BucketError::Unusable { url: objects.url.clone(), why };
    let segment = segment::unpack(&object.bytes).map_err(|why| unusable(format!("`{name}`: {why}")))?;
    if segment.number != read.next {
        return Err(unusable(format!("`{name}` holds what was written as `{}`", segment::name(segment.number))));
    }
    if segment.fence < read.fence {
        return Err(unusable(format!(
            "`{name}` bears the fencing number {} of {}, which had lost the lease to {}",
            segment.fence, segment.run, read.fence
        )));
    }
    if !segment.commit.is_empty() {
        commit(objects, &format!("`{name}`"), &segment, read, replica)?;
    }
    read.fence = segment.fence;
    read.next += 1;
    Ok(())
}

/// Pages alone are no state: a snapshot comes before all of them.
fn commit(
    objects: &Objects,
    what: &str,
    segment: &Segment,
    read: &Read,
    replica: &mut dyn Replica,
) -> Result<(), BucketError> {
    if !read.based {
        return Err(BucketError::Unusable {
            url: objects.url.clone(),
            why: format!(
                "{what} was written after a snapshot, and its object `{lease}` names none: what was written as `{lease}` is missing. Put \
                 back the newest one, from the store's versions for one; or remove everything below it, and `state push` a backup \
                 or begin anew",
                lease = lease::NAME
            ),
        });
    }
    Ok(replica.commit(&segment.commit).map_err(|error| local(&error))?)
}

async fn snapshot(objects: &Objects, base: &Base, replica: &mut dyn Replica) -> Result<(), BucketError> {
    let mut hasher = blake3::Hasher::new();
    let mut length = 0;
    let found = objects
        .get_large(&base.snapshot, &mut |at, bytes| {
            hasher.update(bytes);
            length += bytes.len() as u64;
            replica.bytes(at, bytes).map_err(|error| local(&error))
        })
        .await?;
    let unusable = |why: &str| BucketError::Unusable {
        url: objects.url.clone(),
        why: format!("the snapshot `{}` {why}", base.snapshot),
    };
    if found.is_none() {
        return Err(unusable("is missing"));
    }
    if length != base.bytes || digest(&hasher) != base.digest {
        return Err(unusable("is not what was written"));
    }
    Ok(())
}

/// The copy on this machine cannot be written.
pub(super) fn local(error: &std::io::Error) -> Failure {
    let tried = "writing the copy of the state on this machine";
    Failure::new(FailureKind::Local, tried, error.to_string()).hint("is the folder writable, and is space left?")
}

/// The digest of what was hashed.
pub(super) fn digest(hasher: &blake3::Hasher) -> String {
    Digest::from_bytes(*hasher.finalize().as_bytes()).to_string()
}
