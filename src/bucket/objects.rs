//! Objects with conditions: made if there is none, replaced if it is still the one that was read.
//!
//! Owns: repetition of writes, and telling whether one whose answer was lost has arrived.
//! Leaves to others: which objects there are (`lease`, `chain`), sending (`http`).
//! A newcomer gets wrong: a conflict proves nothing by itself: it may be our own write, sent twice.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use object_store::path::Path;
use object_store::{
    Error, GetOptions, GetRange, GetResult, ObjectStoreExt as _, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    UpdateVersion,
};

use super::served::Served;
use super::vendor::Store;
use crate::http::{Failure, FailureKind, LARGEST_PART, ObjectsWay, Pause, Pauses, Traffic, object_failure};

/// What the store's clock says; `None`: it told no time yet.
pub(super) type Clock = Arc<dyn Fn() -> Option<SystemTime> + Send + Sync>;

/// What a store compares where an object is written over another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compares {
    /// Its ETag, which a listing tells, too.
    Tags,
    /// The number of its writing, which no listing tells.
    Numbers,
}

/// Everything below one prefix of a bucket.
pub(crate) struct Objects {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Clock,
    pub(super) way: ObjectsWay,
    /// As it stands in the pipeline file.
    pub(crate) url: String,
    pub(super) prefix: Path,
    /// Which store it is, whatever its URL.
    pub(super) site: String,
    /// Of Azure: the storage account.
    pub(crate) account: Option<String>,
    /// What its conditions compare.
    pub(super) compares: Compares,
    /// Before the first repetition.
    pub(super) pause: Duration,
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Which bytes an object has: the store's own mark of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag(UpdateVersion);

impl Tag {
    pub(super) fn of(version: UpdateVersion) -> Self {
        Self(version)
    }

    /// The ETag without its quotes; `None`: the store told none.
    pub(crate) fn word(&self) -> Option<String> {
        let tag = self.0.e_tag.as_deref()?;
        Some(tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag).to_owned())
    }

    /// That of an ETag as [`Self::word`] gives it.
    pub(crate) fn of_word(word: &str) -> Self {
        let tag = if word.starts_with("W/") { word.to_owned() } else { format!("\"{word}\"") };
        Self(UpdateVersion { e_tag: Some(tag), version: None })
    }

    /// Of bytes that no object has.
    fn of_nothing() -> Self {
        let version = UpdateVersion {
            e_tag: Some("\"00000000000000000000000000000000\"".to_owned()),
            version: Some("1".to_owned()),
        };
        Self(version)
    }
}

/// An object as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) bytes: Bytes,
    pub(crate) tag: Tag,
    /// By the store's clock.
    pub(crate) written: SystemTime,
}

/// What stands under a name.
pub(crate) enum There {
    Nothing,
    Object(Object),
    /// An object that is larger than was asked for.
    Larger,
}

/// Takes a part of an object: where it begins, and its bytes.
pub(crate) type Take<'a> = dyn FnMut(u64, &[u8]) -> Result<(), Failure> + Send + 'a;

/// Gives the next part of an object; an empty one ends it.
pub(crate) type Next<'a> = dyn FnMut() -> Result<Bytes, Failure> + Send + 'a;

/// On which condition an object is written.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    /// There is none: `If-None-Match: *`.
    New,
    /// It is still this one: `If-Match`.
    Over(Tag),
}

impl Condition {
    fn options(&self) -> PutOptions {
        let mode = match self {
            Self::New => PutMode::Create,
            Self::Over(tag) => PutMode::Update(tag.0.clone()),
        };
        PutOptions { mode, ..PutOptions::default() }
    }
}

/// How a conditional write ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It stands there.
    Done(Tag),
    /// Something else stands there.
    Conflict,
}

impl Objects {
    /// What went to the store and came from it.
    pub(crate) fn traffic(&self) -> Traffic {
        self.way.traffic()
    }

    pub(super) fn at(&self, name: &str) -> Path {
        name.split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }

