//! `extract: - google`: Google Workspace or Cloud Identity, through the Directory API.
//!
//! Owns: the keys that it has alone, and which of them go together. Leaves to others: signing in and asking (`extract`).
//! A newcomer gets wrong: a service account belongs to no domain; in its own name it must say which customer it means.

use std::path::PathBuf;

use url::Url;

use crate::model::PersonKey;
use crate::pipeline::certificate::KeyFile;
use crate::pipeline::declare::{element, kinds};
use crate::pipeline::fault::FileFault;
use crate::pipeline::read::{At, List, Reader, Setting};
use crate::pipeline::scalar::{DirectoryId, FilePath, Flag, Word, scalar_schema};
use crate::pipeline::source::{Chosen, SourceSettings, chosen, source, texts};
use crate::pipeline::token_from::{self, TokenPlace, VariableName};
use crate::pipeline::tree::Id;
use crate::pipeline::web::BaseUrl;
use crate::settings::{self, Provider, SourceKind, UserType};

source! {
    /// Google Workspace or Cloud Identity, through the Directory API.
    Google = "google" at a server {
        /// The customer's id, which begins with `C`; `my_customer` is that of `subject`.
        customer: Customer = Else("my_customer"),
        /// The e-mail address of the administrator in whose name the service account acts, by domain-wide delegation.
        /// Left out, it acts in its own name, with an admin role of its own.
        subject: EmailAddress = Optional,
        /// How the service account proves itself.
        credential: GoogleCredential = Required,
        /// Who is in scope.
        users: GoogleUsers = Else("{}"),
        /// Base URLs, where they are not Google's own.
        endpoints: GoogleEndpoints = Else("{}"),
    }
}

kinds! {
    /// How the service account proves itself to Google.
    GoogleCredential as GoogleCredentialKey {
        /// The key file of the service account, JSON.
        "service_account_file" => ServiceAccountFile(KeyFile),
        /// A file of the type `external_account`, JSON, as CI platforms make it.
        "external_account_file" => ExternalAccountFile(ExternalAccountFile),
        /// A token of the CI platform, through workload identity federation: nothing secret is kept.
        "federated" => Federated(GoogleFederated),
    }
}

element! {
    /// A token of the CI platform, which a workload identity pool trusts.
    GoogleFederated {
        /// Where the token comes from.
        from: TokenPlace = Required,
        /// With `from: env`: the name of the variable that holds the token.
        name: VariableName = Optional,
        /// With `from: file`: the file that holds the token.
        path: FilePath = Optional,
        /// With `from: azure_devops`: the id of the service connection, where `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID` does not
        /// say it.
        service_connection: DirectoryId = Optional,
        /// The provider of the workload identity pool:
        /// `//iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`.
        audience: PoolProvider = Required,
        /// The e-mail address of the service account.
        service_account: EmailAddress = Required,
    }
}

pub(in crate::pipeline) trait GoogleCredentialKey {
    fn settle(&self, reader: &mut Reader<'_>) -> Option<settings::GoogleCredential>;
}

impl GoogleCredentialKey for KeyFile {
    fn settle(&self, _: &mut Reader<'_>) -> Option<settings::GoogleCredential> {
        Some(settings::GoogleCredential::ServiceAccountFile(self.0.clone()))
    }
}

/// As [`KeyFile`]: some hold a secret.
#[derive(Clone, Debug)]
pub(in crate::pipeline) struct ExternalAccountFile(pub(in crate::pipeline) PathBuf);

impl Setting for ExternalAccountFile {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        KeyFile::read(reader, id).map(|file| Self(file.0))
    }
}

impl schemars::JsonSchema for ExternalAccountFile {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ExternalAccountFile".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        KeyFile::json_schema(generator)
    }
}

impl GoogleCredentialKey for ExternalAccountFile {
    fn settle(&self, _: &mut Reader<'_>) -> Option<settings::GoogleCredential> {
        Some(settings::GoogleCredential::ExternalAccountFile(self.0.clone()))
    }
}

impl GoogleCredentialKey for GoogleFederated {
    fn settle(&self, reader: &mut Reader<'_>) -> Option<settings::GoogleCredential> {
        let Self { from, name, path, service_connection, .. } = self;
        let keys = token_from::Keys { from, name, path, service_connection };
        Some(settings::GoogleCredential::Federated(settings::GoogleFederated {
            from: keys.settle(reader)?,
            audience: self.audience.get()?.0.clone(),
            service_account: self.service_account.get()?.0.clone(),
        }))
    }
}

