//! `load: - folder`: a static copy of the pictures, on a disk or in a bucket.
//!
//! Owns: the keys that it has alone, and what a folder has not. Leaves to others: the keys of every target (`target`),
//! writing files (`load`).
//! A newcomer gets wrong: files that avatarpipe did not write are never removed (docs/write-protocols.md, "Folder").

use std::path::PathBuf;

use crate::model::{AccountKey, PersonKey};
use crate::pipeline::bucket::{self, BucketUrl, with_bucket};
use crate::pipeline::declare::words;
use crate::pipeline::fault::{FileFault, Span};
use crate::pipeline::matching::Match;
use crate::pipeline::read::Reader;
use crate::pipeline::scalar::{FilePath, Time};
use crate::pipeline::target::{Accounts, Address, ServerKeys, TargetSettings, target};
use crate::settings::{self, FolderNames, Matching, Pair, TargetKind};

with_bucket! {
    FolderTarget by target: [/// A folder that takes `NAME.png` and `index.json`, or a bucket that takes `avatar/NAME`.
    FolderTarget = "folder" one of [path], [bucket];] {
        /// The folder.
        path: FilePath = Optional,
        /// A bucket in its place: `s3://BUCKET/PREFIX` of Amazon S3 and what speaks it, `az://CONTAINER/PREFIX` of Azure Blob
        /// Storage, `gs://BUCKET/PREFIX` of Google Cloud Storage. With `names: email_sha256` or `email_md5`.
        bucket: BucketUrl = Optional,
    } {
        /// What the files are named after.
        names: FolderNames = Else("match"),
        /// In a bucket: how long whoever serves or shows a picture may keep it (`Cache-Control`).
        cache: Time = Else("1h"),
        /// Which name belongs to which person. The default is how the names are made.
        r#match: Match = Else("[{ person: email_local, account: username }, { person: upn_local, account: username }]"),
        /// Which names are looked at.
        accounts: Accounts = Else("{}"),
    } [{} {
        /// In a bucket: a write of which the end is not known is judged no sooner than this.
        quiet: crate::pipeline::scalar::Time = Else("2m"),
        /// In a bucket: a name under `rates`.
        rate: crate::pipeline::scalar::Name = Else("default"),
        /// In a bucket: a name under `http`. Its headers and certificate are not sent there.
        http: crate::pipeline::scalar::Name = Else("default"),
    } |keys| keys.bucket.written.then_some(ServerKeys {
        login: None,
        quiet: &keys.quiet,
        rate: &keys.rate,
        http: &keys.http,
    })]
}

words! {
    /// What the files of a folder are named after.
    FolderNames {
        /// What `match` says.
        "match" => Match,
        /// The SHA-256 of the main e-mail address in small letters, as Libravatar and Gravatar name pictures.
        "email_sha256" => EmailSha256,
        /// The MD5 of it, for what does not ask by SHA-256 yet.
        "email_md5" => EmailMd5,
    }
}

impl FolderTarget {
    /// What is accepted and does nothing is a promise that is not kept.
    fn refuse_what_a_folder_has_not(&self, reader: &mut Reader<'_>) {
        if let Some(accounts) = self.accounts.get() {
            accounts.refuse_groups(reader);
            if accounts.active.written && accounts.active.get().is_some() {
                let fault = FileFault::new(accounts.active.span.clone(), "a folder has no disabled accounts");
                reader.fault(fault.help("leave `active` out; `users` of the source says who is in scope"));
            }
        }
        for span in self.r#match.get().map(Match::by_key).unwrap_or_default() {
            let fault = FileFault::new(span, "the files of a folder have names and no keys");
            reader.fault(fault.help("write `account: username`: the file is named after what `person` says"));
        }
    }

    /// Where the files go, of which exactly one thing is said.
    fn refuse_none_or_both(&self, reader: &mut Reader<'_>) {
        match (self.path.written, self.bucket.written) {
            (false, false) => {
                let fault = FileFault::new(self.path.span.clone(), "nothing says where the files go");
                reader.fault(fault.help("write `path`, or `bucket: s3://BUCKET/PREFIX`"));
            }
            (true, true) => {
                let fault = FileFault::new(self.path.span.clone(), "`path` stands beside `bucket`");
                reader.fault(fault.help("write one of them: a target has one place"));
            }
            _ => {}
        }
    }

    fn refuse_without_bucket(&self, reader: &mut Reader<'_>) {
        self.place().refuse_without_bucket(reader);
        let keys = [
            ("cache", self.cache.written, &self.cache.span),
            ("quiet", self.quiet.written, &self.quiet.span),
            ("rate", self.rate.written, &self.rate.span),
            ("http", self.http.written, &self.http.span),
        ];
        bucket::refuse_without_bucket(reader, &keys);
    }

    fn in_bucket(&self, reader: &mut Reader<'_>) -> Option<TargetKind> {
        if self.names.get() == Some(&FolderNames::Match) {
            let fault =
                FileFault::new(self.names.span.clone(), "in a bucket objects are named as avatar servers name them");
            reader.fault(fault.help("write `names: email_sha256`, or `email_md5`"));
        }
        let place = self.place().settle(reader);
        Some(TargetKind::FolderInBucket(settings::FolderInBucket {
            bucket: place?,
            names: *self.names.get()?,
            cache: self.cache.get()?.0,
        }))
    }
}

