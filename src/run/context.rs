//! What a run stands in: its id, the lock, the state, the cache with facts and spool, who listens, and when to stop.
//!
//! Owns: opening all of it in the right order. Leaves to others: using it (every phase).
//! A newcomer gets wrong: a plan takes the lock too, since it rebuilds the scratch facts; but it never writes to the
//! durable state (promise P3), which it opens for a look only.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::kept::{self, Kept};
use super::naming::PeopleNaming;
use super::private::{private_folder, remove_former};
#[cfg(feature = "bucket")]
use super::remote::{self, Remote};
use super::selection::SavedPlan;
use super::spool::Spool;
use super::stood::Stood;
use super::stop::Stop;
use crate::error::Trouble;
#[cfg(feature = "bucket")]
use crate::http::Stopping;
use crate::http::{Failure, FailureKind, Permit};
use crate::load::Target;
use crate::model::{Change, Decision, Provenance, RunId, Shown, Step, Task, counted, rfc3339};
use crate::report::{Listener, RunEvent, StoreLine};
#[cfg(feature = "bucket")]
use crate::settings::Http;
use crate::settings::{Pictures, Pipeline};
use crate::state::{Facts, Holder, Lock, Store};

/// How long what is under way may take after a stop. CI platforms kill a job some ten seconds after they asked.
const GRACE: Duration = Duration::from_secs(5);

/// Up to the guard only, or to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything but the writes.
    Plan,
    /// The whole life of a run.
    Run,
}

impl Mode {
    /// The command.
    pub fn word(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Run => "run",
        }
    }
}

/// What a run stands in.
pub struct RunContext {
    /// The run's id.
    pub run: RunId,
    /// When it began.
    pub started: SystemTime,
    /// Plan or run.
    pub mode: Mode,
    /// The command, for the report.
    pub command: &'static str,
    /// The durable state.
    pub store: Arc<Store>,
    /// The scratch facts.
    pub facts: Arc<Facts>,
    /// Where renditions wait.
    pub spool: Spool,
    /// What accounts showed before.
    pub stood: Stood,
    /// Where pictures are kept that are replaced; `None`: they are not.
    pub kept: Option<Kept>,
    /// Which pictures the report shows.
    pub pictures: Pictures,
    /// The plan that was reviewed.
    pub reviewed: Option<SavedPlan>,
    /// Who wants to know.
    pub listener: Arc<dyn Listener>,
    /// When to end early.
    pub stop: Stop,
    /// How people are named.
    pub naming: PeopleNaming,
    /// Held for the plan's time; the store holds the lock of a run.
    _lock: Option<Lock>,
    /// The bucket that a run writes to.
    #[cfg(feature = "bucket")]
    remote: Option<Remote>,
}

/// What is beside a state and may be lost.
pub(crate) fn cache_path(state: &std::path::Path) -> std::path::PathBuf {
    state.with_extension("cache")
}

/// Where the facts of the last plan or run of a state are.
pub(crate) fn facts_path(state: &std::path::Path) -> std::path::PathBuf {
    cache_path(state).join("facts.db")
}

/// The state for a look, of a command that is no plan.
pub(super) async fn view_state(pipeline: &Pipeline) -> Result<Store, Trouble> {
    match &pipeline.bucket {
        None => {}
        #[cfg(feature = "bucket")]
        Some(bucket) => remote::view_alone(bucket, way(pipeline)?, &pipeline.state, "`auth`").await?,
        #[cfg(not(feature = "bucket"))]
        Some(bucket) => return Err(Trouble::no_bucket(bucket, "auth")),
    }
    Ok(Store::view(&pipeline.state)?)
}

/// The way to the bucket of a state.
#[cfg(feature = "bucket")]
pub(super) fn way(pipeline: &Pipeline) -> Result<&Http, Trouble> {
    pipeline.http.get("default").ok_or_else(|| Trouble::Own("no way to the bucket was resolved".to_owned()))
}

impl RunContext {
    /// Whether a run is undone: no picture of anybody's photo is made.
    pub fn is_undo(&self) -> bool {
        self.command.starts_with("undo")
    }

    /// Whether the picture that stands there is kept before this is done: it would be lost, and may be wanted back. What we
    /// made goes in every product. Where a picture of ours must not stand, of who opted out or had the account before,
    /// none is kept.
    pub(super) fn is_to_keep(&self, target: &dyn Target, shown: &Shown, decision: &Decision, task: &Task) -> bool {
        let Shown::Custom(mark) = shown else { return false };
        let recorded = task.placement.as_ref().filter(|placement| placement.mark == *mark);
        let is_lost = match recorded {
            None => target.loses_what_it_replaces(),
            Some(_) if decision.change == Change::Remove => false,
            Some(placement) if placement.person.is_none() || placement.person != decision.person => false,
            Some(placement) => placement.provenance == Provenance::Made || target.loses_what_it_replaces(),
        };
        let is_written_over = matches!(task.step, Step::Show(_) | Step::Look(_) | Step::Reset);
        self.kept.is_some() && is_lost && is_written_over
    }