element! {
    /// Who is in scope. Whoever is not is left alone, or treated as `fallback` says.
    GoogleUsers {
        /// Who is suspended or archived is `inactive`.
        active: Flag = Else("true"),
        /// Members of these organisational units, units below included, as paths such as `/Sales/Europe`. Empty: everybody.
        org_units: List<OrgUnit> = Else("[]"),
        /// Members of these groups, nested groups included. Empty: everybody.
        groups: List<Word> = Else("[]"),
        /// People who are left alone: patterns such as `*-admin@example.com` over user names, e-mails and ids, and groups as
        /// `{ group: ADDRESS }`, nested groups included.
        exclude: List<Chosen> = Else("[]"),
        /// People who asked to show no photo: patterns and groups as under `exclude`.
        opted_out: List<Chosen> = Else("[]"),
        /// People whose accounts keep what they show, in every target: patterns and groups as under `exclude`. It counts
        /// before every other rule.
        freeze: List<Chosen> = Else("[]"),
    }
}

impl GoogleUsers {
    fn settle(&self, reader: &mut Reader<'_>) -> Option<settings::Users> {
        Some(settings::Users {
            active: self.active.get()?.0,
            types: vec![UserType::Member],
            org_units: self
                .org_units
                .get()?
                .0
                .iter()
                .map(|at| at.placed(|unit| Some(unit.0.clone())))
                .collect::<Option<_>>()?,
            groups: texts(self.groups.get()?)?,
            exclude: self.exclude.placed(|list| chosen(reader, &self.exclude.span, list))?,
            opted_out: self.opted_out.placed(|list| chosen(reader, &self.opted_out.span, list))?,
            freeze: self.freeze.placed(|list| chosen(reader, &self.freeze.span, list))?,
        })
    }
}

element! {
    /// Base URLs to which the documented paths are appended.
    GoogleEndpoints {
        /// Sign-in.
        token: BaseUrl = Else("https://oauth2.googleapis.com"),
        /// The Directory API.
        directory: BaseUrl = Else("https://admin.googleapis.com"),
        /// The security token service, for `federated` and `external_account_file`.
        sts: BaseUrl = Else("https://sts.googleapis.com"),
        /// The IAM Service Account Credentials API, likewise.
        iam_credentials: BaseUrl = Else("https://iamcredentials.googleapis.com"),
    }
}

impl GoogleEndpoints {
    /// Google's own, where the file names none.
    pub(in crate::pipeline) fn own(reader: &mut Reader<'_>) -> Option<settings::GoogleEndpoints> {
        let id = reader.tree.graft("{}", &(0..0))?;
        Self::read(reader, id)?.settle(reader)
    }

    fn settle(&self, reader: &mut Reader<'_>) -> Option<settings::GoogleEndpoints> {
        for at in [&self.token, &self.directory, &self.sts, &self.iam_credentials] {
            if let Some(url) = at.get() {
                url.refuse_clear(reader, &at.span);
            }
        }
        let url = |at: &At<BaseUrl>| -> Option<Url> { Some(at.get()?.0.clone()) };
        Some(settings::GoogleEndpoints {
            token: url(&self.token)?,
            directory: url(&self.directory)?,
            sts: url(&self.sts)?,
            iam_credentials: url(&self.iam_credentials)?,
        })
    }
}

const MY_CUSTOMER: &str = "my_customer";

/// `my_customer` or an id; never a domain (docs/wire/google-directory.md §2).
#[derive(Clone, Debug)]
pub(in crate::pipeline) struct Customer(String);

impl Setting for Customer {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let is_id = |text: &str| {
            text.strip_prefix('C')
                .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric()))
        };
        let parse = |text: &str| (text == MY_CUSTOMER || is_id(text)).then(|| Self(text.to_owned()));
        reader.parsed(id, "`my_customer` or a customer's id, such as `C03az79cb`", parse)
    }
}

scalar_schema!(Customer, "Customer", { "type": "string", "pattern": "^(my_customer|C[A-Za-z0-9]+)$|\\$\\{" });

/// An e-mail address; that of a service account becomes part of a path.
#[derive(Clone, Debug)]
pub(in crate::pipeline) struct EmailAddress(pub(in crate::pipeline) String);

