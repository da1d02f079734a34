//! Every listed failure answer and its class, in the real program: absent, unknown, refused, the whole source, the whole
//! target. Nothing but a proven absence takes a picture away (promise P2).
//!
//! Owns: the tables of docs/wire/microsoft-graph.md §3.5, docs/wire/google-directory.md §5 and the refusals of
//! docs/write-protocols.md, each person with a failure of their own in one run.
//! Leaves to others: answers that are worth repeating, whose pauses no test sits out (beside their code).
//! A newcomer gets wrong: everybody has our picture before the failures begin; so a failure that is taken for an absence
//! shows at once.

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use serde_json::{Value, json};

use super::harness::Harness;
use super::population::{Population, address, bought, file};
use super::truth::Shows::{self, Default, Face, Start};

/// What a failure means for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Proven: back to the default.
    Absent,
    /// Nothing changes.
    Unknown,
}

use Class::{Absent, Unknown};

const WIDE: &str = "{ reverts: { count: 99, share: 100% }, unknown: { count: 99, share: 100% } }";

fn answer(status: u16, body: Value) -> Effect {
    Effect::Answer(Answer { status, body, ..Answer::default() })
}

/// As many people as there are rows: `p00`, `p01`, … None is the beginning of another.
fn names(rows: usize) -> Vec<String> {
    (0..rows).map(|row| format!("p{row:02}")).collect()
}

/// After the run: who was proven to have no photo shows the default, everybody else what they showed.
#[track_caller]
fn expect_classes(harness: &Harness, rows: &[(u16, Value, Class)], names: &[String]) {
    let writes = harness.sandbox.truth().writes;
    for ((status, body, class), name) in rows.iter().zip(names) {
        let shows = if *class == Absent { Default } else { Face(name) };
        println!("{name}: {status} {body} is {class:?}");
        harness.expect_shown(&[(name, shows)]);
        let key = harness.account(name).key;
        let written = writes.iter().any(|write| write.account == key);
        assert_eq!(written, *class == Absent, "a write for {name}");
    }
}

