//! One batch of photo calls, repeated part by part (docs/wire/google-directory.md §4, §5).
//!
//! Owns: which parts are sent again, when the whole source has failed, and doing without batches.
//! Leaves to others: the body's form (`mime.rs`), reading a part (`photo.rs`).
//! A newcomer gets wrong: n calls in a batch are n units; a batch saves requests, not quota.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::client::Google;
use super::error::{Class, GoogleError};
use super::mime::{self, MimePart};
use super::photo::{PartOutcome, PhotoQuery};
use crate::extract::wire::segment;
use crate::http::{BLOCKED, Failure, FailureKind, Pause, Pauses, Request, Response, is_throttled, is_transient};
use crate::model::{Fault, PersonId};

/// 100 photos of 96 pixels are a hundredth of it; a larger answer is asked for again one by one.
const CAP: usize = 64 * 1024 * 1024;

/// Where the parts of one call stand. People are named by their place in the slice.
struct Round<T> {
    done: Vec<(usize, T)>,
    denied: Vec<Denied>,
    unauthorized: Vec<(usize, Fault)>,
    again: Vec<(usize, Fault)>,
    asked: Option<Duration>,
    throttled: u64,
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
enum Attempt {
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
        let mut told = Vec::with_capacity(people.len());
        let mut open: Vec<usize> = (0..people.len()).collect();
        let (mut pauses, mut renewed) = (self.directory.pauses(), false);
        while !open.is_empty() {
            let used = self.tokens.token().await?;
            let round = if self.is_singly() {
                self.one_by_one(people, &open).await?
            } else {
                match self.send_batch::<T>(people, &open).await? {
                    Attempt::NoBatch => continue,
                    Attempt::Response(response) => match self.read_round(&response, people, &open)? {
                        Some(round) => round,
                        None => {
                            self.rest_or_fail(&mut pauses, &response, open.len()).await?;
                            continue;
                        }
                    },
                }
            };
            let Round { done, denied, mut unauthorized, mut again, asked, throttled } = round;
            told.extend(done);
            if let Some(Denied { fault, class, challenge, .. }) = denied.first() {
                return Err(self.refused(people, fault, *class, challenge.as_deref()));
            }
            self.directory.count_throttled(throttled);
            if !unauthorized.is_empty() && !renewed {
                renewed = true;
                self.tokens.renew(&used).await?;
                self.directory.count_retried(unauthorized.len() as u64);
                open = unauthorized.drain(..).map(|(place, _)| place).collect();
                open.extend(self.repeat(std::mem::take(&mut again), asked, &mut pauses, &mut told).await);
                continue;
            }
            if let [(_, first), ..] = unauthorized.as_slice()
                && unauthorized.len() == people.len()
            {
                return Err(self.refused(people, first, Class::Token, None));
            }
            told.extend(unknown(unauthorized));
            open = self.repeat(again, asked, &mut pauses, &mut told).await;
        }
        Ok(told.into_iter().map(|(place, told)| (people[place].clone(), told)).collect())
    }

    /// Waits for the parts that are worth another try; gives up on them when the tries are used up.
    async fn repeat<T: PhotoQuery>(
        &self,
        again: Vec<(usize, Fault)>,
        asked: Option<Duration>,
        pauses: &mut Pauses,
        told: &mut Vec<(usize, T)>,
    ) -> Vec<usize> {
        if again.is_empty() {
            return Vec::new();
        }
        if let Some(time) = asked.filter(|time| *time < BLOCKED) {
            self.directory.hold(time);
        }
        if let Pause::Wait(_) = self.directory.rest(pauses, asked).await {
            self.directory.count_retried(again.len() as u64);
            return again.into_iter().map(|(place, _)| place).collect();
        }
        told.extend(unknown(again));
        Vec::new()
    }

    async fn send_batch<T: PhotoQuery>(&self, people: &[PersonId], open: &[usize]) -> Result<Attempt, Failure> {
        let names: Vec<String> = open.iter().map(|place| content_id(*place)).collect();
        let calls = names.iter().zip(open).map(|(name, place)| (name.as_str(), path::<T>(&people[*place])));
        let request = Request::post(self.directory.url("batch"))
            .bytes(mime::MIME, Bytes::from(mime::compose(calls)))
            .units(u32::try_from(open.len()).unwrap_or(u32::MAX))
            .cap(CAP)
            .judged_by_caller();
        match self.ask(request).await? {
            Some(response) if !is_gone(&response) => Ok(Attempt::Response(response)),
            missing => {
                let found = missing.map_or_else(|| "its answer is too large".to_owned(), |response| response.excerpt());
                tracing::warn!(source = %self.directory.name(), found, "the batch endpoint cannot be used: photos are asked for one by one");
                self.singly.store(true, Ordering::Relaxed);
                self.directory.count_retried(open.len() as u64);
                Ok(Attempt::NoBatch)
            }
        }
    }

