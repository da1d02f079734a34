//! One batch of photo calls, repeated part by part (docs/wire/google-directory.md §4, §5).
//!
//! Owns: which parts are sent again, when the whole source has failed, and doing without batches.
//! Leaves to others: the body's form (`mime.rs`), reading a part (`photo.rs`).
//! A newcomer gets wrong: n calls in a batch are n units; a batch saves requests, not quota.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use bytes::Bytes;

use super::client::Google;
use super::error::{Class, GoogleError};
use super::mime::{self, MimePart};
use super::photo::{PartOutcome, PhotoQuery};
use crate::extract::batch::{CallName, Round, Rounds, now_there};
use crate::extract::doubt::takes_back;
use crate::extract::wire::segment;
use crate::http::{Failure, FailureKind, Pauses, Request, Response, is_throttled, is_transient};
use crate::model::{Fault, PersonId};

/// 100 photos of 96 pixels are a hundredth of it; a larger answer is asked for again one by one.
const CAP: usize = 64 * 1024 * 1024;

/// The parts of one call, and what in them is about everybody.
struct Sorted<T> {
    round: Round<T>,
    denied: Vec<Denied>,
}

/// A photo that is refused, and so are all.
struct Denied {
    #[cfg(any(test, fuzzing))]
    place: usize,
    fault: Fault,
    class: Class,
    challenge: Option<String>,
}

/// One batch as it came back.
enum BatchAnswer {
    Response(Response),
    /// The endpoint is not there, or its answer is too large.
    NoBatch,
}

impl Google {
    /// Asks for one thing of each person; one answer for each.
    pub(super) async fn ask_each<T: PhotoQuery + Send>(
        &self,
        people: &[PersonId],
    ) -> Result<Vec<(PersonId, T)>, Failure> {
        let mut rounds = Rounds::of(people, &self.directory, &self.tokens);
        while !rounds.open.is_empty() {
            let used = self.tokens.token().await?;
            let sorted = if self.is_singly() {
                self.one_by_one(people, &rounds.open).await?
            } else {
                let BatchAnswer::Response(response) = self.send_batch(people, &rounds).await? else {
                    continue;
                };
                let Some(sorted) = self.read_round(&response, people, &rounds)? else {
                    self.rest_or_fail(&mut rounds.pauses, &response, rounds.open.len()).await?;
                    continue;
                };
                sorted
            };
            if let Some(Denied { fault, class, challenge, .. }) = sorted.denied.first() {
                return Err(self.refused(people, fault, *class, challenge.as_deref()));
            }
            rounds.take(sorted.round, &used, |first| self.refused(people, first, Class::Token, None)).await?;
        }
        Ok(rounds.answers())
    }

    async fn send_batch<T: PhotoQuery>(
        &self,
        people: &[PersonId],
        rounds: &Rounds<'_, T>,
    ) -> Result<BatchAnswer, Failure> {
        let open = &rounds.open;
        let names: Vec<String> = open.iter().map(|place| rounds.name.part(*place)).collect();
        let calls = names.iter().zip(open).map(|(name, place)| (name.as_str(), path::<T>(&people[*place])));
        let request = Request::post(self.directory.url("batch"))
            .bytes(mime::MIME, Bytes::from(mime::compose(calls)))
            .units(u32::try_from(open.len()).unwrap_or(u32::MAX))
            .cap(CAP)
            .judged_by_caller();
        match self.ask(request).await? {
            Some(response) if !is_gone(&response) => Ok(BatchAnswer::Response(response)),
            missing => {
                let found = missing.map_or_else(|| "its answer is too large".to_owned(), |response| response.excerpt());
                tracing::warn!(source = %self.directory.name(), found, "the batch endpoint cannot be used: photos are asked for one by one");
                self.singly.store(true, Ordering::Relaxed);
                self.directory.count_retried(open.len() as u64);
                Ok(BatchAnswer::NoBatch)
            }
        }
    }

    /// Sorts the parts of an answer; `None` if the batch as a whole has to be sent again.
    fn read_round<T: PhotoQuery>(
        &self,
        response: &Response,
        people: &[PersonId],
        rounds: &Rounds<'_, T>,
    ) -> Result<Option<Sorted<T>>, Failure> {
        let class = GoogleError::of(&response.body).class(response.status);
        if response.status != 200 {
            let passes = is_transient(response.status) || class == Class::Rate;
            return if passes { Ok(None) } else { Err(self.asker.failure(response)) };
        }
        let Some(boundary) = response.header("content-type").and_then(mime::boundary) else {
            return Err(response
                .failure(FailureKind::Odd, format!("{}, not the parts of a batch", response.excerpt()))
                .hint("something answers in Google's place: check `endpoints.directory`, and any proxy between"));
        };
        let parts = mime::parse(&response.body, boundary);
        Ok(Some(Sorted::of(&parts, people, &rounds.name, &rounds.open, now_there(response))))
    }

