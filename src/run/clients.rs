//! From the elements of the pipeline file to the sources and targets behind their traits.
//!
//! Owns: the translation of settings, one named rate for everybody who names it, the scope of each cloud, and that every
//! credential is known to the redactor before the first request leaves.
//! Leaves to others: the file (`pipeline`), the wire (`extract`, `load`).
//! A newcomer gets wrong: this is the one place that knows every kind; a new system is a folder and a line here.

use std::collections::BTreeMap;
use std::sync::Arc;

use url::Url;

use super::renderer::PictureFingerprinter;
use super::stop::Stop;
use crate::error::Trouble;
use crate::extract::{self, Activity, Globs, Source, UserRules, UserType};
use crate::http::{
    self, Client, ClientCert, EntraSignIn, GoogleSignIn, HeaderName, Rate, RateLimit, Stopping, Transport,
};
use crate::load::{self, Target};
use crate::model::Place;
use crate::settings::{
    self, AppProof, Cloud, EntraCredential, GoogleCredential, Matching, Pipeline, Placed, Provider, SourceKind,
    TargetKind, TokenFrom,
};

/// The named rates and transports of a file, made once and shared.
pub(super) struct Clients {
    paces: BTreeMap<String, Arc<RateLimit>>,
    transports: BTreeMap<String, Transport>,
    stop: Stop,
}

impl Clients {
    /// Makes every named rate and transport.
    pub(super) fn new(pipeline: &Pipeline, stop: &Stop) -> Result<Self, Trouble> {
        let paces =
            pipeline.rates.iter().map(|(name, rate)| (name.clone(), RateLimit::new(&rate_limit(rate)))).collect();
        let transports = pipeline
            .http
            .iter()
            .map(|(name, http)| Ok((name.clone(), transport(name, http)?)))
            .collect::<Result<_, Trouble>>()?;
        Ok(Self { paces, transports, stop: stop.clone() })
    }

    fn client(&self, id: &str, base: &Url, rate: &str, http: &str) -> Result<Client, Trouble> {
        self.line_by(id, base, rate, http, Clone::clone)
    }

    /// To whoever issues tokens: the client certificate is for the configured products only.
    fn token_line(&self, id: &str, base: &Url, rate: &str, http: &str) -> Result<Client, Trouble> {
        self.line_by(id, base, rate, http, |transport| transport.clone().without_identity())
    }

    fn line_by(
        &self,
        id: &str,
        base: &Url,
        rate: &str,
        http: &str,
        way: impl Fn(&Transport) -> Transport,
    ) -> Result<Client, Trouble> {
        let rate_limit =
            self.paces.get(rate).ok_or_else(|| Trouble::Own(format!("the rate `{rate}` was not resolved")))?;
        let transport = self
            .transports
            .get(http)
            .ok_or_else(|| Trouble::Own(format!("the http entry `{http}` was not resolved")))?;
        Ok(Client::new(id, base.clone(), Arc::clone(rate_limit), &way(transport))?)
    }

    /// How many requests may be under way at once under a rate.
    pub(super) fn concurrency(&self, rate: &str) -> usize {
        self.paces.get(rate).map_or(1, |rate_limit| rate_limit.concurrency())
    }

