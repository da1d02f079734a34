//! Files of older versions open, step up after a copy, and lose nothing.

use serde_json::json;

use super::*;
use crate::state::file::{self, beside};
use crate::state::{Holds, RecordedLine};

/// What version 1 wrote. Made by [`keep_a_file_of_this_version`], and never made again once that version is released.
const V1: &[u8] = include_bytes!("../kept/v1.db");

/// What version 3 wrote, in the same way.
const V3: &[u8] = include_bytes!("../kept/v3.db");

/// A version after next, for the stepping itself: a column more, and a table built anew that others point at.
const LATER: Shape = Shape {
    application_id: SHAPE.application_id,
    steps: &[
        include_str!("../1.sql"),
        include_str!("../2.sql"),
        include_str!("../3.sql"),
        include_str!("../4.sql"),
        include_str!("../5.sql"),
        include_str!("../6.sql"),
        include_str!("../7.sql"),
        "ALTER TABLE target ADD COLUMN product TEXT NOT NULL DEFAULT 'jira'",
        "CREATE TABLE run_new AS SELECT * FROM run; DROP TABLE run; ALTER TABLE run_new RENAME TO run;
         CREATE UNIQUE INDEX run_id ON run (id); CREATE UNIQUE INDEX run_seq ON run (seq)",
    ],
    schema: None,
};

/// The last step fails.
const FAILING: Shape = Shape {
    application_id: SHAPE.application_id,
    steps: &[
        include_str!("../1.sql"),
        include_str!("../2.sql"),
        include_str!("../3.sql"),
        include_str!("../4.sql"),
        include_str!("../5.sql"),
        include_str!("../6.sql"),
        include_str!("../7.sql"),
        "DELETE FROM placement",
        "no SQL at all",
    ],
    schema: None,
};

fn kept() -> (TempDir, PathBuf) {
    let (folder, path) = place();
    std::fs::write(&path, V1).unwrap();
    (folder, path)
}

#[test]
fn version_1_opens_with_everything_in_it() {
    let (_folder, path) = kept();
    round_trip::assert_sample(&Store::view(&path).unwrap());
    let store = open(&path);
    round_trip::assert_sample(&store);
    assert_eq!(store.pipeline().unwrap().as_deref(), Some("corporate"), "it is known by its runs");
    store.claim("corporate").wait().unwrap();
    store.claim("other").wait().unwrap();
    assert_eq!(store.pipeline().unwrap().as_deref(), Some("corporate"));
    let key = store.key().unwrap();
    drop(store);
    assert_eq!(open(&path).key().unwrap(), key, "the key stays");
}

/// What version 2 knew of a run, version 3 knows; what it was asked for, nobody wrote down.
#[test]
fn version_2_steps_up_with_its_runs() {
    const V2: Shape = Shape {
        application_id: SHAPE.application_id,
        steps: &[include_str!("../1.sql"), include_str!("../2.sql")],
        schema: None,
    };
    let (_folder, path) = place();
    let store = Store::open_as(lock(&path), &V2).unwrap();
    let insert = "INSERT INTO run (id, pipeline, pipeline_digest, command, started)
        VALUES ('run-1', 'corporate', ?, 'run', 1800000000)";
    store
        .write("fill", move |db| Ok(db.execute(insert, [Digest::of(b"pipeline").as_bytes().as_slice()])?))
        .wait()
        .unwrap();
    drop(store);
    let before = std::fs::read(&path).unwrap();
    assert_eq!(Store::view(&path).unwrap().runs(9).unwrap(), [RunRecord { row: run_row("run-1"), end: None }]);
    assert!(std::fs::read(&path).unwrap() == before, "a look leaves it");
    let store = open(&path);
    let row = RunRow { options: vec!["--rerender".into()], started_by: Some("ada@ci".into()), ..run_row("run-2") };
    store.begin_run(row.clone()).wait().unwrap();
    let rows: Vec<_> = store.runs(9).unwrap().into_iter().map(|run| run.row).collect();
    assert_eq!(rows, [row, run_row("run-1")]);
    drop(store);
    assert!(std::fs::read(beside(&path, ".v2.bak")).unwrap() == before, "the copy is the file as it was");
}

/// The last version that kept each event of a closed write.
#[test]
fn version_3_steps_up_with_all_that_its_writes_say() {
    let (_folder, path) = place();
    std::fs::write(&path, V3).unwrap();
    let both = |store: &Store| {
        round_trip::assert_rows(store);
        round_trip::assert_history(store);
    };
    both(&Store::view(&path).unwrap());
    let store = open(&path);
    both(&store);
    for table in ["intent", "event"] {
        let count = format!("SELECT count(*) FROM {table}");
        let open = store.read("count", |db| Ok(db.query_row(&count, [], |row| row.get::<_, i64>(0))?)).unwrap();
        assert_eq!(open, 2 + i64::from(table == "event"), "{table}");
    }
    drop(store);
    assert!(std::fs::read(beside(&path, ".v3.bak")).unwrap() == V3, "the copy is the file as it was");
    both(&open(&path));
}

