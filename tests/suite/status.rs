//! `status`: what monitoring asks, and what the last run left.

use super::harness::Harness;

#[test]
fn a_success_that_is_too_old_or_missing_ends_in_3() {
    let harness = Harness::with_people(&["ada", "grace"]);
    let status = |age: &str| harness.finish(&["-q", "status", "pipeline.yaml", "--max-age", age]);
    status("26h").expect_exit(3).expect_error("no whole run ended in 0 yet; one was to be at most 1day 2h old");
    harness.run_with(&["--only", "ada"]).expect_exit(0);
    status("26h").expect_exit(3).expect_answer("last success: none");
    harness.run().expect_exit(0);
    let young = status("26h").expect_exit(0);
    young.holds(young.stderr.is_empty(), "nothing on standard error");
    let old = status("0s").expect_exit(3).expect_error("the last whole run that ended in 0 began ");
    old.holds(old.stderr.lines().count() == 1, "one sentence");
    harness.finish(&["status", "pipeline.yaml"]).expect_exit(0);
    status("tomorrow").expect_exit(2);
}