impl Setting for EmailAddress {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let parse = |text: &str| is_address(text).then(|| Self(text.to_owned()));
        reader.parsed(id, "an e-mail address", parse)
    }
}

fn is_address(text: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "/?#%:\\<>,;\"".contains(c);
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !text.contains(odd)
    })
}

scalar_schema!(EmailAddress, "EmailAddress", { "type": "string", "pattern": "^[^@\\s/?#%:]+@[^@\\s/?#%:]+$|\\$\\{" });

/// The provider of a workload identity pool, kept as the token service takes it (§1.5).
#[derive(Clone, Debug)]
pub(in crate::pipeline) struct PoolProvider(pub(in crate::pipeline) String);

impl Setting for PoolProvider {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let expected = "the name of a pool's provider, `//iam.googleapis.com/projects/NUMBER/locations/global/\
                        workloadIdentityPools/POOL/providers/PROVIDER`";
        reader.parsed(id, expected, |text| pool_provider(text).map(Self))
    }
}

fn pool_provider(text: &str) -> Option<String> {
    let name = text.strip_prefix("https:").unwrap_or(text).strip_prefix("//iam.googleapis.com/")?;
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let parts: Vec<&str> = name.split('/').collect();
    let ["projects", project, "locations", "global", "workloadIdentityPools", pool, "providers", provider] = parts[..]
    else {
        return None;
    };
    let named = project.bytes().all(|byte| byte.is_ascii_digit()) && word(project) && word(pool) && word(provider);
    named.then(|| format!("//iam.googleapis.com/{name}"))
}

scalar_schema!(PoolProvider, "PoolProvider", {
    "type": "string",
    "pattern": "^(https:)?//iam\\.googleapis\\.com/projects/[0-9]+/locations/global/workloadIdentityPools/[A-Za-z0-9-]+/providers/[A-Za-z0-9-]+$|\\$\\{",
});

/// The path of an organisational unit, as the Admin console shows it.
#[derive(Clone, Debug)]
pub(in crate::pipeline) struct OrgUnit(String);

impl Setting for OrgUnit {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let is_one =
            |text: &str| text == "/" || (text.starts_with('/') && !text.ends_with('/') && !text.contains("//"));
        let parse = |text: &str| is_one(text).then(|| Self(text.to_owned()));
        reader.parsed(id, "the path of an organisational unit, such as `/Sales/Europe`", parse)
    }
}

scalar_schema!(OrgUnit, "OrgUnit", { "type": "string", "pattern": "^/|\\$\\{" });

impl Google {
    /// `my_customer` is the customer of whoever asks; a service account has none (§1.6).
    fn customer(&self, reader: &mut Reader<'_>, place: &At<GoogleCredential>) -> Option<String> {
        let customer = self.customer.get()?.0.clone();
        if customer == MY_CUSTOMER && !self.subject.written {
            let span = if self.customer.written { &self.customer.span } else { &place.span };
            let message = "without `subject`, the service account acts in its own name and has no `my_customer`";
            let fault = FileFault::new(span.clone(), message);
            reader.fault(fault.help(
                "write `customer: C…`, as the Admin console shows it under Account settings, or the administrator \
                 in whose name it acts as `subject`",
            ));
            return None;
        }
        Some(customer)
    }
}

impl SourceSettings for Google {
    /// A user of Google has addresses and an id (§2).
    fn fills(&self, key: PersonKey) -> bool {
        matches!(key, PersonKey::Email | PersonKey::EmailLocal | PersonKey::Id)
    }

