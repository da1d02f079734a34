//! From the elements of the pipeline file to the sources and targets behind their traits.
//!
//! Owns: one named rate for everybody who names it.
//! Leaves to others: the file (`pipeline`), the wire (`extract`, `load`).
//! A newcomer gets wrong: this is the one place that knows every kind; a new system is a folder and a line here.

use std::collections::BTreeMap;
use std::sync::Arc;

use url::Url;

use super::renderer::PictureFingerprinter;
use super::stop::Stop;
use crate::error::Trouble;
use crate::extract::{self, Source};
#[cfg(feature = "bucket")]
use crate::http::ObjectsWay;
use crate::http::{Client, ClientSettings, Permit, RateLimit, Stopping};
use crate::load::{self, Target};
use crate::model::Place;
use crate::settings::{self, Http, Matching, Pipeline, Provider, SourceKind, TargetKind};

/// The named rates and ways of a file; each rate is made once and shared.
pub(super) struct Clients {
    paces: BTreeMap<String, Arc<RateLimit>>,
    http: BTreeMap<String, Http>,
    stop: Stop,
    permit: Permit,
}

impl Clients {
    /// Makes every named rate.
    pub(super) fn new(pipeline: &Pipeline, stop: &Stop) -> Self {
        let paces = pipeline.rates.iter().map(|(name, rate)| (name.clone(), RateLimit::new(rate))).collect();
        Self { paces, http: pipeline.http.clone(), stop: stop.clone(), permit: Permit::default() }
    }

    /// The same, whose targets are sent nothing once the permit ends.
    pub(super) fn permitted(self, permit: Permit) -> Self {
        Self { permit, ..self }
    }

    /// What an element of the file talks over.
    fn way(&self, name: &str, rate: &str, http: &str, stopping: Stopping) -> Result<ClientSettings, Trouble> {
        let rate_limit =
            self.paces.get(rate).ok_or_else(|| Trouble::Own(format!("the rate `{rate}` was not resolved")))?;
        let http =
            self.http.get(http).ok_or_else(|| Trouble::Own(format!("the http entry `{http}` was not resolved")))?;
        Ok(ClientSettings { name: name.to_owned(), rate_limit: Arc::clone(rate_limit), http: http.clone(), stopping })
    }

    fn client(&self, id: &str, base: &Url, rate: &str, http: &str) -> Result<Client, Trouble> {
        Ok(self.way(id, rate, http, Stopping::Never)?.client(base)?)
    }

    /// How many requests may be under way at once under a rate.
    pub(super) fn concurrency(&self, rate: &str) -> usize {
        self.paces.get(rate).map_or(1, |rate_limit| rate_limit.concurrency())
    }

    /// A source that is switched on.
    pub(super) fn source(&self, entry: &settings::Source, provider: &Provider) -> Result<Arc<dyn Source>, Trouble> {
        let way = self.way(entry.id.as_str(), &entry.rate, &entry.http, Stopping::AtOnce(self.stop.token()))?;
        let users = provider.users.clone();
        Ok(match &provider.kind {
            SourceKind::Entra(entra) => Arc::new(extract::entra::Entra::connect(entra, users, &way)?),
            SourceKind::Google(google) => Arc::new(extract::google::Google::connect(google, users, &way)?),
            SourceKind::Folder(folder) => Arc::new(extract::folder::Folder::new(&folder.path, users)),
        })
    }

    /// A folder in a bucket.
    #[cfg(feature = "bucket")]
    fn bucket_folder(
        &self,
        entry: &settings::Target,
        folder: &settings::FolderInBucket,
        writes: Stopping,
    ) -> Result<Arc<dyn Target>, Trouble> {
        let mut way = self.way(entry.id.as_str(), &entry.rate, &entry.http, writes)?;
        // The extra headers and the certificate are for the configured products.
        (way.http.headers, way.http.client_cert) = (Vec::new(), None);
        let pause = way.http.retry_pause;
        Ok(Arc::new(load::folder::BucketFolder::new(entry, folder, ObjectsWay::new(way), pause)?))
    }

    /// A target.
    pub(super) fn target(&self, entry: &settings::Target) -> Result<Arc<dyn Target>, Trouble> {
        let writes = Stopping::AfterTheWrite(self.stop.token(), self.permit.clone());
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
            #[cfg(feature = "bucket")]
            TargetKind::FolderInBucket(folder) => self.bucket_folder(entry, folder, writes),
            #[cfg(not(feature = "bucket"))]
            TargetKind::FolderInBucket(folder) => {
                Err(Trouble::no_bucket_for(&format!("{}: `{}`", entry.place, entry.id), &folder.bucket))
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
