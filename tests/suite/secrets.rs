//! No secret in any output at any verbosity. Every test looks for them ([`super::harness::Harness::finish`]); here are the
//! loudest runs and the worst failures.

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};

use super::harness::Harness;

#[test]
fn nothing_is_given_away_by_the_loudest_of_runs() {
    for token in [false, true] {
        let harness = Harness::with_people(&["ada", "grace"]).with(|pipe| {
            if token {
                pipe.by_token();
            }
        });
        for format in ["human", "json"] {
            let ended = harness.run_with(&["-vvv", "--log-format", format, "--format", format]).expect_exit(0);
            ended.holds(ended.stderr.lines().count() > 5, "a loud log");
            for words in ["Bearer ey", "Basic ", "JSESSIONID="] {
                ended.holds(!ended.stderr.contains(words), &format!("no `{words}` in the log"));
            }
        }
        harness.plan_with(&["-vvv"]).expect_exit(0);
        harness.finish(&["status", "pipeline.yaml"]).expect_exit(0);
    }
}

#[test]
fn nothing_is_given_away_by_servers_that_answer_with_what_they_were_sent() {
    for status in [200, 400, 403] {
        for simulator in ["login", "graph", "jira"] {
            for (token, secret) in [(false, "canary+password/1"), (true, "canaryToken0123456789")] {
                let secrets = format!("client_secret=canary~client/secret+1 {secret}");
                let headers = [("Location".to_owned(), format!("/x?{}", secrets.replace(' ', "%20")))].into();
                let answer = Answer { status, headers, body: secrets.into() };
                let harness = Harness::with_people(&["ada"]).fault(Fault::new(Effect::Answer(answer)).at(simulator));
                let harness = harness.with(|pipe| {
                    if token {
                        pipe.by_token();
                    }
                });
                let ended = harness.run_with(&["-vvv"]);
                ended.holds(!ended.stdout.contains(": done"), "a failure");
            }
        }
    }
}

#[test]
fn nothing_is_given_away_by_a_wrong_file() {
    let mut harness = Harness::with_people(&["ada"]);
    harness.edit(|pipe| _ = pipe.jira("credential", "{ token: canaryToken0123456789 }"));
    // The file itself holds it now, so only what is printed is looked at.
    let arguments = ["check", "pipeline.yaml"];
    let child = harness.spawn(&arguments);
    let ended = harness.wait(child, &arguments).expect_exit(2).expect_error("a secret is written out");
    ended.holds(!format!("{}{}", ended.stdout, ended.stderr).contains("canaryToken"), "no secret in what is printed");
}
