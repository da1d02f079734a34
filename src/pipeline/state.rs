//! `state`: where what was done is kept between runs.
//!
//! Owns: the keys, and which of them go together. Leaves to others: the file itself (`state`), the bucket (`bucket`).
//! A newcomer gets wrong: the default is named after the pipeline, so renaming a pipeline begins a new state.

use std::path::PathBuf;
use std::time::Duration;

use super::declare::element;
use super::fault::FileFault;
use super::read::{Reader, Setting};
use super::scalar::{FilePath, Time, Word, scalar_schema};
use super::tree::Id;
use super::web::{BaseUrl, SecretValue};
use crate::settings;

element! {
    /// Where what was done is kept between runs: in a file, or in a bucket that all runners share.
    State {
        /// The file. Left out: `state/NAME.db`, after the name of the pipeline.
        path: FilePath = Optional,
        /// A bucket in its place, `s3://BUCKET/PREFIX`: one prefix for each pipeline.
        bucket: BucketUrl = Optional,
        /// The bucket's region. Left out: as `AWS_REGION` says.
        region: Word = Optional,
        /// The store's address, where it is not Amazon's.
        endpoint: BaseUrl = Optional,
        /// A key of the store. Left out: as the environment says, or the machine's own role.
        credential: BucketKey = Optional,
        /// After a run that died the next one begins no sooner than this.
        lease: Time = Else("15m"),
        /// How long a run stays on record, such as `90d`; older ones go at the end of each run. Left out: for good.
        keep_runs: Time = Optional,
        /// Keeps the pictures that a run replaces or takes off, where the product does not keep them (Bitbucket, folder), so
        /// that `undo` can give them back. Left out: none is kept, and what was kept goes with the next whole `run`.
        keep_replaced: KeepReplaced = Optional,
    }
}

element! {
    /// How pictures that were replaced are kept: encrypted, beside the state, in `NAME.kept/`.
    KeepReplaced {
        /// How long, such as `30d`; older ones go at the beginning of each run.
        r#for: Time = Required,
        /// What they are encrypted with, from outside of the file: `${NAME}`; 32 random characters or more. With another key
        /// they cannot be opened any more.
        key: SecretValue = Required,
    }
}

element! {
    /// A key of an object store.
    BucketKey {
        /// The key's id.
        access_key_id: Word = Required,
        /// The key itself.
        secret_access_key: SecretValue = Required,
        /// What goes with a key that ends.
        session_token: SecretValue = Optional,
    }
}

/// A bucket and what every object's name in it begins with.
#[derive(Clone, Debug)]
pub(super) struct BucketUrl {
    text: String,
    name: String,
    prefix: String,
}

impl Setting for BucketUrl {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        reader.parsed(id, "a bucket with a prefix, such as `s3://avatars/corporate`", Self::parse)
    }
}

scalar_schema!(BucketUrl, "BucketUrl", { "type": "string", "pattern": "^s3://|\\$\\{" });

/// Shorter leases would be lost to one slow answer of the store.
const SHORTEST: Duration = Duration::from_secs(60);

impl BucketUrl {
    fn parse(text: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        let (name, prefix) = text.strip_prefix("s3://")?.split_once('/')?;
        let prefix = prefix.trim_end_matches('/');
        let parts = || prefix.split('/');
        let is_part = |part: &str| !part.is_empty() && part.chars().all(plain) && !part.chars().all(|c| c == '.');
        let is_one = (3..=63).contains(&name.len()) && is_part(name) && parts().all(is_part);
        let text = format!("s3://{name}/{prefix}");
        is_one.then(|| Self { text, name: name.to_owned(), prefix: prefix.to_owned() })
    }
}

/// Of whatever is shorter, all can be tried.
const SHORTEST_KEY: usize = 32;

impl State {
    /// The outer `None`: it cannot be read.
    pub(super) fn keep_runs(&self) -> Option<Option<Duration>> {
        Some(self.keep_runs.optional()?.map(|time| time.0))
    }

