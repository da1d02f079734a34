//! No secret in any output at any verbosity. Every test looks for them ([`super::harness::Harness::finish`]); here are the
//! loudest runs and the worst failures.

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};

use super::ended::files;
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

/// However its signs are escaped, and whatever a server that hides it has made of it.
#[test]
fn nothing_is_given_away_by_servers_that_spell_what_they_were_sent_in_another_way() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let harness = Harness::with_people(&["ada"]);
    let spellings = |secret: &str| {
        let each = |form: fn(u8) -> String| secret.bytes().map(form).collect::<String>();
        let hidden = [
            STANDARD.encode(secret),
            STANDARD.encode(format!("svc-avatars:{secret}")),
            each(|byte| format!("{byte:02x}")),
            each(|byte| format!("%{byte:02x}")),
        ];
        (hidden, [each(|byte| format!("\\u{byte:04x}")), each(|byte| format!("&#{byte};"))])
    };
    let answers = |simulator, status, name: &str, spelled: &str| {
        let body = match simulator {
            "login" => format!("{{\"error\":\"invalid_client\",\"error_description\":\"you sent {spelled}\"}}"),
            _ => format!("[{{\"key\":\"k\",\"name\":\"{name}\",\"displayName\":\"N {spelled}\",\"active\":true}}]"),
        };
        // Where the body would do, the log of a header is tried besides.
        let id = if simulator == "jira" && !spelled.contains(['\\', '&']) { spelled } else { "b1d9" };
        let headers = [("content-type", "application/json"), ("request-id", id)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Effect::Answer(Answer { status, headers, body: body.into() })
    };
    for (simulator, status, method, path, variable) in
        [("login", 400, "POST", "*", "ENTRA_SECRET"), ("jira", 200, "GET", "*/user/search", "JIRA_PASSWORD")]
    {
        let secret = harness.variable(variable).expect("a secret of the harness").to_owned();
        let (hidden, escaped) = spellings(&secret);
        for spelled in hidden.iter().chain(&escaped) {
            let fault = Fault::new(answers(simulator, status, "ada", spelled)).at(simulator).on(method, path);
            let number = harness.sandbox.faults().add(fault);
            let ended = harness.run_with(&["-vv"]);
            harness.sandbox.faults().remove(number);
            ended.holds(!ended.succeeded(), "a failure");
            let ended = ended.expect_answer("the answer holds a secret of this pipeline");
            let printed = [("output", &ended.stdout), ("log", &ended.stderr)];
            let printed = printed.map(|(name, text)| (name.to_owned(), text.clone().into_bytes()));
            for (place, bytes) in printed.into_iter().chain(files(harness.folder())) {
                let found = String::from_utf8_lossy(&bytes).contains(spelled.as_str());
                ended.holds(!found, &format!("no {spelled} in {place}"));
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

/// Id and secret lie side by side on the page that they are copied from.
#[test]
fn a_secret_under_the_key_of_something_else_is_not_given_away() {
    for (key, value) in [
        ("tenant", "Xy78Q~canaryCanary_Canary.0123456"),
        ("client_id", "\"Xy78Q~canaryCanary_Canary.0123456\""),
        ("cloud", "Xy78QcanaryCanary0123456"),
        ("rate", "Xy78QcanaryCanary0123456"),
    ] {
        let mut harness = Harness::with_people(&["ada"]);
        harness.edit(|pipe| _ = pipe.entra(key, value));
        for format in ["human", "json", "github", "gitlab"] {
            let arguments = ["check", "pipeline.yaml", "--format", format];
            let child = harness.spawn(&arguments);
            let ended = harness.wait(child, &arguments).expect_exit(2);
            let printed = format!("{}{}", ended.stdout, ended.stderr);
            ended.holds(printed.contains("looks like a secret"), "it is said why it is covered");
            ended.holds(!printed.contains("canary"), "no secret in what is printed");
        }
    }
}

/// A store prints its secret wherever it can, and `check` does not ask it.
#[test]
fn nothing_is_given_away_by_the_program_of_a_secret_store() {
    let mut harness = Harness::with_people(&["ada"]);
    let stored = harness.variable("JIRA_PASSWORD").expect("the password of the harness").to_owned();
    harness.write("store.sh", "#!/bin/sh\necho $1 >>calls\necho \"$STORED\"\necho \"$STORED\" >&2\nexit $CODE\n");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(harness.path("store.sh"), executable).expect("a program");
    harness.edit(|pipe| {
        let credential = "{ username: svc-avatars, password: \"${cmd:./store.sh jira}\" }";
        pipe.jira("credential", credential).top("report", "{ names: \"${cmd:./store.sh jira}\" }");
    });
    harness.set("STORED", &stored);
    harness.tell("CODE", "0");
    let checked = harness.finish(&["check", "pipeline.yaml"]).expect_exit(0);
    checked.expect_answer("`./store.sh` is run when the pipeline runs, and not by check");
    assert!(!harness.path("calls").exists(), "check runs nothing");
    // What it printed is no word for this key, and is not quoted.
    let wrong = harness.finish(&["-vvv", "run", "pipeline.yaml"]).expect_exit(2);
    wrong.expect_error("the value of `${cmd:./store.sh*****}` is not");
    assert_eq!(std::fs::read_to_string(harness.path("calls")).expect("it ran"), "jira\n", "once for both places");
    harness.edit(|pipe| _ = pipe.top("report", "{}"));
    harness.run_with(&["-vvv"]).expect_exit(0);
    harness.tell("CODE", "3");
    harness.edit(|pipe| _ = pipe.jira("credential", "{ token: \"${cmd:./store.sh token}\" }"));
    let failed = harness.run_with(&["-vvv"]).expect_exit(2);
    failed.expect_error("the program `./store.sh` gave no value: it ended in 3").expect_error("pipeline.yaml:");
}
