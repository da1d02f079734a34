//! `extract: - entra`: Microsoft Entra ID, through Microsoft Graph.
//!
//! Owns: the keys that it has alone. Leaves to others: signing in and asking (`extract`).
//! A newcomer gets wrong: `endpoints` say where to connect and change neither scope nor audience of a token; `cloud` does.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use url::Url;

use crate::pipeline::certificate::Certificate;
use crate::pipeline::declare::{element, kinds, words};
use crate::pipeline::fault::FileFault;
use crate::pipeline::read::{At, Reader, Setting};
use crate::pipeline::scalar::{DirectoryId, FilePath};
use crate::pipeline::source::{SourceSettings, Users, source};
use crate::pipeline::token_from::{self, TokenPlace, VariableName};
use crate::pipeline::tree::Id;
use crate::pipeline::web::{BaseUrl, SecretValue};
use crate::settings::{self, AppProof, Cloud, Provider, SourceKind};

source! {
    /// Microsoft Entra ID, through Microsoft Graph.
    Entra = "entra" at a server {
        /// The national cloud: hosts, scope and audience of the sign-in.
        cloud: Cloud = Else("global"),
        /// The tenant's id or one of its domains.
        tenant: DirectoryId = Required,
        /// The application (client) id of the app registration; left out with `managed_identity`.
        client_id: DirectoryId = Optional,
        /// How we prove who we are.
        credential: EntraCredential = Required,
        /// Who is in scope.
        users: Users = Else("{}"),
        /// Base URLs, where they are not those of the cloud.
        endpoints: EntraEndpoints = Else("{}"),
    }
}

words! {
    /// A national cloud of Microsoft.
    Cloud {
        /// Worldwide, and US GCC.
        "global" => Global,
        /// US Government L4 (GCC High).
        "usgov" => Usgov,
        /// US Government L5 (DoD).
        "dod" => Dod,
        /// China, operated by 21Vianet.
        "china" => China,
    }
}

kinds! {
    /// How we prove to Entra who we are.
    EntraCredential as EntraCredentialKey {
        /// A secret of the app registration.
        "client_secret" => ClientSecret(ClientSecret),
        /// A certificate of the app registration.
        "certificate" => Certificate(Certificate),
        /// A token of the CI platform: nothing secret is kept.
        "federated" => Federated(EntraFederated),
        /// The identity of the Azure virtual machine that runs the job: nothing secret is kept.
        "managed_identity" => ManagedIdentity(ManagedIdentity),
    }
}

element! {
    /// A token of the CI platform, for which the app registration has a federated credential.
    EntraFederated {
        /// Where the token comes from.
        from: TokenPlace = Required,
        /// With `from: env`: the name of the variable that holds the token.
        name: VariableName = Optional,
        /// With `from: file`: the file that holds the token.
        path: FilePath = Optional,
        /// With `from: azure_devops`: the id of the service connection, where `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID` does not
        /// say it.
        service_connection: DirectoryId = Optional,
    }
}

element! {
    /// The identity of the Azure virtual machine that runs the job.
    ManagedIdentity {
        /// The client id of a user-assigned identity, where the machine has several.
        client_id: DirectoryId = Optional,
    }
}

/// What a credential is, apart from the app registration that it belongs to.
pub(in crate::pipeline) enum Who {
    App(AppProof),
    Machine { client_id: Option<String> },
}

pub(in crate::pipeline) trait EntraCredentialKey {
    fn settle(&self, reader: &mut Reader<'_>) -> Option<Who>;

    /// Whether it belongs to an app registration, which then must be named.
    fn is_of_an_app(&self) -> bool {
        true
    }
}

/// A secret that may not be known yet; that it is one is known all the same.
#[derive(Debug)]
pub(in crate::pipeline) struct ClientSecret(At<SecretValue>);

impl Setting for ClientSecret {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        Some(Self(reader.read(id)))
    }
}

impl JsonSchema for ClientSecret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ClientSecret".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        SecretValue::json_schema(generator)
    }
}

impl EntraCredentialKey for ClientSecret {
    fn settle(&self, _: &mut Reader<'_>) -> Option<Who> {
        Some(Who::App(AppProof::ClientSecret(self.0.get()?.0.clone())))
    }
}

impl EntraCredentialKey for Certificate {
    fn settle(&self, reader: &mut Reader<'_>) -> Option<Who> {
        Some(Who::App(AppProof::Certificate(self.settled(reader)?)))
    }
}

