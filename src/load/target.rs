//! The trait behind which every target stands, and what its answers are made of.
//!
//! Owns: what `run` may ask of a target, in the order of a run.
//! Leaves to others: a worker's way in and its journal (`write.rs`), trying out how pictures go (`probe.rs`).
//! A newcomer gets wrong: a target that has no accounts of its own is asked for those of people; all others are listed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

use super::compared::Compared;
use super::forecast::Changes;
use super::probe::{Probe, Tried};
use super::write::Session;
use crate::http::{Counts, Failure};
use crate::model::{
    Account, AccountId, Earlier, MediaType, OpenIntent, Person, PictureRef, Seen, ServerId, Shown, SignedIn, TargetId,
};

/// What was learnt about a server and is worth keeping: `upload` → `one_step`, `default` → `10122`.
pub(crate) type Learnt = BTreeMap<String, String>;

/// What stands behind a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The server's own id, else its base URL.
    pub id: ServerId,
    /// What stands in for the id where it is not shown; of a folder nothing does.
    pub address: Option<ServerId>,
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
    /// What was written there is gone as a whole, so that nobody chose the default that is shown now.
    pub lost: bool,
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
    /// It stood there before the run that is undone. Of the account nothing else may be on record.
    Former,
}

/// A target of pictures.
#[async_trait]
pub trait Target: Send + Sync {
    /// The `id` in the pipeline file.
    fn id(&self) -> &TargetId;

    /// Who answers there, and whether it is the right product. Reads only.
    async fn identify(&self) -> Result<Server, Failure>;

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

    /// How many writes go on at the same time where that is not for a rate to say. Nobody else is at a disk of ours, and each waits for it
    /// several times: the more wait together, the fewer waits there are.
    fn side_by_side(&self) -> Option<usize> {
        None
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

    /// Whether the name of an account on record says whose it is, where the target follows people. Where it does not, whoever
    /// is out of scope is asked for, too.
    fn names_say_whose(&self) -> bool {
        true
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

    /// Whether its name of an upload is one account's alone: then two accounts that show it are not both its owners.
    fn names_each_upload_once(&self) -> bool {
        false
    }

    /// What a plan has to say that replaces or takes away pictures which stand there; `None`: the server keeps them.
    fn keeps_no_earlier_picture(&self) -> Option<&'static str> {
        None
    }

    /// Whether the server still has what an account showed once, and can be made to show it again.
    fn gives_back(&self, earlier: &Shown) -> bool {
        *earlier == Shown::Default
    }

    /// Whether an upload is gone for good once another one is written over it, and can be uploaded again.
    fn loses_what_it_replaces(&self) -> bool {
        false
    }

    /// The file that goes when a picture of this form is written there, although it is not written over.
    fn goes_beside(&self, _account: &Account, _form: MediaType) -> Option<String> {
        None
    }

    /// The bytes of the picture that the account shows now, as large as it is served and taken; `None` if it shows the
    /// default.
    async fn original(&self, account: &Account) -> Result<Option<Bytes>, Failure> {
        self.look(account).await
    }

    /// Whether the server has an earlier upload of the account no more. Only what it says for sure counts: what it does not
    /// say the write finds out.
    async fn has_lost(&self, _account: &Account, _earlier: &Earlier) -> Result<bool, Failure> {
        Ok(false)
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

    /// What was compared while this run wrote, where an upload waits in a session for a second request: what the server makes of it
    /// may be another's, and no name of it tells.
    fn compared(&self) -> Option<&Compared> {
        None
    }

    /// A way in for one worker.
    async fn session(&self) -> Result<Session, Failure>;

    /// The requests that these changes will cost from here on, when nothing has to be repeated.
    fn forecast(&self, changes: &Changes) -> u64;

    /// What was sent so far.
    fn counts(&self) -> Counts;
}
