//! The life of a run: lock, settle, survey, collect, fetch, render, decide, guard, apply, confirm, report
//! (docs/architecture.md, "The life of a run").
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
mod folders;
mod house;
mod images;
mod journal;
mod judge;
mod kitchen;
mod limits;
mod listing;
mod look;
mod match_all;
mod misplaced;
mod named;
mod naming;
mod only;
mod passes;
mod people;
mod private;
mod recall;
mod refused;
mod saved;
mod selection;
mod settle;
mod shared;
mod sheet;
mod spool;
mod stop;
mod tally;
mod threads;
mod twins;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use futures::future::try_join_all;

use crate::error::Trouble;
use crate::exit::Exit;
use crate::model::{Digest, SourceId};
use crate::pipeline::Pipeline;
use crate::plan::{Allowance, Rerender, SourceState};
use crate::report::{Event, Listener, RunReport};
use crate::state::{Again, Counted, RunEnd, RunRow};
use crate::transform::Settings;

use connect::Lines;
use desk::Desk;
use feed::Feed;
use house::House;
use judge::{Bench, DeskPlan};
use kitchen::Kitchen;
use limits::Guarded;
use passes::{Passes, Patience};
use shared::Shared;
use tally::{Finished, Writes};
use twins::Servers;

pub(crate) use auth::{Asked, Everybody, Uploads, auth};
pub use house::Mode;
pub(crate) use people::People;
pub(crate) use private::{try_private, write_private};
pub(crate) use saved::{read_plan, write_plan};
pub(crate) use selection::SavedPlan;
pub use selection::Selection;
pub use stop::Stop;
pub(crate) use threads::runtime;

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
    /// Everything there is to tell, but for the people.
    pub report: RunReport,
    /// Everybody but the unchanged.
    pub people: People,
    /// The exit code.
    pub exit: Exit,
    /// Changes that were decided.
    pub changes: u64,
}

/// Plans, and runs what was planned.
pub async fn execute(
    pipeline: &Pipeline,
    options: &Options,
    listener: Arc<dyn Listener>,
    stop: Stop,
) -> Result<Outcome, Trouble> {
    folders::apart(pipeline)?;
    let house = House::open(pipeline, options.mode, listener, stop)?;
    begin(&house, pipeline, &options.selection).await?;
    let job = Job { house: &house, pipeline, options, lines: Lines::new(pipeline, &house.stop)? };
    let ended = job.go().await;
    match ended {
        Ok(Ended { report, exit, finished }) => {
            let changes = finished.iter().map(|desk| desk.plan.changes.count()).sum();
            let people = People::of(house, &finished);
            Ok(Outcome { report, people, exit, changes })
        }
        Err(trouble) => {
            if options.mode == Mode::Run {
                // The row must not look like a run that was killed.
                house.store.finish_run(&house.run, in_trouble(&trouble)).await?;
            }
            Err(trouble)
        }
    }
}