    /// A source that is switched on.
    pub(super) fn source(&self, entry: &settings::Source, provider: &Provider) -> Result<Arc<dyn Source>, Trouble> {
        let users = user_rules(&provider.users)?;
        match &provider.kind {
            SourceKind::Entra(entra) => {
                let client = |base: &Url| {
                    let client = self.client(entry.id.as_str(), base, &entry.rate, &entry.http)?;
                    Ok::<_, Trouble>(client.stopping(Stopping::AtOnce(self.stop.token())))
                };
                let tokens = |base: &Url| {
                    let client = self.token_line(entry.id.as_str(), base, &entry.rate, &entry.http)?;
                    Ok::<_, Trouble>(client.stopping(Stopping::AtOnce(self.stop.token())))
                };
                let (client_id, credential) = entra_credential(&entra.credential, entra.cloud);
                let sign_in = EntraSignIn {
                    login: tokens(&entra.endpoints.login)?,
                    imds: entra.endpoints.imds.clone(),
                    authority: authority(entra.cloud).to_owned(),
                    tenant: entra.tenant.clone(),
                    client_id,
                    credential,
                    scope: scope(entra.cloud).to_owned(),
                };
                Ok(Arc::new(extract::entra::Entra::new(users, sign_in, client(&entra.endpoints.graph)?)))
            }
            SourceKind::Google(google) => {
                let client = |base: &Url| {
                    let client = self.client(entry.id.as_str(), base, &entry.rate, &entry.http)?;
                    Ok::<_, Trouble>(client.stopping(Stopping::AtOnce(self.stop.token())))
                };
                let tokens = |base: &Url| {
                    let client = self.token_line(entry.id.as_str(), base, &entry.rate, &entry.http)?;
                    Ok::<_, Trouble>(client.stopping(Stopping::AtOnce(self.stop.token())))
                };
                let settings = extract::google::Settings {
                    id: entry.id.clone(),
                    customer: google.customer.clone(),
                    users,
                    org_units: provider.users.org_units.clone(),
                };
                let sign_in = GoogleSignIn {
                    credential: google_credential(&google.credential),
                    subject: google.subject.clone(),
                    scopes: settings.scopes(),
                    token: tokens(&google.endpoints.token)?,
                    sts: google.endpoints.sts.clone(),
                    iam_credentials: google.endpoints.iam_credentials.clone(),
                };
                Ok(Arc::new(extract::google::Google::new(settings, sign_in, client(&google.endpoints.directory)?)))
            }
            SourceKind::Folder(folder) => Ok(Arc::new(extract::folder::Folder::new(&folder.path, users))),
        }
    }

    /// A target.
    pub(super) fn target(&self, entry: &settings::Target) -> Result<Arc<dyn Target>, Trouble> {
        let writes = Stopping::AfterTheWrite(self.stop.token());
        match &entry.kind {
            TargetKind::Jira(jira) => {
                let client = self.client(entry.id.as_str(), &jira.base_url, &entry.rate, &entry.http)?.stopping(writes);
                Ok(Arc::new(load::jira::Jira::new(entry, jira, client, Arc::new(PictureFingerprinter))?))
            }
            TargetKind::Confluence(confluence) => {
                let client =
                    self.client(entry.id.as_str(), &confluence.base_url, &entry.rate, &entry.http)?.stopping(writes);
                let looks = Arc::new(PictureFingerprinter);
                Ok(Arc::new(load::confluence::Confluence::new(entry, confluence, client, looks)?))
            }
            TargetKind::Bitbucket(bitbucket) => {
                let client =
                    self.client(entry.id.as_str(), &bitbucket.base_url, &entry.rate, &entry.http)?.stopping(writes);
                Ok(Arc::new(load::bitbucket::Bitbucket::new(entry, bitbucket, client, Arc::new(PictureFingerprinter))?))
            }
            TargetKind::Folder(folder) => {
                Ok(Arc::new(load::folder::Folder::new(entry, folder, Arc::new(PictureFingerprinter))?))
            }
        }
    }
}

/// The line of a target's `match`: the first pair, or the map.
pub(super) fn matching_place(entry: &settings::Target) -> Place {
    match &entry.matching {
        Matching::Pairs(pairs) => pairs.first().map_or_else(|| entry.place.clone(), |pair| pair.place.clone()),
        Matching::Map(map) => map.place.clone(),
    }
}

/// The app and its proof. A managed identity has no app of its own in the file.
fn entra_credential(credential: &EntraCredential, cloud: Cloud) -> (String, http::EntraCredential) {
    match credential {
        EntraCredential::ManagedIdentity { client_id } => {
            (String::new(), http::EntraCredential::ManagedIdentity { client_id: client_id.clone() })
        }
        EntraCredential::App { client_id, proof } => {
            let proof = match proof {
                AppProof::ClientSecret(secret) => http::EntraCredential::ClientSecret(secret.clone()),
                AppProof::Certificate(certificate) => http::EntraCredential::Certificate {
                    file: certificate.file.clone(),
                    password: certificate.password.clone(),
                },
                AppProof::Federated(from) => http::EntraCredential::Federated {
                    from: token_from(from),
                    audience: federation_audience(cloud).to_owned(),
                },
            };
            (client_id.clone(), proof)
        }
    }
}

