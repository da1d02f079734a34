//! Where pictures go: one folder a target behind one small trait.
//!
//! Owns: the trait, the write protocols (docs/write-protocols.md) and the translation of every wire type into `model`.
//! Leaves to others: deciding (`plan`), durability of the journal (`state`), workers and order (`run`).
//! A newcomer gets wrong: every remote write stands between two journal calls that return only when they are durable;
//! moving one of them past the other breaks promise P4.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

use crate::http::{Counts, Failure};
use crate::model::{Account, AccountId, Luma, OpenIntent, Person, PictureRef, RunId, ServerId, SignedIn, TargetId};

pub(crate) use crate::model::Seen;
pub(crate) use write::{Done, Journal, Mend, Session, WriteError};
pub(crate) use write::{closing, recorded, unmendable};

mod account_filter;
pub(crate) mod atlassian;
pub(crate) mod bitbucket;
pub(crate) mod confluence;
pub(crate) mod folder;
pub(crate) mod jira;
#[cfg(test)]
pub(crate) mod tests;
mod write;

/// What was learnt about a server and is worth keeping: `upload` → `one_step`, `default` → `10122`.
pub(crate) type Learnt = BTreeMap<String, String>;

/// What stands behind a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The server's own id, else its base URL.
    pub id: ServerId,
    /// For people: `Jira 9.12.5`.
    pub product: String,
    /// Who we are there, as the server says it, where it says so for free.
    pub user: Option<String>,
}

/// What a whole survey said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surveyed {
    /// How many accounts were listed; whoever came twice, because accounts came or went meanwhile, counts twice.
    pub accounts: u64,
    /// The mark of the instance's default picture, where it has one and it is known.
    pub default: Option<PictureRef>,
    /// Odd things worth a line in the report.
    pub notes: Vec<String>,
}

/// How pictures have to be made for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The longest side that the target takes, in pixels; `None`: as the recipe says.
    pub side: Option<u32>,
    /// The most bytes that the target takes.
    pub bytes: usize,
    /// Which way pictures go: `session`, `one_step`, `file`.
    pub route: String,
    /// What an administrator could switch on for better pictures.
    pub note: Option<String>,
}

/// What the state says of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It stands there.
    Placed,
    /// A write of it is open.
    Perhaps,
}

/// Leave to send a throw-away picture, and where to write it down.
pub struct Probe<'a> {
    /// The run that probes.
    pub run: &'a RunId,
    /// For the probe's intent.
    pub journal: &'a mut dyn Journal,
}

/// What came of trying one way that pictures can go ([`Target::try_out`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Which way: as [`Upload::route`].
    pub route: String,
    /// What it said.
    pub told: Told,
}

/// What one way that pictures can go said when it was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The picture got there, and was taken back.
    Works,
    /// It did not, or could not be taken back.
    Fails(Failure),
    /// It was left out: trying it could have destroyed something. Says why.
    NotTried(String),
}

/// What a picture looks like, for comparing what a server serves with what was sent.
pub(crate) trait Fingerprinter: Send + Sync {
    /// The fingerprint of an encoded picture; `None` if it cannot be decoded.
    fn luma(&self, picture: &[u8]) -> Option<Luma>;
}

/// A target of pictures.
#[async_trait]
pub trait Target: Send + Sync {
    /// The `id` in the pipeline file.
    fn id(&self) -> &TargetId;

    /// Who answers there, and whether it is the right product. Reads only.
    async fn identify(&self, learnt: &mut Learnt) -> Result<Server, Failure>;

    /// Who we are there and what we may do. Reads only; after [`Target::identify`].
    async fn whoami(&self) -> Result<SignedIn, Failure>;

    /// Lists all accounts with the picture each shows now. A listing that ends on a full page, or that the product is
    /// known to cut, is a failure and not an end.
    async fn survey(
        &self,
        learnt: &mut Learnt,
        page: &mut (dyn FnMut(Vec<Account>) + Send),
    ) -> Result<Surveyed, Failure>;

