//! One target in a run: who answers there, what every account shows, how pictures have to be made.
//!
//! Owns: the order identify, bind, survey, prepare, and what stops a single target.
//! Leaves to others: the wire (`load`), deciding (`judge`), writing (`apply`).
//! A newcomer gets wrong: a target that fails is kept in the list with its failure, so that the report shows it and
//! nothing is decided about its accounts (promise P8).

use std::sync::Arc;

use tokio::sync::Notify;

use super::clients::matching_place;
use super::context::{Mode, RunContext};
use super::journal::StoreJournal;
use super::listing::{Pages, with_an_end};
use super::misplaced::Misplaced;
use super::recall::recall;
use super::renderer::{PictureSize, Renderer};
use super::settle;
use crate::error::Trouble;
use crate::http::{Failure, FailureKind};
use crate::load::{Learnt, Probe, Server, Surveyed, Target, Upload};
use crate::model::{AccountStanding, PersonId, ServerId, Standing};
use crate::settings;
use crate::state::StateError;
use crate::transform::Settings;

/// People or accounts handled at a time.
pub(super) const PAGE: usize = 500;

/// One target in a run.
pub struct TargetRun {
    /// Its element in the file.
    pub entry: settings::Target,
    /// The way there.
    pub target: Arc<dyn Target>,
    /// What stands behind it, once it answered.
    pub open: Option<Open>,
    /// Writes of earlier runs that are open; what was seen of them is in the facts.
    pub opened: u64,
    /// Pictures of this run that turned up on other accounts.
    pub misplaced: Vec<Misplaced>,
    /// Why it was stopped.
    pub failure: Option<Failure>,
    /// Requests sent before the plan was known, repeated ones left out.
    pub sent_for_plan: u64,
    /// Requests that the plan says will be sent from then on.
    pub forecast: u64,
}

/// A target that answered and was surveyed.
pub struct Open {
    /// Who answers there.
    pub server: Server,
    /// What the survey said.
    pub surveyed: Surveyed,
    /// How pictures go there.
    pub upload: Upload,
    /// The size and recipe of pictures for it.
    pub size: PictureSize,
}

impl TargetRun {
    /// A target that nobody has talked to yet.
    pub fn new(entry: settings::Target, target: Arc<dyn Target>) -> Self {
        Self {
            entry,
            target,
            open: None,
            opened: 0,
            misplaced: Vec::new(),
            failure: None,
            sent_for_plan: 0,
            forecast: 0,
        }
    }

    /// The target's id.
    pub fn id(&self) -> &crate::model::TargetId {
        &self.entry.id
    }

    /// The target, if it answered and nothing stopped it.
    pub fn ready(&self) -> Option<&Open> {
        self.open.as_ref().filter(|_| self.failure.is_none())
    }

    /// Talks to the target up to the point where pictures can be made for it.
    pub async fn survey(&mut self, context: &RunContext, settings: &Settings) -> Result<(), Trouble> {
        let work = format!("survey {}", self.id());
        context.begins(&work, None);
        match self.try_survey(context, settings, &work).await {
            Ok(open) => {
                context.ends(&work, format!("{} accounts of {}", open.surveyed.accounts, open.server.product));
                self.open = Some(open);
                Ok(())
            }
            Err(Halt::Failure(failure)) => {
                context.ends(&work, "failed");
                self.failure = Some(failure);
                Ok(())
            }
            Err(Halt::Trouble(trouble)) => Err(trouble),
        }
    }

    async fn try_survey(&self, context: &RunContext, settings: &Settings, work: &str) -> Result<Open, Halt> {
        let bound = context.store.bound(self.id())?;
        let mut learnt = match &bound {
            Some(server) => context.store.learnt(server)?,
            None => Learnt::new(),
        };
        let server = context.unless_stopped(work, self.target.identify(&mut learnt)).await??;
        self.check_binding(bound.as_ref(), &server)?;
        if bound.is_none() {
            learnt.extend(context.store.learnt(&server.id)?);
        }
        recall(context, self)?;
        let surveyed = self.list(context, &mut learnt, work).await?;
        // Not before: a server that is only starting hides its id, and its address would stand in for good.
        if context.mode == Mode::Run {
            context.store.bind(self.id(), &server.id).await?;
        }
        let upload = self.prepare(context, &server, &mut learnt).await?;
        if context.mode == Mode::Plan && !self.entry.dry_run.value {
            self.expect_rights(context, work).await?;
        }
        if context.mode == Mode::Run {
            context.store.learn(&server.id, &learnt).await?;
        }
        let size = Renderer::size(settings, upload.side);
        Ok(Open { server, surveyed, upload, size })
    }