    /// The outer `None`: it cannot be read, or is not known before the run.
    pub(super) fn keep_replaced(&self, reader: &mut Reader<'_>) -> Option<Option<settings::KeepReplaced>> {
        let Some(keep) = self.keep_replaced.optional()? else { return Some(None) };
        if self.bucket.written {
            let fault = FileFault::new(self.keep_replaced.span.clone(), "`keep_replaced` stands beside `bucket`");
            reader.fault(fault.help("pictures are kept on one machine: write `path`, or leave out `keep_replaced`"));
            return None;
        }
        let (time, key) = (keep.r#for.get(), keep.key.get());
        if key.is_some_and(|key| key.0.expose().chars().count() < SHORTEST_KEY) {
            let found = format!("this key is shorter than {SHORTEST_KEY} characters");
            let fault = FileFault::new(keep.key.span.clone(), found);
            reader.fault(fault.help("make one with `openssl rand -base64 32`"));
            return None;
        }
        Some(Some(settings::KeepReplaced { time: time?.0, key: key?.0.clone() }))
    }

    pub(super) fn settle(&self, pipeline: Option<&str>) -> Option<PathBuf> {
        if self.bucket.written {
            return pipeline.map(copy_path);
        }
        match self.path.optional()? {
            Some(path) => Some(path.0.clone()),
            None => pipeline.map(|name| PathBuf::from(format!("state/{name}.db"))),
        }
    }

    /// What the state stands in besides a file. The outer `None`: it cannot be read.
    pub(super) fn bucket(&self, reader: &mut Reader<'_>) -> Option<Option<settings::StateBucket>> {
        if !self.bucket.written {
            self.refuse_without_bucket(reader);
            return Some(None);
        }
        if self.path.written {
            let fault = FileFault::new(self.path.span.clone(), "`path` stands beside `bucket`");
            reader.fault(fault.help("write one of them: a state stands in one place"));
        }
        if self.lease.get().is_some_and(|lease| lease.0 < SHORTEST) {
            let fault = FileFault::new(self.lease.span.clone(), "a lease is 1m or longer");
            reader.fault(
                fault.help("a run that died keeps the next one waiting so long; a slow store must not end a run"),
            );
        }
        if let Some(url) = self.endpoint.get() {
            url.refuse_clear(reader, &self.endpoint.span);
        }
        let credential = match self.credential.optional()? {
            Some(key) => Some(settings::BucketKey {
                access_key_id: key.access_key_id.get()?.0.clone(),
                secret_access_key: key.secret_access_key.get()?.0.clone(),
                session_token: key.session_token.optional()?.map(|token| token.0.clone()),
            }),
            None => None,
        };
        let BucketUrl { text, name, prefix } = self.bucket.get()?.clone();
        Some(Some(settings::StateBucket {
            url: text,
            name,
            prefix,
            region: self.region.optional()?.map(|region| region.0.clone()),
            endpoint: self.endpoint.optional()?.map(|url| url.0.clone()),
            credential,
            lease: self.lease.get()?.0,
        }))
    }

    fn refuse_without_bucket(&self, reader: &mut Reader<'_>) {
        let mut refuse = |key: &str, written: bool, span: &super::fault::Span| {
            if written {
                let fault = FileFault::new(span.clone(), format!("`{key}` means nothing without `bucket`"));
                reader.fault(fault.help("write `bucket: s3://BUCKET/PREFIX`, or leave it out"));
            }
        };
        refuse("region", self.region.written, &self.region.span);
        refuse("endpoint", self.endpoint.written, &self.endpoint.span);
        refuse("credential", self.credential.written, &self.credential.span);
        refuse("lease", self.lease.written, &self.lease.span);
    }
}

/// The copy on this machine of a state in a bucket: nowhere where a state of its own may stand.
pub(super) fn copy_path(pipeline: &str) -> PathBuf {
    PathBuf::from(format!("state/bucket/{pipeline}.db"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::read::At;
    use crate::pipeline::tests::{judged, refused};

    fn bucket_of(at: &At<State>, reader: &mut Reader<'_>) -> Option<Option<settings::StateBucket>> {
        at.get()?.bucket(reader)
    }

    #[test]
    fn what_is_no_bucket_is_refused() {
        refused(
            &[
                ("{ bucket: avatars }", "is not a bucket with a prefix"),
                ("{ bucket: 's3://avatars' }", "is not a bucket with a prefix"),
                ("{ bucket: 's3://avatars/' }", "is not a bucket with a prefix"),
                ("{ bucket: 's3://avatars/a/../b' }", "is not a bucket with a prefix"),
                ("{ bucket: 's3://avatars/a?b' }", "is not a bucket with a prefix"),
                ("{ bucket: 'az://avatars/a' }", "is not a bucket with a prefix"),
                ("{ bucket: 's3://avatars/a', path: x.db }", "`path` stands beside `bucket`"),
                ("{ bucket: 's3://avatars/a', lease: 59s }", "1m or longer"),
                ("{ bucket: 's3://avatars/a', endpoint: 'http://minio.example' }", "in clear"),
                ("{ bucket: 's3://avatars/a', credential: { access_key_id: A } }", "`secret_access_key` is missing"),
                ("{ region: r }", "`region` means nothing without `bucket`"),
                ("{ lease: 15m }", "`lease` means nothing without `bucket`"),
            ],
            bucket_of,
        );
    }

    #[test]
    fn a_bucket_has_a_prefix_and_a_lease() {
        let bucket = judged("{ bucket: 's3://avatars/teams/corporate/', region: eu-central-1 }", bucket_of).unwrap();
        let bucket = bucket.unwrap();
        assert_eq!((bucket.name.as_str(), bucket.prefix.as_str()), ("avatars", "teams/corporate"));
        assert_eq!((bucket.url.as_str(), bucket.lease), ("s3://avatars/teams/corporate", Duration::from_secs(900)));
        assert!(judged("{}", bucket_of).unwrap().is_none());
    }

    #[test]
    fn a_key_is_long_and_stands_outside_of_the_file() {
        let settle = |at: &At<State>, reader: &mut Reader<'_>| at.get()?.keep_replaced(reader);
        refused(
            &[
                ("{ keep_replaced: 30d }", "expected"),
                ("{ keep_replaced: { for: 30d } }", "`key` is missing"),
                ("{ keep_replaced: { for: 30d, key: 0123456789012345678901234567890123 } }", "is written out"),
                ("{ keep_replaced: { key: '${SHORT_KEY}' } }", "`for` is missing"),
                (
                    "{ bucket: 's3://avatars/a', keep_replaced: { for: 30d, key: '${A_KEY}' } }",
                    "`keep_replaced` stands beside `bucket`",
                ),
            ],
            settle,
        );
    }
}
