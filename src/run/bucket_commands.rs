//! What a command does with a state in a bucket, under the lease or beside it: between file and bucket, and taking out.
//!
//! Owns: refusing what is older. Leaves to others: the lease and the copy (`remote`), words for people (`cli`).
//! A newcomer gets wrong: what is taken out must stand in no object any more, so everything that was written before goes
//! with it, and not only what the next snapshot would remove.

use std::path::Path;
use std::time::Duration;

use super::remote::{Copy, connect, holder, unix_now, view, view_alone};
use crate::bucket::{Leased, Left};
use crate::error::Trouble;
use crate::http::Stopping;
use crate::model::{RunId, rfc3339};
use crate::report::LeaseLine;
use crate::settings::{Http, StateBucket};
use crate::state::{self, Lock, Store};

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
        let former = connect(bucket, http, state, Stopping::Never)?.leased().await?;
        if former.is_some() {
            let by = holder(&what, Some(started_by));
            connect(bucket, http, state, Stopping::Never)?
                .break_lease(by, &mut Copy::at(state))
                .await?
                .release(None)
                .await?;
        }
        Ok(former.map(|leased| leased.holder.to_string()))
    })
}

/// Who has the lease, as the store tells it now.
pub(crate) fn lease(bucket: &StateBucket, http: &Http, state: &Path) -> Result<Option<LeaseLine>, Trouble> {
    let there = connect(bucket, http, state, Stopping::Never)?;
    let leased = waiting()?.block_on(there.leased())?;
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Ok(leased.map(|Leased { holder, left }| LeaseLine {
        run: holder.run,
        host: holder.host,
        process: holder.pid,
        since: holder.since,
        started_by: holder.started_by,
        seconds_left: match left {
            Left::For(time) => Some(seconds(time).max(1)),
            Left::None(ago) => Some(-seconds(ago)),
            Left::Unknown => None,
        },
    }))
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
        let held = connect(bucket, http, state, Stopping::Never)?.acquire(by, &mut Copy::at(state)).await?;
        let push = async {
            if state.exists() {
                state::at_rest(state)?;
                expect_older(
                    &format!("the state in {}", bucket.place.url),
                    &Store::view(state)?,
                    "this file",
                    &pushed,
                )?;
            }
            state::back_up(from, &copy)?;
            Ok::<_, Trouble>(held.publish(&copy).await?)
        };
        let ended = push.await;
        _ = std::fs::remove_file(&copy);
        held.release(None).await?;
        ended
    })
}

/// Makes a file of what is in the bucket, unless the file that stands there is newer.
pub(crate) fn pull_to(bucket: &StateBucket, http: &Http, state: &Path, to: &Path) -> Result<(), Trouble> {
    let local = state::Holder::here(RunId::new("`state pull`"), rfc3339(unix_now()));
    let (_to, _lock) = (Lock::acquire(to, &local)?, Lock::acquire(state, &local)?);
    waiting()?.block_on(async {
        // What a run is about to write would be missing in the file.
        connect(bucket, http, state, Stopping::Never)?.expect_nobody().await?;
        view(bucket, http, state, Stopping::Never).await
    })?;
    if !state.exists() {
        return Err(Trouble::Usage(format!("there is no state in {} yet; `run` makes it", bucket.place.url)));
    }
    if state::schema_version(to)?.is_some() {
        let there = Store::view(to)?;
        let pulled = Store::view(state)?;
        expect_older(&format!("the file {}", to.display()), &there, "what is in the bucket", &pulled)?;
    }
    Ok(state::back_up(state, to)?)
}

/// Takes something out of the state in a bucket: of what stood there before nothing is left.
pub(crate) fn take_out<T>(
    bucket: &StateBucket,
    http: &Http,
    state: &Path,
    what: &str,
    started_by: String,
    act: impl FnOnce(&Store) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let what = RunId::new(what);
    let lock = Lock::acquire(state, &state::Holder::here(what.clone(), rfc3339(unix_now())))?;
    waiting()?.block_on(async {
        let by = holder(&what, Some(started_by));
        let held = connect(bucket, http, state, Stopping::Never)?.acquire(by, &mut Copy::at(state)).await?;
        let take = async {
            if !state.exists() {
                return Err(Trouble::Usage(format!("there is no state in {} yet; `run` makes it", bucket.place.url)));
            }
            state::at_rest(state)?;
            let store = Store::open(lock)?;
            let taken = act(&store)?;
            let copy = state.with_extension("without");
            store.copy_to(&copy)?;
            let published = held.publish_alone(&copy).await;
            _ = std::fs::remove_file(&copy);
            published?;
            Ok::<_, Trouble>(taken)
        };
        let ended = take.await;
        held.release(None).await?;
        ended
    })
}

/// Refuses to put an older state, or that of another pipeline, over one that is there.
fn expect_older(over: &str, there: &Store, what: &str, pushed: &Store) -> Result<(), Trouble> {
    if let Some(name) = pushed.pipeline()? {
        there.expect_pipeline(&name)?;
    }
    // Times of two machines, or of one second, do not tell which came first: a later file knows the last run there.
    let Some(last) = there.runs(1)?.into_iter().next() else { return Ok(()) };
    if pushed.run(&last.row.id)?.is_none() {
        let ours = pushed.runs(1)?.first().map_or("none".to_owned(), |run| rfc3339(run.row.started));
        return Err(Trouble::Usage(format!(
            "{over} is newer than {what}, or went on another way: its last run began at {}, the other's at {ours}; nothing was \
             changed",
            rfc3339(last.row.started),
        )));
    }
    Ok(())
}

fn waiting() -> Result<tokio::runtime::Runtime, Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Trouble::file("start the runtime"))
}
