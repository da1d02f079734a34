//! The lease and the chain against a store that speaks S3: races, leases that ran out, lost answers, odd stores.

use std::sync::Arc;
use std::time::Duration;

use avatarpipe_sandbox::s3::{ObjectStore, Then};

use super::chain::Replica;
use super::error::BucketError;
use super::lease::{Holder, Reached};
use super::test_store::{PAUSE, s3, store, way};
use super::{Bucket, Held};
use crate::http::FailureKind;
use crate::settings::StateBucket;

pub(super) const LEASE: Duration = Duration::from_secs(600);

pub(super) fn bucket(store: &ObjectStore) -> Bucket {
    bucket_seen(store, None)
}

/// Which this machine saw before.
fn bucket_seen(store: &ObjectStore, reached: Option<Reached>) -> Bucket {
    Bucket::connect(&StateBucket { place: s3(store), lease: LEASE }, way("state"), PAUSE, reached).unwrap()
}

pub(super) fn holder(run: &str) -> Holder {
    Holder { host: "h".into(), pid: 1, run: run.into(), started_by: None, since: "now".into() }
}

/// What a copy of the state would hold: the snapshot, then the commits.
#[derive(Debug, Default)]
pub(super) struct Seen(Vec<u8>);

impl Replica for Seen {
    fn clear(&mut self) -> std::io::Result<()> {
        self.0.clear();
        Ok(())
    }

    fn bytes(&mut self, at: u64, bytes: &[u8]) -> std::io::Result<()> {
        assert_eq!(at, self.0.len() as u64);
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn commit(&mut self, commit: &[u8]) -> std::io::Result<()> {
        self.0.extend_from_slice(commit);
        Ok(())
    }
}

pub(super) async fn acquire(store: &ObjectStore, run: &str) -> Result<(Held, String), BucketError> {
    let mut seen = Seen::default();
    let held = bucket(store).acquire(holder(run), &mut seen).await?;
    Ok((held, String::from_utf8(seen.0).unwrap()))
}

pub(super) async fn seen(store: &ObjectStore) -> String {
    let mut seen = Seen::default();
    bucket(store).view(&mut seen).await.unwrap();
    String::from_utf8(seen.0).unwrap()
}

/// Makes a snapshot that holds this.
pub(super) async fn publish(held: &Held, content: &[u8]) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    held.publish(file.path()).await.unwrap();
}

