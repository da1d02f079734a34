//! The life of a run: lock, settle, survey, collect, fetch, render, decide, guard, apply, confirm, report (design §4).
//!
//! Owns: the order of the phases and everything that happens at the same time; no other room knows concurrency.
//! Leaves to others: every rule (`plan`), every wire (`extract`, `load`), durability (`state`), words (`report`).
//! A newcomer gets wrong: `plan` and `run` are one function up to the guard, so a plan cannot promise what a run would
//! not do.

mod apply;
mod auth;
mod confirm;
mod connect;
mod desk;
mod feed;
mod fetch;
mod house;
mod images;
mod journal;
mod judge;
mod kitchen;
mod limits;
mod match_all;
mod passes;
mod selection;
mod settle;
mod sheet;
mod spool;
mod stop;
mod tally;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use futures::future::{join_all, try_join_all};
use futures::stream::{self, StreamExt as _};

use crate::error::Trouble;
use crate::exit::Exit;
use crate::http::{Failure, FailureKind};
use crate::model::{AccountId, Decision, Digest, Luma, SourceId};
use crate::pipeline::Pipeline;
use crate::plan::{Allowance, Looked, Rerender, SourceState};
use crate::report::{Event, Listener, RunReport};
use crate::state::{Counted, RunEnd, RunRow};
use crate::transform::Settings;

use connect::Lines;
use desk::Desk;
use feed::Feed;
use house::House;
use judge::{Bench, DeskPlan};
use kitchen::{Eyes, Kitchen};
use limits::Guarded;
use passes::Passes;
use tally::{Finished, Writes};

pub use auth::{Asked, Everybody, Uploads, auth};
pub use house::Mode;
pub use selection::{SavedChange, SavedPlan, Selection};
pub use spool::create_private;
pub use stop::Stop;

/// What a run is asked for besides the pipeline.
pub struct Options {
    /// Plan or run.
    pub mode: Mode,
    /// `--only`, `--target`, `--plan`.
    pub selection: Selection,
    /// `--allow`.
    pub allow: Vec<Allowance>,
    /// `--rerender`.
    pub rerender: Rerender,
}

/// How a run ended.
pub struct Outcome {
    /// Everything there is to tell.
    pub report: RunReport,
    /// The exit code.
    pub exit: Exit,
    /// What was decided to change, in the order of the plan.
    pub changes: Vec<Decision>,
}

/// Plans, and runs what was planned.
pub async fn execute(
    pipeline: &Pipeline,
    options: &Options,
    listener: Arc<dyn Listener>,
    stop: Stop,
) -> Result<Outcome, Trouble> {
    let house = House::open(pipeline, options.mode, listener, stop)?;
    begin(&house, pipeline).await?;
    let job = Job { house: &house, pipeline, options, lines: Lines::new(pipeline, &house.stop)? };
    let ended = job.go().await;
    if let (Err(trouble), Mode::Run) = (&ended, options.mode) {
        // The row must not look like a run that was killed.
        house.store.finish_run(&house.run, in_trouble(trouble)).await?;
    }
    ended
}

fn in_trouble(trouble: &Trouble) -> RunEnd {
    RunEnd {
        outcome: trouble.exit().outcome().to_owned(),
        exit_code: trouble.exit().code(),
        finished: house::unix_now(),
        plan_digest: None,
        report: serde_json::Value::Null,
    }
}

/// What every phase works with.
struct Job<'a> {
    house: &'a House,
    pipeline: &'a Pipeline,
    options: &'a Options,
    lines: Lines,
}

async fn begin(house: &House, pipeline: &Pipeline) -> Result<(), Trouble> {
    if house.mode == Mode::Run {
        let row = RunRow {
            id: house.run.clone(),
            pipeline: pipeline.name.clone(),
            pipeline_digest: pipeline.digest,
            command: house.mode.word().to_owned(),
            started: house::unix(house.started),
        };
        house.store.begin_run(row).await?;
    }
    Ok(())
}

fn desks(lines: &Lines, pipeline: &Pipeline) -> Result<Vec<Desk>, Trouble> {
    pipeline.targets.iter().map(|entry| Ok(Desk::new(entry.clone(), lines.target(entry)?))).collect()
}

