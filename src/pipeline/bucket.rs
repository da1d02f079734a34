//! A place in object storage: `bucket`, and the keys that stand beside it.
//!
//! Owns: which of them belong to which vendor. Leaves to others: what is kept there (`state`), asking for it (`bucket` of the
//! program).
//! A newcomer gets wrong: the credential is one element for all vendors; which keys of it have a meaning, the URL says.

use std::fmt;

use super::certificate::{Certificate, KeyFile};
use super::declare::element;
use super::fault::{FileFault, Span};
use super::kinds::{EmailAddress, EntraEndpoints, ExternalAccountFile, GoogleEndpoints, ManagedIdentity, PoolProvider};
use super::read::{At, Reader, Setting};
use super::scalar::{DirectoryId, FilePath, Word, scalar_schema};
use super::token_from::{self, TokenPlace, VariableName};
use super::tree::Id;
use super::web::{BaseUrl, SecretValue};
use crate::settings::{self, AppProof, AzureCredential, BucketStore, Cloud, EntraCredential, GoogleCredential, S3Key};

element! {
    /// Who we are for an object store. For `s3://`: `access_key_id` and `secret_access_key`. For `az://`: `account_key` or
    /// `sas_token`; or `tenant`, `client_id` and one of `federated`, `client_secret` and `certificate`; or `managed_identity`.
    /// For `gs://`: one of `federated`, `external_account_file` and `service_account_file`.
    BucketCredential {
        /// `s3`: the key's id.
        access_key_id: Word = Optional,
        /// `s3`: the key itself.
        secret_access_key: SecretValue = Optional,
        /// `s3`: what goes with a key that ends.
        session_token: SecretValue = Optional,
        /// `az`: a key of the storage account. It opens everything in the account: the other ways are better.
        account_key: SecretValue = Optional,
        /// `az`: a shared access signature of the container, with the rights to read, write, create and delete.
        sas_token: SecretValue = Optional,
        /// `az`: the tenant of the app registration.
        tenant: DirectoryId = Optional,
        /// `az`: the application (client) id of the app registration.
        client_id: DirectoryId = Optional,
        /// `az`: a secret of the app registration.
        client_secret: SecretValue = Optional,
        /// `az`: a certificate of the app registration.
        certificate: Certificate = Optional,
        /// `az`: the identity of the Azure virtual machine that runs the job: nothing secret is kept.
        managed_identity: ManagedIdentity = Optional,
        /// `az`: the national cloud of the sign-in. The store's own address is `endpoint`.
        cloud: Cloud = Optional,
        /// `gs`: the key file of a service account, JSON.
        service_account_file: KeyFile = Optional,
        /// `gs`: a file of the type `external_account`, JSON, as CI platforms make it.
        external_account_file: ExternalAccountFile = Optional,
        /// `az`, `gs`: a token of the CI platform: nothing secret is kept.
        federated: BucketFederated = Optional,
    }
}

element! {
    /// A token of the CI platform, which the store's vendor trusts.
    BucketFederated {
        /// Where the token comes from.
        from: TokenPlace = Required,
        /// With `from: env`: the name of the variable that holds the token.
        name: VariableName = Optional,
        /// With `from: file`: the file that holds the token.
        path: FilePath = Optional,
        /// With `from: azure_devops`: the id of the service connection, where `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID` does not
        /// say it.
        service_connection: DirectoryId = Optional,
        /// `gs`: the provider of the workload identity pool:
        /// `//iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`.
        audience: PoolProvider = Optional,
        /// `gs`: the e-mail address of the service account.
        service_account: EmailAddress = Optional,
    }
}

/// The kinds of object storage, by the scheme of the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    S3,
    Az,
    Gs,
}

impl Scheme {
    fn word(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Az => "az",
            Self::Gs => "gs",
        }
    }

    /// Of which keys of the credential exactly one says who we are.
    fn proofs(self) -> &'static [&'static str] {
        match self {
            Self::S3 => &["secret_access_key"],
            Self::Az => &["federated", "managed_identity", "sas_token", "client_secret", "certificate", "account_key"],
            Self::Gs => &["federated", "external_account_file", "service_account_file"],
        }
    }

    /// What stands beside a proof: whether it has to.
    fn beside(self, proof: &str) -> &'static [(&'static str, bool)] {
        match (self, proof) {
            (Self::S3, _) => &[("access_key_id", true), ("session_token", false)],
            (Self::Az, "federated" | "client_secret" | "certificate") => {
                &[("tenant", true), ("client_id", true), ("cloud", false)]
            }
            _ => &[],
        }
    }
}

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
                credential: $crate::pipeline::bucket::BucketCredential = Optional,
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
                credential: whole(credential.map(BucketCredential::s3))?,
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

fn refuse_of_others(reader: &mut Reader<'_>, scheme: Scheme, of: Scheme, key: &str, written: bool, span: &Span) {
    if written && scheme != of {
        let fault = FileFault::new(span.clone(), format!("`{key}` means nothing for `{}://`", scheme.word()));
        reader.fault(fault.help(format!("it belongs to `{}://`: leave it out", of.word())));
    }
}

impl BucketCredential {
    /// Every key, whether it is written, and where.
    fn written(&self) -> Vec<(&'static str, &Span)> {
        macro_rules! written {
            ($($key:ident),+) => { [$((stringify!($key), self.$key.written, &self.$key.span)),+] };
        }
        let keys = written!(
            access_key_id,
            secret_access_key,
            session_token,
            account_key,
            sas_token,
            tenant,
            client_id,
            client_secret,
            certificate,
            managed_identity,
            cloud,
            service_account_file,
            external_account_file,
            federated
        );
        keys.into_iter().filter(|(_, written, _)| *written).map(|(key, _, span)| (key, span)).collect()
    }

