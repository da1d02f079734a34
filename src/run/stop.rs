//! When a run has to end before it is done: a signal, or the time budget (`--max-duration`).
//!
//! Owns: the two ways to ask, and the second signal. Leaves to others: finishing what is in flight (`apply`, `fetch`),
//! waiting no longer (`http`), exit code 8 (`cli`).
//! A newcomer gets wrong: a stop never cancels a request that left; it only keeps the next one from leaving.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::http::{Failure, FailureKind};

/// Asked by every phase before it begins something new.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    token: CancellationToken,
    cause: Arc<OnceLock<StopCause>>,
}

/// What a run was stopped by, from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopCause {
    /// SIGINT, as Ctrl-C sends it.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal or the session is gone.
    HangUp,
    /// `--max-duration`.
    MaxDuration,
}

impl StopCause {
    /// As `run.json` has it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::HangUp => "SIGHUP",
            Self::MaxDuration => "max_duration",
        }
    }
}

impl Stop {
    /// Nobody asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everybody to end.
    pub fn request(&self) {
        self.token.cancel();
    }

    /// What it was that asked; `None`: nobody did, or something within the run.
    pub(crate) fn cause(&self) -> Option<StopCause> {
        self.cause.get().copied()
    }

    /// Whether somebody asked.
    pub fn requested(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until somebody asks.
    pub async fn wait(&self) {
        self.token.cancelled().await;
    }

    /// Waits this long, or until somebody asks.
    pub async fn sleep(&self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.wait() => {}
        }
    }

    /// Waits for reads, unless somebody asks: nothing is lost by leaving a read. Never used around a write.
    pub async fn unless_requested<T>(&self, what: &str, reads: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::select! {
            read = reads => Ok(read),
            () = self.wait() => Err(Failure::new(FailureKind::Stopped, what, "asked to stop")
                .hint("run again to go on: what was done is saved")),
        }
    }

    /// For who waits in other rooms.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Asks on SIGINT, SIGTERM and SIGHUP, and after `budget`; SIGINT or SIGTERM after that ends the program at once, as a kill
    /// does. A terminal that closes sends SIGHUP, and the shell in it once more.
    /// `say` is told why. Must be called inside the runtime.
    pub fn listen(&self, budget: Option<Duration>, say: fn(&str)) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        // Begun under `nohup` it goes on.
        let mut hang_up = if ignores_hang_up() { None } else { Some(signal(SignalKind::hangup())?) };
        let stop = self.clone();
        tokio::spawn(async move {
            let over = async {
                match budget {
                    Some(budget) => tokio::time::sleep(budget).await,
                    None => std::future::pending().await,
                }
            };
            let hung_up = async {
                match &mut hang_up {
                    Some(hang_up) => hang_up.recv().await,
                    None => std::future::pending().await,
                }
            };
            let (cause, why, at_once) = tokio::select! {
                _ = interrupt.recv() => (StopCause::Interrupt, "Ctrl-C", "press Ctrl-C again to end at once"),
                _ = terminate.recv() => (StopCause::Terminate, "SIGTERM", "a second one ends at once"),
                _ = hung_up => (StopCause::HangUp, "SIGHUP", "SIGTERM ends at once"),
                () = over => (
                    StopCause::MaxDuration,
                    "the time (--max-duration) is up",
                    "press Ctrl-C, or send SIGTERM, to end at once",
                ),
                () = stop.wait() => return,
            };
            _ = stop.cause.set(cause);
            say(&format!("{why}: finishing what is under way; {at_once}"));
            stop.request();
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            say("ended at once: run again to go on; of a write that was under way it looks first what became of it");
            std::process::exit(i32::from(Exit::Stopped.code()));
        });
        Ok(())
    }
}

/// Whether SIGHUP is ignored since before this program began, as `nohup` has it. Where the system does not say, it is left as it is.
fn ignores_hang_up() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return true };
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // A bit for each signal, from 1 on (proc_pid_status(5)).
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 1)
}
