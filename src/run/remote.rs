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
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::stop::Stop;
use crate::bucket::{Bucket, BucketError, Held, Holder, Packed, Reached, Replica};
use crate::error::Trouble;
use crate::http::{ClientSettings, Moment, ObjectsWay, Permit, RateLimit, Stopping, Traffic};
use crate::model::{RunId, rfc3339};
use crate::report::StoreLine;
use crate::settings::{Http, Pipeline, Rate, StateBucket};
use crate::state::{self, Copied, Haste, Joined, Lock, Mirror, StateFault, Store, host};

/// Between two tries to renew a lease.
const AGAIN: Duration = Duration::from_secs(5);

/// What is not in the snapshot: more than this is worth one, and is not kept in memory.
const MOST: usize = 8 << 20;

/// The bucket of a run that may write.
pub(super) struct Remote {
    held: Arc<Held>,
    since: Arc<Mutex<Since>>,
    seen: Seen,
    renewing: AbortHandle,
}

/// Where this machine keeps how far the lease had come.
struct Seen {
    url: String,
    file: PathBuf,
}

/// What stands in it.
#[derive(Serialize, Deserialize)]
struct SeenThere {
    url: String,
    reached: Reached,
}

/// What was written since the snapshot.
#[derive(Debug, Default)]
struct Since {
    /// All of it; `None`: it is too much.
    all: Option<Joined>,
    /// What is not in the bucket yet.
    unsent: Joined,
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
        let there = connect(bucket, http, &pipeline.state, Stopping::Shortly(Moment::after(stop.token())))?;
        let held = Arc::new(there.acquire(holder, &mut copy).await?);
        let renewing = tokio::spawn(renew(Arc::clone(&held), stop.clone())).abort_handle();
        let since = Arc::new(Mutex::new(Since { all: copy.since, unsent: Joined::default() }));
        let seen = Seen { url: bucket.place.url.clone(), file: seen(&pipeline.state) };
        let remote = Self { held, since, seen, renewing };
        remote.seen.put(remote.held.reached());
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
        let (held, since) = (Arc::clone(&self.held), Arc::clone(&self.since));
        let sending = Sending { held, since, runtime: Handle::current(), stop: stop.clone() };
        let (store, copied) = Store::open_mirrored(lock, Box::new(sending))?;
        store.expect_pipeline(&pipeline.name)?;
        if let Copied::SteppedUp(from, former) = &copied {
            self.held.keep(&format!("v{from}"), former).await?;
        }
        if copied != Copied::Already {
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
        *lock(&self.since) = Since { all: Some(Joined::default()), unsent: Joined::default() };
        Ok(published?)
    }

    /// While the lease is surely ours.
    pub(super) fn permit(&self) -> Permit {
        let held = Arc::clone(&self.held);
        Permit::while_so(move || held.sure().is_ok())
    }

    /// At the end of a run: all that it wrote is in the lease, or in a snapshot where that is worth it; and the lease is free.
    pub(super) async fn give_back(&self, store: &Store) -> Result<(), Trouble> {
        let since = lock(&self.since).all.as_ref().map(Joined::commit);
        let packed = match &since {
            Some(None) => None,
            Some(Some(since)) => self.held.tail(since).await?,
            None => None,
        };
        if packed.is_none() && since != Some(None) {
            self.publish(store).await?;
        }
        self.end(packed).await
    }

    async fn end(&self, packed: Option<Packed>) -> Result<(), Trouble> {
        self.renewing.abort();
        self.held.release(packed).await?;
        self.seen.put(self.held.reached());
        Ok(())
    }

    pub(super) fn line(&self) -> StoreLine {
        let Traffic { requests, bytes_sent, bytes_received } = self.held.traffic();
        StoreLine { requests, bytes_sent, bytes_received }
    }

