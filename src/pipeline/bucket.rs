//! A place in object storage: `bucket`, and the keys that stand beside it.
//!
//! Owns: which of them belong to which vendor. Leaves to others: who we are there (`bucket_credential`), what is kept there
//! (`state`), asking for it (`bucket` of the program).
//! A newcomer gets wrong: which of the keys beside it have a meaning, the URL says.

use std::fmt;

use super::bucket_credential::{BucketCredential, Scheme, refuse_of_others};
use super::fault::{FileFault, Span};
use super::kinds::GoogleEndpoints;
use super::read::{At, Reader, Setting};
use super::scalar::{Word, scalar_schema};
use super::tree::Id;
use super::web::BaseUrl;
use crate::settings::{self, BucketStore};

/// A bucket and what every object's name in it begins with.
#[derive(Clone, Debug)]
pub(super) struct BucketUrl {
    scheme: Scheme,
    name: String,
    prefix: String,
}

impl fmt::Display for BucketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/{}", self.scheme.word(), self.name, self.prefix)
    }
}

impl Setting for BucketUrl {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let expected = "a bucket with a prefix, such as `s3://avatars/corporate`, `az://…` or `gs://…`";
        reader.parsed(id, expected, Self::parse)
    }
}

scalar_schema!(BucketUrl, "BucketUrl", { "type": "string", "pattern": "^(s3|az|gs)://|\\$\\{" });

impl BucketUrl {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = [Scheme::S3, Scheme::Az, Scheme::Gs].into_iter().find(|known| known.word() == scheme)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        let (name, prefix) = rest.split_once('/')?;
        let prefix = prefix.trim_end_matches('/');
        let is_part = |part: &str| !part.is_empty() && part.chars().all(plain) && !part.chars().all(|c| c == '.');
        let is_one = (3..=63).contains(&name.len()) && is_part(name) && prefix.split('/').all(is_part);
        is_one.then(|| Self { scheme, name: name.to_owned(), prefix: prefix.to_owned() })
    }
}

/// A storage account of Azure's: it becomes part of a host's name.
#[derive(Clone, Debug)]
pub(super) struct AccountName(String);

impl Setting for AccountName {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let is_one = |text: &str| settings::is_storage_account(text);
        let parse = |text: &str| is_one(text).then(|| Self(text.to_owned()));
        reader.parsed(id, "the name of a storage account: 3 to 24 small letters and digits", parse)
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

scalar_schema!(AccountName, "AccountName", { "type": "string", "pattern": "^[a-z0-9]{3,24}$|\\$\\{" });

/// An element that may stand in object storage: its own keys, of which `bucket` is the last of the first, and those that go with
/// that one.
macro_rules! with_bucket {
    ($name:ident by $declare:ident: [$($head:tt)*] { $($first:tt)* } { $($last:tt)* } [$($tail:tt)*]) => {
        $declare! {
            $($head)* {
                $($first)*
                /// `az`: the storage account. Left out: as `AZURE_STORAGE_ACCOUNT_NAME` says.
                account: $crate::pipeline::bucket::AccountName = Optional,
                /// `s3`: the bucket's region. Left out: as `AWS_REGION` says.
                region: $crate::pipeline::scalar::Word = Optional,
                /// The store's address, where it is not the vendor's own.
                endpoint: $crate::pipeline::web::BaseUrl = Optional,
                /// Who we are for the store. Left out: as the environment says, or the machine's own role.
                credential: $crate::pipeline::bucket_credential::BucketCredential = Optional,
                $($last)*
            } $($tail)*
        }

        impl $name {
            fn place(&self) -> $crate::pipeline::bucket::Keys<'_> {
                let Self { bucket, account, region, endpoint, credential, .. } = self;
                $crate::pipeline::bucket::Keys { bucket, account, region, endpoint, credential }
            }
        }
    };
}

pub(super) use with_bucket;

/// The keys that say where a place is and how one gets in.
pub(super) struct Keys<'e> {
    pub(super) bucket: &'e At<BucketUrl>,
    pub(super) account: &'e At<AccountName>,
    pub(super) region: &'e At<Word>,
    pub(super) endpoint: &'e At<BaseUrl>,
    pub(super) credential: &'e At<BucketCredential>,
}

impl Keys<'_> {
    /// Judges the keys, of which none may stand there without `bucket`. The outer `None`: they cannot be read.
    pub(super) fn optional(&self, reader: &mut Reader<'_>) -> Option<Option<settings::Bucket>> {
        if self.bucket.written {
            return self.settle(reader).map(Some);
        }
        self.refuse_without_bucket(reader);
        Some(None)
    }

    pub(super) fn refuse_without_bucket(&self, reader: &mut Reader<'_>) {
        refuse_without_bucket(
            reader,
            &[
                ("account", self.account.written, &self.account.span),
                ("region", self.region.written, &self.region.span),
                ("endpoint", self.endpoint.written, &self.endpoint.span),
                ("credential", self.credential.written, &self.credential.span),
            ],
        );
    }

    /// Judges the keys; `bucket` stands there.
    pub(super) fn settle(&self, reader: &mut Reader<'_>) -> Option<settings::Bucket> {
        if let Some(url) = self.endpoint.get() {
            url.refuse_clear(reader, &self.endpoint.span);
        }
        let url = self.bucket.get()?;
        let BucketUrl { scheme, name, prefix } = url;
        refuse_of_others(reader, *scheme, Scheme::S3, "region", self.region.written, &self.region.span);
        refuse_of_others(reader, *scheme, Scheme::Az, "account", self.account.written, &self.account.span);
        let credential = match self.credential.optional()? {
            Some(written) if !written.fits(reader, *scheme, &self.credential.span) => return None,
            credential => credential,
        };
        let store = match scheme {
            Scheme::S3 => BucketStore::S3 {
                region: self.region.optional()?.map(|region| region.0.clone()),
                credential: whole(credential.map(|written| written.s3(reader)))?,
            },
            Scheme::Az => BucketStore::Azure {
                account: self.account.optional()?.map(|account| account.0.clone()),
                credential: whole(credential.map(|written| written.azure(reader)))?,
            },
            Scheme::Gs => BucketStore::Google {
                credential: whole(credential.map(|written| written.google(reader, &self.credential.span)))?,
                endpoints: Box::new(GoogleEndpoints::own(reader)?),
            },
        };
        Some(settings::Bucket {
            url: url.to_string(),
            name: name.clone(),
            prefix: prefix.clone(),
            endpoint: self.endpoint.optional()?.map(|url| url.0.clone()),
            store,
        })
    }
}

