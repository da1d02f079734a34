//! What becomes of a batch of photo calls, part by part, whichever provider answers it.
//!
//! Owns: that everybody asked about is answered once, who is asked again and when. Leaves to others: sending a batch, reading
//! a part, and when the whole source has failed (`entra`, `google`).
//! A newcomer gets wrong: whose part is missing is asked again, not absent; of two parts about one person neither counts;
//! and an id that another call has, too, would let that call's answer pass for this one's.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::{PhotoResult, VersionResult};
use crate::http::{Client, Failure, Pause, Pauses, Response, TokenSource};
use crate::model::{Absence, Fault, PersonId};
use crate::secret::Secret;

/// A version or a photo: what a part tells of a person.
pub(super) trait PhotoAnswer: Sized {
    fn absent(proof: Absence) -> Self;
    fn unknown(fault: Fault) -> Self;
    fn is_absent(&self) -> bool;
}

impl PhotoAnswer for VersionResult {
    fn absent(proof: Absence) -> Self {
        Self::Absent(proof)
    }

    fn unknown(fault: Fault) -> Self {
        Self::Unknown(fault)
    }

    fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }
}

impl PhotoAnswer for PhotoResult {
    fn absent(proof: Absence) -> Self {
        Self::Absent(proof)
    }

    fn unknown(fault: Fault) -> Self {
        Self::Unknown(fault)
    }

    fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }
}

/// What the ids of the parts of one call begin with: no other call of any run has it, so a part of another call's answer,
/// given by something between that mixes answers up, is nobody's here (promise P1).
pub(super) struct CallName(String);

impl CallName {
    fn new() -> Self {
        Self(format!("{}-", uuid::Uuid::new_v4().simple()))
    }

    /// As the recorded answers of the fuzzed corpus have it.
    #[cfg(any(test, fuzzing))]
    pub(super) fn fixed(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The id of the part about the person at this place.
    pub(super) fn part(&self, place: usize) -> String {
        format!("{}{place}", self.0)
    }

    /// The place that an answered id means; `None` for one of another call.
    pub(super) fn place(&self, id: &str) -> Option<usize> {
        let place = id.get(self.0.len()..)?.parse().ok()?;
        self.part(place).eq_ignore_ascii_case(id).then_some(place)
    }
}

/// Where the parts of one call stand. People are named by their place in the slice.
pub(super) struct Round<T> {
    pub done: Vec<(usize, T)>,
    pub unauthorized: Vec<(usize, Fault)>,
    pub again: Vec<(usize, Fault)>,
    /// The longest pause that a part asks for.
    pub asked: Option<Duration>,
    pub throttled: u64,
}

impl<T> Round<T> {
    pub(super) fn new(size: usize) -> Self {
        Self { done: Vec::with_capacity(size), unauthorized: Vec::new(), again: Vec::new(), asked: None, throttled: 0 }
    }

    pub(super) fn repeat(&mut self, place: usize, fault: Fault, asked: Option<Duration>) {
        self.asked = self.asked.max(asked);
        self.again.push((place, fault));
    }

    /// The places of all who are answered, in order.
    #[cfg(any(test, fuzzing))]
    pub(super) fn everybody(&self) -> Vec<usize> {
        let failed = self.unauthorized.iter().chain(&self.again).map(|(place, _)| *place);
        let mut places: Vec<usize> = self.done.iter().map(|(place, _)| *place).chain(failed).collect();
        places.sort_unstable();
        places
    }
}

impl<T: PhotoAnswer> Round<T> {
    /// Each part where `take` puts it; `place_of` tells whom it answers for.
    pub(super) fn sort<P>(
        parts: impl IntoIterator<Item = P>,
        open: &[usize],
        place_of: impl Fn(&P) -> Option<usize>,
        mut take: impl FnMut(&mut Self, usize, P),
    ) -> Self {
        let mut parts_of: BTreeMap<usize, Option<P>> = BTreeMap::new();
        for part in parts {
            let Some(place) = place_of(&part).filter(|place| open.contains(place)) else { continue };
            // Which of two is this person's nobody can tell, even where both say the same of somebody's photo.
            parts_of.entry(place).and_modify(|held| *held = None).or_insert(Some(part));
        }
        let mut round = Self::new(open.len());
        for place in open.iter().copied() {
            match parts_of.remove(&place) {
                Some(Some(part)) => take(&mut round, place, part),
                Some(None) => {
                    let twice = Fault::new("odd_answer", "the batch was answered with two parts for this person");
                    round.done.push((place, T::unknown(twice)));
                }
                None => {
                    round.again.push((place, Fault::new("part_missing", "the batch was answered without this part")));
                }
            }
        }
        round
    }
}

/// One call about some people, until each is answered.
pub(super) struct Rounds<'a, T> {
    people: &'a [PersonId],
    client: &'a Client,
    tokens: &'a TokenSource,
    pub name: CallName,
    pub open: Vec<usize>,
    pub pauses: Pauses,
    told: Vec<(usize, T)>,
    renewed: bool,
}

impl<'a, T: PhotoAnswer> Rounds<'a, T> {
    pub(super) fn of(people: &'a [PersonId], client: &'a Client, tokens: &'a TokenSource) -> Self {
        Self {
            people,
            client,
            tokens,
            name: CallName::new(),
            open: (0..people.len()).collect(),
            pauses: client.pauses(),
            told: Vec::with_capacity(people.len()),
            renewed: false,
        }
    }

    /// Takes the answers of a round that was asked with the token `used`. `refused`: every part refuses that token.
    pub(super) async fn take(
        &mut self,
        round: Round<T>,
        used: &Secret,
        refused: impl FnOnce(&Fault) -> Failure,
    ) -> Result<(), Failure> {
        let Round { done, unauthorized, again, asked, throttled } = round;
        self.told.extend(done);
        self.client.count_throttled(throttled);
        // Parts are sent on one after another: a token may end between two of them.
        if !unauthorized.is_empty() && !self.renewed {
            self.renewed = true;
            self.tokens.renew(used).await?;
            self.client.count_retried(unauthorized.len() as u64);
            self.open = unauthorized.into_iter().map(|(place, _)| place).collect();
            let again = self.wait(again, asked).await;
            self.open.extend(again);
            return Ok(());
        }
        if let [(_, first), ..] = unauthorized.as_slice()
            && unauthorized.len() == self.people.len()
        {
            return Err(refused(first));
        }
        self.give_up(unauthorized);
        self.open = self.wait(again, asked).await;
        Ok(())
    }

    /// Waits for the parts that are worth another try; gives up on them when the tries are used up.
    async fn wait(&mut self, again: Vec<(usize, Fault)>, asked: Option<Duration>) -> Vec<usize> {
        if again.is_empty() {
            return Vec::new();
        }
        if let Pause::Wait(_) = self.client.rest(&mut self.pauses, asked).await {
            self.client.count_retried(again.len() as u64);
            return again.into_iter().map(|(place, _)| place).collect();
        }
        self.give_up(again);
        Vec::new()
    }

    fn give_up(&mut self, faults: Vec<(usize, Fault)>) {
        self.told.extend(faults.into_iter().map(|(place, fault)| (place, T::unknown(fault))));
    }

    /// What is told so far.
    pub(super) fn answers(self) -> Vec<(PersonId, T)> {
        let people = self.people;
        self.told.into_iter().map(|(place, told)| (people[place].clone(), told)).collect()
    }
}

/// The time by the server's clock; parts carry no date of their own.
pub(super) fn now_there(response: &Response) -> SystemTime {
    response.server_time().unwrap_or_else(SystemTime::now)
}