/// Whom the CI platform's token is for (docs/wire/microsoft-graph.md §1.3, §1.7).
fn federation_audience(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Global => "api://AzureADTokenExchange",
        Cloud::Usgov | Cloud::Dod => "api://AzureADTokenExchangeUSGov",
        Cloud::China => "api://AzureADTokenExchangeChina",
    }
}

fn google_credential(credential: &GoogleCredential) -> http::GoogleCredential {
    match credential {
        GoogleCredential::ServiceAccountFile(file) => http::GoogleCredential::ServiceAccountFile(file.clone()),
        GoogleCredential::ExternalAccountFile(file) => http::GoogleCredential::ExternalAccountFile(file.clone()),
        GoogleCredential::Federated(federated) => http::GoogleCredential::Federated {
            from: token_from(&federated.from),
            audience: federated.audience.clone(),
            service_account: federated.service_account.clone(),
        },
    }
}

fn token_from(from: &TokenFrom) -> http::TokenFrom {
    match from {
        TokenFrom::Github { url, token } => http::TokenFrom::Github { url: url.clone(), token: token.clone() },
        TokenFrom::Env { name, token } => http::TokenFrom::Env { name: name.clone(), token: token.clone() },
        TokenFrom::File { path } => http::TokenFrom::File { path: path.clone() },
    }
}

/// The scope is that of the cloud, wherever the endpoints point (docs/architecture.md, "Where tokens may go";
/// docs/wire/microsoft-graph.md §1.7).
fn scope(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Global => "https://graph.microsoft.com/.default",
        Cloud::Usgov => "https://graph.microsoft.us/.default",
        Cloud::Dod => "https://dod-graph.microsoft.us/.default",
        Cloud::China => "https://microsoftgraph.chinacloudapi.cn/.default",
    }
}

/// The login host as an audience, likewise of the cloud.
fn authority(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Global => "https://login.microsoftonline.com",
        Cloud::Usgov | Cloud::Dod => "https://login.microsoftonline.us",
        Cloud::China => "https://login.partner.microsoftonline.cn",
    }
}

fn rate_limit(rate: &settings::Rate) -> Rate {
    Rate { units: rate.units, per: rate.per, burst: rate.burst, concurrency: rate.concurrency as usize }
}

fn transport(name: &str, http: &settings::Http) -> Result<Transport, Trouble> {
    let client_cert =
        http.client_cert.as_ref().map(|cert| ClientCert { file: cert.file.clone(), password: cert.password.clone() });
    let mut transport = Transport {
        timeout: http.timeout,
        retry_pause: http.retry_pause,
        proxy: http.proxy.clone(),
        ca_file: http.ca_file.clone(),
        client_cert,
        headers: Vec::new(),
    };
    for (header, value) in &http.headers {
        let header = HeaderName::from_bytes(header.as_bytes())
            .map_err(|_| Trouble::Usage(format!("`{header}` under `headers` of `{name}` is not a header name")))?;
        transport.headers.push((header, value.clone()));
    }
    Ok(transport)
}

fn user_rules(users: &settings::Users) -> Result<UserRules, Trouble> {
    Ok(UserRules {
        active: if users.active { Activity::Required } else { Activity::Any },
        types: users
            .types
            .iter()
            .map(|kind| match kind {
                settings::UserType::Member => UserType::Member,
                settings::UserType::Guest => UserType::Guest,
            })
            .collect(),
        groups: users.groups.clone(),
        exclude: chosen(&users.exclude)?,
        opted_out: chosen(&users.opted_out)?,
    })
}

fn chosen(Placed { value: list, place }: &Placed<Vec<settings::Chosen>>) -> Result<extract::Chosen, Trouble> {
    let (mut patterns, mut groups) = (Vec::new(), Vec::new());
    for one in list {
        match one {
            settings::Chosen::Pattern(pattern) => patterns.push(pattern),
            settings::Chosen::Group(group) => groups.push(group.clone()),
        }
    }
    let patterns = Globs::new(&patterns).map_err(|error| Trouble::Usage(format!("{place}: {error}")))?;
    Ok(extract::Chosen { patterns, groups })
}
