//! Everything that is known of one account when it is decided about.
//!
//! Owns: gathering it from the facts, the state and the spool. Leaves to others: what follows (`plan`).
//! A newcomer gets wrong: a person whose picture stands on another account in use is nobody's here, whatever the keys say
//! (promise P1).

use super::context::RunContext;
use super::pages::{PAGE, each_page};
use super::planner::Planner;
use super::source_run::SourceRun;
use super::target_run::{OpenTarget, TargetRun};
use crate::error::Trouble;
use crate::model::{
    Account, AccountStanding, Comparison, Digest, KeysDigest, Matched, OpenIntent, PersonRef, PhotoFact, PictureRef,
    Placement, Recipe, Seen, Shown, SourceId, StateKey,
};
use crate::plan::{Former, PhotoLearnt, RenditionRef, SourceView, View, called, carried, matched_by, placement_seen};
use crate::settings::Ownership;
use crate::state::{AboutAccount, AboutSource};

/// What a recipe makes of a photo, if it waits in the spool.
pub(super) fn rendition(context: &RunContext, photo: &Digest, recipe: &Recipe) -> Option<RenditionRef> {
    let rendition = context.spool.get(photo, recipe)?;
    Some(RenditionRef { digest: rendition.digest, looks: rendition.luma.map(|luma| luma.fingerprint()) })
}

/// Gathers the facts of the accounts of one target.
pub(super) struct Gatherer<'a> {
    planner: &'a Planner<'a>,
    target_run: &'a TargetRun,
    open: &'a OpenTarget,
    /// Of the digests of matched keys.
    key: StateKey,
    /// How many accounts of the target that are nobody's by now show somebody's picture.
    left_behind: usize,
}

/// What is known of one account.
pub(super) struct AccountFacts {
    /// As surveyed.
    pub account: Account,
    /// What stands there by the state and by what was seen of open intents.
    pub placement: Option<Placement>,
    /// Open intents, and what looking said of each.
    pub intents: Vec<(OpenIntent, Seen)>,
    /// Every source, in the file's order.
    pub sources: Vec<SourceView>,
    keys: Vec<KeysDigest>,
    former: Former,
    looked: Comparison,
    astray: bool,
}

impl AccountFacts {
    /// For deciding; `default`: the target's.
    pub(super) fn view<'a>(&'a self, default: Option<&'a PictureRef>) -> View<'a> {
        View {
            account: &self.account,
            placement: self.placement.as_ref(),
            default,
            keys: &self.keys,
            sources: &self.sources,
            former: self.former,
            looked: self.looked,
            astray: self.astray,
        }
    }

    /// The sources that the account gets pictures of.
    pub(super) fn fed_by(&self) -> impl Iterator<Item = SourceId> {
        let matched = self.sources.iter().filter(|source| matches!(source.matched, Matched::Person(_)));
        // Whoever is gone from the listing matches nobody; the source feeds the account all the same.
        let recorded = self.placement.iter().filter_map(|placement| Some(placement.person.as_ref()?.source.clone()));
        matched.map(|source| source.id.clone()).chain(recorded)
    }
}

/// Puts into the facts which accounts people left behind. Whoever an account belongs to by now gets a picture of their own
/// there, so that one does not count.
fn left_behind(planner: &Planner<'_>, target_run: &TargetRun) -> Result<usize, Trouble> {
    let (RunContext { facts, store, .. }, target) = (planner.context, target_run.id());
    facts.forget_left_behind(target)?;
    let standing = each_page(|after| store.standing(target, after, PAGE), |(account, _)| account.clone());
    standing.map(|page| Ok(facts.put_left_behind(target, &page?)?)).sum()
}

impl<'a> Gatherer<'a> {
    /// Of a target that answered.
    pub(super) fn new(
        planner: &'a Planner<'a>,
        target_run: &'a TargetRun,
        open: &'a OpenTarget,
    ) -> Result<Self, Trouble> {
        let left_behind = if target_run.target.follows_people() { 0 } else { left_behind(planner, target_run)? };
        Ok(Self { planner, target_run, open, key: planner.context.store.key()?, left_behind })
    }

