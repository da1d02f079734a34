//! The report of a run, put besides into a bucket: what is there for whoever looks, and that nothing of it changes a run.
//!
//! Owns: what stands in the bucket. Leaves to others: what stands in each file (`reports`, `report_files`).
//! A newcomer gets wrong: the state stands in a file here; the two buckets have nothing to do with each other.

use avatarpipe_sandbox::s3::{ObjectStore, Then};

use super::harness::Harness;
use super::stores::{s3, store};
use super::truth::Shows::Face;

/// Ada, whose reports go to this store.
fn harness(store: &ObjectStore, more: &str) -> Harness {
    let mut harness = Harness::with_people(&["ada"]);
    s3(store.url(), "reports").for_reports(&mut harness, more);
    harness
}

#[test]
fn the_last_report_is_in_the_bucket_and_a_plan_puts_nothing_there() {
    let store = store();
    let harness = harness(&store, "");
    harness.plan_with(&[]).expect_exit(0);
    assert_eq!(store.log(), [""; 0]);
    let ended = harness.run().expect_exit(0);
    let run = ended.report()["run"].as_str().expect("an id").to_owned();
    let objects = store.objects();
    for name in ["run.json", "summary.md", "pictures.html", "junit.xml", "metrics.prom"] {
        let put = &objects[&format!("reports/stage/runs/{run}/{name}")];
        assert!(*put == std::fs::read(harness.path(&format!("report/{name}"))).expect("the file"), "{name}");
    }
    assert_eq!(objects["reports/stage/metrics.prom"], objects[&format!("reports/stage/runs/{run}/metrics.prom")]);
    let page = String::from_utf8_lossy(&objects["reports/stage/index.html"]).into_owned();
    assert!(page.contains("1 replaced") && page.contains(&format!("href=\"runs/{run}/pictures.html\"")), "{page}");
    assert_eq!(objects.len(), 7);
    let served = ["content-type", "cache-control"].map(|header| store.header("reports/stage/index.html", header));
    assert_eq!(served, [Some("text/html; charset=utf-8".to_owned()), Some("no-cache".to_owned())]);
    assert!(store.log().last().is_some_and(|asked| asked == "PUT reports/stage/index.html 200"), "{:?}", store.log());
    // The next one has a page of its own in the same place, and the former files stay.
    harness.run().expect_exit(0).expect_answer("nothing to do");
    let objects = store.objects();
    assert_eq!(objects.len(), 12);
    assert!(String::from_utf8_lossy(&objects["reports/stage/index.html"]).contains("nothing to do"));
}

#[test]
fn pseudonyms_and_faces_are_as_the_file_says() {
    let store = store();
    harness(&store, ", names: pseudonym, pictures: none").run().expect_exit(0);
    let objects = store.objects();
    assert_eq!(objects.len(), 7);
    for (name, bytes) in objects {
        let text = String::from_utf8_lossy(&bytes);
        // A digest may hold the three letters by chance.
        let told = ["ada@", "\"ada\"", "/ada", "Ada", "data:image/png"].into_iter().find(|words| text.contains(words));
        assert_eq!(told, None, "{name}: {text}");
    }
}

#[test]
fn what_cannot_be_put_is_told_and_takes_nothing_back() {
    for (status, code) in [(403, 5), (503, 6)] {
        let store = store();
        store.judge(move |asked| if asked.ends_with("junit.xml") { Then::Refuse(status) } else { Then::Answer });
        let harness = harness(&store, "");
        let ended = harness.run().expect_exit(code).expect_answer("1 replaced");
        ended.expect_error("write s3://avatars/reports/stage/runs/");
        harness.expect_shown(&[("ada", Face("ada"))]);
        assert!(!store.objects().contains_key("reports/stage/index.html"), "the page names what is there");
        store.judge(|_| Then::Answer);
        harness.run().expect_exit(0).expect_answer("nothing to do");
        assert!(store.objects().contains_key("reports/stage/index.html"));
    }
}

/// A failed run is told there, too, and a sandbox tells nobody.
#[test]
fn a_run_that_failed_is_on_the_page() {
    let store = store();
    let mut harness = harness(&store, "");
    harness.edit(|pipe| _ = pipe.top("limits", "{ replacements: { count: 0 } }"));
    harness.run().expect_exit(4);
    let page = String::from_utf8_lossy(&store.objects()["reports/stage/index.html"]).into_owned();
    assert!(page.contains("exit code 4") && page.contains("limit"), "{page}");
    store.reset_log();
    harness.run_with(&["--sandbox=tiny"]);
    assert_eq!(store.log(), [""; 0]);
}

/// Before the night: without a write it is asked whether the store is there, with `--probe` whether it takes a report.
#[test]
fn auth_tries_the_bucket_of_reports() {
    let store = ObjectStore::start().expect("a port");
    let harness = harness(&store, "");
    let auth = |more: &[&str]| harness.finish(&[&["auth", "pipeline.yaml"], more].concat());
    auth(&[]).expect_exit(0).expect_answer("reports s3://avatars/reports\n  tried      look: works\n");
    store.judge(|asked| if asked.starts_with("PUT") { Then::Answer } else { Then::Refuse(403) });
    auth(&[]).expect_exit(0).expect_answer("look: not tried: reading is refused, as it is where");
    auth(&["--probe"]).expect_exit(0).expect_answer("report: works\n").expect_answer("avatarpipe-probe` stays there");
    store.judge(|_| Then::Answer);
    auth(&["--probe"]).expect_exit(0).expect_answer("report: works\n");
    assert!(store.objects().keys().all(|name| !name.ends_with("avatarpipe-probe")), "it is taken away again");
    for (status, code) in [(403, 5), (503, 6)] {
        store.judge(move |_| Then::Refuse(status));
        auth(&["--probe"]).expect_exit(code).expect_answer("report: fails");
    }
    auth(&[]).expect_exit(6);
}