impl EntraCredentialKey for EntraFederated {
    fn settle(&self, reader: &mut Reader<'_>) -> Option<Who> {
        let Self { from, name, path, service_connection } = self;
        let keys = token_from::Keys { from, name, path, service_connection };
        Some(Who::App(AppProof::Federated(keys.settle(reader)?)))
    }
}

impl EntraCredentialKey for ManagedIdentity {
    fn settle(&self, _: &mut Reader<'_>) -> Option<Who> {
        Some(Who::Machine { client_id: self.client_id.optional()?.map(|id| id.0.clone()) })
    }

    fn is_of_an_app(&self) -> bool {
        false
    }
}

element! {
    /// Base URLs to which the documented paths are appended.
    EntraEndpoints {
        /// Sign-in, such as `https://login.microsoftonline.com`.
        login: BaseUrl = Optional,
        /// Microsoft Graph, such as `https://graph.microsoft.com`.
        graph: BaseUrl = Optional,
        /// The metadata service of a virtual machine, `http://169.254.169.254`.
        imds: BaseUrl = Optional,
    }
}

/// The metadata service of a virtual machine (docs/wire/microsoft-graph.md §1.4).
const IMDS: &str = "http://169.254.169.254";

impl EntraEndpoints {
    /// Those of the cloud, where the file names none.
    pub(in crate::pipeline) fn of(reader: &mut Reader<'_>, cloud: settings::Cloud) -> Option<settings::EntraEndpoints> {
        let id = reader.tree.graft("{}", &(0..0))?;
        Self::read(reader, id)?.settle(cloud)
    }

    fn settle(&self, cloud: settings::Cloud) -> Option<settings::EntraEndpoints> {
        let url = |at: &At<BaseUrl>, default: &str| match at.optional()? {
            Some(url) => Some(url.0.clone()),
            None => Url::parse(default).ok(),
        };
        Some(settings::EntraEndpoints {
            login: url(&self.login, cloud.login())?,
            graph: url(&self.graph, cloud.graph())?,
            imds: url(&self.imds, IMDS)?,
        })
    }
}

impl Entra {
    /// Who we are. A client id that would be ignored is a fault: whoever wrote it believes that it counts.
    fn credential(&self, reader: &mut Reader<'_>) -> Option<settings::EntraCredential> {
        let credential = self.credential.get()?.settings();
        let who = credential.settle(reader);
        match (credential.is_of_an_app(), self.client_id.written) {
            (true, false) => {
                let fault = FileFault::new(self.client_id.span.clone(), "the key `client_id` is missing in `entra`");
                reader.fault(fault.help("`client_id`: the application (client) id of the app registration"));
                None
            }
            (false, true) => {
                let message = "`client_id` is of an app registration, and `managed_identity` has none";
                let fault = FileFault::new(self.client_id.span.clone(), message);
                reader.fault(fault.help("leave it out, or write `managed_identity: { client_id: … }`"));
                None
            }
            (true, true) | (false, false) => Some(match who? {
                Who::App(proof) => settings::EntraCredential::App { client_id: self.client_id.get()?.0.clone(), proof },
                Who::Machine { client_id } => settings::EntraCredential::ManagedIdentity { client_id },
            }),
        }
    }
}

