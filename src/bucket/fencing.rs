//! Whoever lost the lease, and does not know it yet: nothing that they write counts, and nothing of it is in anybody's way.
//!
//! A newcomer gets wrong: a broken lease ends nobody by the clock. Its former holder learns of it from a write alone.

use std::sync::Arc;

use avatarpipe_sandbox::s3::ObjectStore;

use super::error::BucketError;
use super::lease::Lease;
use super::test_store::store;
use super::tests::{Seen, acquire, bucket, holder, publish, seen};
use super::{Held, segment};

fn lease(store: &ObjectStore) -> Lease {
    serde_json::from_slice(&store.objects()["p/lease"]).unwrap()
}

fn fence_of(store: &ObjectStore, number: u64) -> u64 {
    segment::unpack(&store.objects()[&format!("p/log/{number:012}")]).unwrap().fence
}

/// Somebody takes the lease away from whoever has it, and gives it back.
async fn break_lease(store: &ObjectStore) {
    let breaking = bucket(store).break_lease(holder("admin"), &mut Seen::default()).await.unwrap();
    breaking.release(None).await.unwrap();
}

/// One that wrote, and has the lease no more.
async fn former(store: &ObjectStore) -> Held {
    let (former, _) = acquire(store, "former").await.unwrap();
    publish(&former, b"base ").await;
    former.append(b"one ").await.unwrap();
    break_lease(store).await;
    former
}

fn expect_lost(ended: Result<(), BucketError>) {
    assert!(matches!(ended, Err(BucketError::Lost { .. })), "{ended:?}");
}

#[tokio::test]
async fn the_lease_each_segment_and_each_snapshot_bear_one_number_more_with_each_holder() {
    let store = store();
    for fence in 1..=3 {
        let (held, _) = acquire(&store, "run").await.unwrap();
        assert_eq!(lease(&store).fence, fence);
        publish(&held, b"base ").await;
        held.append(b"one ").await.unwrap();
        held.append(b"two ").await.unwrap();
        let last = lease(&store).base.unwrap();
        assert!(last.snapshot.ends_with(&format!("-{fence}.db")), "{}", last.snapshot);
        assert_eq!([0, 1].map(|nth| fence_of(&store, last.next + nth)), [fence; 2]);
        held.renew().await.unwrap();
        assert_eq!(lease(&store).fence, fence);
        held.release(None).await.unwrap();
        assert_eq!((lease(&store).fence, lease(&store).holder), (fence, None));
    }
}

#[tokio::test]
async fn a_segment_that_bears_a_lower_number_than_the_one_before_is_refused() {
    let store = store();
    for run in ["first", "second"] {
        let (held, _) = acquire(&store, run).await.unwrap();
        if run == "first" {
            publish(&held, b"base ").await;
        }
        held.append(b"one ").await.unwrap();
        held.release(None).await.unwrap();
    }
    let (held, _) = acquire(&store, "third").await.unwrap();
    store.put("p/log/000000000002", segment::pack(2, 1, "first", b"WRONG ").unwrap());
    drop(held);
    let refused = bucket(&store).view(&mut Seen::default()).await.unwrap_err().to_string();
    assert!(refused.contains("bears the fencing number 1 of first, which had lost the lease to 2"), "{refused}");
}

#[tokio::test]
async fn a_snapshot_of_who_lost_the_lease_is_named_by_nobody_and_takes_nothing_away() {
    let store = store();
    let late = former(&store).await;
    let (next, _) = acquire(&store, "next").await.unwrap();
    next.append(b"two ").await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "WRONG ").unwrap();
    expect_lost(late.publish(file.path()).await);
    assert_eq!(seen(&store).await, "base one two ");
    next.append(b"three ").await.unwrap();
    publish(&next, b"BASE ").await;
    next.release(None).await.unwrap();
    assert_eq!(acquire(&store, "last").await.unwrap().1, "BASE ");
}

#[tokio::test]
async fn who_lost_the_lease_can_neither_renew_it_nor_give_it_back() {
    for gives_back in [false, true] {
        let store = store();
        let late = former(&store).await;
        let (_next, _) = acquire(&store, "next").await.unwrap();
        let there = lease(&store);
        expect_lost(if gives_back { late.release(None).await } else { late.renew().await });
        assert_eq!(lease(&store), there, "it is the next one's yet");
    }
}

/// Two snapshots take away the segments before them: but for the one that is in the way of who was shut out.
#[tokio::test]
async fn who_lost_the_lease_is_shut_out_yet_when_the_log_before_was_removed() {
    let store = store();
    let late = former(&store).await;
    for run in ["next", "last"] {
        let (held, _) = acquire(&store, run).await.unwrap();
        for _ in 0..2 {
            held.append(b"more ").await.unwrap();
            publish(&held, b"BASE ").await;
        }
        held.release(None).await.unwrap();
    }
    expect_lost(late.append(b"WRONG ").await);
    let (held, _) = acquire(&store, "forgets").await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "LESS ").unwrap();
    held.publish_alone(file.path()).await.unwrap();
    let names: Vec<_> = store.objects().into_keys().filter(|name| name.starts_with("p/log/")).collect();
    assert_eq!(names, ["p/log/000000000001"], "nothing but a number stands in it");
    assert!(segment::unpack(&store.objects()[&names[0]]).unwrap().commit.is_empty());
}

#[tokio::test]
async fn a_copy_stays_through_snapshots_until_everything_that_stood_there_goes() {
    let store = Arc::new(store());
    let copies = || store.objects().into_keys().filter(|name| name.starts_with("p/copies/")).collect::<Vec<_>>();
    let (held, _) = acquire(&store, "run").await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "as it was").unwrap();
    held.keep("v1", file.path()).await.unwrap();
    for _ in 0..3 {
        held.append(b"x").await.unwrap();
        publish(&held, b"base ").await;
    }
    held.release(None).await.unwrap();
    assert_eq!(
        (copies(), lease(&store).copies),
        (vec!["p/copies/v1-1.db".to_owned()], vec!["copies/v1-1.db".to_owned()])
    );
    let (held, _) = acquire(&store, "forgets").await.unwrap();
    held.publish_alone(file.path()).await.unwrap();
    held.release(None).await.unwrap();
    assert_eq!((copies(), lease(&store).copies), (Vec::new(), Vec::new()));
}
