//! A state in a bucket while a command works with it: the lease, the copy on this machine, and the way of each commit
//! (docs/decisions/state.md, "In object storage").
//!
//! Owns: renewing the lease, and what becomes of a run that loses it. Leaves to others: the objects (`bucket`), the file
//! (`state`).
//! A newcomer gets wrong: the copy is made again by each command, and what stands in it when a run dies is worth nothing:
//! the next run goes on from what is in the bucket.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::stop::Stop;
use crate::bucket::{Bucket, BucketError, Held, Holder, Replica};
use crate::error::Trouble;
use crate::http::{ClientSettings, ObjectsWay, Permit, RateLimit, Stopping};
use crate::model::{RunId, rfc3339};
use crate::settings::{Http, Pipeline, Rate, StateBucket};
use crate::state::{self, Copied, Lock, Mirror, StateFault, Store, host};

/// Between two tries to renew a lease.
const AGAIN: Duration = Duration::from_secs(5);

/// The bucket of a run that may write.
pub(super) struct Remote {
    held: Arc<Held>,
    renewing: AbortHandle,
}

impl Remote {
    /// Takes the lease and opens the state for writing.
    pub(super) async fn open(
        pipeline: &Pipeline,
        bucket: &StateBucket,
        http: &Http,
        lock: Lock,
        holder: Holder,
        stop: &Stop,
    ) -> Result<(Store, Self), Trouble> {
        let mut copy = Copy::at(&pipeline.state);
        let held = Arc::new(connect(bucket, http)?.acquire(holder, &mut copy).await?);
        let renewing = tokio::spawn(renew(Arc::clone(&held), stop.clone())).abort_handle();
        let remote = Self { held, renewing };
        match remote.open_copy(pipeline, lock, stop).await {
            Ok(store) => Ok((store, remote)),
            Err(trouble) => {
                // What is wrong with the state is wrong for the next one, too: it need not wait to be told.
                _ = remote.release().await;
                Err(trouble)
            }
        }
    }

    async fn open_copy(&self, pipeline: &Pipeline, lock: Lock, stop: &Stop) -> Result<Store, Trouble> {
        let sending = Sending { held: Arc::clone(&self.held), runtime: Handle::current(), stop: stop.clone() };
        let (store, copied) = Store::open_mirrored(lock, Box::new(sending))?;
        store.expect_pipeline(&pipeline.name)?;
        if copied == Copied::Anew {
            self.publish(&store).await?;
        }
        Ok(store)
    }

    async fn publish(&self, store: &Store) -> Result<(), Trouble> {
        let mut snapshot = store.path().to_owned().into_os_string();
        snapshot.push(".snapshot");
        let snapshot = PathBuf::from(snapshot);
        store.copy_to(&snapshot)?;
        let published = self.held.publish(&snapshot).await;
        _ = std::fs::remove_file(&snapshot);
        Ok(published?)
    }

    /// While the lease is surely ours.
    pub(super) fn permit(&self) -> Permit {
        let held = Arc::clone(&self.held);
        Permit::while_so(move || held.sure().is_ok())
    }

    /// At the end of a run, all of which is durable by then: a snapshot where one is worth it, and the lease is free.
    pub(super) async fn give_back(&self, store: &Store) -> Result<(), Trouble> {
        if self.held.has_grown().await {
            self.publish(store).await?;
        }
        self.release().await
    }