    /// Takes the lock and opens everything. `started_by`: for whoever finds the state in use.
    pub async fn open(
        pipeline: &Pipeline,
        mode: Mode,
        listener: Arc<dyn Listener>,
        stop: Stop,
        started_by: Option<String>,
    ) -> Result<Self, Trouble> {
        let started = SystemTime::now();
        let run = run_id(started);
        let holder = Holder::here(run.clone(), rfc3339(unix(started)));
        let lock = Lock::acquire(&pipeline.state, &holder)?;
        #[cfg(feature = "bucket")]
        let mut remote = None;
        #[cfg(not(feature = "bucket"))]
        let _ = started_by;
        let (store, lock) = match (mode, &pipeline.bucket) {
            (Mode::Plan, None) => (Store::view(&pipeline.state)?, Some(lock)),
            (Mode::Run, None) => (Store::open(lock)?, None),
            #[cfg(feature = "bucket")]
            (Mode::Plan, Some(bucket)) => {
                remote::view(bucket, way(pipeline)?, &pipeline.state, Stopping::AtOnce(stop.token())).await?;
                (Store::view(&pipeline.state)?, Some(lock))
            }
            #[cfg(feature = "bucket")]
            (Mode::Run, Some(bucket)) => {
                let holder = remote::holder(&run, started_by);
                let (store, leased) = Remote::open(pipeline, bucket, way(pipeline)?, lock, holder, &stop).await?;
                remote = Some(leased);
                (store, None)
            }
            #[cfg(not(feature = "bucket"))]
            (_, Some(bucket)) => return Err(Trouble::no_bucket(bucket, mode.word())),
        };
        let rest = Self::beside(pipeline, mode, listener, stop, (run, started), store, lock);
        #[cfg(feature = "bucket")]
        let rest = match (rest, remote) {
            (Ok(context), remote) => Ok(Self { remote, ..context }),
            (Err(trouble), Some(remote)) => {
                // Nobody waits for who could not begin. Where it cannot be given back, it runs out.
                _ = remote.release().await;
                Err(trouble)
            }
            (failed, None) => failed,
        };
        rest
    }

    /// Opens what stands beside the state.
    fn beside(
        pipeline: &Pipeline,
        mode: Mode,
        listener: Arc<dyn Listener>,
        stop: Stop,
        (run, started): (RunId, SystemTime),
        store: Store,
        lock: Option<Lock>,
    ) -> Result<Self, Trouble> {
        store.expect_pipeline(&pipeline.name)?;
        remove_former(&pipeline.state)
            .map_err(Trouble::file("remove what an earlier version kept beside the state"))?;
        let cache = cache_path(&pipeline.state);
        private_folder(&cache).map_err(Trouble::file(format!("make the folder {}", cache.display())))?;
        let facts = Facts::create(&facts_path(&pipeline.state))?;
        let spool = Spool::within(&cache, store.key()?)
            .map_err(Trouble::file(format!("make a folder for pictures in {}", cache.display())))?;
        let stood = Stood::within(&cache, store.key()?, run.clone())
            .map_err(Trouble::file(format!("make a folder for pictures in {}", cache.display())))?;
        if let (Mode::Run, Some(how)) = (mode, &pipeline.keep_replaced) {
            kept::expire(&pipeline.state, how, unix(started))
                .map_err(Trouble::file("take away what was kept of replaced pictures"))?;
        }
        let kept = match pipeline.keep_replaced.clone() {
            Some(how) => Some(
                Kept::beside(&pipeline.state, store.key()?, how)
                    .map_err(Trouble::file("make ready for keeping what is replaced"))?,
            ),
            None => None,
        };
        let (store, facts) = (Arc::new(store), Arc::new(facts));
        let naming = PeopleNaming::new(pipeline, &facts, || store.key())?;
        let pictures = Pictures::None;
        Ok(Self {
            run,
            started,
            mode,
            command: mode.word(),
            store,
            facts,
            spool,
            stood,
            kept,
            pictures,
            reviewed: None,
            listener,
            stop,
            naming,
            _lock: lock,
            #[cfg(feature = "bucket")]
            remote: None,
        })
    }

    /// For what changes a server: while the lease is ours, where there is one.
    pub(super) fn permit(&self) -> Permit {
        #[cfg(feature = "bucket")]
        if let Some(remote) = &self.remote {
            return remote.permit();
        }
        Permit::default()
    }

