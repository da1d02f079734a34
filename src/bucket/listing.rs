//! Looking at objects without reading them: which there are, and which bytes each has.
//!
//! Owns: the listing of what stands below a name, page by page. Leaves to others: what it means (`load`).
//! A newcomer gets wrong: the state never lists anything; what does must not take a name that is missing for one that is
//! gone.

use std::collections::HashSet;

use object_store::list::{PaginatedListOptions, PaginatedListResult};
use object_store::{Error, ObjectStoreExt as _, UpdateVersion};

use super::objects::{Object, Objects, Tag, There};
use crate::http::{Brought, Failure, FailureKind, Pages, object_failure, short};

/// Objects that a store lists at once.
const PAGE: u64 = 1000;

/// That Azure does.
const PAGE_OF_AZURE: u64 = 5000;

impl Objects {
    /// Requests of a listing of so many objects.
    pub(crate) fn pages_of(&self, objects: u64) -> u64 {
        objects.div_ceil(if self.account.is_some() { PAGE_OF_AZURE } else { PAGE }).max(1)
    }

    /// Everything below a name, in its order: the rest of each name, which bytes it has, and how many.
    pub(crate) async fn list(&self, below: &str, take: &mut (dyn FnMut(&str, Tag, u64) + Send)) -> Result<(), Failure> {
        let (at, mut met, mut pages, mut next) = (self.at(below), HashSet::new(), Pages::default(), None);
        loop {
            let page = self.page(below, next).await?;
            let before = met.len();
            for object in page.result.objects {
                met.insert(short(object.location.as_ref()));
                let Some(rest) = object.location.prefix_match(&at) else { continue };
                let rest: Vec<_> = rest.map(|part| part.as_ref().to_owned()).collect();
                let tag = Tag::of(UpdateVersion { e_tag: object.e_tag, version: object.version });
                take(&rest.join("/"), tag, object.size);
            }
            let Some(token) = page.page_token.filter(|token| !token.is_empty()) else { return Ok(()) };
            let brought = Brought::of(met.len() - before);
            let odd = |found| Failure::new(FailureKind::Odd, self.tried("list", below), found);
            pages.goes_on(&token, brought).map_err(odd)?;
            next = Some(token);
        }
    }

    /// Whether what stands below a name may be listed: asks for the first page.
    pub(crate) async fn first_page(&self, below: &str) -> Result<(), Failure> {
        self.page(below, None).await.map(drop)
    }

    /// The crate's own stream of pages goes round with a store that does.
    async fn page(&self, below: &str, page_token: Option<String>) -> Result<PaginatedListResult, Failure> {
        let options = PaginatedListOptions { page_token, ..PaginatedListOptions::default() };
        let page = self.store.list_paginated(Some(&format!("{}/", self.at(below))), options).await;
        page.map_err(|error| object_failure(&self.tried("list", below), &error))
    }

    /// Which bytes an object has; `None`: there is none.
    pub(crate) async fn head(&self, name: &str) -> Result<Option<Tag>, Failure> {
        match self.store.head(&self.at(name)).await {
            Ok(found) => Ok(Some(Tag::of(UpdateVersion { e_tag: found.e_tag, version: found.version }))),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(object_failure(&self.tried("look at", name), &error)),
        }
    }

    /// An object that somebody else may have put there, if it is no larger than this.
    pub(crate) async fn get_up_to(&self, name: &str, most: usize) -> Result<There, Failure> {
        let (mut bytes, mut larger) = (Vec::new(), false);
        let found = self
            .get_large(name, &mut |_, part| {
                bytes.extend_from_slice(part);
                larger = bytes.len() > most;
                match larger {
                    false => Ok(()),
                    // Nothing more is read.
                    true => Err(Failure::new(FailureKind::Odd, self.tried("read", name), "it is too large")),
                }
            })
            .await;
        match found {
            Err(_) if larger => Ok(There::Larger),
            Err(failure) => Err(failure),
            Ok(None) => Ok(There::Nothing),
            Ok(Some((tag, written))) => Ok(There::Object(Object { bytes: bytes.into(), tag, written })),
        }
    }
}