    async fn release(&self) -> Result<(), Trouble> {
        self.renewing.abort();
        Ok(self.held.release().await?)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

/// Who we are, for whoever finds the lease taken.
pub(super) fn holder(run: &RunId, started_by: Option<String>) -> Holder {
    Holder {
        host: host(),
        pid: std::process::id(),
        run: run.as_str().to_owned(),
        started_by,
        since: rfc3339(unix_now()),
    }
}

/// Makes the copy on this machine anew, for a look. The caller keeps others off it.
pub(super) async fn view(bucket: &StateBucket, http: &Http, state: &Path) -> Result<(), Trouble> {
    if connect(bucket, http)?.view(&mut Copy::at(state)).await? {
        state::at_rest(state)?;
    }
    Ok(())
}

/// As [`view`], for whoever does not keep others off the copy. While a run of this machine writes to it, that is looked at as
/// it is.
pub(super) async fn view_alone(bucket: &StateBucket, http: &Http, state: &Path, what: &str) -> Result<(), Trouble> {
    let _lock = match Lock::acquire(state, &state::Holder::here(what.into(), rfc3339(unix_now()))) {
        Err(state::LockError::Held { .. }) => return Ok(()),
        lock => lock?,
    };
    view(bucket, http, state).await
}

/// As [`view_alone`], for a command that has no other work with the network.
pub(crate) fn pull(bucket: &StateBucket, http: &Http, state: &Path, what: &str) -> Result<(), Trouble> {
    waiting()?.block_on(view_alone(bucket, http, state, what))
}

/// Takes the lease away from whoever has it, and gives it back. Says who that was.
pub(crate) fn break_lease(
    bucket: &StateBucket,
    http: &Http,
    state: &Path,
    started_by: String,
) -> Result<Option<String>, Trouble> {
    let what = RunId::new("`state break-lease`");
    let _lock = Lock::acquire(state, &state::Holder::here(what.clone(), rfc3339(unix_now())))?;
    waiting()?.block_on(async {
        let former = connect(bucket, http)?.holder().await?;
        if former.is_some() {
            let by = holder(&what, Some(started_by));
            connect(bucket, http)?.break_lease(by, &mut Copy::at(state)).await?.release().await?;
        }
        Ok(former.map(|holder| holder.to_string()))
    })
}

/// Puts a file into the bucket as what the state goes on from. What is there and newer is left as it is.
pub(crate) fn push(
    bucket: &StateBucket,
    http: &Http,
    state: &Path,
    from: &Path,
    started_by: String,
) -> Result<(), Trouble> {
    let what = RunId::new("`state push`");
    let local = state::Holder::here(what.clone(), rfc3339(unix_now()));
    let (_from, _lock) = (Lock::acquire(from, &local)?, Lock::acquire(state, &local)?);
    let pushed = Store::view(from)?;
    let copy = state.with_extension("pushed");
    waiting()?.block_on(async {
        let by = holder(&what, Some(started_by));
        let held = connect(bucket, http)?.acquire(by, &mut Copy::at(state)).await?;
        let push = async {
            if state.exists() {
                state::at_rest(state)?;
                expect_older(bucket, &Store::view(state)?, &pushed)?;
            }
            state::back_up(from, &copy)?;
            Ok::<_, Trouble>(held.publish(&copy).await?)
        };
        let ended = push.await;
        _ = std::fs::remove_file(&copy);
        held.release().await?;
        ended
    })
}

/// Refuses to put an older state, or that of another pipeline, over one that is there.
fn expect_older(bucket: &StateBucket, there: &Store, pushed: &Store) -> Result<(), Trouble> {
    if let Some(name) = pushed.pipeline()? {
        there.expect_pipeline(&name)?;
    }
    // Times of two machines, or of one second, do not tell which came first: a later file knows the last run there.
    let Some(last) = there.runs(1)?.into_iter().next() else { return Ok(()) };
    if pushed.run(&last.row.id)?.is_none() {
        let ours = pushed.runs(1)?.first().map_or("none".to_owned(), |run| rfc3339(run.row.started));
        return Err(Trouble::Usage(format!(
            "the state in {} is newer than this file, or went on another way: its last run began at {}, the file's at {ours}; \
             nothing was changed",
            bucket.place.url,
            rfc3339(last.row.started),
        )));
    }
    Ok(())
}

fn waiting() -> Result<tokio::runtime::Runtime, Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Trouble::file("start the runtime"))
}

fn connect(bucket: &StateBucket, http: &Http) -> Result<Bucket, Trouble> {
    let (way, pause) = way("state", http);
    Ok(Bucket::connect(bucket, way, pause)?)
}

/// The way to a store for what is called `name`, and the pause before the first repetition.
pub(super) fn way(name: &str, http: &Http) -> (ObjectsWay, Duration) {
    // The extra headers and the certificate are for the configured products.
    let http = Http { headers: Vec::new(), client_cert: None, ..http.clone() };
    let rate = Rate { units: 1000, per: Duration::from_secs(1), burst: 1000, concurrency: 8 };
    let pause = http.retry_pause;
    let settings =
        ClientSettings { name: name.to_owned(), rate_limit: RateLimit::new(&rate), http, stopping: Stopping::Never };
    (ObjectsWay::new(settings), pause)
}

/// Now, in Unix seconds.
fn unix_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Keeps the lease until it is lost or this ends.
async fn renew(held: Arc<Held>, stop: Stop) {
    let mut pause = held.interval();
    loop {
        tokio::time::sleep(pause).await;
        pause = match held.renew().await {
            Ok(()) => held.interval(),
            Err(error) if held.sure().is_err() => {
                tracing::warn!("{error}");
                stop.request();
                return;
            }
            Err(error) => {
                tracing::warn!("the lease on {} could not be renewed, trying again: {error}", held.url());
                AGAIN
            }
        };
    }
}

/// Takes each commit to the bucket.
struct Sending {
    held: Arc<Held>,
    runtime: Handle,
    stop: Stop,
}

impl Mirror for Sending {
    fn send(&mut self, commit: &[u8]) -> Result<(), StateFault> {
        self.runtime.block_on(self.held.append(commit)).map_err(|error| {
            // Nothing new is begun; what is under way ends.
            self.stop.request();
            match error {
                BucketError::Leased { .. } | BucketError::Lost { .. } => StateFault::LeaseLost(error.to_string()),
                BucketError::Unusable { .. } | BucketError::Failure(_) => StateFault::Unreachable(error.to_string()),
            }
        })
    }
}

/// The copy on this machine.
struct Copy<'a> {
    path: &'a Path,
    file: Option<File>,
}

impl<'a> Copy<'a> {
    fn at(path: &'a Path) -> Self {
        Self { path, file: None }
    }

    fn file(&mut self) -> io::Result<&File> {
        if self.file.is_none() {
            let mut options = OpenOptions::new();
            self.file = Some(options.read(true).write(true).create_new(true).mode(0o600).open(self.path)?);
        }
        self.file.as_ref().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Replica for Copy<'_> {
    fn clear(&mut self) -> io::Result<()> {
        self.file = None;
        state::remove_copy(self.path)
    }

    fn bytes(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(self.file()?, bytes, at)
    }

    fn commit(&mut self, commit: &[u8]) -> io::Result<()> {
        state::put_commit(self.file()?, commit)
    }
}
