//! `state`: where what was done is kept between runs.
//!
//! Owns: the keys, and which of them go together. Leaves to others: the file itself (`state`), where the bucket is
//! (`bucket`).
//! A newcomer gets wrong: the default is named after the pipeline, so renaming a pipeline begins a new state.

use std::path::PathBuf;
use std::time::Duration;

use super::bucket::{self, BucketUrl, with_bucket};
use super::declare::element;
use super::fault::FileFault;
use super::read::Reader;
use super::scalar::{FilePath, Time};
use super::web::SecretValue;
use crate::settings;

with_bucket! {
    State by element: [/// Where what was done is kept between runs: in a file, or in a bucket that all runners share.
    State] {
        /// The file. Left out: `state/NAME.db`, after the name of the pipeline.
        path: FilePath = Optional,
        /// A bucket in its place, one prefix for each pipeline: `s3://BUCKET/PREFIX` of Amazon S3 and what speaks it,
        /// `az://CONTAINER/PREFIX` of Azure Blob Storage, `gs://BUCKET/PREFIX` of Google Cloud Storage.
        bucket: BucketUrl = Optional,
    } {
        /// After a run that died the next one begins no sooner than this.
        lease: Time = Else("15m"),
        /// How long a run stays on record, such as `90d`; older ones go at the end of each run. Left out: for good.
        keep_runs: Time = Optional,
        /// Keeps the pictures that a run replaces or takes off and the product does not keep, so that `undo` can give them
        /// back: in Bitbucket, in folders and by Confluence's `endpoint` all, in Jira and else in Confluence our own of earlier
        /// runs. Left out: none is kept, and what was kept goes with the next whole `run`.
        keep_replaced: KeepReplaced = Optional,
    } []
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

/// Shorter leases would be lost to one slow answer of the store.
const SHORTEST: Duration = Duration::from_secs(60);

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
        if time.is_some_and(|time| time.0.as_secs() == 0) {
            let fault = FileFault::new(keep.r#for.span.clone(), "nothing is kept for no time");
            reader.fault(fault.help("write how long, such as `30d`, or leave out `keep_replaced`"));
            return None;
        }
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
        let place = self.place().settle(reader);
        Some(Some(settings::StateBucket { place: place?, lease: self.lease.get()?.0 }))
    }

    fn refuse_without_bucket(&self, reader: &mut Reader<'_>) {
        self.place().refuse_without_bucket(reader);
        bucket::refuse_without_bucket(reader, &[("lease", self.lease.written, &self.lease.span)]);
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
    fn a_state_stands_in_one_place() {
        refused(
            &[
                ("{ path: 's3://avatars/a' }", "is not a path"),
                ("{ bucket: 's3://avatars/a', path: x.db }", "`path` stands beside `bucket`"),
                ("{ bucket: 's3://avatars/a', lease: 59s }", "1m or longer"),
                ("{ lease: 15m }", "`lease` means nothing without `bucket`"),
            ],
            bucket_of,
        );
    }

    #[test]
    fn a_bucket_has_a_prefix_and_a_lease() {
        let bucket = judged("{ bucket: 's3://avatars/teams/corporate/', region: eu-central-1 }", bucket_of).unwrap();
        let settings::StateBucket { place, lease } = bucket.unwrap();
        assert_eq!((place.name.as_str(), place.prefix.as_str()), ("avatars", "teams/corporate"));
        assert_eq!((place.url.as_str(), lease), ("s3://avatars/teams/corporate", Duration::from_secs(900)));
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
                ("{ keep_replaced: { for: 0s, key: '${A_KEY}' } }", "nothing is kept for no time"),
                ("{ keep_replaced: { for: 999ms, key: '${A_KEY}' } }", "nothing is kept for no time"),
                (
                    "{ bucket: 's3://avatars/a', keep_replaced: { for: 30d, key: '${A_KEY}' } }",
                    "`keep_replaced` stands beside `bucket`",
                ),
            ],
            settle,
        );
    }
}