impl SourceSettings for Entra {
    fn provider(&self, reader: &mut Reader<'_>) -> Option<Provider> {
        // Everything is judged before anything is asked for, so that no fault hides another.
        let users = self.users.get().and_then(|users| users.settle(reader));
        if let Some(users) = self.users.get() {
            users.expect_group_ids(reader);
        }
        let credential = self.credential(reader);
        if let Some(endpoints) = self.endpoints.get() {
            for at in [&endpoints.login, &endpoints.graph] {
                if let Some(url) = at.get() {
                    url.refuse_clear(reader, &at.span);
                }
            }
        }
        let cloud = *self.cloud.get()?;
        Some(Provider {
            users: users?,
            kind: SourceKind::Entra(settings::Entra {
                cloud,
                tenant: self.tenant.get()?.0.clone(),
                credential: credential?,
                endpoints: self.endpoints.get()?.settle(cloud)?,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::source::DeclaredNames;
    use crate::pipeline::tests::judged;

    #[test]
    fn the_hosts_of_every_cloud_are_urls() {
        use settings::Cloud::{China, Dod, Global, Usgov};
        for cloud in [Global, Usgov, Dod, China] {
            for host in [cloud.login(), cloud.graph(), IMDS] {
                assert!(Url::parse(host).is_ok(), "{cloud:?}: {host}");
            }
        }
    }

    #[test]
    fn endpoints_change_one_host_and_clouds_all() {
        let settle = |at: &At<EntraEndpoints>, _: &mut Reader<'_>| at.get()?.settle(settings::Cloud::Usgov);
        let endpoints = judged("{ graph: 'http://127.0.0.1:8080' }", settle).unwrap();
        assert_eq!(endpoints.graph.as_str(), "http://127.0.0.1:8080/");
        assert_eq!(endpoints.login.host_str(), Some("login.microsoftonline.us"));
    }

    #[test]
    fn what_cannot_sign_in_is_refused() {
        let names = DeclaredNames { rates: vec!["default".to_owned()], http: vec!["default".to_owned()] };
        let entra =
            |rest: &str| format!("{{ tenant: t, client_id: c, credential: {{ client_secret: '${{S}}' }}{rest} }}");
        let proven = |credential: &str| format!("{{ tenant: t, client_id: c, credential: {credential} }}");
        for (text, words) in [
            (entra(", endpoints: { login: 'http://login.example.com' }"), "in clear"),
            (entra(", endpoints: { graph: 'ftp://x' }"), "is not a URL"),
            (entra(", endpoints: { graph: 'https://x/?a' }"), "no `?`"),
            (entra(", cloud: german"), "`german` is not a value of this key"),
            (entra(", rate: fast"), "not defined under `rates`"),
            (entra(", users: { groups: [no-photo] }"), "`no-photo` is not the object id of a group"),
            (entra(", users: { freeze: ['x@*', { group: board }] }"), "`board` is not the object id of a group"),
            ("{ tenant: a/b, client_id: c, credential: { client_secret: '${S}' } }".to_owned(), "`a/b` is not an id"),
            ("{ client_id: c, credential: { client_secret: '${S}' } }".to_owned(), "`tenant` is missing"),
            ("{ tenant: t, credential: { client_secret: '${S}' } }".to_owned(), "`client_id` is missing"),
            (proven("{ managed_identity: {} }"), "`client_id` is of an app registration"),
            (proven("{ certificate: x }"), "expected keys and values"),
            (proven("{ certificate: { password: '${P}' } }"), "`file` is missing"),
            (proven("{ federated: {} }"), "`from` is missing"),
            (proven("{ federated: { from: gitlab } }"), "`gitlab` is not a value of this key"),
            (proven("{ federated: { from: env } }"), "`name` is missing"),
            (proven("{ federated: { from: env, name: '${TOKEN}' } }"), "not its value"),
            (proven("{ federated: { from: env, name: a-b } }"), "is not the name of a variable"),
            (proven("{ federated: { from: file } }"), "`path` is missing"),
            (proven("{ federated: { from: file, path: t, name: T } }"), "with `from: env` only"),
            (proven("{ federated: { from: github, path: t } }"), "with `from: file` only"),
            (proven("{ federated: { from: github, service_connection: s } }"), "with `from: azure_devops` only"),
            (proven("{ secret: '${S}' }"), "unknown kind `secret`"),
        ] {
            let settle = |at: &At<Entra>, reader: &mut Reader<'_>| at.get()?.settle(reader, &names, at.place.clone());
            let faults = judged(&text, settle).expect_err(&text);
            assert!(faults.len() == 1 && faults[0].contains(words), "{text}: {faults:?}");
        }
    }

    #[test]
    fn every_way_to_sign_in() {
        use settings::{EntraCredential, TokenFrom};
        let names = DeclaredNames { rates: vec!["default".to_owned()], http: vec!["default".to_owned()] };
        let settled = |keys: &str| {
            let settle = |at: &At<Entra>, reader: &mut Reader<'_>| at.get()?.settle(reader, &names, at.place.clone());
            let source =
                judged(&format!("{{ tenant: t, {keys} }}"), settle).unwrap_or_else(|faults| panic!("{faults:?}"));
            let SourceKind::Entra(entra) = source.provider.unwrap().kind else { panic!("an Entra was written") };
            entra.credential
        };
        assert!(matches!(
            settled("client_id: c, credential: { certificate: { file: app.pem } }"),
            EntraCredential::App { proof: AppProof::Certificate(certificate), .. } if certificate.file == *"app.pem"
        ));
        assert!(matches!(
            settled("client_id: c, credential: { federated: { from: file, path: token } }"),
            EntraCredential::App { proof: AppProof::Federated(TokenFrom::File { path }), .. } if path == *"token"
        ));
        for (keys, expected) in [("{}", None), ("{ client_id: m }", Some("m"))] {
            assert!(matches!(
                settled(&format!("credential: {{ managed_identity: {keys} }}")),
                EntraCredential::ManagedIdentity { client_id } if client_id.as_deref() == expected
            ));
        }
    }
}