#[test]
fn what_graph_says_of_one_photo() {
    let error = |code: &str| json!({ "error": { "code": code, "message": "told" } });
    let wrapped =
        json!({ "error": { "code": "UnknownError", "message": r#"{"errorCode":"NoPermissionsInAccessToken"}"# } });
    let rows = [
        (404, error("ImageNotFound"), Absent),
        (404, error("ErrorItemNotFound"), Absent),
        (404, error("Request_ResourceNotFound"), Unknown),
        (404, error("ResourceNotFound"), Unknown),
        (404, error("ErrorNonExistentMailbox"), Unknown),
        (400, error("ErrorNonExistentMailbox"), Unknown),
        (400, error("AuthenticationError"), Unknown),
        (404, error("MailboxNotHostedInExchangeOnline"), Unknown),
        (404, wrapped, Unknown),
        (403, error("ErrorAccessDenied"), Unknown),
        (400, error("extensionError"), Unknown),
        (404, error("SomethingNew"), Unknown),
        (404, Value::Null, Unknown),
        (404, json!("<html>Not Found</html>"), Unknown),
        (400, error("ImageNotFound"), Unknown),
        (403, error("ImageNotFound"), Unknown),
        (410, error("ImageNotFound"), Unknown),
        (401, error("ImageNotFound"), Unknown),
        (501, error("NotImplemented"), Unknown),
        (204, Value::Null, Unknown),
        (200, json!("no photo"), Unknown),
        (200, json!([]), Unknown),
    ];
    let names = names(rows.len() + 1);
    let harness = Harness::with_people(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let harness = harness.with(|pipe| _ = pipe.top("limits", WIDE));
    harness.run().expect_exit(0);
    let people = harness.sandbox.truth().people;
    for ((status, body, _), name) in rows.iter().zip(&names) {
        let person =
            people.iter().find(|person| person.user_name == address(name)).expect("a person of this population");
        harness.sandbox.fault(Fault::new(answer(*status, body.clone())).at("graph").in_parts().about(&person.id));
    }
    // The answer of one pixel is metadata and bytes, so it is the world's.
    let last = names.last().expect("there are rows");
    harness.directory(&json!({ "photo": { "person": address(last), "now": { "none": "one_pixel" } } }));
    harness.sandbox.reset_writes();
    // Most photos are lost on the way: no success.
    harness.run().expect_exit(3);
    let pixel = [(200, json!("one pixel"), Absent)];
    expect_classes(&harness, &[&rows[..], &pixel].concat(), &names);
}

#[test]
fn what_google_says_of_one_photo() {
    let error = |status: u16, reason: &str, message: &str| json!({ "error": { "code": status, "message": message, "errors": [{ "reason": reason, "message": message }] } });
    let rows = [
        (404, error(404, "notFound", "Resource Not Found: photo"), Absent),
        (404, error(404, "notFound", "Resource Not Found: userKey"), Unknown),
        (404, error(404, "notFound", "Resource Not Found: domain"), Unknown),
        (404, json!("<html>Not Found</html>"), Unknown),
        (403, error(403, "forbidden", "Not Authorized to access this resource/api"), Unknown),
        (400, error(400, "invalid", "Invalid Input: photo"), Unknown),
        (400, error(400, "badRequest", "Bad Request"), Unknown),
        (412, error(412, "conditionNotMet", "x"), Unknown),
        (410, error(410, "notFound", "Resource Not Found: photo"), Unknown),
        (200, json!({}), Unknown),
        (200, json!({ "photoData": "!!!" }), Unknown),
        (200, json!("<html>Sign in</html>"), Unknown),
    ];
    let names = names(rows.len());
    let population = Population::of(&["ada"]).with_google(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let harness = Harness::connected(population.world()).with(|pipe| _ = pipe.top("limits", WIDE));
    harness.run().expect_exit(0);
    let people = harness.sandbox.truth().people;
    for ((status, body, class), name) in rows.iter().zip(&names) {
        // A listing that names a photo contradicts the answer that there is none.
        let now = if matches!(class, Absent) { json!({ "none": {} }) } else { json!({ "file": file("spare") }) };
        let photo = json!({ "photo": { "user": bought(name), "now": now } });
        harness.sandbox.command("directory", &photo).unwrap_or_else(|fault| panic!("{fault}"));
        let person = people.iter().find(|person| person.user_name == bought(name)).expect("a user of this customer");
        let text = format!("{}/photos", person.id);
        harness.sandbox.fault(Fault::new(answer(*status, body.clone())).at("directory").in_parts().about(&text));
    }
    harness.sandbox.reset_writes();
    // Most photos are lost on the way: no success.
    harness.run().expect_exit(3);
    expect_classes(&harness, &rows, &names);
}

#[test]
fn what_fails_a_source_as_a_whole_writes_nothing() {
    let google = |status: u16, reason: &str, message: &str| {
        let body = json!({ "error": { "code": status, "message": message, "errors": [{ "reason": reason, "message": message }] } });
        answer(status, body)
    };
    let graph = |status: u16, code: &str| answer(status, json!({ "error": { "code": code, "message": "told" } }));
    let entra = |effect: Effect, method: &str, path: &str| Fault::new(effect).at("graph").on(method, path);
    let directory = |effect: Effect| Fault::new(effect).at("directory").on("GET", "*/users");
    let token = |error: &str| answer(400, json!({ "error": error, "error_description": "told", "error_codes": [1] }));
    let harness = Harness::connected(Population::of(&["ada"]).with_google(&["leslie"]).world());
    harness.run().expect_exit(0);
    harness.no_photo("ada");
    let gone = json!({ "photo": { "user": bought("leslie"), "now": { "none": {} } } });
    harness.sandbox.command("directory", &gone).unwrap_or_else(|fault| panic!("{fault}"));
    for (source, exit, fault) in [
        ("entra", 5, Fault::new(token("invalid_client")).at("login")),
        ("entra", 5, entra(graph(401, "InvalidAuthenticationToken"), "GET", "*/users")),
        ("entra", 5, entra(graph(403, "Authorization_RequestDenied"), "GET", "*/users")),
        ("entra", 6, entra(graph(400, "Request_BadRequest"), "GET", "*/users")),
        ("entra", 6, entra(graph(404, "ResourceNotFound"), "GET", "*/users")),
        ("entra", 6, entra(graph(501, "NotImplemented"), "GET", "*/users")),
        ("entra", 6, entra(Effect::LoginPage {}, "GET", "*/users")),
        ("entra", 5, entra(graph(401, "InvalidAuthenticationToken"), "POST", "*batch")),
        ("entra", 5, entra(graph(403, "accessDenied"), "POST", "*batch")),
        ("entra", 6, entra(graph(400, "BadRequest"), "POST", "*batch")),
        ("entra", 6, entra(Effect::LoginPage {}, "POST", "*batch")),
        ("google", 5, Fault::new(token("unauthorized_client")).at("token")),
        ("google", 5, Fault::new(token("invalid_grant")).at("token")),
        ("google", 5, directory(google(401, "authError", "Invalid Credentials"))),
        ("google", 5, directory(google(403, "forbidden", "Not Authorized to access this resource/api"))),
        ("google", 5, directory(google(403, "insufficientPermissions", "Insufficient Permission"))),
        ("google", 5, directory(google(403, "accessNotConfigured", "x has not been used in project 7 before"))),
        ("google", 5, directory(google(403, "domainCannotUseApis", "Domain cannot use apis."))),
        ("google", 6, directory(google(403, "dailyLimitExceeded", "Daily Limit Exceeded"))),
        ("google", 2, directory(google(404, "notFound", "Domain not found"))),
        ("google", 2, directory(google(400, "invalid", "Invalid Input"))),
        ("google", 6, directory(google(412, "conditionNotMet", "x"))),
        ("google", 6, directory(Effect::LoginPage {})),
    ] {
        println!("{source}: {fault:?}");
        harness.sandbox.fault(fault);
        harness.sandbox.reset_writes();
        // The other source is as it was, and its change is made only once everything is well.
        let ended = harness.run_with(&["--only", if source == "entra" { "ada" } else { "leslie" }]);
        ended.expect_exit(exit).expect_answer(&format!("{source} (failed)"));
        assert_eq!(harness.sandbox.truth().writes, []);
        harness.expect_shown(&[("ada", Face("ada")), ("leslie", Face("leslie"))]);
        harness.sandbox.faults().clear();
    }
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Default), ("leslie", Default)]);
}

/// A product, the request that writes a picture, and what it may answer for one person.
struct Writes {
    target: &'static str,
    path: &'static str,
    /// What names the person in that request.
    text: fn(&str) -> String,
    /// Refused, or not known whether it was done.
    answers: Vec<Effect>,
}

fn fault_of_xml_rpc(words: &str) -> Effect {
    let body = format!(
        "<?xml version=\"1.0\"?><methodResponse><fault><value><struct><member><name>faultCode</name>\
         <value><int>0</int></value></member><member><name>faultString</name><value>{words}</value></member>\
         </struct></value></fault></methodResponse>"
    );
    answer(200, json!(body))
}

fn writes() -> [Writes; 3] {
    let plain = || [400, 401, 403, 404, 413, 500, 501, 503].map(Effect::status).to_vec();
    let odd = || vec![Effect::Drop {}, Effect::LoginPage {}, answer(200, json!("odd"))];
    let faults = ["NotPermittedException: not allowed", "RemoteException: User does not exist"];
    [
        Writes {
            target: "jira",
            path: "*/avatar/temporary",
            text: |name| format!("username={name}"),
            answers: [plain(), odd()].concat(),
        },
        Writes {
            target: "confluence",
            path: "*/rpc/xmlrpc",
            text: |name| format!("<string>{name}</string>"),
            // 403 and 404 say that the remote API is off or gone: they stop the target.
            answers: [
                faults.map(fault_of_xml_rpc).to_vec(),
                [400, 413, 500, 501, 503].map(Effect::status).to_vec(),
                odd(),
                vec![answer(200, json!(""))],
            ]
            .concat(),
        },
        Writes {
            target: "bitbucket",
            path: "*/avatar.png",
            text: |name| format!("/users/{name}/"),
            answers: [plain(), odd()].concat(),
        },
    ]
}

#[test]
fn what_a_server_refuses_for_one_person_stops_nobody_else_and_leaves_nothing_behind() {
    for Writes { target, path, text, answers } in writes() {
        let names = names(answers.len() + 1);
        let population = Population::of(&names.iter().map(String::as_str).collect::<Vec<_>>()).everywhere();
        let harness = Harness::connected(population.world()).with(|pipe| {
            for other in ["jira", "confluence", "bitbucket"].iter().filter(|other| **other != target) {
                pipe.without_target(other);
            }
            pipe.target(target).set("quiet", "0s");
        });
        for (effect, name) in answers.iter().zip(&names) {
            println!("{target}, {name}: {effect:?}");
            harness.sandbox.fault(Fault::new(effect.clone()).at(target).on("POST", path).about(&text(name)));
        }
        let ended = harness.run().expect_exit(3);
        let (fine, failed) = names.split_last().expect("there are rows");
        for name in failed {
            let line = ended.line(target, name);
            ended.holds(line["error"]["message"].is_string(), &format!("what went wrong for {name}, found {line}"));
            harness.expect_shown_in(target, &[(name, Start)]);
        }
        harness.expect_shown_in(target, &[(fine, Face(fine))]);
        harness.sandbox.faults().clear();
        harness.run().expect_exit(0);
        let all: Vec<(&str, Shows<'_>)> = names.iter().map(|name| (name.as_str(), Face(name))).collect();
        harness.expect_shown_in(target, &all);
    }
}

#[test]
fn what_fails_a_target_as_a_whole_writes_nothing_there() {
    let harness = Harness::connected(Population::of(&["ada"]).everywhere().world());
    let listing = [("jira", "*/user/search"), ("confluence", "*/user/list"), ("bitbucket", "*/api/latest/users")];
    for (target, path) in listing {
        for (exit, effect) in [
            (5, Effect::status(401)),
            (5, Effect::status(403)),
            (6, Effect::status(400)),
            (6, answer(200, json!({ "odd": true }))),
            (6, Effect::LoginPage {}),
            (5, Effect::Special("login_refused".into())),
        ] {
            println!("{target}: {effect:?}");
            harness.sandbox.fault(Fault::new(effect).at(target).on("GET", path));
            harness.sandbox.reset_writes();
            harness.run_with(&["--target", target]).expect_exit(exit).expect_answer(&format!("{target} (failed)"));
            assert_eq!(harness.sandbox.truth().writes, []);
            harness.sandbox.faults().clear();
        }
    }
    harness.run().expect_exit(0);
}
