//! The way to the servers of one element of the pipeline file.
//!
//! Owns: which of its clients shows the client certificate. Leaves to others: where the servers are (`extract`).
//! A newcomer gets wrong: the certificate is for the configured products; whoever issues tokens is none.

use std::sync::Arc;

use url::Url;

use super::{Client, Failure, RateLimit, Stopping};
use crate::settings::Http;

/// What all clients of one source have in common.
#[derive(Debug)]
pub(crate) struct ClientSettings {
    /// The id in the pipeline file.
    pub name: String,
    /// Shared with everybody who names the same rate.
    pub rate_limit: Arc<RateLimit>,
    /// The entry under `http`.
    pub http: Http,
    /// When it is not waited any more.
    pub stopping: Stopping,
}

impl ClientSettings {
    /// To the server under `base`.
    pub(crate) fn client(&self, base: &Url) -> Result<Client, Failure> {
        self.client_by(base, &self.http)
    }

    /// To whoever issues tokens there.
    pub(crate) fn sign_in_client(&self, base: &Url) -> Result<Client, Failure> {
        self.client_by(base, &self.http.clone().without_identity())
    }

    fn client_by(&self, base: &Url, http: &Http) -> Result<Client, Failure> {
        let client = Client::new(&self.name, base.clone(), Arc::clone(&self.rate_limit), http)?;
        Ok(client.stopping(self.stopping.clone()))
    }
}
