//! Microsoft Entra ID through Microsoft Graph (docs/wire/microsoft-graph.md).
//!
//! Owns: the listing with its paging and groups, photos by `$batch`, and what Graph's refusals mean.
//! Leaves to others: tokens (`http::sign_in`), who is asked for and when (`run`).
//! A newcomer gets wrong: a 200 on `$batch` says nothing about its parts; each has its own status (§0.9).

mod batch;
mod claims;
mod client;
mod error;
mod list;
mod photo;
mod source;

pub(crate) use client::Entra;

#[cfg(any(test, fuzzing))]
pub(crate) use {batch::fuzz as fuzz_batch, list::fuzz as fuzz_answers, photo::fuzz_base64};

#[cfg(test)]
mod tests;
