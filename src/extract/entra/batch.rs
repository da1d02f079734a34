//! One `$batch` of photo calls, repeated part by part (docs/wire/microsoft-graph.md §4, §5).
//!
//! Owns: which parts are sent again, and when the whole source has failed. Leaves to others: reading a part (`photo.rs`),
//! telling a photo that is denied from all of them (`run`).
//! A newcomer gets wrong: parts come back in any order, and may be missing; a missing one has failed.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::client::{Entra, SLOW};
use super::error;
use super::photo::{PartOutcome, PartResponse, PhotoQuery, too_large};
use crate::extract::batch::{CallName, Round, Rounds, now_there};
use crate::extract::wire::segment;
use crate::http::{Failure, Pause, Pauses, Request, Response, entries, is_throttled, is_transient, retry_after};
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

/// One batch as it came back.
enum GraphAnswer {
    Response(Response),
    TooLarge,
}

impl Entra {
    /// Asks for one thing of each person; one answer for each.
    pub(super) async fn ask_each<T: PhotoQuery + Send>(
        &self,
        people: &[PersonId],
    ) -> Result<Vec<(PersonId, T)>, Failure> {
        let mut rounds = Rounds::of(people, &self.graph, &self.tokens);
        while !rounds.open.is_empty() {
            let used = self.tokens.token().await?;
            let GraphAnswer::Response(response) = self.send_batch(people, &rounds).await? else {
                return self.one_by_one(people, rounds).await;
            };
            match self.read_round(&response, people, &rounds)? {
                // An inner 401 for all means the same as an outer one (§4).
                Some(round) => rounds.take(round, &used, |_| error::refused_token(&response)).await?,
                None => self.rest_or_fail(&mut rounds.pauses, &response, rounds.open.len()).await?,
            }
        }
        Ok(rounds.answers())
    }

    async fn send_batch<T: PhotoQuery>(
        &self,
        people: &[PersonId],
        rounds: &Rounds<'_, T>,
    ) -> Result<GraphAnswer, Failure> {
        let open = &rounds.open;
        let part = |place: &usize| BatchPart {
            id: rounds.name.part(*place),
            method: "GET",
            url: format!("/users/{}{}", segment(people[*place].as_str()), T::PATH),
        };
        let request = Request::post(self.graph.url("v1.0/$batch"))
            .json(&Requests { requests: open.iter().map(part).collect() })
            .units(u32::try_from(open.len()).unwrap_or(u32::MAX))
            .cap(CAP)
            .slow(SLOW)
            .judged_by_caller();
        Ok(self.ask(request).await?.map_or(GraphAnswer::TooLarge, GraphAnswer::Response))
    }

    /// Sorts the parts of an answer; `None` if the batch as a whole has to be sent again.
    ///
    /// A batch with throttled parts may come as 200, 424 or 429 (§4): what counts is whether it holds `responses`.
    fn read_round<T: PhotoQuery>(
        &self,
        response: &Response,
        people: &[PersonId],
        rounds: &Rounds<'_, T>,
    ) -> Result<Option<Round<T>>, Failure> {
        match serde_json::from_slice::<Responses<'_>>(&response.body) {
            Ok(Responses { responses }) => {
                Ok(Some(sort(responses, people, &rounds.name, &rounds.open, now_there(response))))
            }
            Err(error) if response.status == 200 => Err(response.not_json(&error)),
            Err(_) if is_transient(response.status) || response.status == 424 => Ok(None),
            Err(_) => Err(error::failure(response, "User.Read.All")),
        }
    }

    async fn rest_or_fail(&self, pauses: &mut Pauses, response: &Response, parts: usize) -> Result<(), Failure> {
        let asked = retry_after(&response.headers);
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
        mut rounds: Rounds<'_, T>,
    ) -> Result<Vec<(PersonId, T)>, Failure> {
        let open = std::mem::take(&mut rounds.open);
        let mut each = rounds.answers();
        if let [only] = open.as_slice() {
            each.push((people[*only].clone(), T::unknown(too_large())));
            return Ok(each);
        }
        self.graph.count_retried(open.len() as u64);
        for place in open {
            each.extend(Box::pin(self.ask_each::<T>(&people[place..=place])).await?);
        }
        Ok(each)
    }
}

fn sort<T: PhotoQuery>(
    parts: Vec<PartResponse<'_>>,
    people: &[PersonId],
    name: &CallName,
    open: &[usize],
    now: SystemTime,
) -> Round<T> {
    Round::sort(
        parts,
        open,
        |part| name.place(&part.id),
        |round, place, part| {
            if !part.is_of(people[place].as_str()) {
                let other = Fault::new("wrong_person", "the answer names another user");
                return round.done.push((place, T::unknown(other)));
            }
            round.throttled += u64::from(is_throttled(part.status));
            match part.judge(now) {
                PartOutcome::Final(told) => round.done.push((place, told)),
                PartOutcome::Unauthorized(fault) => round.unauthorized.push((place, fault)),
                PartOutcome::Again { fault, asked } => round.repeat(place, fault, asked),
            }
        },
    )
}

/// Any body of any status: everybody asked about is answered once.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzz(body: &[u8]) -> impl std::hash::Hash + use<> {
    let open: Vec<usize> = (0..super::client::BATCH).collect();
    let (name, people) = (CallName::fixed(""), vec![PersonId::from("ada"); open.len()]);
    let Responses { responses } = serde_json::from_slice::<Responses<'_>>(body).ok()?;
    let probed =
        sort::<crate::extract::VersionResult>(responses, &people, &name, &open, SystemTime::UNIX_EPOCH).everybody();
    let Responses { responses } = serde_json::from_slice::<Responses<'_>>(body).ok()?;
    let looked = sort::<crate::extract::PhotoResult>(responses, &people, &name, &open, SystemTime::UNIX_EPOCH);
    let kinds = looked.again.iter().chain(&looked.unauthorized);
    let kinds: Vec<String> = kinds.map(|(_, fault)| fault.code.clone()).collect();
    let done = looked.done.len();
    assert_eq!((probed, looked.everybody()), (open.clone(), open), "somebody is not answered, or twice");
    Some((done, kinds))
}