fn feeds(lines: &Lines, pipeline: &Pipeline) -> Result<Vec<Feed>, Trouble> {
    let source = |entry: &crate::pipeline::Source| {
        let source = entry.provider.as_ref().map(|provider| lines.source(entry, provider)).transpose()?;
        Ok(Feed::new(entry.clone(), source))
    };
    pipeline.sources.iter().map(source).collect()
}

/// Talks to a target up to the point where its accounts can be decided about.
async fn survey(house: &House, settings: &Settings, mut desk: Desk) -> Result<Desk, Trouble> {
    settle::wait_until_quiet(house, &desk).await?;
    desk.survey(house, settings).await?;
    desk.opened = settle::look_at_open_intents(house, &mut desk).await?;
    Ok(desk)
}

impl Job<'_> {
    /// Every target and every source at the same time: none waits for another but for its part of the plan.
    async fn go(&self) -> Result<Outcome, Trouble> {
        let Self { house, pipeline, lines, .. } = self;
        let settings = kitchen::settings(&pipeline.transform);
        let mut feeds = feeds(lines, pipeline)?;
        let mut guarded = Guarded::default();
        let mut passes = Passes::new(house.mode);
        for desk in desks(lines, pipeline)? {
            passes.survey(survey(house, &settings, desk));
        }
        let planned = self.take(&settings, &mut passes, &mut feeds, &mut guarded).await;
        // Writes under way are never left, whatever became of planning the others.
        let mut finished = passes.finish().await?;
        planned?;
        finished.sort_by_key(|done| pipeline.targets.iter().position(|target| target.id == *done.desk.id()));
        close(house, pipeline, &feeds, finished, &guarded).await
    }

    /// Plans pass after pass, and begins to write each.
    async fn take<'a>(
        &'a self,
        settings: &'a Settings,
        passes: &mut Passes<'a>,
        feeds: &mut [Feed],
        guarded: &mut Guarded,
    ) -> Result<(), Trouble> {
        let Self { house, pipeline, options, lines } = self;
        passes.meanwhile(try_join_all(feeds.iter_mut().map(|feed| feed.collect(house)))).await?;
        let mut desks = passes.next().await?;
        for failure in feeds.iter().filter_map(|feed| feed.failure.as_ref()) {
            house.say(Event::Failure(failure.to_string()));
        }
        while !desks.is_empty() {
            let kitchen = self.kitchen(settings, &desks, passes.somebody_is_late());
            let mut decided = passes.meanwhile(self.plan(&kitchen, desks, feeds)).await?;
            guarded.hold(house, pipeline, feeds, &decided, &options.allow)?;
            forecast(lines, &mut decided);
            for (desk, plan) in decided {
                let writes = self.writes(guarded, &desk);
                passes.write(write(house, lines, writes, desk, plan));
            }
            desks = passes.next().await?;
        }
        Ok(())
    }

    /// Makes the sizes that these targets take; and what most targets take, if somebody is late: each photo is
    /// downloaded once.
    fn kitchen(&self, settings: &Settings, desks: &[Desk], somebody_is_late: bool) -> Arc<Kitchen> {
        let here = desks.iter().filter_map(|desk| Some(desk.ready()?.serving.clone()));
        let later = somebody_is_late.then(|| Kitchen::serving(settings, None));
        let placeholders = self.pipeline.transform.placeholders.clone();
        Kitchen::new(settings.clone(), here.chain(later).collect(), placeholders, self.house.spool.clone())
    }

    /// Match, fetch, render, decide: the whole plan of these targets.
    async fn plan(
        &self,
        kitchen: &Arc<Kitchen>,
        mut desks: Vec<Desk>,
        feeds: &mut [Feed],
    ) -> Result<Vec<(Desk, DeskPlan)>, Trouble> {
        let Self { house, pipeline, lines, .. } = self;
        let listed: Vec<SourceId> =
            feeds.iter().filter(|feed| feed.failure.is_none()).map(|feed| feed.id().clone()).collect();
        for desk in &mut desks {
            desk.follow_people(house, &listed).await?;
        }
        match_all::match_all(house, &desks, feeds)?;
        let images = images::prepare(&pipeline.transform.fallback, kitchen).await?;
        for feed in feeds.iter_mut() {
            let lanes = lines.lanes(&feed.entry.rate);
            fetch::fetch_all(house, feed, kitchen, lanes).await?;
            if feed.state != SourceState::Listed {
                // The search of everybody who got this far ends here (design §4, precedence).
                break;
            }
            house.facts.end_searches_after(feed.id())?;
        }
        self.decide(kitchen, &images, desks, feeds).await
    }

    /// Decides; fetches what turned out to be needed after all; looks at pictures that are not recorded; decides again.
    async fn decide(
        &self,
        kitchen: &Arc<Kitchen>,
        images: &HashMap<PathBuf, Digest>,
        mut desks: Vec<Desk>,
        feeds: &mut [Feed],
    ) -> Result<Vec<(Desk, DeskPlan)>, Trouble> {
        let mut looked: Vec<HashMap<AccountId, Looked>> = vec![HashMap::new(); desks.len()];
        let mut plans = self.judge(images, &desks, feeds, &looked)?;
        if fetch_missing(self.house, &self.lines, kitchen, feeds, &plans).await? {
            plans = self.judge(images, &desks, feeds, &looked)?;
        }
        let looks = desks.iter_mut().zip(&plans).map(|(desk, plan)| {
            let lanes = self.lines.lanes(&desk.entry.rate);
            look(self.house, desk, plan, lanes)
        });
        looked = join_all(looks).await;
        if looked.iter().any(|seen| !seen.is_empty()) {
            plans = self.judge(images, &desks, feeds, &looked)?;
        }
        Ok(desks.into_iter().zip(plans).collect())
    }

    fn judge(
        &self,
        images: &HashMap<PathBuf, Digest>,
        desks: &[Desk],
        feeds: &[Feed],
        looked: &[HashMap<AccountId, Looked>],
    ) -> Result<Vec<DeskPlan>, Trouble> {
        let bench = Bench {
            house: self.house,
            feeds,
            transform: &self.pipeline.transform,
            images,
            selection: &self.options.selection,
            rerender: self.options.rerender,
        };
        desks.iter().zip(looked).map(|(desk, looked)| bench.judge(desk, looked)).collect()
    }

    /// Whether a target may be written to.
    fn writes(&self, guarded: &Guarded, desk: &Desk) -> Writes {
        if guarded.stopped.contains(desk.id()) {
            Writes::Limit
        } else if self.house.mode == Mode::Plan || desk.entry.dry_run {
            Writes::Planned
        } else if self.house.stop.requested() || desk.failure.is_some() {
            Writes::NotBegun
        } else {
            Writes::Applied
        }
    }
}