/// A run that came to its end, whatever it was.
struct Ended {
    report: RunReport,
    exit: Exit,
    finished: Vec<Finished>,
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

async fn begin(house: &House, pipeline: &Pipeline, selection: &Selection) -> Result<(), Trouble> {
    if house.mode == Mode::Run {
        let row = RunRow {
            id: house.run.clone(),
            pipeline: pipeline.name.clone(),
            pipeline_digest: pipeline.digest,
            // What only a part was asked of is no whole success (`status`).
            command: if selection.is_whole() { house.mode.word() } else { "run (a part)" }.to_owned(),
            started: house::unix(house.started),
        };
        house.store.claim(&pipeline.name).await?;
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
    async fn go(&self) -> Result<Ended, Trouble> {
        let Self { house, pipeline, lines, .. } = self;
        twins::refuse_known(house, pipeline)?;
        if let Some(plan) = &self.options.selection.reviewed {
            saved::take_in(house, plan)?;
        }
        let settings = kitchen::settings(&pipeline.transform);
        let mut feeds = feeds(lines, pipeline)?;
        let mut guarded = Guarded::default();
        // Whom a name means is known once everybody is listed.
        let patience = match (house.mode, self.options.selection.only.is_empty()) {
            (Mode::Run, true) => Patience::Some,
            _ => Patience::Endless,
        };
        let mut passes = Passes::new(patience);
        for desk in desks(lines, pipeline)? {
            passes.survey(survey(house, &settings, desk));
        }
        let planned = self.take(&settings, &mut passes, &mut feeds, &mut guarded).await;
        // Writes under way are never left, whatever became of planning the others.
        let mut finished = passes.finish().await?;
        planned?;
        // Of a run in trouble they wait: it did not come to its end.
        let waiting = house.leave_pictures()?;
        finished.sort_by_key(|done| pipeline.targets.iter().position(|target| target.id == *done.desk.id()));
        close(house, pipeline, &feeds, finished, &guarded, waiting).await
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
        let mut servers = Servers::default();
        let mut desks = passes.next().await?;
        for failure in feeds.iter().filter_map(|feed| feed.failure.as_ref()) {
            house.say(Event::Failure(failure.to_string()));
        }
        while !desks.is_empty() {
            servers.refuse_twins(&mut desks);
            let kitchen = self.kitchen(settings, &desks, passes.somebody_is_late());
            let mut decided = passes.meanwhile(self.plan(&kitchen, desks, feeds)).await?;
            guarded.hold(house, pipeline, feeds, &decided, &options.allow)?;
            for (desk, plan) in &mut decided {
                desk.failure = desk.failure.take().or_else(|| named::unserved(desk, plan));
            }
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
        let selection = &self.options.selection;
        let selected = if selection.narrows() {
            only::select(house, &desks, feeds, selection)?;
            fetch::Selected::Some
        } else {
            fetch::Selected::Everybody
        };
        let images = images::prepare(&pipeline.transform.fallback, kitchen).await?;
        for feed in feeds.iter_mut() {
            let lanes = lines.lanes(&feed.entry.rate);
            fetch::fetch_all(house, feed, kitchen, lanes, selected).await?;
            if feed.state != SourceState::Listed {
                // The search of everybody who got this far ends here (docs/architecture.md, "Precedence").
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
        let mut plans = self.judge(images, &desks, feeds)?;
        if fetch_missing(self.house, &self.lines, kitchen, feeds).await? {
            plans = self.judge(images, &desks, feeds)?;
        }
        let to_look = desks.iter_mut().zip(&plans).filter(|(_, plan)| plan.looks > 0);
        let looks = to_look.map(|(desk, _)| {
            let lanes = self.lines.lanes(&desk.entry.rate);
            look::look(self.house, desk, lanes)
        });
        let looked: u64 = try_join_all(looks).await?.into_iter().sum();
        if looked > 0 {
            plans = self.judge(images, &desks, feeds)?;
        }
        Ok(desks.into_iter().zip(plans).collect())
    }

    fn judge(
        &self,
        images: &HashMap<PathBuf, Digest>,
        desks: &[Desk],
        feeds: &[Feed],
    ) -> Result<Vec<DeskPlan>, Trouble> {
        let shared = Shared::of(self.house, feeds, self.pipeline.transform.same_picture)?;
        let bench = Bench {
            house: self.house,
            feeds,
            transform: &self.pipeline.transform,
            images,
            shared: &shared,
            selection: &self.options.selection,
            rerender: self.options.rerender,
        };
        self.house.facts.forget_again(Again::Missing)?;
        desks.iter().map(|desk| bench.judge(desk)).collect()
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

/// Fetches the photos whose renditions the plan misses. Says whether there were any.
async fn fetch_missing(
    house: &House,
    lines: &Lines,
    kitchen: &Arc<Kitchen>,
    feeds: &mut [Feed],
) -> Result<bool, Trouble> {
    let mut any = false;
    for feed in feeds {
        if house.facts.count_again(Again::Missing, feed.id())? > 0 {
            any = true;
            let lanes = lines.lanes(&feed.entry.rate);
            fetch::fetch_again(house, feed, kitchen, lanes).await?;
        }
    }
    Ok(any)
}

fn forecast(lines: &Lines, decided: &mut [(Desk, DeskPlan)]) {
    for (desk, plan) in decided {
        let counts = desk.target.counts();
        desk.sent_for_plan = counts.sent.saturating_sub(counts.retried);
        let Some(open) = desk.open.as_ref() else { continue };
        if plan.changes.count() > 0 {
            let workers = workers(lines, desk, plan);
            desk.forecast =
                desk.target.forecast(&apply::shape(plan, desk.entry.ownership, workers, open.surveyed.accounts));
        }
    }
}

fn workers(lines: &Lines, desk: &Desk, plan: &DeskPlan) -> usize {
    lines.lanes(&desk.entry.rate).clamp(1, usize::try_from(plan.changes.count()).unwrap_or(usize::MAX).max(1))
}

/// Applies and confirms one target's plan, unless something forbids it.
async fn write(
    house: &House,
    lines: &Lines,
    writes: Writes,
    mut desk: Desk,
    plan: DeskPlan,
) -> Result<Finished, Trouble> {
    if writes == Writes::Applied {
        let workers = workers(lines, &desk, &plan);
        apply::apply(house, &mut desk, &plan, workers).await?;
        confirm::confirm(house, &mut desk).await?;
    } else if house.mode == Mode::Run || writes == Writes::Limit {
        // Nothing was written: the forecast is of what this run costs.
        desk.forecast = 0;
    }
    Ok(Finished { desk, plan, writes })
}

/// Makes the report, and records how the run ended.
async fn close(
    house: &House,
    pipeline: &Pipeline,
    feeds: &[Feed],
    finished: Vec<Finished>,
    guarded: &Guarded,
    waiting: Option<String>,
) -> Result<Ended, Trouble> {
    let now = SystemTime::now();
    let (mut report, exit) = tally::report(house, pipeline, feeds, &finished, guarded, now)?;
    report.notes.extend(waiting);
    if house.mode == Mode::Run {
        record_counts(house, feeds, &finished, guarded).await?;
        let end = RunEnd {
            outcome: report.outcome.clone(),
            exit_code: report.exit_code,
            finished: house::unix(now),
            plan_digest: report.plan_digest.as_ref().and_then(|digest| digest.parse().ok()),
            report: impersonal(&report)?,
        };
        house.store.finish_run(&house.run, end).await?;
        if exit == Exit::Done {
            house.spool.clear().map_err(Trouble::file("empty the spool beside the state"))?;
        }
    }
    Ok(Ended { report, exit, finished })
}

/// What the next run's limits compare with: only what passed them. `--allow` settles a number for the runs after it.
async fn record_counts(house: &House, feeds: &[Feed], finished: &[Finished], guarded: &Guarded) -> Result<(), Trouble> {
    let broken = |scope: &str| guarded.checked.iter().any(|check| check.broken && check.scope == scope);
    let sources = feeds
        .iter()
        .filter(|feed| feed.source.is_some() && feed.failure.is_none() && !broken(feed.id().as_str()))
        .flat_map(|feed| {
            let lost = (Counted::Lost(feed.id().clone()), feed.counts.photos.lost);
            [(Counted::Source(feed.id().clone()), feed.counts.people), lost]
        });
    let targets = finished
        .iter()
        .filter(|desk| desk.desk.ready().is_some() && !broken(desk.desk.id().as_str()))
        .map(|desk| (Counted::Target(desk.desk.id().clone()), desk.plan.counts.accounts));
    Ok(house.store.put_run_counts(&house.run, sources.chain(targets).collect()).await?)
}

/// The durable state holds no names (docs/architecture.md, "The state").
fn impersonal(report: &RunReport) -> Result<serde_json::Value, Trouble> {
    serde_json::to_value(report.counts())
        .map_err(|error| Trouble::Own(format!("the report cannot be written down: {error}")))
}