/// The outer `None`: it is written and at fault.
#[allow(clippy::option_option, reason = "what is left out is no fault")]
fn whole<T>(settled: Option<Option<T>>) -> Option<Option<T>> {
    match settled {
        Some(settled) => settled.map(Some),
        None => Some(None),
    }
}

/// Keys that mean something with `bucket` alone: each, whether it is written, and where.
pub(super) fn refuse_without_bucket(reader: &mut Reader<'_>, keys: &[(&str, bool, &Span)]) {
    for (key, _, span) in keys.iter().filter(|(_, written, _)| *written) {
        let fault = FileFault::new((*span).clone(), format!("`{key}` means nothing without `bucket`"));
        reader.fault(fault.help("write `bucket: s3://BUCKET/PREFIX`, or leave it out"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::state::State;
    use crate::pipeline::tests::{judged, refused};
    use crate::settings::{AmazonCredential, AzureCredential, GoogleCredential};

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
                ("{ bucket: 'https://avatars/a' }", "is not a bucket with a prefix"),
                ("{ bucket: 's3://avatars/a', endpoint: 'http://minio.example' }", "in clear"),
                ("{ bucket: 'az://avatars/a', region: r }", "`region` means nothing for `az://`"),
                ("{ bucket: 'gs://avatars/a', account: abc }", "`account` means nothing for `gs://`"),
                ("{ bucket: 'az://avatars/a', account: evil.example }", "is not the name of a storage account"),
                ("{ region: r }", "`region` means nothing without `bucket`"),
            ],
            bucket_of,
        );
    }

    #[test]
    fn a_credential_is_one_of_its_vendor() {
        let with =
            |scheme: &str, credential: &str| format!("{{ bucket: '{scheme}://avatars/a', credential: {credential} }}");
        for (scheme, credential, words) in [
            ("s3", "{ access_key_id: A }", "`secret_access_key` is missing"),
            (
                "s3",
                "{ access_key_id: A, secret_access_key: '${K}', account_key: '${K}' }",
                "`account_key` means nothing",
            ),
            ("az", "{}", "nothing here says who we are for `az://`"),
            ("az", "{ access_key_id: A, secret_access_key: '${K}' }", "nothing here says who we are for `az://`"),
            ("az", "{ account_key: '${K}', sas_token: '${K}' }", "several keys say who we are"),
            ("az", "{ client_secret: '${K}', client_id: c }", "`tenant` is missing"),
            ("az", "{ managed_identity: {}, tenant: t }", "`tenant` means nothing beside `managed_identity`"),
            ("az", "{ account_key: written }", "is written out"),
            ("gs", "{ client_secret: '${K}' }", "nothing here says who we are for `gs://`"),
            (
                "gs",
                "{ service_account_file: k.json, tenant: t }",
                "`tenant` means nothing beside `service_account_file`",
            ),
            ("gs", "{ federated: { from: env, name: T, service_account: 'a@b.c' } }", "`audience` is missing"),
            ("s3", "{ federated: { from: env, name: T } }", "`role` is missing"),
            ("s3", "{ federated: { from: env, name: T, role: avatars } }", "is not a role"),
        ] {
            let text = with(scheme, credential);
            let faults = judged(&text, bucket_of).expect_err(&text);
            assert!(faults.len() == 1 && faults[0].contains(words), "{text}: {faults:?}");
        }
        let store = |scheme: &str, credential: &str| {
            let text = with(scheme, credential);
            judged(&text, bucket_of).unwrap_or_else(|faults| panic!("{text}: {faults:?}")).unwrap().place.store
        };
        let role = "{ federated: { from: file, path: token, role: 'arn:aws:iam::123456789012:role/avatars' } }";
        let BucketStore::S3 { credential: Some(AmazonCredential::Federated(federated)), .. } = store("s3", role) else {
            panic!("by a role")
        };
        assert_eq!(federated.role, "arn:aws:iam::123456789012:role/avatars");
        let BucketStore::Azure { credential: Some(AzureCredential::Entra(entra)), account: None } =
            store("az", "{ tenant: t, client_id: c, federated: { from: file, path: token }, cloud: usgov }")
        else {
            panic!("by Entra")
        };
        assert_eq!((entra.tenant.as_str(), entra.endpoints.login.host_str()), ("t", Some("login.microsoftonline.us")));
        let BucketStore::Google { credential: Some(GoogleCredential::ExternalAccountFile(_)), endpoints } =
            store("gs", "{ external_account_file: ci.json }")
        else {
            panic!("of Google")
        };
        assert_eq!(endpoints.sts.as_str(), "https://sts.googleapis.com/");
        assert!(matches!(store("az", "{ managed_identity: {} }"), BucketStore::Azure { credential: Some(_), .. }));
    }
}
