//! Whole outputs, so that a change of any word is seen.

use avatarpipe_sandbox::entra::world::{NoPhoto, Photo, PhotoFailure};
use avatarpipe_sandbox::faults::{Effect, Fault};

use super::ended::Ended;
use super::harness::Harness;
use super::population::Population;
use super::redact::{redact, replace};

pub(super) fn expect_printed(name: &str, harness: &Harness, ended: &Ended) {
    let stderr = sorted_phases(&ended.stderr);
    let text = format!("$ {}\n--- standard output\n{}--- standard error\n{stderr}", ended.command, ended.stdout);
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, redact(harness, &text));
    });
}

/// Source and target are asked at the same time; which ends first is nobody's business.
fn sorted_phases(stderr: &str) -> String {
    let mut lines: Vec<&str> = stderr.lines().collect();
    let notes = lines.iter().take_while(|line| line.starts_with("note: ")).count();
    let is_early = |line: &&&str| line.starts_with("collect ") || line.starts_with("survey ");
    let early = notes + lines[notes..].iter().take_while(is_early).count();
    lines[notes..early].sort_unstable();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// One of everything that a report tells.
fn harness() -> Harness {
    let population = Population::of(&["ada", "grace", "alan", "edsger", "barbara", "donald"])
        .chose_by_hand("grace")
        .chose_by_hand("alan")
        .photo("alan", Photo::None(NoPhoto::ImageNotFound))
        .photo("edsger", Photo::Failure(PhotoFailure::NoMailbox))
        .person("barbara", |person| person.proxy_addresses.push("smtp:donald@contoso.example".into()))
        .jira(|jira| jira.next_avatar = Some(20_000));
    Harness::of(population.world()).with(|pipe| {
        // One worker: the ids of the pictures follow the order of the plan.
        pipe.top("rates", "{ fast: { units: 100000, per: 1s, burst: 100000, concurrency: 1 } }");
    })
}

#[test]
fn a_plan_a_run_and_a_quiet_run() {
    let mut harness = harness();
    for (name, value) in [("TF_BUILD", "True"), ("BUILD_REQUESTEDFOR", "svc-ci"), ("BUILD_BUILDID", "17")] {
        harness.tell(name, value);
    }
    expect_printed("plan", &harness, &harness.plan_with(&[]).expect_exit(0));
    expect_printed("run", &harness, &harness.run().expect_exit(0));
    let summary = std::fs::read_to_string(harness.path("report/summary.md")).expect("a summary");
    // Addresses are among the bytes received, and a port may have four digits.
    let cut = |line: &str| match line.split_once("| 0 | 0 |") {
        Some((counts, _)) if line.starts_with("| entra | 3") || line.starts_with("| jira | 19") => {
            format!("{counts}| 0 | 0 | <n> |\n")
        }
        _ => format!("{line}\n"),
    };
    let summary: String = summary.lines().map(cut).collect();
    let summary = (0..100).fold(summary, |text, seconds| text.replace(&format!("took {seconds} s,"), "took <n> s,"));
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("summary", redact(&harness, &summary));
    });
    expect_printed("quiet-run", &harness, &harness.run().expect_exit(0));
    let mut status = harness.finish(&["status", "pipeline.yaml"]).expect_exit(0);
    status.stdout =
        (0..100).rev().fold(status.stdout, |text, seconds| text.replace(&format!("  {seconds} s  "), "  <n> s  "));
    expect_printed("status", &harness, &status);
}

#[test]
fn a_run_as_json() {
    let harness = harness();
    let mut ended = harness.run_with(&["--format", "json"]).expect_exit(0);
    for count in ["bytes_received", "pipeline_digest"] {
        let of = ended.stdout.lines().filter(|line| line.contains(count)).map(str::to_owned).collect::<Vec<_>>();
        ended.stdout =
            of.iter().fold(ended.stdout, |text, line| text.replace(line.trim(), &format!("\"{count}\": <n>,")));
    }
    expect_printed("run-json", &harness, &ended);
}

#[test]
fn runs_that_fail_or_are_stopped() {
    let harness = harness();
    harness.sandbox.fault(Fault::new(Effect::status(413)).at("jira").on("POST", "*/temporary").about("ada"));
    expect_printed("some-failed", &harness, &harness.run().expect_exit(3));

    let mut harness = self::harness().with(|pipe| _ = pipe.top("limits", "{ replacements: { count: 1 } }"));
    expect_printed("limit", &harness, &harness.run().expect_exit(4));
    harness.set("JIRA_PASSWORD", "canaryNotTheSecret0");
    harness.set("ENTRA_SECRET", "canary~not/the+secret");
    let mut refused = harness.run().expect_exit(5);
    for (shape, with) in [("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "<guid>"), ("0000-00-00 00:00:00Z", "<time>")] {
        refused.stdout = replace(&refused.stdout, shape, with);
        refused.stderr = replace(&refused.stderr, shape, with);
    }
    expect_printed("refused", &harness, &refused);
}

#[test]
fn a_check_of_a_file_with_faults_and_of_a_good_one() {
    let mut harness = Harness::with_people(&["ada"]);
    expect_printed("check", &harness, &harness.finish(&["check", "pipeline.yaml"]).expect_exit(0));
    harness.edit(|pipe| {
        pipe.top("limts", "{ reverts: { count: many } }").jira("base_url", "http://jira.example.com");
        pipe.jira("ownership", "theirs").jira("rate", "fsat").entra("endpoints", "{}");
        pipe.jira("credential", "{ username: svc-avatars }");
    });
    expect_printed(
        "check-faults",
        &harness,
        &harness.finish(&["check", "pipeline.yaml", "missing.yaml"]).expect_exit(2),
    );
}

#[test]
fn the_help() {
    let harness = Harness::with_people(&["ada"]);
    for (name, arguments) in [("help", &["--help"][..]), ("help-run", &["run", "--help"])] {
        expect_printed(name, &harness, &harness.finish(arguments).expect_exit(0));
    }
}