    /// Whether exactly one proof of this vendor stands there, with what belongs to it and nothing else.
    fn fits(&self, reader: &mut Reader<'_>, scheme: Scheme, span: &Span) -> bool {
        let written = self.written();
        let mut proofs = scheme.proofs().iter().filter(|proof| written.iter().any(|(key, _)| key == *proof));
        let proof = match (proofs.next(), proofs.next()) {
            (Some(proof), None) => *proof,
            // What is missing is told below.
            (None, _) if scheme == Scheme::S3 => "secret_access_key",
            (found, _) => {
                let message = match found {
                    None => format!("nothing here says who we are for `{}://`", scheme.word()),
                    Some(_) => format!("for `{}://` several keys say who we are", scheme.word()),
                };
                let fault = FileFault::new(span.clone(), message);
                reader.fault(fault.help(format!("write one of `{}`", scheme.proofs().join("`, `"))));
                return false;
            }
        };
        let beside = scheme.beside(proof);
        let mut fits = true;
        let wanted = beside.iter().filter(|(_, wanted)| *wanted).map(|(key, _)| *key);
        for key in wanted.chain([proof]).filter(|wanted| !written.iter().any(|(key, _)| key == wanted)) {
            let message = format!("the key `{key}` is missing in `credential`");
            reader.fault(
                FileFault::new(span.clone(), message)
                    .help(format!("it goes with the others of `{}://`", scheme.word())),
            );
            fits = false;
        }
        for (key, span) in written {
            if key != proof && !beside.iter().any(|(known, _)| *known == key) {
                let message = format!("`{key}` means nothing beside `{proof}` of `{}://`", scheme.word());
                reader.fault(FileFault::new(span.clone(), message).help("leave it out"));
                fits = false;
            }
        }
        fits
    }

    fn s3(&self) -> Option<S3Key> {
        Some(S3Key {
            access_key_id: self.access_key_id.get()?.0.clone(),
            secret_access_key: self.secret_access_key.get()?.0.clone(),
            session_token: self.session_token.optional()?.map(|token| token.0.clone()),
        })
    }

    fn azure(&self, reader: &mut Reader<'_>) -> Option<AzureCredential> {
        if self.account_key.written {
            return Some(AzureCredential::AccountKey(self.account_key.get()?.0.clone()));
        }
        if self.sas_token.written {
            return Some(AzureCredential::Sas(self.sas_token.get()?.0.clone()));
        }
        let cloud = self.cloud.optional()?.map_or(Cloud::Global, |cloud| *cloud);
        let endpoints = EntraEndpoints::of(reader, cloud)?;
        if self.managed_identity.written {
            let client_id = self.managed_identity.get()?.client_id.optional()?.map(|id| id.0.clone());
            let credential = EntraCredential::ManagedIdentity { client_id };
            let entra = settings::Entra { cloud, tenant: String::new(), credential, endpoints };
            return Some(AzureCredential::Entra(Box::new(entra)));
        }
        let proof = if self.client_secret.written {
            AppProof::ClientSecret(self.client_secret.get()?.0.clone())
        } else if self.certificate.written {
            AppProof::Certificate(self.certificate.get()?.settled(reader)?)
        } else {
            let federated = self.federated.get()?;
            let alone = [
                ("audience", &federated.audience.span, federated.audience.written),
                ("service_account", &federated.service_account.span, federated.service_account.written),
            ];
            for (key, span, written) in alone {
                refuse_of_others(reader, Scheme::Az, Scheme::Gs, key, written, span);
            }
            AppProof::Federated(federated.settle(reader)?)
        };
        let credential = EntraCredential::App { client_id: self.client_id.get()?.0.clone(), proof };
        let tenant = self.tenant.get()?.0.clone();
        Some(AzureCredential::Entra(Box::new(settings::Entra { cloud, tenant, credential, endpoints })))
    }

    fn google(&self, reader: &mut Reader<'_>, span: &Span) -> Option<GoogleCredential> {
        Some(if self.service_account_file.written {
            GoogleCredential::ServiceAccountFile(self.service_account_file.get()?.0.clone())
        } else if self.external_account_file.written {
            GoogleCredential::ExternalAccountFile(self.external_account_file.get()?.0.clone())
        } else {
            let federated = self.federated.get()?;
            for (key, written) in
                [("audience", federated.audience.written), ("service_account", federated.service_account.written)]
            {
                if !written {
                    let fault = FileFault::new(span.clone(), format!("the key `{key}` is missing in `federated`"));
                    reader.fault(fault.help("for `gs://` it says which pool trusts the token, and who it becomes"));
                }
            }
            GoogleCredential::Federated(settings::GoogleFederated {
                from: federated.settle(reader)?,
                audience: federated.audience.get()?.0.clone(),
                service_account: federated.service_account.get()?.0.clone(),
            })
        })
    }
}

impl BucketFederated {
    fn settle(&self, reader: &mut Reader<'_>) -> Option<settings::TokenFrom> {
        let Self { from, name, path, service_connection, .. } = self;
        token_from::Keys { from, name, path, service_connection }.settle(reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::state::State;
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
        ] {
            let text = with(scheme, credential);
            let faults = judged(&text, bucket_of).expect_err(&text);
            assert!(faults.len() == 1 && faults[0].contains(words), "{text}: {faults:?}");
        }
        let store = |scheme: &str, credential: &str| {
            let text = with(scheme, credential);
            judged(&text, bucket_of).unwrap_or_else(|faults| panic!("{text}: {faults:?}")).unwrap().place.store
        };
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