    pub(super) fn tried(&self, verb: &str, name: &str) -> String {
        format!("{verb} {}/{name}", self.url)
    }

    /// An object; `None`: there is none.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<Object>, Failure> {
        let mut bytes = Vec::new();
        let found = self
            .get_large(name, &mut |_, part| {
                bytes.extend_from_slice(part);
                Ok(())
            })
            .await?;
        Ok(found.map(|(tag, written)| Object { bytes: bytes.into(), tag, written }))
    }

    /// An object part by part, in order; `None`: there is none.
    pub(crate) async fn get_large(
        &self,
        name: &str,
        take: &mut Take<'_>,
    ) -> Result<Option<(Tag, SystemTime)>, Failure> {
        let tried = self.tried("read", name);
        let (mut at, mut first) = (0, None::<(Tag, SystemTime)>);
        loop {
            let options = GetOptions {
                range: Some(GetRange::Bounded(at..at + LARGEST_PART as u64)),
                if_match: first.as_ref().and_then(|(tag, _)| tag.0.e_tag.clone()),
                ..GetOptions::default()
            };
            let got = match self.store.get_opts(&self.at(name), options).await {
                Ok(got) => got,
                Err(Error::NotFound { source, .. }) if first.is_none() => return none(&tried, source.as_ref()),
                Err(error) => return Err(object_failure(&tried, &error)),
            };
            let size = got.meta.size;
            first.get_or_insert_with(|| (tag(&got), got.meta.last_modified.into()));
            let bytes = got.bytes().await.map_err(|error| object_failure(&tried, &error))?;
            take(at, &bytes)?;
            at += bytes.len() as u64;
            if at >= size || bytes.is_empty() {
                return Ok(first);
            }
        }
    }

    /// Writes an object on a condition, again and again until the store says yes or no.
    pub(crate) async fn put(&self, name: &str, bytes: Bytes, condition: &Condition) -> Result<Put, Failure> {
        self.put_served(name, bytes, condition, &Served::default()).await
    }

    /// As [`Self::put`], for what others are served.
    pub(crate) async fn put_served(
        &self,
        name: &str,
        bytes: Bytes,
        condition: &Condition,
        served: &Served,
    ) -> Result<Put, Failure> {
        let tried = self.tried("write", name);
        let Some(condition) = self.compared(name, condition).await? else { return Ok(Put::Conflict) };
        let mut pauses = Pauses::beginning_with(self.pause);
        loop {
            let options = PutOptions { attributes: served.attributes(), ..condition.options() };
            let put = self.store.put_opts(&self.at(name), bytes.clone().into(), options).await;
            let found = match put {
                Ok(put) => return Ok(Put::Done(Tag(put.into()))),
                Err(error @ (Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotModified { .. })) => {
                    match self.get_up_to(name, bytes.len().max(LARGEST_PART)).await? {
                        // Ours, of which the answer was lost.
                        There::Object(there) if there.bytes == bytes => return Ok(Put::Done(there.tag)),
                        There::Object(there) if matches!(&condition, Condition::Over(tag) if tag.word() == there.tag.word()) =>
                            {}
                        There::Nothing if matches!(condition, Condition::New) => {}
                        _ => return Ok(Put::Conflict),
                    }
                    // Somebody else's write was under way at the same time: the store refuses both.
                    match self.rest(&mut pauses, object_failure(&tried, &error)).await {
                        Err(_) if matches!(condition, Condition::Over(_)) => return Ok(Put::Conflict),
                        rested => {
                            rested?;
                            continue;
                        }
                    }
                }
                Err(error) => object_failure(&tried, &error),
            };
            self.rest(&mut pauses, found).await?;
        }
    }

    /// Requests before an object of which a listing alone told is written over.
    pub(crate) fn looks_before_over(&self) -> u64 {
        u64::from(self.compares == Compares::Numbers)
    }

    /// The condition as the store compares it; `None`: other bytes stand there.
    async fn compared(&self, name: &str, condition: &Condition) -> Result<Option<Condition>, Failure> {
        match condition {
            Condition::Over(tag) if self.compares == Compares::Numbers && tag.0.version.is_none() => {
                let there = self.head(name).await?.filter(|there| there.word() == tag.word());
                Ok(there.map(Condition::Over))
            }
            condition => Ok(Some(condition.clone())),
        }
    }

    /// Whether the store refuses what it should, tried with these bytes over an object of ours: some pass conditions over in
    /// silence.
    pub(crate) async fn heeds_conditions(&self, name: &str, bytes: &Bytes) -> Result<bool, Failure> {
        for condition in [Condition::New, Condition::Over(Tag::of_nothing())] {
            if !self.refuses(name, bytes.clone(), &condition).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the store refuses a write whose condition does not hold.
    pub(crate) async fn refuses(&self, name: &str, bytes: Bytes, condition: &Condition) -> Result<bool, Failure> {
        let tried = self.tried("write", name);
        let written = self.patiently(&tried, || async {
            match self.store.put_opts(&self.at(name), bytes.clone().into(), condition.options()).await {
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotModified { .. }) => Ok(false),
                written => written.map(|_| true),
            }
        });
        Ok(!written.await?)
    }

    /// Writes an object whose name is its own, whatever stands there.
    pub(crate) async fn put_large(&self, name: &str, served: &Served, next: &mut Next<'_>) -> Result<(), Failure> {
        let (tried, at) = (self.tried("write", name), self.at(name));
        let first = next()?;
        if first.len() < LARGEST_PART {
            let options = || PutOptions { attributes: served.attributes(), ..PutOptions::default() };
            return self
                .patiently(&tried, || self.store.put_opts(&at, first.clone().into(), options()))
                .await
                .map(drop);
        }
        let options = || PutMultipartOptions { attributes: served.attributes(), ..PutMultipartOptions::default() };
        let mut upload = self.patiently(&tried, || self.store.put_multipart_opts(&at, options())).await?;
        let mut part = first;
        while !part.is_empty() {
            // A part that failed is a part too many; the store's own rules take away what was not completed.
            upload.put_part(PutPayload::from_bytes(part)).await.map_err(|error| object_failure(&tried, &error))?;
            part = next()?;
        }
        upload.complete().await.map(drop).map_err(|error| object_failure(&tried, &error))
    }

    /// Removes an object that may be gone already.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), Failure> {
        match self.store.delete(&self.at(name)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(object_failure(&self.tried("remove", name), &error)),
        }
    }

    async fn patiently<T, F>(&self, tried: &str, act: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        let mut pauses = Pauses::beginning_with(self.pause);
        loop {
            match act().await {
                Ok(done) => return Ok(done),
                Err(error) => self.rest(&mut pauses, object_failure(tried, &error)).await?,
            }
        }
    }

    /// Waits before another try, where one is worth it.
    async fn rest(&self, pauses: &mut Pauses, failure: Failure) -> Result<(), Failure> {
        match pauses.next(None) {
            Pause::Wait(time) if failure.kind == FailureKind::Unreachable => match self.way.rests(time).await {
                true => Ok(()),
                false => Err(Failure { kind: FailureKind::Stopped, ..failure }),
            },
            _ => Err(failure),
        }
    }
}

fn tag(got: &GetResult) -> Tag {
    Tag(UpdateVersion { e_tag: got.meta.e_tag.clone(), version: got.meta.version.clone() })
}

/// That an object is missing is an answer; that the bucket is, is not.
fn none<T>(tried: &str, source: &dyn std::error::Error) -> Result<Option<T>, Failure> {
    let mut cause = Some(source);
    while let Some(error) = cause {
        let words = error.to_string();
        if words.contains("NoSuchBucket") || words.contains("ContainerNotFound") {
            let failure = Failure::new(FailureKind::Misconfigured, tried, "there is no such bucket");
            return Err(failure.hint("make it, or write its name under `bucket`"));
        }
        cause = error.source();
    }
    Ok(None)
}