impl TargetSettings for FolderTarget {
    /// By its text; what links make of it is known when the pipeline runs (`run::folders`).
    fn server(&self) -> Option<(String, &Span)> {
        if self.bucket.written {
            let of = self.account.get().map(|account| format!(" of {account}"));
            let at = self.endpoint.get().map(|url| format!(" at {}", url.0.as_str().trim_end_matches('/')));
            let by = if self.names.get() == Some(&FolderNames::EmailMd5) { " by MD5" } else { "" };
            let server =
                format!("the folder {}{}{}{by}", self.bucket.get()?, of.unwrap_or_default(), at.unwrap_or_default());
            return Some((server, &self.bucket.span));
        }
        let (plain, span) = self.folder()?;
        Some((format!("the folder {}", plain.display()), span))
    }

    fn folder(&self) -> Option<(PathBuf, &Span)> {
        Some((self.path.get()?.plain(), &self.path.span))
    }

    /// A digest is made of an address, and of nothing else.
    fn matching(&self, reader: &mut Reader<'_>) -> Option<Matching> {
        if *self.names.get()? == FolderNames::Match {
            return Match::settle(&self.r#match, reader);
        }
        if self.r#match.written {
            let fault = FileFault::new(self.r#match.span.clone(), "`match` means nothing beside these `names`");
            reader.fault(fault.help("leave it out: the files are named after the main e-mail address"));
        }
        let place = self.names.place.clone();
        Some(Matching::Pairs(vec![Pair { person: PersonKey::Email, account: AccountKey::Email, place }]))
    }

    fn product(&self, reader: &mut Reader<'_>, _: Option<Address>) -> Option<TargetKind> {
        self.refuse_what_a_folder_has_not(reader);
        self.refuse_none_or_both(reader);
        if self.bucket.written {
            return self.in_bucket(reader);
        }
        self.refuse_without_bucket(reader);
        let (path, names) = (self.path.get()?.0.clone(), *self.names.get()?);
        Some(TargetKind::Folder(settings::FolderTarget { path, names }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::read::At;
    use crate::pipeline::source::DeclaredNames;
    use crate::pipeline::tests::judged;

    fn settled(text: &str) -> Result<settings::Target, Vec<String>> {
        let names = DeclaredNames { rates: vec!["default".to_owned()], http: vec!["default".to_owned()] };
        let settle =
            |at: &At<FolderTarget>, reader: &mut Reader<'_>| at.get()?.settle(reader, &names, at.place.clone());
        judged(text, settle)
    }

    #[test]
    fn files_go_to_one_place_and_its_keys_go_with_it() {
        for (text, words) in [
            ("{}", "nothing says where the files go"),
            ("{ path: out, bucket: 's3://avatars/a', names: email_sha256 }", "`path` stands beside `bucket`"),
            ("{ path: out, cache: 1h }", "`cache` means nothing without `bucket`"),
            ("{ path: out, rate: default }", "`rate` means nothing without `bucket`"),
            ("{ path: out, credential: { access_key_id: A } }", "`credential` means nothing without `bucket`"),
            ("{ bucket: 's3://avatars/a' }", "objects are named as avatar servers name them"),
            ("{ bucket: 'gs://avatars/a', names: email_md5, region: r }", "`region` means nothing for `gs://`"),
            ("{ bucket: 's3://avatars/a', names: email_sha256, rate: fast }", "not defined under `rates`"),
            ("{ bucket: 's3://avatars/a', names: email_sha256, match: [email] }", "`match` means nothing beside"),
            ("{ path: out, names: email_md5, match: [email] }", "`match` means nothing beside"),
            ("{ path: out, names: sha256 }", "`sha256` is not a value of this key"),
        ] {
            let faults = settled(text).expect_err(text);
            assert!(faults.len() == 1 && faults[0].contains(words), "{text}: {faults:?}");
        }
    }

    #[test]
    fn a_digest_is_matched_by_the_address() {
        let target = settled("{ bucket: 's3://avatars/a/', names: email_sha256, cache: 5m }").unwrap();
        let TargetKind::FolderInBucket(folder) = target.kind else { panic!("in a bucket") };
        assert_eq!((folder.bucket.url.as_str(), folder.cache.as_secs()), ("s3://avatars/a", 300));
        assert_eq!((target.quiet.as_secs(), target.matching.asks_for(AccountKey::Email)), (120, true));
        let target = settled("{ path: out }").unwrap();
        assert_eq!((target.quiet.as_secs(), target.matching.asks_for(AccountKey::Username)), (0, true));
    }
}
