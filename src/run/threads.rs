//! The threads that a command works with.
//!
//! Owns: asking the system for them before anything else is begun. Leaves to others: what runs on them.
//! A newcomer gets wrong: both pools below panic in the middle of a run where the system refuses them a thread; containers
//! and CI runners allow few.

use std::io;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use crate::error::Trouble;

/// Threads that wait for the network.
const WAITING: usize = 2;
/// The writer of the state, names that are looked up, files that are read.
const BESIDE: usize = 6;

/// The runtime of a command, and the pool that pictures are made on.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Trouble> {
    let rendering = thread::available_parallelism().map_or(1, usize::from);
    try_out(WAITING + BESIDE + rendering, |work| {
        thread::Builder::new().spawn(work).map(|running| -> Join { Box::new(move || _ = running.join()) })
    })
    .map_err(Trouble::file(format!(
        "start {} threads (raise `ulimit -u`, or the limit of processes of the container)",
        WAITING + BESIDE + rendering
    )))?;
    // Made once a process; of a second command in the same process it is there already.
    _ = rayon::ThreadPoolBuilder::new().num_threads(rendering).build_global();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WAITING)
        .enable_all()
        .build()
        .map_err(Trouble::file("start the runtime"))
}

type ThreadWork = Box<dyn FnOnce() + Send>;
type Join = Box<dyn FnOnce()>;

/// Begins so many threads at once, and ends them.
fn try_out(count: usize, spawn: impl Fn(ThreadWork) -> io::Result<Join>) -> io::Result<()> {
    let mut begun = Vec::with_capacity(count);
    let mut refused = None;
    let (send, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    for _ in 0..count {
        let wait = Arc::clone(&wait);
        // Each waits until all were begun: the sender goes then.
        let work = move || _ = wait.lock().map(|wait| wait.recv());
        match spawn(Box::new(work)) {
            Ok(join) => begun.push(join),
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    drop(send);
    begun.into_iter().for_each(|join| join());
    refused.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_system_that_refuses_a_thread_is_told_at_once() {
        let (begun, ended) = (Cell::new(0), std::rc::Rc::new(Cell::new(0)));
        let few = |work: ThreadWork| {
            if begun.get() == 3 {
                return Err(io::Error::from(io::ErrorKind::WouldBlock));
            }
            begun.set(begun.get() + 1);
            let (running, ended) = (thread::spawn(work), std::rc::Rc::clone(&ended));
            let join: Join = Box::new(move || {
                running.join().unwrap();
                ended.set(ended.get() + 1);
            });
            Ok(join)
        };
        assert_eq!(try_out(4, few).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(ended.get(), 3, "those that were begun are ended");
        assert!(runtime().is_ok());
    }
}