    async fn rest_or_fail(&self, pauses: &mut Pauses, response: &Response, parts: usize) -> Result<(), Failure> {
        if !is_throttled(response.status) {
            // The line counts 429 itself.
            self.directory.count_throttled(u64::from(super::error::is_rate(response)));
        }
        if !self.rests(pauses, response).await {
            return Err(self.asker.failure(response));
        }
        self.directory.count_retried(parts as u64);
        Ok(())
    }

    /// The same without batches.
    async fn one_by_one<T: PhotoQuery + Send>(
        &self,
        people: &[PersonId],
        open: &[usize],
    ) -> Result<Sorted<T>, Failure> {
        let mut sorted = Sorted { round: Round::new(open.len()), denied: Vec::new() };
        for place in open {
            let person = &people[*place];
            let Some(response) =
                self.ask(Request::get(self.directory.url(&path::<T>(person))).judged_by_caller()).await?
            else {
                sorted.round.done.push((*place, T::unknown(Fault::new("photo_too_large", "the answer is too large"))));
                continue;
            };
            let text = |name: &str| response.header(name).map(str::to_owned);
            let (retry_after, challenge) = (text("retry-after"), text("www-authenticate"));
            let taken_back = response.headers_as_text().any(|(name, value)| takes_back(name, value));
            let (status, body) = (response.status, &response.body);
            let part = MimePart { id: None, status, retry_after, challenge, taken_back, body };
            let class = sorted.take(*place, person, &part, now_there(&response));
            // The line counts 429 itself.
            sorted.round.throttled += u64::from(class == Some(Class::Rate) && !is_throttled(response.status));
        }
        Ok(sorted)
    }

    fn refused(&self, people: &[PersonId], fault: &Fault, class: Class, challenge: Option<&str>) -> Failure {
        let kind = if class == Class::Spent { FailureKind::Unreachable } else { FailureKind::Refused };
        let failure = Failure::new(kind, format!("reading {} photos", people.len()), &*fault.message);
        match self.asker.hint(class, challenge) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl<T: PhotoQuery> Sorted<T> {
    fn of(parts: &[MimePart<'_>], people: &[PersonId], name: &CallName, open: &[usize], now: SystemTime) -> Self {
        let mut denied = Vec::new();
        let place_of = |part: &&MimePart<'_>| name.place(part.id.as_deref()?);
        let round = Round::sort(parts, open, place_of, |round, place, part| {
            let class = put(round, &mut denied, place, &people[place], part, now);
            round.throttled += u64::from(class == Some(Class::Rate));
        });
        Self { round, denied }
    }

    fn take(&mut self, place: usize, person: &PersonId, part: &MimePart<'_>, now: SystemTime) -> Option<Class> {
        put(&mut self.round, &mut self.denied, place, person, part, now)
    }
}

/// Puts a part where it belongs; gives the class of one that is asked for again.
fn put<T: PhotoQuery>(
    round: &mut Round<T>,
    denied: &mut Vec<Denied>,
    place: usize,
    person: &PersonId,
    part: &MimePart<'_>,
    now: SystemTime,
) -> Option<Class> {
    match part.judge(person.as_str(), now) {
        PartOutcome::Final(told) => round.done.push((place, told)),
        PartOutcome::Denied(fault, class) => {
            denied.push(Denied {
                #[cfg(any(test, fuzzing))]
                place,
                fault,
                class,
                challenge: part.challenge.clone(),
            });
        }
        PartOutcome::Unauthorized(fault) => round.unauthorized.push((place, fault)),
        PartOutcome::Again { fault, asked, class } => {
            round.repeat(place, fault, asked);
            return Some(class);
        }
    }
    None
}

/// Any body: everybody asked about is answered once, and nobody with another's photo.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(body: &[u8]) -> impl std::hash::Hash + use<> {
    let people: Vec<PersonId> = (0..4).map(|nth| PersonId::new(format!("10{nth}"))).collect();
    let open: Vec<usize> = (0..people.len()).collect();
    let head = String::from_utf8_lossy(&body[..body.len().min(64)]);
    let boundary = mime::boundary(head.lines().next().unwrap_or_default()).unwrap_or("b");
    let parts = mime::parse(body, boundary);
    let Sorted { round, denied } = Sorted::<crate::extract::PhotoResult>::of(
        &parts,
        &people,
        &CallName::fixed("p"),
        &open,
        SystemTime::UNIX_EPOCH,
    );
    let mut places = round.everybody();
    places.extend(denied.iter().map(|denied| denied.place));
    places.sort_unstable();
    assert_eq!(places, open, "somebody is not answered, or twice");
    let again: Vec<String> = round.again.into_iter().map(|(_, fault)| fault.code).collect();

    (parts.len(), round.done.len(), again)
}

/// The endpoint is not there: a wrong URL answers an HTML page with 404, a gateway that takes no multipart 400 (§5).
fn is_gone(response: &Response) -> bool {
    matches!(response.status, 400 | 404 | 405 | 410 | 415 | 501)
}

/// The path below the server, as a batch wants it.
fn path<T: PhotoQuery>(person: &PersonId) -> String {
    format!("/admin/directory/v1/users/{}/photos/thumbnail?fields={}", segment(person.as_str()), T::FIELDS)
}
