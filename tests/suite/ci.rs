//! What CI platforms, editors and packagers read: faults on their lines, completions, manual pages.

use serde_json::Value;

use super::harness::Harness;

/// Two faults, one of them with something in it that a platform would take for a command.
const WRONG: &str = "version: 1\npipeline: stage\nextract:\n  - folder: { path: hr, pth: x }\nload:\n  - jira:\n      base_url: \
                     https://jira.example.com\n      credential: { token: '${TOKEN}' }\n      match: [email]\n      \
                     \"::set-env name=a::b\": 1\n";

fn wrong() -> Harness {
    let harness = Harness::tiny();
    harness.write("wrong.yaml", WRONG);
    harness
}

fn document(harness: &Harness, format: &str) -> Value {
    let ended =
        harness.finish(&["check", "wrong.yaml", "missing.yaml", "pipeline.yaml", "--format", format]).expect_exit(2);
    serde_json::from_str(&ended.stdout).unwrap_or_else(|fault| panic!("{fault}\n{}", ended.stdout))
}

#[test]
fn every_fault_comes_with_its_place_for_programs() {
    let harness = wrong();
    let json = document(&harness, "json");
    let [wrong, missing, right] = json["files"].as_array().expect("files").as_slice() else { panic!("{json}") };
    assert_eq!((&wrong["valid"], &missing["valid"], &right["valid"]), (&false.into(), &false.into(), &true.into()));
    let places: Vec<_> = wrong["found"].as_array().expect("faults").iter().map(|one| one["line"].as_u64()).collect();
    assert_eq!(places, [Some(4), Some(10)], "{json}");
    assert_eq!(missing["found"][0]["line"], Value::Null);
    assert_eq!(right["found"], serde_json::json!([]));

    let quality = document(&harness, "gitlab");
    let entries = quality.as_array().expect("entries");
    assert_eq!(entries.len(), 3, "{quality}");
    for entry in entries {
        assert!(
            entry["description"].is_string() && entry["fingerprint"].as_str().is_some_and(|print| print.len() == 64)
        );
        assert!(entry["location"]["lines"]["begin"].is_u64() && entry["location"]["path"].is_string(), "{entry}");
        assert_eq!(entry["severity"], "blocker");
    }
    assert_eq!(document(&harness, "gitlab"), quality, "the same fault has the same fingerprint");
}

/// A platform is known by its variables; the faults stand on standard error in any case.
#[test]
fn a_platform_that_is_recognised_shows_faults_on_their_lines() {
    for (variable, value, begins) in [
        ("GITHUB_ACTIONS", "true", "::error file=wrong.yaml,line=4,col="),
        ("TF_BUILD", "True", "##vso[task.logissue type=error;sourcepath=wrong.yaml;linenumber=4;columnnumber="),
        ("GITLAB_CI", "true", ""),
        ("CI", "true", ""),
    ] {
        let mut harness = wrong();
        harness.tell(variable, value);
        let ended = harness.finish(&["check", "wrong.yaml"]).expect_exit(2).expect_error("unknown key `pth`");
        let lines: Vec<_> = ended.stdout.lines().collect();
        match begins {
            "" => assert_eq!(lines, [""; 0], "{variable}"),
            begins => {
                assert_eq!(lines.len(), 2, "one command for each fault: {lines:?}");
                assert!(lines[0].starts_with(begins), "{lines:?}");
                assert_eq!(
                    lines[1].split_once("line").map(|(begin, _)| begin),
                    begins.split_once("line").map(|(b, _)| b)
                );
            }
        }
    }
    let harness = wrong();
    let ended = harness.finish(&["check", "wrong.yaml", "--format", "github"]).expect_exit(2);
    assert!(ended.stdout.starts_with("::error file=wrong.yaml,line=4"), "{}", ended.stdout);
    // Platforms know a file by its path from the root of the repository.
    std::fs::create_dir_all(harness.path(".git")).expect("a repository");
    harness.write("jobs/wrong.yaml", WRONG);
    let ended = harness.finish(&["check", "./jobs/../jobs/wrong.yaml", "--format", "github"]).expect_exit(2);
    assert!(ended.stdout.starts_with("::error file=jobs/wrong.yaml,line=4"), "{}", ended.stdout);
}

