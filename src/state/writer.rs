//! The one thread that writes to the durable store.
//!
//! Owns: order (first come, first written), grouping of waiting writes into one commit, and the acknowledgement.
//! Leaves to others: what a write does (`store/`).
//! A newcomer gets wrong: a write that fails undoes only itself, a commit that fails undoes its whole group; nobody is
//! told "yes" before the commit.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};

use futures::channel::oneshot;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::error::{StateError, StateFault};
use super::file::{self, Kept};

/// How many writes share a commit at most, so that readers get their turn.
const GROUP: usize = 512;

/// The promise of a write: resolves once it is on disk. The write happens whether or not anybody waits for it.
#[derive(Debug)]
#[must_use = "a write counts only once it is acknowledged"]
pub struct Ack<T> {
    answer: oneshot::Receiver<Result<T, StateError>>,
    tried: &'static str,
    file: Arc<Path>,
}

impl<T> Ack<T> {
    /// A promise that is already broken.
    pub(super) fn refused(tried: &'static str, file: Arc<Path>, fault: StateFault) -> Self {
        let (send, answer) = oneshot::channel();
        // The receiver is alive, so this cannot fail.
        let _ = send.send(Err(StateError::new(tried, &file, fault)));
        Self { answer, tried, file }
    }

    /// Waits on this thread. Not for use inside an async task.
    pub fn wait(self) -> Result<T, StateError> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut ack = self;
        loop {
            match Pin::new(&mut ack).poll(&mut context) {
                Poll::Ready(answer) => return answer,
                Poll::Pending => thread::park(),
            }
        }
    }
}

impl<T> Future for Ack<T> {
    type Output = Result<T, StateError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(context).map(|answer| match answer {
            Ok(answer) => answer,
            Err(oneshot::Canceled) => Err(StateError::new(self.tried, &self.file, StateFault::Stopped)),
        })
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The connection, shared by the writer for the length of a group and by readers for the length of a query. So a reader
/// sees committed rows only, and neither ever finds the file busy.
pub(super) type SharedConnection = Arc<Mutex<Connection>>;

/// For whatever writes, or needs to stand outside a transaction: the one of the readers ends.
///
/// A panic elsewhere leaves the connection as usable as before: an open transaction is rolled back by its guard.
pub(super) fn lock(shared: &Mutex<Connection>) -> Result<MutexGuard<'_, Connection>, StateFault> {
    let connection = shared.lock().unwrap_or_else(PoisonError::into_inner);
    if !connection.is_autocommit() {
        connection.execute_batch("COMMIT")?;
    }
    Ok(connection)
}

/// For one more query. Readers share a transaction until somebody writes: each would take and free the locks of the file by
/// itself, and look whether another process has written meanwhile.
pub(super) fn lock_to_read(shared: &Mutex<Connection>) -> Result<MutexGuard<'_, Connection>, StateFault> {
    let connection = shared.lock().unwrap_or_else(PoisonError::into_inner);
    if connection.is_autocommit() {
        connection.execute_batch("BEGIN")?;
    }
    Ok(connection)
}

/// How long a copy that is kept elsewhere may be without a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Haste {
    /// Until something hastier is written, or the run ends: without it the next run does its work again, and nothing wrong.
    Later,
    /// It is there before anybody is told that it was written: what comes next is done because of it.
    Now,
}

/// Somebody who has to agree to each commit before anybody is told of it.
pub(super) trait Followed: Send {
    /// A group was committed; the hastiest write in it says how soon it must be durable.
    fn follow(&mut self, connection: &Mutex<Connection>, haste: Haste) -> Result<(), StateFault>;
}

/// One write on its way through the thread.
trait QueuedWrite: Send {
    fn haste(&self) -> Haste;
    fn run(&mut self, group: &mut Transaction<'_>);
    fn answer(self: Box<Self>, commit: Result<(), &StateFault>);
}

struct Write<T, F> {
    haste: Haste,
    tried: &'static str,
    file: Arc<Path>,
    act: Option<F>,
    outcome: Option<Result<T, StateFault>>,
    send: oneshot::Sender<Result<T, StateError>>,
}

impl<T, F> QueuedWrite for Write<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, StateFault> + Send,
{
    fn haste(&self) -> Haste {
        self.haste
    }