#[tokio::test]
async fn what_is_appended_is_there_for_the_next_one() {
    let store = store();
    let (first, was) = acquire(&store, "first").await.unwrap();
    assert_eq!(was, "");
    publish(&first, b"base ").await;
    first.append(b"one ").await.unwrap();
    first.append(b"two ").await.unwrap();
    assert_eq!(seen(&store).await, "base one two ");
    first.release(None).await.unwrap();
    assert!(matches!(first.append(b"late").await, Err(BucketError::Lost { .. })));

    let (second, was) = acquire(&store, "second").await.unwrap();
    assert_eq!(was, "base one two ");
    second.append(b"three ").await.unwrap();
    publish(&second, b"BASE ").await;
    second.append(b"four").await.unwrap();
    assert_eq!(seen(&store).await, "BASE four");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_at_once_one_has_the_lease() {
    let store = Arc::new(store());
    let racing = (0..20).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { acquire(&store, &format!("run-{number}")).await.map(|(held, _)| held) })
    });
    let mut had = Vec::new();
    for ended in futures::future::join_all(racing).await {
        match ended.unwrap() {
            Ok(held) => had.push(held),
            Err(BucketError::Leased { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(had.len(), 1);
    had[0].append(b"x").await.unwrap();
}

#[tokio::test]
async fn a_lease_runs_out_by_the_clock_of_the_store_and_whoever_wakes_up_is_shut_out() {
    let store = store();
    let (sleeper, _) = acquire(&store, "sleeper").await.unwrap();
    publish(&sleeper, b"base ").await;
    sleeper.append(b"one ").await.unwrap();
    let Err(BucketError::Leased { holder, left, .. }) = acquire(&store, "early").await else { panic!("it is leased") };
    assert_eq!(holder.run, "sleeper");
    assert!(left.contains("9m") || left.contains("10m"), "{left}");

    store.pass(LEASE + Duration::from_secs(1));
    let (next, was) = acquire(&store, "next").await.unwrap();
    assert_eq!(was, "base one ");
    // The sleeper's own clock stood still: it learns of it from its next write alone, which nobody takes for one.
    let lost = sleeper.append(b"WRONG ").await.unwrap_err();
    assert!(matches!(lost, BucketError::Lost { .. }), "{lost}");
    assert!(matches!(sleeper.renew().await, Err(BucketError::Lost { .. })));
    next.append(b"two").await.unwrap();
    assert_eq!(seen(&store).await, "base one two");
}

#[tokio::test]
async fn who_wrote_just_before_being_shut_out_is_heard() {
    let store = store();
    let (slow, _) = acquire(&store, "slow").await.unwrap();
    publish(&slow, b"base ").await;
    let (_, _) = (slow.append(b"one ").await, store.pass(LEASE));
    // The other one has read all and is about to shut the slow one out, when a segment of it arrives.
    let segment = super::segment::pack(1, 1, "slow", b"two ").unwrap();
    let arrived = std::sync::Mutex::new(false);
    let late = Arc::new(store);
    let judge = Arc::downgrade(&late);
    late.judge(move |asked| {
        let mut arrived = arrived.lock().unwrap();
        if asked == "PUT p/log/000000000001" && !*arrived {
            *arrived = true;
            judge.upgrade().unwrap().put("p/log/000000000001", segment.clone());
        }
        Then::Answer
    });
    let (next, _) = acquire(&late, "next").await.unwrap();
    next.append(b"three").await.unwrap();
    assert_eq!(seen(&late).await, "base one two three");
}

/// They give the lease back; that nobody gave it back before stays known.
#[tokio::test]
async fn who_could_not_read_to_the_end_hides_no_segment() {
    let store = store();
    let (slow, _) = acquire(&store, "slow").await.unwrap();
    publish(&slow, b"base ").await;
    slow.append(b"one ").await.unwrap();
    store.pass(LEASE + Duration::from_secs(1));
    store.judge(|asked| if asked.starts_with("GET p/log/") { Then::Refuse(403) } else { Then::Answer });
    acquire(&store, "cut off").await.unwrap_err();
    store.judge(|_| Then::Answer);
    assert_eq!(seen(&store).await, "base one ");
    let (next, was) = acquire(&store, "next").await.unwrap();
    assert_eq!(was, "base one ");
    assert!(matches!(slow.append(b"WRONG ").await, Err(BucketError::Lost { .. })));
    next.append(b"two").await.unwrap();
    next.release(None).await.unwrap();
    assert_eq!(seen(&store).await, "base one two");
}

#[tokio::test]
async fn a_broken_lease_ends_whoever_had_it() {
    let store = store();
    let (alive, _) = acquire(&store, "alive").await.unwrap();
    publish(&alive, b"base ").await;
    let breaking = bucket(&store).break_lease(holder("admin"), &mut Seen::default()).await.unwrap();
    breaking.release(None).await.unwrap();
    let lost = alive.append(b"WRONG").await.unwrap_err();
    assert!(lost.to_string().contains("was written by somebody else"), "{lost}");
    let (_next, was) = acquire(&store, "next").await.unwrap();
    assert_eq!(was, "base ");
}

#[tokio::test]
async fn a_lost_answer_is_no_lost_write() {
    for then in [Then::Lose(500), Then::Refuse(503)] {
        let store = store();
        let mut number = 0;
        store.judge(move |asked| {
            number += 1;
            if asked.starts_with("PUT") && number % 2 == 0 { then } else { Then::Answer }
        });
        let (held, _) = acquire(&store, "run").await.unwrap();
        publish(&held, b"base ").await;
        for word in [&b"one "[..], b"two ", b"three "] {
            held.append(word).await.unwrap();
            held.renew().await.unwrap();
        }
        held.release(None).await.unwrap();
        assert_eq!(seen(&store).await, "base one two three ");
    }
}

#[tokio::test]
async fn after_a_store_that_was_gone_nothing_more_is_written() {
    let store = store();
    let (held, _) = acquire(&store, "run").await.unwrap();
    publish(&held, b"base ").await;
    store.judge(|_| Then::Refuse(503));
    let gone = held.append(b"one ").await.unwrap_err();
    assert!(matches!(gone, BucketError::Failure(_)), "{gone}");
    store.judge(|_| Then::Answer);
    assert_eq!(held.append(b"two ").await.unwrap_err().to_string(), gone.to_string());
    assert_eq!(seen(&store).await, "base ");
}

#[tokio::test]
async fn a_store_that_heeds_no_conditions_is_refused() {
    let store = store();
    store.judge(|_| Then::PassOver);
    let refused = acquire(&store, "run").await.unwrap_err();
    assert!(refused.to_string().contains("take one that heeds conditions"), "{refused}");
}

#[tokio::test]
async fn an_older_copy_of_everything_is_seen_by_whoever_saw_the_newer_one() {
    let store = store();
    let (first, _) = acquire(&store, "first").await.unwrap();
    publish(&first, b"base ").await;
    first.release(None).await.unwrap();
    let then = store.objects();
    let (second, _) = acquire(&store, "second").await.unwrap();
    second.append(b"one ").await.unwrap();
    second.release(None).await.unwrap();
    for (name, bytes) in then {
        store.put(&name, bytes);
    }
    let again = async |reached| bucket_seen(&store, reached).acquire(holder("next"), &mut Seen::default()).await;
    let refused = again(second.reached()).await.unwrap_err();
    assert!(refused.to_string().contains("older than what this machine saw"), "{refused}");
    assert!(bucket_seen(&store, second.reached()).view(&mut Seen::default()).await.is_err());
    again(first.reached()).await.unwrap();
}

#[tokio::test]
async fn a_store_that_tells_false_marks_or_none_is_refused_at_once() {
    for (then, method, words) in [
        (Then::TellAnotherTag, "PUT", "are not those that it compares"),
        (Then::TellAnotherTag, "GET", "are not those that it compares"),
        (Then::TellNoTag, "PUT", "ETag"),
        (Then::TellNoTag, "GET", "ETag"),
    ] {
        let store = store();
        if method == "GET" {
            acquire(&store, "first").await.unwrap().0.release(None).await.unwrap();
        }
        store.judge(move |asked| if asked.starts_with(method) { then } else { Then::Answer });
        let refused = acquire(&store, "run").await.unwrap_err();
        assert!(refused.to_string().contains(words), "{method} {then:?}: {refused}");
        assert!(
            !matches!(&refused, BucketError::Failure(failure) if failure.kind == FailureKind::Unreachable),
            "{refused}"
        );
    }
}

/// A store is tried once, and what is little goes with the lease.
#[tokio::test]
async fn a_quiet_run_reads_the_lease_and_the_snapshot_and_writes_the_lease_twice() {
    let store = store();
    let (first, _) = acquire(&store, "first").await.unwrap();
    publish(&first, b"base ").await;
    first.append(b"one ").await.unwrap();
    let packed = first.tail(b"one and two ").await.unwrap();
    first.release(packed).await.unwrap();
    store.reset_log();
    let (second, was) = acquire(&store, "second").await.unwrap();
    assert_eq!(was, "base one and two ");
    second.release(None).await.unwrap();
    let asked = ["GET p/lease 206", "PUT p/lease 200", "GET p/snapshots/000000000000-1.db 206", "PUT p/lease 200"];
    assert_eq!(store.log(), asked);
    assert_eq!(seen(&store).await, "base one and two ");

    // What comes after it stands in segments again, also for whoever finds no end told.
    let (third, _) = acquire(&store, "third").await.unwrap();
    third.append(b"three").await.unwrap();
    assert_eq!(seen(&store).await, "base one and two three");
    store.pass(LEASE + Duration::from_secs(1));
    let (fourth, was) = acquire(&store, "fourth").await.unwrap();
    assert_eq!(was, "base one and two three");
    assert!(fourth.tail(&vec![7; 1 << 20]).await.unwrap().is_some(), "it packs well");
    let noise: Vec<u8> =
        (0..1_u32 << 18).flat_map(|at| blake3::hash(&at.to_be_bytes()).as_bytes()[..4].to_vec()).collect();
    assert!(fourth.tail(&noise).await.unwrap().is_none(), "it is worth a snapshot");
}

#[tokio::test]
async fn what_was_not_written_here_is_refused() {
    let damaged: [(&str, &[u8], &str); 6] = [
        ("p/lease", b"hello", "is not of avatarpipe"),
        ("p/lease", b"{\"format\": 3}", "its format is 3"),
        ("p/lease", b"{\"format\": 1}", "is damaged"),
        (
            "p/lease",
            br#"{"format":1,"fence":1,"holder":null,"seconds":600,"base":null,"appended":18446744073709551615,"nonce":""}"#,
            "is damaged",
        ),
        ("p/log/000000000000", b"{}", "has no head"),
        ("p/snapshots/000000000000-1.db", b"BASE", "is not what was written"),
    ];
    for (name, bytes, words) in damaged {
        let store = store();
        let (held, _) = acquire(&store, "run").await.unwrap();
        publish(&held, b"base").await;
        held.append(b"x").await.unwrap();
        held.release(None).await.unwrap();
        store.put(name, bytes.to_vec());
        let refused = acquire(&store, "next").await.unwrap_err();
        assert!(matches!(refused, BucketError::Unusable { .. }) && refused.to_string().contains(words), "{refused}");
    }
}

/// What is lost may be whose picture stands on an account.
#[tokio::test]
async fn a_log_that_lost_its_end_or_its_order_is_refused() {
    let store = store();
    let (held, _) = acquire(&store, "run").await.unwrap();
    publish(&held, b"base ").await;
    held.append(b"one ").await.unwrap();
    held.append(b"two ").await.unwrap();
    held.release(None).await.unwrap();
    let [first, second] = [0, 1].map(|number| store.objects()[&format!("p/log/{number:012}")].clone());

    store.remove("p/log/000000000001");
    let refused = acquire(&store, "next").await.unwrap_err().to_string();
    assert!(refused.contains("`log/000000000001` to `log/000000000001` were written and are missing"), "{refused}");
    assert!(bucket(&store).view(&mut Seen::default()).await.is_err());
    store.put("p/log/000000000001", first);
    let refused = acquire(&store, "next").await.unwrap_err().to_string();
    assert!(refused.contains("`log/000000000001` holds what was written as `log/000000000000`"), "{refused}");
    // Put back, it goes on at once: whoever was refused gave the lease back.
    store.put("p/log/000000000001", second);
    assert_eq!(acquire(&store, "next").await.unwrap().1, "base one two ");
}

/// The write that names the first snapshot is acknowledged and lost.
#[tokio::test]
async fn a_run_is_no_thief_of_its_own_lease() {
    let store = Arc::new(store());
    let (held, _) = acquire(&store, "run").await.unwrap();
    let early = store.objects()["p/lease"].clone();
    publish(&held, b"base ").await;
    held.append(b"one ").await.unwrap();
    store.put("p/lease", early.clone());
    // It wrote it itself, so it writes it once more, and nothing is lost.
    held.renew().await.unwrap();
    assert_eq!(seen(&store).await, "base one ");
    // A store that loses each of them is told of, and nobody else is.
    let (losing, writes) = (Arc::downgrade(&store), early.clone());
    store.put("p/lease", early.clone());
    store.judge(move |asked| {
        if asked == "PUT p/lease" {
            losing.upgrade().unwrap().put("p/lease", writes.clone());
        }
        Then::Answer
    });
    let lost = held.release(None).await.unwrap_err().to_string();
    assert!(lost.contains("keeps it not") && !lost.contains("run run"), "{lost}");
    store.judge(|_| Then::Answer);

    // Whoever comes next is told what is missing, and has it where it was.
    let whole = store.objects();
    let there = bucket(&store).break_lease(holder("admin"), &mut Seen::default()).await.map(drop);
    for refused in
        [there, bucket(&store).view(&mut Seen::default()).await.map(drop), acquire(&store, "next").await.map(drop)]
    {
        let refused = refused.unwrap_err().to_string();
        assert!(
            refused.contains("`log/000000000000` was written after a snapshot, and its object `lease` names none"),
            "{refused}"
        );
    }
    assert_eq!(store.objects()["p/log/000000000000"], whole["p/log/000000000000"]);
}

#[tokio::test]
async fn an_upload_that_was_cut_off_changes_nothing() {
    let store = store();
    let (held, _) = acquire(&store, "run").await.unwrap();
    publish(&held, b"base ").await;
    held.append(b"one ").await.unwrap();
    let mut parts = 0;
    store.judge(move |asked| {
        parts += usize::from(asked.starts_with("PUT p/snapshots/"));
        if parts > 1 { Then::Refuse(403) } else { Then::Answer }
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), vec![7; 20 << 20]).unwrap();
    held.publish(file.path()).await.unwrap_err();
    store.judge(|_| Then::Answer);
    assert_eq!(seen(&store).await, "base one ");
    held.append(b"two ").await.unwrap();
    assert_eq!(seen(&store).await, "base one two ");
    publish(&held, b"BASE ").await;
    assert_eq!(seen(&store).await, "BASE ");
}

#[tokio::test]
async fn a_snapshot_of_many_parts_is_put_together_and_the_one_before_the_last_goes() {
    let store = store();
    let (held, _) = acquire(&store, "run").await.unwrap();
    let large: Vec<u8> = (0..(20_u32 << 20)).map(|at| (at % 251) as u8).collect();
    for _ in 0..3 {
        held.append(b"x").await.unwrap();
        publish(&held, &large).await;
    }
    let names: Vec<_> = store.objects().into_keys().collect();
    let left = ["lease", "log/000000000002", "snapshots/000000000002-1.db", "snapshots/000000000003-1.db"];
    assert_eq!(names, left.map(|name| format!("p/{name}")));
    let mut seen = Seen::default();
    bucket(&store).view(&mut seen).await.unwrap();
    assert!(seen.0 == large);
}