    /// Gives the lease back as it was taken.
    pub(super) async fn release(&self) -> Result<(), Trouble> {
        self.end(None).await
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
pub(super) async fn view(bucket: &StateBucket, http: &Http, state: &Path, stopping: Stopping) -> Result<(), Trouble> {
    let there = connect(bucket, http, state, stopping)?;
    if there.view(&mut Copy::at(state)).await? {
        state::at_rest(state)?;
    }
    Seen { url: bucket.place.url.clone(), file: seen(state) }.put(there.reached());
    Ok(())
}

fn seen(state: &Path) -> PathBuf {
    state.with_extension("seen")
}

impl Seen {
    /// Where it cannot be kept, an older copy is not told from the newest: that is no reason to end.
    fn put(&self, reached: Option<Reached>) {
        let there = reached.map(|reached| SeenThere { url: self.url.clone(), reached });
        if let Some(text) = there.and_then(|there| serde_json::to_string(&there).ok()) {
            _ = std::fs::write(&self.file, text);
        }
    }

    fn get(&self) -> Option<Reached> {
        let there: SeenThere = serde_json::from_str(&crate::input::text(&self.file, 4096).ok()?).ok()?;
        (there.url == self.url).then_some(there.reached)
    }
}

/// As [`view`], for whoever does not keep others off the copy. While a run of this machine writes to it, that is looked at as
/// it is.
pub(super) async fn view_alone(bucket: &StateBucket, http: &Http, state: &Path, what: &str) -> Result<(), Trouble> {
    let _lock = match Lock::acquire(state, &state::Holder::here(what.into(), rfc3339(unix_now()))) {
        Err(state::LockError::Held { .. }) => return Ok(()),
        lock => lock?,
    };
    view(bucket, http, state, Stopping::Never).await
}

/// The bucket of the state of which the copy stands here.
pub(super) fn connect(bucket: &StateBucket, http: &Http, state: &Path, stopping: Stopping) -> Result<Bucket, Trouble> {
    let (way, pause) = way("state", http, stopping);
    let seen = Seen { url: bucket.place.url.clone(), file: seen(state) };
    Ok(Bucket::connect(bucket, way, pause, seen.get())?)
}

/// The way to a store for what is called `name`, and the pause before the first repetition.
pub(super) fn way(name: &str, http: &Http, stopping: Stopping) -> (ObjectsWay, Duration) {
    // The extra headers and the certificate are for the configured products.
    let http = Http { headers: Vec::new(), client_cert: None, ..http.clone() };
    let rate = Rate { units: 1000, per: Duration::from_secs(1), burst: 1000, concurrency: 8 };
    let pause = http.retry_pause;
    let settings = ClientSettings { name: name.to_owned(), rate_limit: RateLimit::new(&rate), http, stopping };
    (ObjectsWay::new(settings), pause)
}

/// Now, in Unix seconds.
pub(super) fn unix_now() -> u64 {
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

/// Takes commits to the bucket.
struct Sending {
    held: Arc<Held>,
    since: Arc<Mutex<Since>>,
    runtime: Handle,
    stop: Stop,
}

impl Mirror for Sending {
    fn send(&mut self, commit: &[u8], haste: Haste) -> Result<(), StateFault> {
        let unsent = {
            let mut since = lock(&self.since);
            since.add(commit)?;
            if haste == Haste::Later && since.unsent.size() < MOST / 2 {
                return Ok(());
            }
            std::mem::take(&mut since.unsent).commit().unwrap_or_default()
        };
        self.runtime.block_on(self.held.append(&unsent)).map_err(|error| {
            // Nothing new is begun; what is under way ends.
            self.stop.request();
            match error {
                BucketError::Leased { .. } | BucketError::Lost { .. } => StateFault::LeaseLost(error.to_string()),
                BucketError::Unusable { .. } | BucketError::Failure(_) => StateFault::Unreachable(error.to_string()),
            }
        })
    }
}

impl Since {
    fn add(&mut self, commit: &[u8]) -> io::Result<()> {
        self.unsent.add(commit)?;
        if let Some(all) = &mut self.all {
            all.add(commit)?;
        }
        self.all = self.all.take().filter(|all| all.size() <= MOST);
        Ok(())
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The copy on this machine.
pub(super) struct Copy<'a> {
    path: &'a Path,
    file: Option<File>,
    /// What came after the snapshot; `None`: it is too much.
    since: Option<Joined>,
}

impl<'a> Copy<'a> {
    pub(super) fn at(path: &'a Path) -> Self {
        Self { path, file: None, since: Some(Joined::default()) }
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
        self.since = Some(Joined::default());
        state::remove_copy(self.path)
    }

    fn bytes(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(self.file()?, bytes, at)
    }

    fn commit(&mut self, commit: &[u8]) -> io::Result<()> {
        if let Some(since) = &mut self.since {
            since.add(commit)?;
        }
        self.since = self.since.take().filter(|since| since.size() <= MOST);
        state::put_commit(self.file()?, commit)
    }
}