    fn provider(&self, reader: &mut Reader<'_>) -> Option<Provider> {
        // Everything is judged before anything is asked for, so that no fault hides another.
        let customer = self.customer(reader, &self.credential);
        let users = self.users.get().and_then(|users| users.settle(reader));
        let credential = self.credential.get().and_then(|credential| credential.settings().settle(reader));
        let endpoints = self.endpoints.get().and_then(|endpoints| endpoints.settle(reader));
        Some(Provider {
            users: users?,
            kind: SourceKind::Google(settings::Google {
                customer: customer?,
                subject: self.subject.optional()?.map(|subject| subject.0.clone()),
                credential: credential?,
                endpoints: endpoints?,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::source::DeclaredNames;
    use crate::pipeline::tests::judged;

    const PROVIDER: &str =
        "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/ci/providers/github";

    fn settled(keys: &str) -> Result<settings::Source, Vec<String>> {
        let names = DeclaredNames { rates: vec!["default".to_owned()], http: vec!["default".to_owned()] };
        judged(keys, |at: &At<Google>, reader: &mut Reader<'_>| at.get()?.settle(reader, &names, at.place.clone()))
    }

    fn google(keys: &str) -> (settings::Users, settings::Google) {
        let provider = settled(keys).unwrap_or_else(|faults| panic!("{keys}: {faults:?}")).provider.unwrap();
        let SourceKind::Google(google) = provider.kind else { panic!("a Google was written") };
        (provider.users, google)
    }

    #[test]
    fn what_is_left_out_is_googles_own() {
        let (users, google) = google("{ subject: admin@example.com, credential: { service_account_file: key.json } }");
        assert_eq!((google.customer.as_str(), google.subject.as_deref()), ("my_customer", Some("admin@example.com")));
        assert_eq!(google.endpoints.directory.as_str(), "https://admin.googleapis.com/");
        assert_eq!(google.endpoints.iam_credentials.host_str(), Some("iamcredentials.googleapis.com"));
        assert!(users.active && users.org_units.is_empty() && users.groups.is_empty());
    }

    #[test]
    fn every_way_to_sign_in() {
        use settings::{GoogleCredential as Credential, TokenFrom};
        let own = |credential: &str| google(&format!("{{ customer: C01, credential: {credential} }}")).1.credential;
        assert!(
            matches!(own("{ service_account_file: a.json }"), Credential::ServiceAccountFile(path) if path == *"a.json")
        );
        assert!(
            matches!(own("{ external_account_file: b.json }"), Credential::ExternalAccountFile(path) if path == *"b.json")
        );
        for prefix in ["", "https:"] {
            let federated = format!(
                "{{ federated: {{ from: file, path: t, audience: '{prefix}{PROVIDER}', service_account: a@b.iam.gserviceaccount.com }} }}"
            );
            let Credential::Federated(federated) = own(&federated) else { panic!("federated was written") };
            assert_eq!(federated.audience, PROVIDER);
            assert!(matches!(federated.from, TokenFrom::File { path } if path == *"t"));
        }
    }

    #[test]
    fn what_google_would_refuse_is_refused() {
        let key = |rest: &str| format!("{{ credential: {{ service_account_file: key.json }}, {rest} }}");
        let federated = |rest: &str| format!("{{ customer: C01, credential: {{ federated: {{ {rest} }} }} }}");
        let audience = format!("audience: '{PROVIDER}'");
        for (text, words) in [
            (key(""), "has no `my_customer`"),
            (key("customer: my_customer"), "has no `my_customer`"),
            (key("customer: example.com"), "is not `my_customer` or a customer's id"),
            (key("subject: admin"), "`admin` is not an e-mail address"),
            (key("subject: a@b, users: { org_units: [Sales] }"), "the path of an organisational unit"),
            (key("subject: a@b, users: { types: [member] }"), "unknown key `types`"),
            (key("subject: a@b, endpoints: { sts: 'http://sts.example.com' }"), "in clear"),
            (key("subject: a@b, endpoints: { graph: 'https://x' }"), "unknown key `graph`"),
            ("{ subject: a@b }".to_owned(), "`credential` is missing"),
            ("{ subject: a@b, credential: { service_account_file: '{}' } }".to_owned(), "the text of a key"),
            ("{ subject: a@b, credential: { external_account_file: '{}' } }".to_owned(), "the text of a key"),
            (federated("from: github, service_account: a@b"), "`audience` is missing"),
            (federated(&format!("from: github, {audience}")), "`service_account` is missing"),
            (federated(&format!("{audience}, service_account: a@b")), "`from` is missing"),
            (federated(&format!("from: env, {audience}, service_account: a@b")), "`name` is missing"),
            (federated("from: github, audience: 'api://x', service_account: a@b"), "the name of a pool's provider"),
            (federated(&format!("from: github, {audience}, service_account: a/b@c")), "is not an e-mail address"),
        ] {
            let faults = settled(&text).expect_err(&text);
            assert!(faults.len() == 1 && faults[0].contains(words), "{text}: {faults:?}");
        }
    }

    #[test]
    fn a_subject_from_outside_counts_as_one() {
        let text = "{ subject: '${ADMIN}', credential: { service_account_file: '${KEY}' } }";
        assert_eq!(settled(text).unwrap_err(), [""; 0]);
    }
}