    fn run(&mut self, group: &mut Transaction<'_>) {
        if let Some(act) = self.act.take() {
            self.outcome = Some(alone(group, act));
        }
    }

    fn answer(self: Box<Self>, commit: Result<(), &StateFault>) {
        let answer = match (commit, self.outcome) {
            (_, Some(Err(fault))) => Err(fault),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Err(fault), _) => Err(fault.repeated()),
            (Ok(()), None) => Err(StateFault::Stopped),
        };
        // Nobody may be waiting any more; the write is done all the same.
        let _ = self.send.send(answer.map_err(|fault| StateError::new(self.tried, &self.file, fault)));
    }
}

/// Runs one write so that its failure undoes nothing but itself.
fn alone<T>(
    group: &mut Transaction<'_>,
    act: impl FnOnce(&Connection) -> Result<T, StateFault>,
) -> Result<T, StateFault> {
    let savepoint = group.savepoint()?;
    let value = act(&savepoint)?;
    savepoint.commit()?;
    Ok(value)
}

/// The handle of the thread. Dropping it waits until every write that was handed over is committed.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<Sender<Box<dyn QueuedWrite>>>,
    thread: Option<JoinHandle<()>>,
    file: Arc<Path>,
}

impl Writer {
    pub(super) fn start(
        connection: SharedConnection,
        file: PathBuf,
        followed: Option<Box<dyn Followed>>,
    ) -> Result<Self, StateError> {
        let (jobs, queue) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("state-writer".to_owned())
            .spawn(move || work(&connection, &queue, followed))
            .map_err(|e| StateError::new("start the writer of", &file, e))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), file: file.into() })
    }

    /// Hands a write over.
    pub(super) fn submit<T, F>(&self, haste: Haste, tried: &'static str, act: F) -> Ack<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StateFault> + Send + 'static,
    {
        let (send, answer) = oneshot::channel();
        let write = Write { haste, tried, file: self.file.clone(), act: Some(act), outcome: None, send };
        if let Some(jobs) = &self.jobs {
            // If the thread is gone, the dropped sender breaks the promise.
            let _ = jobs.send(Box::new(write));
        }
        Ack { answer, tried, file: self.file.clone() }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already told to everybody who waited.
            let _ = thread.join();
        }
    }
}

fn work(
    connection: &Mutex<Connection>,
    queue: &Receiver<Box<dyn QueuedWrite>>,
    mut followed: Option<Box<dyn Followed>>,
) {
    while let Ok(first) = queue.recv() {
        let _commit = tracing::trace_span!("commit").entered();
        let mut group = vec![first];
        let mut commit = lock(connection).and_then(|mut connection| write(&mut connection, queue, &mut group));
        if let (Ok(()), Some(followed)) = (&commit, &mut followed) {
            let haste = group.iter().map(|write| write.haste()).max().unwrap_or(Haste::Now);
            commit = followed.follow(connection, haste);
        }
        for job in group {
            job.answer(commit.as_ref().copied());
        }
    }
    // The file alone is what stays. Where the empty journal cannot go, it says nothing to the next.
    _ = lock(connection).and_then(|connection| file::keep_journal(&connection, Kept::Not));
}

/// Runs the group and whatever arrives meanwhile, and commits once.
fn write(
    connection: &mut Connection,
    queue: &Receiver<Box<dyn QueuedWrite>>,
    group: &mut Vec<Box<dyn QueuedWrite>>,
) -> Result<(), StateFault> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut next = 0;
    while let Some(job) = group.get_mut(next) {
        job.run(&mut transaction);
        // SQLite ends the whole transaction on a full disk and the like: what came before is undone with it.
        if transaction.is_autocommit() {
            return Err(StateFault::Unusable("a write of the same group failed and undid the others".to_owned()));
        }
        next += 1;
        if next == group.len()
            && next < GROUP
            && let Ok(job) = queue.try_recv()
        {
            group.push(job);
        }
    }
    Ok(transaction.commit()?)
}