/// The files that it names: one that is there and wrong is a fault with its own line; one that is not there yet may be brought by
/// an earlier step.
#[test]
fn check_looks_at_the_tables_and_images_of_a_pipeline() {
    let harness = Harness::with_people(&["ada"]).with(|pipe| {
        pipe.without_source("entra").source("folder").set("path", "people");
        pipe.jira("match", "{ map: users.csv }");
        pipe.top("transform", "{ fallback: { absent: { image: nobody.png } } }");
    });
    let arguments = ["check", "pipeline.yaml"];
    let mut missing = harness.finish(&arguments).expect_exit(0).expect_answer("no faults");
    for name in ["people/people.csv", "users.csv", "nobody.png"] {
        missing = missing.expect_error(&format!("`{name}` is not there"));
    }
    let json = harness.finish(&["check", "pipeline.yaml", "--format", "json"]).expect_exit(0).stdout;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let found = json["files"][0]["found"].as_array().expect("findings").clone();
    assert!(found.len() == 3 && found.iter().all(|one| one["severity"] == "warning" && one["line"].is_u64()), "{json}");

    harness.write("people/people.csv", "id,email\n1,n/a\n2,b@example.com\n2,c@example.com\n");
    harness.write("users.csv", "person;account\n");
    harness.write("nobody.png", "no picture");
    let mut wrong = harness.finish(&arguments).expect_exit(2);
    for words in [
        "people/people.csv:2: `email` is `n/a`, and no address",
        "people/people.csv:4: the same id as line 3",
        "users.csv:1: the columns are separated by `;`",
        "no picture can be made of `nobody.png`",
    ] {
        wrong = wrong.expect_error(words);
    }
    assert_eq!(wrong.stdout, "");
    let github = harness.finish(&["check", "pipeline.yaml", "--format", "github"]).expect_exit(2);
    github.expect_answer("::error file=people/people.csv,line=4,col=1").expect_answer("::error file=users.csv,line=1");
    let gitlab = harness.finish(&["check", "pipeline.yaml", "--format", "gitlab"]).expect_exit(2).stdout;
    let gitlab: Value = serde_json::from_str(&gitlab).expect("JSON");
    assert_eq!(gitlab[0]["location"]["path"], "people/people.csv");
    let json = harness.finish(&["check", "pipeline.yaml", "--format", "json"]).expect_exit(2).stdout;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        (&json["files"][0]["valid"], &json["files"][0]["found"][0]["file"]),
        (&false.into(), &"people/people.csv".into())
    );

    harness.write("people/people.csv", "id,email\n1,a@example.com\n");
    harness.write("users.csv", "person,account\na@example.com,ada\n");
    harness.write("nobody.png", super::population::face("nobody"));
    let right = harness.finish(&arguments).expect_exit(0).expect_answer("no faults");
    assert_eq!(right.stderr, "");
}

#[test]
fn shells_and_packagers_get_what_they_ask_for() {
    let harness = Harness::tiny();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = harness.finish(&["completions", shell]).expect_exit(0).expect_answer("explain");
        assert_eq!(ended.stderr, "");
    }
    harness.finish(&["man"]).expect_exit(0).expect_answer(".TH avatarpipe 1");
    harness.finish(&["man", "--dir", "man"]).expect_exit(0);
    for page in ["avatarpipe.1", "avatarpipe-run.1", "avatarpipe-explain.1"] {
        assert!(harness.path("man").join(page).is_file(), "{page}");
    }
}

/// GitHub shows what stands in a file that several steps write to, Azure a file that it is told of.
#[test]
fn a_platform_shows_the_page_of_a_run() {
    let mut harness = Harness::tiny();
    harness.write("page.md", "# of an earlier step\n");
    harness.tell("GITHUB_STEP_SUMMARY", "page.md");
    harness.plan_with(&[]).expect_exit(0);
    let summary = std::fs::read_to_string(harness.path("report/summary.md")).expect("a summary");
    let page = || std::fs::read_to_string(harness.path("page.md")).expect("the page");
    assert_eq!(page(), format!("# of an earlier step\n{summary}"));
    let before = page();
    harness.finish(&["plan", "pipeline.yaml"]).expect_exit(0);
    assert!(
        page().starts_with(&before) && page().len() > before.len() + 100,
        "a plan without a report has a page, too"
    );
    harness.write("page.md", "x".repeat((1 << 20) - 10));
    harness.run().expect_exit(0);
    assert!(page().len() <= 1 << 20, "GitHub takes no more");
    harness.tell("GITHUB_STEP_SUMMARY", "missing/page.md");
    harness.run().expect_exit(0).expect_error("warning: the page of the job cannot be written");
    // Nobody reads from it: to open it would wait for ever.
    assert!(std::process::Command::new("mkfifo").arg(harness.path("pipe")).status().expect("mkfifo").success());
    harness.tell("GITHUB_STEP_SUMMARY", "pipe");
    harness.run().expect_exit(0).expect_error("it is a pipe, and no file");

    let mut harness = Harness::tiny();
    harness.tell("TF_BUILD", "True");
    let line = "##vso[task.uploadsummary]";
    let ended = harness.run().expect_exit(0);
    let told: Vec<_> = ended.stdout.lines().filter_map(|found| found.strip_prefix(line)).collect();
    assert_eq!(told.len(), 1, "{}", ended.stdout);
    assert_eq!(std::fs::canonicalize(told[0]).ok(), std::fs::canonicalize(harness.path("report/summary.md")).ok());
    harness.run_with(&["--format", "json"]).expect_exit(0).holds_no_answer(line);
    harness.finish(&["plan", "pipeline.yaml"]).expect_exit(0).holds_no_answer(line);
}