    /// The facts of a page of accounts.
    pub(super) fn gather(&self, mut accounts: Vec<Account>) -> Result<Vec<AccountFacts>, Trouble> {
        let (context, target) = (self.planner.context, self.target_run.id());
        let about = context.facts.about(target, &accounts)?;
        let placements = context.store.placements_on(target, &accounts)?;
        let astray = self.astray(&mut accounts, &placements)?;
        let all = accounts.into_iter().zip(about).zip(placements).zip(astray);
        all.map(|(((account, about), recorded), astray)| self.of_one(account, about, recorded, astray)).collect()
    }

    /// Of one account alone.
    pub(super) fn gather_one(&self, account: Account) -> Result<AccountFacts, Trouble> {
        let all = self.gather(vec![account])?;
        all.into_iter().next().ok_or_else(|| Trouble::Own("an account has no facts".to_owned()))
    }

    /// Which of them show a picture that we made for another account. Their mark then says whose it is.
    fn astray(&self, accounts: &mut [Account], placements: &[Option<Placement>]) -> Result<Vec<bool>, Trouble> {
        let (context, target) = (self.planner.context, self.target_run.id());
        let mut astray = vec![false; accounts.len()];
        if !self.target_run.target.names_each_upload_once() {
            return Ok(astray);
        }
        let upload = |account: &Account| match &account.shown {
            Shown::Custom(mark) => Some(mark.another().map_or_else(|| mark.clone(), |(_, mark)| mark)),
            _ => None,
        };
        let is_recorded = |placement: &Option<Placement>, mark: &PictureRef| {
            placement.as_ref().is_some_and(|placement| placement.mark == *mark)
        };
        let shown = accounts
            .iter()
            .zip(placements)
            .filter_map(|(account, recorded)| upload(account).filter(|mark| !is_recorded(recorded, mark)));
        let shown: Vec<_> = shown.collect();
        if shown.is_empty() {
            return Ok(astray);
        }
        let made_for = context.store.made_for(target, &shown)?;
        for (account, astray) in accounts.iter_mut().zip(&mut astray) {
            let Some(mark) = upload(account) else { continue };
            let Some(owner) = made_for.get(&mark).filter(|owner| **owner != account.id) else { continue };
            let of_another = PictureRef::of_another(owner, &mark);
            // A server that was put back gives our number to somebody's own upload: only what both show is not theirs.
            let both_show = || {
                let owner = context.facts.account(target, owner)?;
                Ok::<_, Trouble>(owner.is_some_and(|owner| owner.shown == Shown::Custom(mark.clone())))
            };
            if account.shown == Shown::Custom(of_another.clone()) || both_show()? {
                account.shown = Shown::Custom(of_another);
                *astray = true;
            }
        }
        Ok(astray)
    }

    fn of_one(
        &self,
        account: Account,
        about: AboutAccount,
        recorded: Option<Placement>,
        astray: bool,
    ) -> Result<AccountFacts, Trouble> {
        let intents = match self.target_run.opened {
            0 => Vec::new(),
            _ => self.planner.context.facts.seen(self.target_run.id(), &account.id)?,
        };
        let placement = intents.iter().fold(recorded, |placement, (open, seen)| placement_seen(open, seen, placement));
        let sources = self.sources(&account, placement.as_ref(), about.sources)?;
        let keys = carried(&account, &self.target_run.entry.matching).iter().map(|words| self.digest(words)).collect();
        let former = self.former(placement.as_ref(), &sources)?;
        let looked = self.looked(&account, placement.as_ref(), about.looked)?;
        Ok(AccountFacts { account, placement, intents, sources, keys, former, looked, astray })
    }

    fn sources(
        &self,
        account: &Account,
        placement: Option<&Placement>,
        mut about: Vec<AboutSource>,
    ) -> Result<Vec<SourceView>, Trouble> {
        let view = |source_run: &SourceRun| {
            let own = about.iter().position(|one| one.source == *source_run.id());
            let mut own = own.map_or_else(|| AboutSource::nobody(source_run.id().clone()), |at| about.swap_remove(at));
            own.matched = self.unless_it_stands_elsewhere(account, placement, source_run.id(), own.matched)?;
            Ok(self.source(account, source_run, own))
        };
        self.planner.source_runs.iter().map(view).collect()
    }