async fn fetch_missing(
    house: &House,
    lines: &Lines,
    kitchen: &Arc<Kitchen>,
    feeds: &mut [Feed],
    plans: &[DeskPlan],
) -> Result<bool, Trouble> {
    let mut any = false;
    for feed in feeds {
        let people: std::collections::BTreeSet<_> =
            plans.iter().filter_map(|plan| plan.missing.get(feed.id())).flatten().cloned().collect();
        if !people.is_empty() {
            any = true;
            let lanes = lines.lanes(&feed.entry.rate);
            fetch::fetch_these(house, feed, kitchen, lanes, people.into_iter().collect()).await?;
        }
    }
    Ok(any)
}

const LOOK: &str = "look at pictures";

/// Compares pictures that are not recorded with what would be written over them (design §4, state). A target that
/// cannot be reached is asked no more: the others wait for it here.
async fn look(house: &House, desk: &mut Desk, plan: &DeskPlan, lanes: usize) -> HashMap<AccountId, Looked> {
    let there = plan.look.iter().map(|(account, wanted)| {
        let target = Arc::clone(&desk.target);
        async move { (account, wanted, target.look(account).await) }
    });
    let mut there = stream::iter(there).buffer_unordered(lanes.max(1));
    let mut looked = HashMap::new();
    while let Ok(Some((account, wanted, picture))) = house.unless_stopped(LOOK, there.next()).await {
        if let Err(failure @ Failure { kind: FailureKind::Unreachable | FailureKind::Refused, .. }) = picture {
            desk.failure = Some(failure);
            break;
        }
        let recipe = desk.open.as_ref().map(|open| &open.serving.recipe);
        let wanted = recipe.and_then(|recipe| house.spool.get(&wanted.photo, recipe)).map(|spooled| spooled.luma);
        looked.insert(account.id.clone(), alike(wanted.as_ref(), picture));
    }
    looked
}

