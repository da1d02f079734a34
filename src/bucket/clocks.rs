//! Clocks that are wrong, and stores that ask for time.
//!
//! A newcomer gets wrong: how old a lease is the store's clock says, whatever ours shows; ours alone says how long to wait.

use std::time::Duration;

use avatarpipe_sandbox::s3::ObjectStore;

use super::error::BucketError;
use super::lease::Left;
use super::objects::{Condition, Objects, Put};
use super::test_store::{PAUSE, s3_at, store, way_at};
use super::tests::{LEASE, Seen, acquire, bucket, holder, publish, seen};
use crate::http::RateLimit;
use crate::http::loopback::{Loopback, reply};

/// By how much our clock is wrong.
const WRONG: Duration = Duration::from_secs(5 * 3600);

/// Seen from the store.
type Wrong = fn(&ObjectStore);

const CLOCKS: [(&str, Wrong); 2] =
    [("ours is ahead", |store| store.is_behind(WRONG)), ("ours is behind", |store| store.pass(WRONG))];

async fn expect_leased(store: &ObjectStore, clock: &str) {
    let Err(BucketError::Leased { .. }) = acquire(store, "early").await else { panic!("{clock}: it is leased") };
    let leased = bucket(store).leased().await.unwrap().unwrap();
    assert!(matches!(leased.left, Left::For(left) if left <= LEASE), "{clock}: {leased:?}");
}

#[tokio::test]
async fn a_clock_that_is_hours_wrong_takes_no_lease_and_loses_none() {
    for (clock, is_wrong) in CLOCKS {
        let store = store();
        is_wrong(&store);
        let (held, _) = acquire(&store, "run").await.unwrap();
        publish(&held, b"base ").await;
        held.append(b"one ").await.unwrap();
        // Renewed, it holds for longer than it does else.
        for _ in 0..4 {
            store.pass(LEASE * 3 / 10);
            expect_leased(&store, clock).await;
            held.renew().await.unwrap_or_else(|error| panic!("{clock}: {error}"));
        }
        held.append(b"two ").await.unwrap_or_else(|error| panic!("{clock}: {error}"));
        held.release(None).await.unwrap_or_else(|error| panic!("{clock}: {error}"));
        assert_eq!((bucket(&store).leased().await.unwrap(), seen(&store).await.as_str()), (None, "base one two "));
    }
}

#[tokio::test]
async fn a_clock_that_is_hours_wrong_breaks_a_lease_and_sees_one_run_out() {
    for (clock, is_wrong) in CLOCKS {
        let store = store();
        is_wrong(&store);
        let (alive, _) = acquire(&store, "alive").await.unwrap();
        publish(&alive, b"base ").await;
        let breaking = bucket(&store).break_lease(holder("admin"), &mut Seen::default()).await.unwrap();
        breaking.release(None).await.unwrap();
        assert!(matches!(alive.append(b"WRONG ").await, Err(BucketError::Lost { .. })), "{clock}");

        let (dead, _) = acquire(&store, "dead").await.unwrap();
        dead.append(b"one ").await.unwrap();
        store.pass(LEASE - Duration::from_secs(5));
        expect_leased(&store, clock).await;
        store.pass(Duration::from_secs(6));
        let leased = bucket(&store).leased().await.unwrap().unwrap();
        assert!(matches!(leased.left, Left::None(ago) if ago < LEASE), "{clock}: {leased:?}");
        let (_next, was) = acquire(&store, "next").await.unwrap_or_else(|error| panic!("{clock}: {error}"));
        assert_eq!(was, "base one ");
        assert!(matches!(dead.append(b"WRONG ").await, Err(BucketError::Lost { .. })), "{clock}");
    }
}

/// Of a write and of a read, of each way to say it.
#[tokio::test]
async fn a_store_that_asks_for_time_is_given_it_before_it_is_asked_again() {
    for status in [429, 503] {
        for (writes, method) in [(true, "PUT"), (false, "GET")] {
            let server = Loopback::start(move |number, _| match number {
                0 => reply(status, &[("retry-after", "7")], "<Error><Code>SlowDown</Code></Error>"),
                _ => reply(200, &[("etag", "\"1\""), ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")], "there"),
            })
            .await;
            let pace = RateLimit::recording();
            let objects = Objects::open(&s3_at(server.url.as_str()), way_at("state", pace.clone()), PAUSE).unwrap();
            if writes {
                let put = objects.put("lease", "ours".into(), &Condition::New).await.unwrap();
                assert!(matches!(put, Put::Done(_)));
            } else {
                // The whole of it is no part of it: that it is asked again is what counts.
                _ = objects.get("lease").await;
            }
            let asked = server.asked();
            assert!(asked.len() > 1 && asked.iter().all(|asked| asked.method == method), "{status} {method}");
            assert!(pace.rests().contains(&7), "{status} {method}: the time that the store asked for");
        }
    }
}