/// The last version that kept each line of a report as a text of its own.
#[test]
fn version_6_steps_up_with_the_lines_of_its_reports() {
    const V6: Shape = Shape {
        application_id: SHAPE.application_id,
        steps: &[
            include_str!("../1.sql"),
            include_str!("../2.sql"),
            include_str!("../3.sql"),
            include_str!("../4.sql"),
            include_str!("../5.sql"),
            include_str!("../6.sql"),
        ],
        schema: None,
    };
    let body = |id: Option<&str>, from: &str, to: &str| {
        let person = id.map(|id| json!({ "id": id, "name": null, "source": "entra" }));
        let mut body = json!({ "change": { "from": from, "kind": "keep", "to": to }, "result": "none" });
        if id.is_none() {
            body["error"] = json!({ "code": "stopped", "message": format!("of {from}") });
        }
        person.into_iter().for_each(|person| body["person"] = person);
        body
    };
    let (one, other) = (Digest::of(b"one").to_string(), Digest::of(b"other").to_string().to_uppercase());
    let bodies = [
        ("a", body(Some("b1f0c5a2-0d6e-4a3b-8a51-6f2d9a7c1e01"), "default", &one)),
        ("b", body(Some("8a8a8a8a5c1b2d3e015c1b2d3e4f0001"), &one, &other)),
        ("c", body(Some("Ada"), "foreign:5", "b3:")),
        ("d", body(None, "b3:abcd", "unknown")),
    ];
    let (_folder, path) = place();
    let store = Store::open_as(lock(&path), &V6).unwrap();
    store.begin_run(run_row("run-1")).wait().unwrap();
    let insert = "INSERT INTO line (target, account, body, since) VALUES ('jira', ?, ?, 1)";
    let rows = bodies.clone();
    let put = move |db: &Connection| {
        rows.iter().try_for_each(|(account, body)| Ok(db.execute(insert, [*account, &body.to_string()]).map(drop)?))
    };
    store.write("fill", put).wait().unwrap();
    let ended = |store: &Store, run: &str| {
        store.finish_run(&run.into(), RunEnd { report: json!({ "lines": 4 }), ..run_end(0) }).wait().unwrap();
    };
    ended(&store, "run-1");
    drop(store);

    let store = open(&path);
    let lines = |run: &str| -> Vec<_> {
        let lines = store.lines(&run.into(), &"jira".into(), None, 9).unwrap();
        lines.into_iter().map(|(_, account, body)| (account.to_string(), body)).collect()
    };
    let all = bodies.clone().map(|(account, body)| (account.to_owned(), body));
    assert_eq!(lines("run-1"), all);
    store.begin_run(run_row("run-2")).wait().unwrap();
    let again = bodies.map(|(account, body)| RecordedLine { account: account.into(), body, holds: Holds::On });
    store.put_lines(&"run-2".into(), &"jira".into(), again.to_vec()).wait().unwrap();
    store.end_lines(&"run-2".into()).wait().unwrap();
    ended(&store, "run-2");
    assert_eq!(lines("run-2"), all);
    let rows: i64 = store.read("count", |db| Ok(db.query_row("SELECT count(*) FROM line", [], |r| r.get(0))?)).unwrap();
    assert_eq!(rows, 4, "whoever is left alone as before is kept once");
}

#[test]
fn an_old_file_is_copied_and_stepped_up_in_place() {
    let (_folder, path) = kept();
    let store = Store::open_as(lock(&path), &LATER).unwrap();
    round_trip::assert_sample(&store);
    let product: String =
        store.read("read", |db| Ok(db.query_row("SELECT product FROM target", [], |r| r.get(0))?)).unwrap();
    assert_eq!(product, "jira");
    drop(store);
    assert!(std::fs::read(beside(&path, ".v1.bak")).unwrap() == V1, "the copy is the file as it was");
    let error = Store::open(lock(&path)).unwrap_err();
    assert!(matches!(error.fault, StateFault::Newer { found: 9, known: 7 }), "an older program refuses it: {error}");
    round_trip::assert_sample(&Store::open_as(lock(&path), &LATER).unwrap());
}

#[test]
fn a_view_steps_a_copy_up_and_leaves_the_file() {
    let (folder, path) = kept();
    let view = Store::view_as(&path, &LATER).unwrap();
    round_trip::assert_sample(&view);
    assert!(view.begin_run(run_row("run-9")).wait().is_err());
    assert!(std::fs::read(&path).unwrap() == V1);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_step_that_fails_leaves_the_file_as_it_was() {
    let (_folder, path) = kept();
    let error = Store::open_as(lock(&path), &FAILING).unwrap_err();
    assert!(error.to_string().contains("step up"), "{error}");
    round_trip::assert_sample(&open(&path));
}

#[test]
fn the_first_step_is_the_one_that_version_1_was_made_with() {
    let (_folder, path) = kept();
    let schema = |path: &Path| -> Vec<String> {
        let view = Store::view(path).unwrap();
        let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
        view.read("read", |db| Ok(db.prepare(sql)?.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?)).unwrap()
    };
    let (_other, fresh) = place();
    drop(open(&fresh));
    assert_eq!(schema(&path), schema(&fresh));
}

/// `AVATARPIPE_KEEP=1 cargo test --lib keep_a_file_of_this_version -- --ignored`, once a version, before its release.
#[test]
#[ignore = "writes into the source tree"]
fn keep_a_file_of_this_version() {
    if std::env::var_os("AVATARPIPE_KEEP").is_none() {
        return;
    }
    let (_folder, path) = place();
    let store = open(&path);
    round_trip::write_sample(&store);
    round_trip::write_history(&store);
    drop(store);
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/state/store/kept/v{}.db", SHAPE.version()));
    crate::state::file::remove(&kept).unwrap();
    let db = Connection::open(&path).unwrap();
    // The smallest pages, since most tables have a row or two.
    db.execute_batch("PRAGMA page_size = 512").unwrap();
    db.execute("VACUUM INTO ?", [kept.to_str().unwrap()]).unwrap();
}

#[test]
fn the_digest_of_the_schema_is_that_of_its_steps() {
    let made = Connection::open_in_memory().unwrap();
    SHAPE.steps.iter().for_each(|step| made.execute_batch(step).unwrap());
    let digest = file::digest(&file::objects(&made).unwrap()).to_string();
    assert_eq!(SHAPE.schema, Some(digest.as_str()));
}