fn alike(wanted: Option<&Luma>, there: Result<Option<bytes::Bytes>, Failure>) -> Looked {
    use crate::load::Looks as _;
    let (Some(wanted), Ok(Some(picture))) = (wanted, there) else { return Looked::Failed };
    match Eyes.luma(&picture) {
        Some(found) if found.fits(wanted) => Looked::Alike,
        Some(_) => Looked::Differs,
        None => Looked::Failed,
    }
}

fn forecast(lines: &Lines, decided: &mut [(Desk, DeskPlan)]) {
    for (desk, plan) in decided {
        let counts = desk.target.counts();
        desk.sent_for_plan = counts.sent.saturating_sub(counts.retried);
        let Some(open) = desk.open.as_ref() else { continue };
        if !plan.changes.is_empty() {
            let workers = workers(lines, desk, plan);
            desk.forecast = desk.target.forecast(&apply::shape(plan, workers, open.surveyed.accounts));
        }
    }
}

fn workers(lines: &Lines, desk: &Desk, plan: &DeskPlan) -> usize {
    lines.lanes(&desk.entry.rate).clamp(1, plan.changes.len().max(1))
}

/// Applies and confirms one target's plan, unless something forbids it.
async fn write(
    house: &House,
    lines: &Lines,
    writes: Writes,
    mut desk: Desk,
    plan: DeskPlan,
) -> Result<Finished, Trouble> {
    let mut results = apply::Results::new();
    if writes == Writes::Applied {
        let workers = workers(lines, &desk, &plan);
        results = apply::apply(house, &mut desk, &plan, workers).await?;
        confirm::confirm(house, &mut desk, &mut results).await?;
    } else if house.mode == Mode::Run || writes == Writes::Limit {
        // Nothing was written: the forecast is of what this run costs.
        desk.forecast = 0;
    }
    Ok(Finished { desk, plan, results, writes })
}

/// Makes the report, and records how the run ended.
async fn close(
    house: &House,
    pipeline: &Pipeline,
    feeds: &[Feed],
    finished: Vec<Finished>,
    guarded: &Guarded,
) -> Result<Outcome, Trouble> {
    let now = SystemTime::now();
    let (mut report, exit) = tally::report(house, pipeline, feeds, &finished, guarded, now)?;
    let changes: Vec<_> =
        finished.iter().flat_map(|desk| desk.plan.changes.iter().map(|planned| planned.decision.clone())).collect();
    if house.mode == Mode::Run {
        record_counts(house, feeds, &finished, guarded).await?;
        let end = RunEnd {
            outcome: report.outcome.clone(),
            exit_code: report.exit_code,
            finished: house::unix(now),
            plan_digest: report.plan_digest.as_ref().and_then(|digest| digest.parse().ok()),
            report: without_people(&report)?,
        };
        house.store.finish_run(&house.run, end).await?;
        if exit == Exit::Done {
            house.spool.clear().map_err(Trouble::file("empty the spool beside the state"))?;
        }
    }
    if pipeline.report.names == crate::pipeline::Names::Pseudonym {
        report.pseudonymise();
    }
    Ok(Outcome { report, exit, changes })
}

/// What the next run's shrink limits compare with: only listings that passed theirs.
async fn record_counts(house: &House, feeds: &[Feed], finished: &[Finished], guarded: &Guarded) -> Result<(), Trouble> {
    let broken = |scope: &str| guarded.checked.iter().any(|check| check.broken && check.scope == scope);
    let sources = feeds
        .iter()
        .filter(|feed| feed.source.is_some() && feed.failure.is_none() && !broken(feed.id().as_str()))
        .map(|feed| (Counted::Source(feed.id().clone()), feed.counts.people));
    let targets = finished
        .iter()
        .filter(|desk| desk.desk.ready().is_some() && !broken(desk.desk.id().as_str()))
        .map(|desk| (Counted::Target(desk.desk.id().clone()), desk.plan.counts.accounts));
    Ok(house.store.put_run_counts(&house.run, sources.chain(targets).collect()).await?)
}

/// The durable state holds no names (design §4).
fn without_people(report: &RunReport) -> Result<serde_json::Value, Trouble> {
    serde_json::to_value(report.counts())
        .map_err(|error| Trouble::Own(format!("the report cannot be written down: {error}")))
}
