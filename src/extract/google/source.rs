//! The customer as a source.

use async_trait::async_trait;

use super::client::{BATCH, Google};
use super::error;
use crate::extract::{Batch, Listing, PhotoResult, Source, VersionResult};
use crate::http::{Counts, Failure};
use crate::model::{Person, PersonId, SignedIn};

#[async_trait]
impl Source for Google {
    fn batch(&self) -> Batch {
        let size = if self.is_singly() { 1 } else { BATCH };
        Batch { versions: size, fetch: size, requests: 1 }
    }

    async fn whoami(&self) -> Result<SignedIn, Failure> {
        let mut signed = SignedIn::of(self.tokens.who().unwrap_or_else(|| "a service account".to_owned()));
        match self.ask_for_one().await {
            Ok(()) => signed.may = self.asker.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            Err(failure) => {
                // What is to be changed stands beside what is missing: there is nothing else to look at.
                let Some(lacks) = &failure.lacks else { return Err(failure) };
                let remedy = failure.hint.as_deref().unwrap_or("grant it in the Admin console");
                signed.missing.push(format!("{lacks}: {remedy}"));
                signed.notes.push(format!("{}: {}", failure.tried, failure.found));
            }
        }
        signed.expires = self.tokens.expires().await;
        signed.notes.extend(self.tokens.lasts());
        Ok(signed)
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
        self.asker.hint(error::Class::Privilege, None)
    }

    fn counts(&self) -> Counts {
        self.tokens.counts() + self.directory.counts()
    }
}