    /// A target is bound to the server's own id (docs/architecture.md, "The state").
    pub fn check_binding(&self, bound: Option<&ServerId>, server: &Server) -> Result<(), Failure> {
        match bound {
            // What stands before it, or a dead login, hides the id: that is no proof of another server.
            Some(bound) if server.id.is_address() && !bound.is_address() => Err(Failure::new(
                FailureKind::Unreachable,
                format!("ask {} who it is", self.id()),
                format!("{} does not show its id, and the state belongs to `{bound}`", server.product),
            )
            .hint("see that `rest/applinks/1.0/manifest` opens there, and run again")),
            Some(bound) if *bound != server.id => Err(Failure::new(
                FailureKind::Misconfigured,
                format!("ask {} who it is", self.id()),
                format!("server `{}` ({}), but the state belongs to `{bound}`", server.id, server.product),
            )
            .hint("put back the right `base_url`, or give the other server a target with another `id`")),
            _ => Ok(()),
        }
    }

    /// A plan writes nothing, so nothing else would tell that a run may not.
    async fn expect_rights(&self, context: &RunContext, work: &str) -> Result<(), Halt> {
        let signed = context.unless_stopped(work, self.target.whoami()).await??;
        if signed.missing.is_empty() {
            return Ok(());
        }
        let tried = format!("ask {} whether pictures may be set", self.id());
        Err(Failure::new(FailureKind::Refused, tried, signed.missing.join("; ")).hint("`auth` says more").into())
    }

    async fn list(&self, context: &RunContext, learnt: &mut Learnt, work: &str) -> Result<Surveyed, Halt> {
        let mut kept: Result<u64, StateError> = Ok(0);
        let ends = Notify::new();
        let mut pages = Pages::new(&ends);
        let mut by_handle = false;
        let mut page = |accounts: Vec<crate::model::Account>| {
            pages.came(accounts.iter().map(|account| account.id.as_str()));
            by_handle |= accounts.iter().any(|account| account.handle.is_some());
            if let Ok(done) = kept {
                kept = context.facts.put_accounts(self.id(), &accounts).map(|()| done + accounts.len() as u64);
                context.at(work, done);
            }
        };
        let listing = with_an_end(work, &ends, self.target.survey(learnt, &mut page));
        let mut surveyed = context.unless_stopped(work, listing).await??;
        kept?;
        if by_handle {
            let shared = context.facts.part_shared_handles(self.id(), "another account claims the same slug")?;
            if shared > 0 {
                surveyed.notes.push(format!("{shared} accounts share a slug with another one and are left alone"));
            }
        }
        Ok(surveyed)
    }

    async fn prepare(&self, context: &RunContext, server: &Server, learnt: &mut Learnt) -> Result<Upload, Halt> {
        let may_probe = context.mode == Mode::Run && !self.entry.dry_run.value;
        if !may_probe || !settle::clear_probes(context, self, &server.id).await.map_err(Halt::Trouble)? {
            return Ok(self.target.prepare(learnt, None).await?);
        }
        let mut journal = StoreJournal::new(&context.store);
        Ok(self.target.prepare(learnt, Some(Probe { run: &context.run, journal: &mut journal })).await?)
    }

    /// Gives every person in scope an account, where the target has none of its own.
    pub async fn follow_people(
        &mut self,
        context: &RunContext,
        sources: &[crate::model::SourceId],
    ) -> Result<(), Trouble> {
        if !self.target.follows_people() || self.ready().is_none() {
            return Ok(());
        }
        let (mut count, mut nameless) = (0, 0_u64);
        for source in sources {
            let mut after: Option<PersonId> = None;
            loop {
                let people = context.facts.people(source, after.as_ref(), PAGE)?;
                let Some(last) = people.last() else { break };
                after = Some(last.id.clone());
                let mut accounts = Vec::new();
                for person in people.iter().filter(|person| person.standing == Standing::InScope) {
                    match self.target.accounts_for(person).await {
                        Ok(named) => {
                            nameless += u64::from(named.is_empty());
                            accounts.extend(named);
                        }
                        Err(failure) => {
                            self.failure = Some(failure);
                            return Ok(());
                        }
                    }
                }
                count += accounts.iter().filter(|account| account.standing == AccountStanding::Active).count() as u64;
                context.facts.put_accounts(self.id(), &accounts)?;
            }
        }
        if let Some(open) = &mut self.open {
            open.surveyed.accounts = open.surveyed.accounts.max(count);
            if nameless > 0 {
                let found = format!("{nameless} people in scope have nothing that `match` names a file by");
                open.surveyed.notes.push(format!("{found}: no picture is written for them"));
                if count == 0 {
                    let hint = format!("{}: write keys that they have", matching_place(&self.entry));
                    let failure =
                        Failure::new(FailureKind::Misconfigured, format!("name the files of {}", self.entry.id), found);
                    self.failure = Some(failure.hint(hint));
                }
            }
        }
        Ok(())
    }
}

/// What ends the talk with one target: its own failure, or trouble of the whole run.
pub(super) enum Halt {
    /// Of the target alone.
    Failure(Failure),
    /// Of everything.
    Trouble(Trouble),
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<StateError> for Halt {
    fn from(error: StateError) -> Self {
        Self::Trouble(error.into())
    }
}
