//! `credential` beside `bucket`: who we are for an object store.
//!
//! Owns: which keys go together for each vendor. Leaves to others: where the store is (`bucket`), signing in (`http`).
//! A newcomer gets wrong: it is one element for all vendors; which keys of it have a meaning, the URL says.

use super::certificate::{Certificate, KeyFile};
use super::declare::element;
use super::fault::{FileFault, Span};
use super::kinds::{EmailAddress, EntraEndpoints, ExternalAccountFile, ManagedIdentity, PoolProvider};
use super::read::{Reader, Setting};
use super::scalar::{DirectoryId, FilePath, Word, scalar_schema};
use super::token_from::{self, TokenPlace, VariableName};
use super::tree::Id;
use super::web::SecretValue;
use crate::settings::{
    self, AmazonCredential, AmazonFederated, AppProof, AzureCredential, Cloud, EntraCredential, GoogleCredential, S3Key,
};

element! {
    /// Who we are for an object store. For `s3://`: `federated`, or `access_key_id` and `secret_access_key`. For `az://`: `account_key` or
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
        /// A token of the CI platform: nothing secret is kept.
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
        /// `s3`: the role that whoever has the token becomes: `arn:aws:iam::ACCOUNT:role/NAME`.
        role: RoleArn = Optional,
        /// `gs`: the provider of the workload identity pool:
        /// `//iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`.
        audience: PoolProvider = Optional,
        /// `gs`: the e-mail address of the service account.
        service_account: EmailAddress = Optional,
    }
}

/// A role of Amazon's, by its ARN.
#[derive(Clone, Debug)]
pub(super) struct RoleArn(String);

impl Setting for RoleArn {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let is_one = |text: &str| text.starts_with("arn:") && text.contains(":role/");
        let parse = |text: &str| is_one(text).then(|| Self(text.to_owned()));
        reader.parsed(id, "a role, such as `arn:aws:iam::123456789012:role/avatars`", parse)
    }
}

scalar_schema!(RoleArn, "RoleArn", { "type": "string", "pattern": "^arn:.*:role/|\\$\\{" });

/// The kinds of object storage, by the scheme of the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    S3,
    Az,
    Gs,
}

impl Scheme {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Az => "az",
            Self::Gs => "gs",
        }
    }

    /// Of which keys of the credential exactly one says who we are.
    fn proofs(self) -> &'static [&'static str] {
        match self {
            Self::S3 => &["federated", "secret_access_key"],
            Self::Az => &["federated", "managed_identity", "sas_token", "client_secret", "certificate", "account_key"],
            Self::Gs => &["federated", "external_account_file", "service_account_file"],
        }
    }

    /// What stands beside a proof: whether it has to.
    fn beside(self, proof: &str) -> &'static [(&'static str, bool)] {
        match (self, proof) {
            (Self::S3, "secret_access_key") => &[("access_key_id", true), ("session_token", false)],
            (Self::Az, "federated" | "client_secret" | "certificate") => {
                &[("tenant", true), ("client_id", true), ("cloud", false)]
            }
            _ => &[],
        }
    }
}

/// A key that means something for one vendor alone.
pub(super) fn refuse_of_others(
    reader: &mut Reader<'_>,
    scheme: Scheme,
    of: Scheme,
    key: &str,
    written: bool,
    span: &Span,
) {
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
    pub(super) fn fits(&self, reader: &mut Reader<'_>, scheme: Scheme, span: &Span) -> bool {
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

    pub(super) fn s3(&self, reader: &mut Reader<'_>) -> Option<AmazonCredential> {
        if self.federated.written {
            let federated = self.federated.get()?;
            federated.expect(reader, Scheme::S3, &self.federated.span);
            let (from, role) = (federated.settle(reader)?, federated.role.get()?.0.clone());
            return Some(AmazonCredential::Federated(AmazonFederated { from, role }));
        }
        Some(AmazonCredential::Key(S3Key {
            access_key_id: self.access_key_id.get()?.0.clone(),
            secret_access_key: self.secret_access_key.get()?.0.clone(),
            session_token: self.session_token.optional()?.map(|token| token.0.clone()),
        }))
    }

    pub(super) fn azure(&self, reader: &mut Reader<'_>) -> Option<AzureCredential> {
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
            federated.expect(reader, Scheme::Az, &self.federated.span);
            AppProof::Federated(federated.settle(reader)?)
        };
        let credential = EntraCredential::App { client_id: self.client_id.get()?.0.clone(), proof };
        let tenant = self.tenant.get()?.0.clone();
        Some(AzureCredential::Entra(Box::new(settings::Entra { cloud, tenant, credential, endpoints })))
    }

    pub(super) fn google(&self, reader: &mut Reader<'_>, span: &Span) -> Option<GoogleCredential> {
        Some(if self.service_account_file.written {
            GoogleCredential::ServiceAccountFile(self.service_account_file.get()?.0.clone())
        } else if self.external_account_file.written {
            GoogleCredential::ExternalAccountFile(self.external_account_file.get()?.0.clone())
        } else {
            let federated = self.federated.get()?;
            federated.expect(reader, Scheme::Gs, span);
            GoogleCredential::Federated(settings::GoogleFederated {
                from: federated.settle(reader)?,
                audience: federated.audience.get()?.0.clone(),
                service_account: federated.service_account.get()?.0.clone(),
            })
        })
    }
}

impl BucketFederated {
    /// Each vendor's own keys, and no other's.
    fn expect(&self, reader: &mut Reader<'_>, scheme: Scheme, span: &Span) {
        let Self { role, audience, service_account, .. } = self;
        for (key, of, written, place) in [
            ("role", Scheme::S3, role.written, &role.span),
            ("audience", Scheme::Gs, audience.written, &audience.span),
            ("service_account", Scheme::Gs, service_account.written, &service_account.span),
        ] {
            refuse_of_others(reader, scheme, of, key, written, place);
            if scheme == of && !written {
                let fault = FileFault::new(span.clone(), format!("the key `{key}` is missing in `federated`"));
                reader.fault(fault.help(match scheme {
                    Scheme::S3 => "for `s3://` it says which role the token becomes",
                    Scheme::Az | Scheme::Gs => "for `gs://` it says which pool trusts the token, and who it becomes",
                }));
            }
        }
    }

    fn settle(&self, reader: &mut Reader<'_>) -> Option<settings::TokenFrom> {
        let Self { from, name, path, service_connection, .. } = self;
        token_from::Keys { from, name, path, service_connection }.settle(reader)
    }
}