    fn source(&self, account: &Account, source_run: &SourceRun, own: AboutSource) -> SourceView {
        let AboutSource { source: id, matched, person, photo, is_new } = own;
        let (person, photo) = match &matched {
            Matched::Person(_) => (person, photo),
            Matched::Ambiguous(_) | Matched::Conflict(_) | Matched::Nobody => (None, None),
        };
        let (shared_by, learnt, made) = match &photo {
            Some(PhotoFact::Present { digest }) => (
                self.planner.shared.by(&id, digest),
                self.learnt(is_new),
                rendition(self.planner.context, digest, &self.open.size.recipe),
            ),
            _ => (None, PhotoLearnt::Before, None),
        };
        let by = person.as_ref().and_then(|person| matched_by(account, person, &self.target_run.entry.matching));
        let keys = by.map(|words| self.digest(&words));
        let (place, state) = (source_run.entry.place.clone(), source_run.state);
        let freeze = source_run.entry.freeze();
        SourceView { id, place, freeze, state, matched, person, photo, rendition: made, keys, shared_by, learnt }
    }

    /// A person whose picture stands on another account, which is in use and is not theirs any more, belongs to neither:
    /// whoever takes over an address or a name gains nobody's face (promise P1).
    fn unless_it_stands_elsewhere(
        &self,
        account: &Account,
        placement: Option<&Placement>,
        source: &SourceId,
        matched: Matched,
    ) -> Result<Matched, Trouble> {
        let Matched::Person(id) = &matched else { return Ok(matched) };
        let who = PersonRef { source: source.clone(), id: id.clone() };
        let known = placement.and_then(|placement| placement.person.as_ref()) == Some(&who);
        if known || self.left_behind == 0 {
            return Ok(matched);
        }
        let (target, facts) = (self.target_run.id(), &self.planner.context.facts);
        for other in facts.left_behind(target, &who)? {
            let Some(former) = facts.account(target, &other)?.filter(|former| former.id != account.id) else {
                continue;
            };
            if former.standing == AccountStanding::Active {
                let person = facts.person(&who)?;
                let name = person.as_ref().map_or(id.as_str(), called);
                let words =
                    format!("{name}, whose picture stands on {}, which is in use and fits nobody now", former.name);
                return Ok(Matched::Conflict(words));
            }
        }
        Ok(matched)
    }

    fn digest(&self, words: &[String]) -> KeysDigest {
        KeysDigest::of(&self.key, &words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// What looking at the picture there said: in this run, or in the one that found it chosen by hand.
    fn looked(
        &self,
        account: &Account,
        placement: Option<&Placement>,
        looked: Comparison,
    ) -> Result<Comparison, Trouble> {
        let (context, target) = (self.planner.context, self.target_run.id());
        let ours = self.target_run.entry.ownership.value == Ownership::Ours;
        if let (true, Some(placement), Shown::Custom(shown)) = (ours, placement, &account.shown)
            && placement.mark != *shown
            && context.store.choice(target, &account.id)?.as_ref() == Some(shown)
        {
            return Ok(Comparison::Differs);
        }
        Ok(looked)
    }

    /// Whether a photo is new to the state; of importance only where people may choose
    /// (docs/architecture.md, "The state").
    fn learnt(&self, is_new: bool) -> PhotoLearnt {
        match self.target_run.entry.ownership.value {
            Ownership::Ours if is_new => PhotoLearnt::Now,
            Ownership::Ours | Ownership::Provider => PhotoLearnt::Before,
        }
    }

    fn former(&self, placement: Option<&Placement>, sources: &[SourceView]) -> Result<Former, Trouble> {
        let Some(person) = placement.and_then(|placement| placement.person.as_ref()) else {
            return Ok(Former::Nobody);
        };
        let is_listed = |source_run: &&SourceRun| *source_run.id() == person.source && source_run.knows_people;
        let source_run = self.planner.source_runs.iter().find(is_listed);
        // Nearly always whoever the account still belongs to, and who was read for that.
        let of_source = sources.iter().filter(|source| source.id == person.source);
        let read = of_source.filter_map(|source| source.person.as_ref()).find(|read| read.id == person.id);
        let standing = match read {
            Some(read) => Some(read.standing),
            None => self.planner.context.facts.person(person)?.map(|person| person.standing),
        };
        Ok(match (source_run, standing) {
            (None, _) => Former::Unknown,
            (Some(_), Some(standing)) => Former::Listed(standing),
            // One of those without an id may be this very person.
            (Some(source_run), None) if source_run.counts.nameless > 0 => Former::Unknown,
            (Some(_), None) => Former::Gone,
        })
    }
}
