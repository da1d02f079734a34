//! Google Workspace and Cloud Identity through the Directory API (docs/wire/google-directory.md).
//!
//! Owns: the listing with its paging and groups, photos by batch, and what the API's refusals mean.
//! Leaves to others: tokens (`http::sign_in`), who is asked for and when (`run`).
//! A newcomer gets wrong: 200 on a batch says nothing about its parts (§4), and a person without an etag has no photo
//! only if others of the same listing have one (docs/architecture.md, "Fetch").

mod batch;
mod client;
mod error;
mod list;
mod mime;
mod photo;
mod source;

pub(crate) use client::Google;

#[cfg(any(test, fuzzing))]
pub(crate) use {batch::fuzz as fuzz_multipart, list::fuzz as fuzz_answers, photo::fuzz_base64};

#[cfg(test)]
mod tests;