    /// Decides how pictures go there: from what was learnt, else by a probe on the service account's own pictures if a
    /// journal is given, else by the careful assumption.
    async fn prepare(&self, learnt: &mut Learnt, probe: Option<Probe<'_>>) -> Result<Upload, Failure>;

    /// Tries each way that pictures can go on the service account's own picture and puts back what stood there. Writes, as
    /// every write does, between journal calls; after [`Target::identify`].
    async fn try_out(&self, _learnt: &mut Learnt, _probe: Probe<'_>) -> Result<Vec<Tried>, Failure> {
        Ok(Vec::new())
    }

    /// Whether the target has no accounts of its own, so that every person in scope gets one by [`Target::accounts_for`].
    fn follows_people(&self) -> bool {
        false
    }

    /// The account of a person, with what it shows now, where the target follows people; none where `match` names nothing
    /// that the person has, several where it does not name one.
    async fn accounts_for(&self, _person: &Person) -> Result<Vec<Account>, Failure> {
        Ok(Vec::new())
    }

    /// What the state says stands there, all of it, where the target follows people: before the survey, and once more
    /// before [`Target::finish`].
    fn recall(&self, _recorded: Vec<(AccountId, PictureRef, Claim)>) {}

    /// Called once after the last write of a run, before the confirming survey; also where nothing was to be written.
    async fn finish(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// What was learnt by writing and is worth keeping; after the last write of a run.
    fn keep(&self, _learnt: &mut Learnt) {}

    /// What came up that is nobody's failure, each thing once in a run.
    fn asides(&self) -> Vec<String> {
        Vec::new()
    }

    /// What a plan has to say that replaces or takes away pictures which stand there; `None`: the server keeps them.
    fn keeps_no_earlier_picture(&self) -> Option<&'static str> {
        None
    }

    /// Whether the last survey could tell what accounts show. If not, it was so for all of them, and only the record of
    /// what was written says what stands there.
    fn tells_what_is_shown(&self) -> bool {
        true
    }

    /// The bytes of the picture that the account shows now; `None` if it shows the default.
    async fn look(&self, account: &Account) -> Result<Option<Bytes>, Failure>;

    /// Looks at what became of an intent. Reads only. `account` is from a survey of this run; `now` is Unix seconds.
    async fn observe(&self, open: &OpenIntent, account: Option<&Account>, now: u64) -> Result<Seen, Failure>;

    /// What the target calls a picture that was written as `written`, now that a later listing shows `shown` there;
    /// `None` if that is another picture. They differ where the target gives its mark no sooner than in a listing: such
    /// a write leaves its intent open, and this closes it (docs/write-protocols.md, "Bitbucket").
    fn confirm(&self, written: &PictureRef, shown: &PictureRef) -> Option<PictureRef> {
        (written == shown).then(|| shown.clone())
    }

    /// A way in for one worker.
    async fn session(&self) -> Result<Box<dyn Session>, Failure>;

    /// The requests that these changes will cost from here on, when nothing has to be repeated.
    fn forecast(&self, changes: &Changes) -> u64;

    /// What was sent so far.
    fn counts(&self) -> Counts;
}

/// The shape of what is to be applied, for the forecast.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Replacements that leave an old picture of ours to delete.
    pub replace_over_ours: u64,
    /// Replacements with nothing of ours to delete.
    pub replace: u64,
    /// Reverts of pictures that we made.
    pub revert_made: u64,
    /// Reverts of pictures that we adopted.
    pub revert_adopted: u64,
    /// Mendings that show a picture and leave an old one of ours to delete.
    pub finish_over_ours: u64,
    /// Mendings that show a picture, with nothing of ours to delete.
    pub finish: u64,
    /// Mendings that take one away; also those of a picture that is shown already, whose old one is to go.
    pub tidy: u64,
    /// Replacements that are looked at once they are shown, because people choose pictures there, too (`ownership: ours`),
    /// where the target names a picture no sooner than in a listing ([`Target::confirm`]).
    pub looked_after: u64,
    /// The number of replacements of each session, in order.
    pub sessions: Vec<u64>,
    /// Accounts of the survey, for the confirming one.
    pub accounts: u64,
}

impl Changes {
    /// How many there are.
    pub fn count(&self) -> u64 {
        let shown = self.replace_over_ours + self.replace + self.finish_over_ours + self.finish;
        shown + self.revert_made + self.revert_adopted + self.tidy
    }
}
