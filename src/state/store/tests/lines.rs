//! Lines of reports: each run gets its own again, and a quiet one costs nothing.

use serde_json::{Value, json};

use super::*;
use crate::model::TargetId;
use crate::state::{Holds, PeopleAndAccounts, RecordedLine};

fn line(account: &str, kind: &str, holds: Holds) -> RecordedLine {
    let body = json!({
        "person": { "source": "entra", "id": format!("p-{account}") },
        "kind": kind,
        "error": { "code": "500", "message": format!("of {account}") },
    });
    RecordedLine { account: account.into(), body, holds }
}

/// A run that ended with these lines; `command` says whether it was whole.
fn ran(store: &Store, id: &str, command: &str, started: u64, lines: &[RecordedLine]) {
    store.begin_run(RunRow { command: command.into(), started, ..run_row(id) }).wait().unwrap();
    store.put_lines(&id.into(), &"jira".into(), lines.to_vec()).wait().unwrap();
    if command == "run" {
        store.end_lines(&id.into()).wait().unwrap();
    }
    store.finish_run(&id.into(), RunEnd { report: json!({ "lines": lines.len() }), ..run_end(0) }).wait().unwrap();
}

fn told(store: &Store, run: &str) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), None);
    let target = TargetId::new("jira");
    while let Some((id, account, _)) = store.lines(&run.into(), &target, after.as_ref(), 1).unwrap().pop() {
        let body: Value = store.lines(&run.into(), &target, after.as_ref(), 1).unwrap().remove(0).2;
        all.push(format!("{account} {}", body["kind"].as_str().unwrap()));
        after = Some((account, id));
    }
    all
}

fn rows(store: &Store) -> i64 {
    count(store, "line")
}

fn count(store: &Store, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    store.read("count", |db| Ok(db.query_row(&sql, [], |row| row.get(0))?)).unwrap()
}

#[test]
fn each_run_has_its_own_lines_and_whoever_is_left_alone_is_kept_once() {
    let (_folder, path) = place();
    let store = open(&path);
    let keep = |account| line(account, "keep", Holds::On);
    ran(&store, "r1", "run", 10, &[keep("a"), keep("b"), line("c", "replace", Holds::Once)]);
    assert_eq!((rows(&store), count(&store, "said")), (3, 2), "two things are said, of whomever");
    ran(&store, "r2", "run", 20, &[keep("a"), keep("b")]);
    assert_eq!(rows(&store), 3, "a quiet run adds nothing");
    // A run that was killed between its lines and its end has no report; the next begins where the last one ended.
    store.begin_run(RunRow { started: 25, ..run_row("killed") }).wait().unwrap();
    store.put_lines(&"killed".into(), &"jira".into(), vec![keep("z")]).wait().unwrap();
    store.end_lines(&"killed".into()).wait().unwrap();
    ran(&store, "part", "run (a part)", 30, &[line("a", "replace", Holds::Once)]);
    ran(&store, "r3", "run", 40, &[keep("b"), line("d", "conflict", Holds::On)]);
    for (run, lines) in [
        ("r1", vec!["a keep", "b keep", "c replace"]),
        ("r2", vec!["a keep", "b keep"]),
        ("part", vec!["a replace"]),
        ("r3", vec!["b keep", "d conflict"]),
    ] {
        assert_eq!(told(&store, run), lines, "{run}");
    }
    // What only older runs told goes with their age, and what still holds stays.
    store.purge_runs(40).wait().unwrap();
    assert_eq!(told(&store, "r3"), ["b keep", "d conflict"]);
    assert_eq!(rows(&store), 2);

    let whom = PeopleAndAccounts { people: [person("p-b")].into(), accounts: [("jira".into(), "d".into())].into() };
    store.forget(whom).wait().unwrap();
    assert_eq!((rows(&store), count(&store, "said")), (0, 0), "of the person, and of the account");
}
