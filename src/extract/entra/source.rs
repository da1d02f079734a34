//! The tenant as a source.

use async_trait::async_trait;

use super::claims;
use super::client::{BATCH, Entra};
use crate::extract::{Batch, Listing, PhotoResult, Source, VersionResult};
use crate::http::{Counts, Failure};
use crate::model::{Person, PersonId, SignedIn};

#[async_trait]
impl Source for Entra {
    fn batch(&self) -> Batch {
        Batch { versions: BATCH, fetch: BATCH, requests: 1 }
    }

    async fn whoami(&self) -> Result<SignedIn, Failure> {
        claims::whoami(self).await
    }

    async fn list(&self, page: &mut (dyn FnMut(Vec<Person>) + Send)) -> Result<Listing, Failure> {
        self.list_users(page).await
    }

    async fn versions(&self, people: &[PersonId]) -> Result<Vec<(PersonId, VersionResult)>, Failure> {
        self.ask_each(people).await
    }

    async fn fetch(&self, people: &[PersonId]) -> Result<Vec<(PersonId, PhotoResult)>, Failure> {
        self.ask_each(people).await
    }

    fn remedy(&self) -> Option<String> {
        Some("grant the application permission `User.Read.All` and give admin consent; if it is there, an Exchange policy (EwsApplicationAccessPolicy) blocks us by our User-Agent: add `avatarpipe/*` to its EwsAllowList, or take it off its EwsBlockList".to_owned())
    }

    /// The sign-in counts too: it is a request of this source.
    fn counts(&self) -> Counts {
        self.tokens.counts() + self.graph.counts()
    }
}
