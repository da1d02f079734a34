//! One `$batch` of photo calls, repeated part by part (docs/wire/microsoft-graph.md §4, §5).
//!
//! Owns: which parts are sent again, and when the whole source has failed. Leaves to others: reading a part (`photo.rs`),
//! telling a photo that is denied from all of them (`run`).
//! A newcomer gets wrong: parts come back in any order, and may be missing; a missing one has failed.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::client::{Entra, SLOW};
use super::error;
use super::photo::{PartOutcome, PartResponse, PhotoQuery, too_large};
use crate::extract::wire::segment;
use crate::http::{
    BLOCKED, Failure, Pause, Pauses, Request, Response, entries, is_throttled, is_transient, retry_after,
};
use crate::model::{Fault, PersonId};

/// 20 photos are far below; a larger answer is asked for again one by one (§4).
const CAP: usize = 64 * 1024 * 1024;

#[derive(Serialize)]
struct Requests {
    requests: Vec<BatchPart>,
}

#[derive(Serialize)]
struct BatchPart {
    id: String,
    method: &'static str,
    url: String,
}

#[derive(Deserialize)]
struct Responses<'a> {
    #[serde(borrow, deserialize_with = "entries")]
    responses: Vec<PartResponse<'a>>,
}

/// Where the parts of one call stand. People are named by their place in the slice.
struct Round<T> {
    done: Vec<(usize, T)>,
    unauthorized: Vec<(usize, Fault)>,
    again: Vec<(usize, Fault)>,
    asked: Option<Duration>,
    throttled: u64,
}

/// One batch as it came back.
enum Attempt {
    Response(Response),
    TooLarge,
}

impl Entra {
    /// Asks for one thing of each person; one answer for each.
    pub(super) async fn ask_each<T: PhotoQuery + Send>(
        &self,
        people: &[PersonId],
    ) -> Result<Vec<(PersonId, T)>, Failure> {
        let mut told = Vec::with_capacity(people.len());
        let mut open: Vec<usize> = (0..people.len()).collect();
        let mut pauses = self.graph.pauses();
        let mut renewed = false;
        while !open.is_empty() {
            let used = self.tokens.token().await?;
            let Attempt::Response(response) = self.send_batch::<T>(people, &open).await? else {
                return self.one_by_one(people, &open, told).await;
            };
            let Some(round) = self.read_round(&response, &open)? else {
                self.rest_or_fail(&mut pauses, &response, open.len()).await?;
                continue;
            };
            let Round { done, unauthorized, again, asked, throttled } = round;
            told.extend(done);
            self.graph.count_throttled(throttled);
            // Parts are sent on one after another (§4): a token may end between two of them.
            if !unauthorized.is_empty() && !renewed {
                renewed = true;
                self.tokens.renew(&used).await?;
                self.graph.count_retried(unauthorized.len() as u64);
                open = unauthorized.into_iter().map(|(place, _)| place).collect();
                open.extend(self.repeat(again, asked, &mut pauses, &mut told).await);
                continue;
            }
            // An inner 401 for all means the same as an outer one (§4).
            if unauthorized.len() == people.len() {
                return Err(error::refused_token(&response));
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
            self.graph.hold(time);
        }
        if let Pause::Wait(_) = self.graph.rest(pauses, asked).await {
            self.graph.count_retried(again.len() as u64);
            return again.into_iter().map(|(place, _)| place).collect();
        }
        told.extend(unknown(again));
        Vec::new()
    }

    async fn send_batch<T: PhotoQuery>(&self, people: &[PersonId], open: &[usize]) -> Result<Attempt, Failure> {
        let part = |place: &usize| BatchPart {
            id: place.to_string(),
            method: "GET",
            url: format!("/users/{}{}", segment(people[*place].as_str()), T::PATH),
        };
        let request = Request::post(self.graph.url("v1.0/$batch"))
            .json(&Requests { requests: open.iter().map(part).collect() })
            .units(u32::try_from(open.len()).unwrap_or(u32::MAX))
            .cap(CAP)
            .slow(SLOW)
            .judged_by_caller();
        Ok(self.ask(request).await?.map_or(Attempt::TooLarge, Attempt::Response))
    }

    /// Sorts the parts of an answer; `None` if the batch as a whole has to be sent again.
    ///
    /// A batch with throttled parts may come as 200, 424 or 429 (§4): what counts is whether it holds `responses`.
    fn read_round<T: PhotoQuery>(&self, response: &Response, open: &[usize]) -> Result<Option<Round<T>>, Failure> {
        match serde_json::from_slice::<Responses<'_>>(&response.body) {
            Ok(Responses { responses }) => Ok(Some(Round::sort(responses, open, now_there(response)))),
            Err(error) if response.status == 200 => Err(response.not_json(&error)),
            Err(_) if is_transient(response.status) || response.status == 424 => Ok(None),
            Err(_) => Err(error::failure(response, "User.Read.All")),
        }
    }