    /// At the end of a run: the next one may begin, on whatever machine.
    pub async fn give_back(&self) -> Result<(), Trouble> {
        #[cfg(feature = "bucket")]
        if let Some(remote) = &self.remote {
            remote.give_back(&self.store).await?;
        }
        Ok(())
    }

    /// Whether the next run goes on with the pictures that were made: this one was stopped, by hand or by a limit. A plan
    /// remembers no photo, so that nobody would know which is whose.
    fn pictures_wait(&self, limited: bool) -> bool {
        self.stop.requested() || (limited && self.mode == Mode::Run)
    }

    /// What went to and from the bucket so far; `None`: the state is in a file.
    pub(super) fn store_line(&self) -> Option<StoreLine> {
        #[cfg(feature = "bucket")]
        let line = self.remote.as_ref().map(Remote::line);
        #[cfg(not(feature = "bucket"))]
        let line = None;
        line
    }

    /// What could not begin keeps nobody waiting.
    pub(super) async fn or_give_back<T>(&self, begun: Result<T, Trouble>) -> Result<T, Trouble> {
        if begun.is_err() {
            // Where it cannot be given back, it runs out; why nothing could begin is what is told.
            _ = self.give_back().await;
        }
        begun
    }

    /// What came to its end leaves no face behind; what was stopped leaves them to whoever goes on
    /// (docs/architecture.md, "The state"). Once the report is written, which shows them. `limited`: a limit stopped a target.
    pub fn leave_pictures(&self, limited: bool) -> Result<(), Trouble> {
        let tried = "empty the cache beside the state";
        self.stood.clear().map_err(Trouble::file(tried))?;
        if self.pictures_wait(limited) { Ok(()) } else { self.spool.clear().map_err(Trouble::file(tried)) }
    }

    /// That pictures are left to the next run, where some are.
    pub fn waiting_pictures(&self, limited: bool) -> Option<String> {
        let waiting = if self.pictures_wait(limited) { self.spool.count() } else { 0 };
        (waiting > 0).then(|| {
            format!(
                "{} in {}, so that the next run need not make them again; whichever comes to its end empties it",
                counted(waiting as u64, "picture is kept", "pictures are kept"),
                self.cache().display()
            )
        })
    }

    /// The folder of whatever may be lost.
    pub fn cache(&self) -> std::path::PathBuf {
        cache_path(self.store.path())
    }

    /// Waits for reads, unless the run is asked to stop.
    pub async fn unless_stopped<T>(&self, what: &str, reads: impl Future<Output = T>) -> Result<T, Failure> {
        self.stop.unless_requested(what, reads).await
    }

    /// Waits for what has left already, so that it is not asked for again; once the run is asked to stop, no longer than a
    /// moment.
    pub async fn in_flight<T>(&self, what: &str, work: impl Future<Output = T>) -> Result<T, Failure> {
        let patience = async {
            self.stop.wait().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = patience => Err(Failure::new(FailureKind::Stopped, what, "asked to stop, and no answer came")
                .hint("run again to go on: what was done is saved")),
        }
    }

    /// Tells whoever listens.
    pub fn say(&self, event: RunEvent) {
        self.listener.hear(&self.naming.event(event));
    }

    /// That a source or target failed. A stop has been said already, and is no failure of whoever was asked.
    pub fn failed(&self, failure: &Failure) {
        if failure.kind != FailureKind::Stopped {
            self.say(RunEvent::Failure(failure.to_string()));
        }
    }

    /// That some work begins.
    pub fn begins(&self, work: &str, total: Option<u64>) {
        self.say(RunEvent::Begins { work: work.to_owned(), total });
    }

    /// How far some work is.
    pub fn at(&self, work: &str, done: u64) {
        self.say(RunEvent::At { work: work.to_owned(), done });
    }

    /// That some work is over.
    pub fn ends(&self, work: &str, result: impl Into<String>) {
        self.say(RunEvent::Ends { work: work.to_owned(), result: result.into() });
    }
}

/// Now, in Unix seconds, as the journal and the state keep time.
pub(super) fn unix_now() -> u64 {
    unix(SystemTime::now())
}

/// A time in Unix seconds; before 1970 is 0.
pub(super) fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// `2026-11-23T08-00-00Z-7f3a`: sorts by time, fits into a file name, differs for two runs of one second.
fn run_id(started: SystemTime) -> RunId {
    let time = rfc3339(unix(started)).replace(':', "-");
    let tail = &uuid::Uuid::new_v4().simple().to_string()[..4];
    RunId::new(format!("{time}-{tail}"))
}