    /// Sorts the parts of an answer; `None` if the batch as a whole has to be sent again.
    fn read_round<T: PhotoQuery>(
        &self,
        response: &Response,
        people: &[PersonId],
        open: &[usize],
    ) -> Result<Option<Round<T>>, Failure> {
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
        let mut parts = mime::parse(&response.body, boundary);
        if let ([only], [part]) = (open, parts.as_mut_slice()) {
            // One question and one answer: there is nothing to guess.
            part.id.get_or_insert_with(|| content_id(*only));
        }
        Ok(Some(Round::sort(&parts, people, open, now_there(response))))
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
    async fn one_by_one<T: PhotoQuery + Send>(&self, people: &[PersonId], open: &[usize]) -> Result<Round<T>, Failure> {
        let mut round = Round::new(open.len());
        for place in open {
            let person = &people[*place];
            let Some(response) =
                self.ask(Request::get(self.directory.url(&path::<T>(person))).judged_by_caller()).await?
            else {
                round.done.push((*place, T::unknown(Fault::new("photo_too_large", "the answer is too large"))));
                continue;
            };
            let text = |name: &str| response.header(name).map(str::to_owned);
            let (retry_after, challenge) = (text("retry-after"), text("www-authenticate"));
            let part = MimePart { id: None, status: response.status, retry_after, challenge, body: &response.body };
            let class = round.take(*place, person, &part, now_there(&response));
            // The line counts 429 itself.
            round.throttled += u64::from(class == Some(Class::Rate) && !is_throttled(response.status));
        }
        Ok(round)
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

impl<T: PhotoQuery> Round<T> {
    fn new(size: usize) -> Self {
        Self {
            done: Vec::with_capacity(size),
            denied: Vec::new(),
            unauthorized: Vec::new(),
            again: Vec::new(),
            asked: None,
            throttled: 0,
        }
    }

    fn sort(parts: &[MimePart<'_>], people: &[PersonId], open: &[usize], now: SystemTime) -> Self {
        let mut round = Self::new(open.len());
        let mut missing: Vec<usize> = open.to_vec();
        for part in parts {
            let Some(at) = missing.iter().position(|place| part.id.as_ref() == Some(&content_id(*place))) else {
                continue;
            };
            let place = missing.swap_remove(at);
            let class = round.take(place, &people[place], part, now);
            round.throttled += u64::from(class == Some(Class::Rate));
        }
        let lost = |place| (place, Fault::new("part_missing", "the batch was answered without this part"));
        round.again.extend(missing.into_iter().map(lost));
        round
    }

    /// Puts a part where it belongs; gives the class of one that is asked for again.
    fn take(&mut self, place: usize, person: &PersonId, part: &MimePart<'_>, now: SystemTime) -> Option<Class> {
        match part.judge(person.as_str(), now) {
            PartOutcome::Final(told) => self.done.push((place, told)),
            PartOutcome::Denied(fault, class) => {
                self.denied.push(Denied {
                    #[cfg(any(test, fuzzing))]
                    place,
                    fault,
                    class,
                    challenge: part.challenge.clone(),
                });
            }
            PartOutcome::Unauthorized(fault) => self.unauthorized.push((place, fault)),
            PartOutcome::Again { fault, asked, class } => {
                self.asked = self.asked.max(asked);
                self.again.push((place, fault));
                return Some(class);
            }
        }
        None
    }
}

/// The time by the server's clock; parts carry no date of their own.
fn now_there(response: &Response) -> SystemTime {
    response.server_time().unwrap_or_else(SystemTime::now)
}

/// Any body: everybody asked about is answered once, and nobody with another's photo.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(body: &[u8]) -> impl std::hash::Hash + use<> {
    let people: Vec<PersonId> = (0..4).map(|nth| PersonId::new(format!("10{nth}"))).collect();
    let open: Vec<usize> = (0..people.len()).collect();
    let head = String::from_utf8_lossy(&body[..body.len().min(64)]);
    let boundary = mime::boundary(head.lines().next().unwrap_or_default()).unwrap_or("b");
    let parts = mime::parse(body, boundary);
    let round = Round::<crate::extract::PhotoResult>::sort(&parts, &people, &open, SystemTime::UNIX_EPOCH);
    let failed = round.unauthorized.iter().chain(&round.again).map(|(place, _)| *place);
    let failed = failed.chain(round.denied.iter().map(|denied| denied.place));
    let mut places: Vec<usize> = round.done.iter().map(|(place, _)| *place).chain(failed).collect();
    places.sort_unstable();
    assert_eq!(places, open, "somebody is not answered, or twice");
    let again: Vec<String> = round.again.into_iter().map(|(_, fault)| fault.code).collect();

    (parts.len(), round.done.len(), again)
}

/// The endpoint is not there: a wrong URL answers an HTML page with 404, a gateway that takes no multipart 400 (§5).
fn is_gone(response: &Response) -> bool {
    matches!(response.status, 400 | 404 | 405 | 410 | 415 | 501)
}

/// Short, and never an e-mail address (§4).
fn content_id(place: usize) -> String {
    format!("p{place}")
}

/// The path below the server, as a batch wants it.
fn path<T: PhotoQuery>(person: &PersonId) -> String {
    format!("/admin/directory/v1/users/{}/photos/thumbnail?fields={}", segment(person.as_str()), T::FIELDS)
}

fn unknown<T: PhotoQuery>(faults: Vec<(usize, Fault)>) -> impl Iterator<Item = (usize, T)> {
    faults.into_iter().map(|(place, fault)| (place, T::unknown(fault)))
}