    async fn rest_or_fail(&self, pauses: &mut Pauses, response: &Response, parts: usize) -> Result<(), Failure> {
        let asked = retry_after(&response.headers);
        if let Some(time) = asked.filter(|time| *time < BLOCKED) {
            self.graph.hold(time);
        }
        match self.graph.rest(pauses, asked).await {
            Pause::Wait(_) => {
                self.graph.count_retried(parts as u64);
                Ok(())
            }
            Pause::Enough | Pause::Blocked => Err(error::failure(response, "User.Read.All")),
        }
    }

    /// The answer was larger than its cap: the same again for one person at a time.
    async fn one_by_one<T: PhotoQuery + Send>(
        &self,
        people: &[PersonId],
        open: &[usize],
        told: Vec<(usize, T)>,
    ) -> Result<Vec<(PersonId, T)>, Failure> {
        let mut each: Vec<(PersonId, T)> =
            told.into_iter().map(|(place, told)| (people[place].clone(), told)).collect();
        if let [only] = open {
            each.push((people[*only].clone(), T::unknown(too_large())));
            return Ok(each);
        }
        self.graph.count_retried(open.len() as u64);
        for place in open {
            each.extend(Box::pin(self.ask_each::<T>(&people[*place..=*place])).await?);
        }
        Ok(each)
    }
}

impl<T: PhotoQuery> Round<T> {
    fn sort(parts: Vec<PartResponse<'_>>, open: &[usize], now: SystemTime) -> Self {
        let mut round = Self {
            done: Vec::with_capacity(open.len()),
            unauthorized: Vec::new(),
            again: Vec::new(),
            asked: None,
            throttled: 0,
        };
        let mut missing: Vec<usize> = open.to_vec();
        for part in parts {
            let Some(at) = missing.iter().position(|place| part.id == place.to_string()) else { continue };
            round.take(missing.swap_remove(at), &part, now);
        }
        let lost = |place| (place, Fault::new("part_missing", "the batch was answered without this part"));
        round.again.extend(missing.into_iter().map(lost));
        round
    }

    fn take(&mut self, place: usize, part: &PartResponse<'_>, now: SystemTime) {
        self.throttled += u64::from(is_throttled(part.status));
        match part.judge(now) {
            PartOutcome::Final(told) => self.done.push((place, told)),
            PartOutcome::Unauthorized(fault) => self.unauthorized.push((place, fault)),
            PartOutcome::Again { fault, asked } => {
                self.asked = self.asked.max(asked);
                self.again.push((place, fault));
            }
        }
    }
}

/// The time by the server's clock; parts carry no date of their own.
fn now_there(response: &Response) -> SystemTime {
    response.server_time().unwrap_or_else(SystemTime::now)
}

/// Any body of any status: everybody asked about is answered once.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(body: &[u8]) -> impl std::hash::Hash + use<> {
    let open: Vec<usize> = (0..super::client::BATCH).collect();
    let Responses { responses } = serde_json::from_slice::<Responses<'_>>(body).ok()?;
    let probed = Round::<crate::extract::VersionResult>::sort(responses, &open, SystemTime::UNIX_EPOCH).everybody();
    let Responses { responses } = serde_json::from_slice::<Responses<'_>>(body).ok()?;
    let looked = Round::<crate::extract::PhotoResult>::sort(responses, &open, SystemTime::UNIX_EPOCH);
    let kinds = looked.again.iter().chain(&looked.unauthorized);
    let kinds: Vec<String> = kinds.map(|(_, fault)| fault.code.clone()).collect();
    let done = looked.done.len();
    assert_eq!((probed, looked.everybody()), (open.clone(), open), "somebody is not answered, or twice");
    Some((done, kinds))
}

#[cfg(any(test, fuzzing))]
impl<T> Round<T> {
    /// The places of all who are answered, in order.
    fn everybody(&self) -> Vec<usize> {
        let failed = self.unauthorized.iter().chain(&self.again).map(|(place, _)| *place);
        let mut places: Vec<usize> = self.done.iter().map(|(place, _)| *place).chain(failed).collect();
        places.sort_unstable();
        places
    }
}

fn unknown<T: PhotoQuery>(faults: Vec<(usize, Fault)>) -> impl Iterator<Item = (usize, T)> {
    faults.into_iter().map(|(place, fault)| (place, T::unknown(fault)))
}
