//! What comes from outside when the pipeline runs: variables, files, tokens of the platform.
//!
//! A newcomer gets wrong: what is switched off needs none of them.

use super::super::*;
use super::{Fixed, files, provider, resolved, small};
use crate::model::{AccountKey, PersonKey};
use crate::settings::*;

#[test]
fn values_come_from_outside_only_when_it_runs() {
    let jira = "  - jira:\n      base_url: ${URL}\n      credential: { token: \"${file:token.txt}\" }\n      match: [username]\n      \
                dry_run: ${DRY:-true}\n      accounts: { rollout: \"${SHARE}\" }\n";
    let document = parse(&small(jira), "p.yaml").unwrap();
    let environment = Fixed {
        vars: [("URL", "https://jira.example.com/jira"), ("SHARE", "12.5%")].into(),
        files: [("token.txt", "hunter2\n")].into(),
    };
    let pipeline = document.resolve(&environment, &Overlay::default()).unwrap();
    let target = &pipeline.targets[0];
    assert!(target.dry_run.value);
    assert_eq!(target.accounts.rollout.value.hundredths(), 1250);
    let TargetKind::Jira(jira) = &target.kind else { panic!("a Jira was written") };
    assert_eq!(jira.base_url.as_str(), "https://jira.example.com/jira");
    let AtlassianCredential::Token(token) = &jira.credential else { panic!("a token was written") };
    assert_eq!(token.expose(), "hunter2");
    assert!(!format!("{pipeline:?}{document:?}").contains("hunter2"));
}

#[test]
fn everything_missing_is_reported_at_once() {
    let corporate = &files("pipelines")["corporate.yaml"];
    let document = parse(corporate, "pipelines/corporate.yaml").unwrap();
    let faults = document.resolve(&Fixed::default(), &Overlay::default()).unwrap_err();
    insta::assert_snapshot!(faults.render(Colour::Plain));
}

#[test]
fn values_from_outside_are_judged_and_never_shown() {
    let jira = "  - jira:\n      base_url: ${URL}\n      credential: { token: \"${TOKEN}\" }\n      match: { map: \"${MAP}\" }\n      \
                quiet: ${QUIET}\n";
    let document = parse(&small(jira), "p.yaml").unwrap();
    let environment = Fixed {
        vars: [("URL", "http://hunter2.example.com"), ("TOKEN", ""), ("MAP", "who.csv"), ("QUIET", "hunter2")].into(),
        files: [("who.csv", "person,account\na,b\na,c\n")].into(),
    };
    let faults = document.resolve(&environment, &Overlay::default()).unwrap_err();
    let shown = faults.render(Colour::Plain);
    assert!(!shown.contains("hunter2"), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn a_secret_that_no_header_takes_is_refused_before_anything_is_sent() {
    let jira = "  - jira: { base_url: 'https://j', credential: { token: '${TOKEN}' }, match: [email] }\n";
    let environment = Fixed { vars: [("TOKEN", "hunter2\n")].into(), ..Fixed::default() };
    let faults = parse(&small(jira), "p.yaml").unwrap().resolve(&environment, &Overlay::default()).unwrap_err();
    let shown = faults.to_string();
    assert!(shown.contains("the value of `${TOKEN}` has a line break") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn the_forms_of_match() {
    let pair = |person, account| (person, account);
    for (written, expected) in [
        ("[email]", vec![pair(PersonKey::Email, AccountKey::Email)]),
        ("[username]", vec![pair(PersonKey::UpnLocal, AccountKey::Username)]),
        (
            "[{ person: sam, account: username }, email]",
            vec![pair(PersonKey::Sam, AccountKey::Username), pair(PersonKey::Email, AccountKey::Email)],
        ),
    ] {
        let pipeline = resolved(&small(&format!("  - folder: {{ path: out, match: {written} }}\n")), &Fixed::default());
        let Matching::Pairs(pairs) = &pipeline.targets[0].matching else { panic!("{written}") };
        assert_eq!(pairs.iter().map(|pair| (pair.person, pair.account)).collect::<Vec<_>>(), expected, "{written}");
    }
    let environment = Fixed { files: [("users.csv", "person,account\nE1,ada\n")].into(), ..Fixed::default() };
    let load = small("  - folder: { path: out, match: { map: users.csv, person: employee_id } }\n");
    let Matching::Map(map) = &resolved(&load, &environment).targets[0].matching else { panic!("a map was written") };
    assert_eq!((map.person, map.account, map.people.len()), (PersonKey::EmployeeId, AccountKey::Username, 1));
}

#[test]
fn merge_keys_and_aliases_are_as_if_written_out() {
    let text = small(
        "  - folder: &first { path: out, dry_run: true, accounts: &few { rollout: 5% } }\n  \
         - folder: { <<: *first, id: second, path: a, dry_run: false }\n  - folder: { id: third, path: b, accounts: *few }\n",
    );
    let pipeline = resolved(&text, &Fixed::default());
    let seen: Vec<_> = pipeline
        .targets
        .iter()
        .map(|target| (target.dry_run.value, target.accounts.rollout.value.hundredths()))
        .collect();
    assert_eq!(seen, [(true, 500), (false, 500), (false, 500)]);
}

#[test]
fn what_is_switched_off_needs_no_variable() {
    let source = |enabled: &str| {
        format!(
            "version: 1\npipeline: x\nextract:\n  - entra:\n      enabled: {enabled}\n      tenant: ${{TENANT}}\n      \
             client_id: ${{CLIENT}}\n      credential: {{ federated: {{ from: github }} }}\n      \
             users: {{ groups: [\"${{GROUP}}\"] }}\nload:\n  - folder: {{ path: out }}\n"
        )
    };
    let resolve =
        |text: &str, environment: &Fixed| parse(text, "p.yaml").unwrap().resolve(environment, &Overlay::default());
    let off = Fixed { vars: [("ON", "false")].into(), ..Fixed::default() };
    for (enabled, environment) in [("false", &Fixed::default()), ("${ON}", &off), ("${ON:-false}", &Fixed::default())] {
        let pipeline = resolve(&source(enabled), environment).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!((pipeline.sources[0].id.as_str(), pipeline.sources[0].place.line), ("entra", 4), "{enabled}");
        assert!(pipeline.sources[0].provider.is_none(), "{enabled}");
    }
    let on = Fixed { vars: [("ON", "true")].into(), ..Fixed::default() };
    for (enabled, environment, missing) in [("true", &on, 4), ("${ON}", &on, 4), ("${ON}", &Fixed::default(), 5)] {
        let faults = resolve(&source(enabled), environment).unwrap_err();
        assert_eq!(faults.count(), missing, "{enabled}: {faults}");
    }
    // What can be known without a variable is judged all the same.
    let text = source("false").replace("from: github", "from: gitlab");
    assert_eq!(parse(&text, "p.yaml").unwrap_err().count(), 1);
}

#[test]
fn what_is_switched_off_keeps_nothing_from_what_it_shares() {
    let text = "version: 1\npipeline: x\nextract:\n  - folder: { id: a, enabled: false, path: in, users: &u { exclude: [\"${G}\"] } }\n  \
                - folder: { id: b, path: in, users: *u }\nload:\n  - folder: { path: out }\n";
    let environment = Fixed { vars: [("G", "staff")].into(), ..Fixed::default() };
    let pipeline = resolved(text, &environment);
    assert!(pipeline.sources[0].provider.is_none());
    let exclude = &pipeline.sources[1].provider.as_ref().unwrap().users.exclude.value;
    assert_eq!(["staff", "STAFFER"].map(|name| exclude.patterns.matches(&[name])), [true, false]);
}

#[test]
fn tokens_of_the_platform_are_looked_up_when_it_runs() {
    const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
    const TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
    let from = |keys: &str, vars: &[(&'static str, &'static str)]| {
        let text = format!(
            "version: 1\npipeline: x\nextract:\n  - entra: {{ tenant: t, client_id: c, credential: {{ federated: {{ {keys} }} }} }}\n\
             load:\n  - folder: {{ path: out }}\n"
        );
        let environment = Fixed { vars: vars.iter().copied().collect(), ..Fixed::default() };
        parse(&text, "p.yaml").unwrap().resolve(&environment, &Overlay::default())
    };
    let token = |pipeline: &Pipeline| {
        let SourceKind::Entra(entra) = &provider(pipeline).kind else { panic!("an Entra was written") };
        match &entra.credential {
            EntraCredential::App { proof: AppProof::Federated(from), .. } => from.clone(),
            other => panic!("{other:?}"),
        }
    };
    let github = from("from: github", &[(URL, "https://ci.example.com/token?v=1"), (TOKEN, "hunter2")]).unwrap();
    assert!(!format!("{github:?}").contains("hunter2"));
    let TokenFrom::Github { url, token: request } = token(&github) else { panic!("GitHub was written") };
    assert_eq!((url.query(), request.expose()), (Some("v=1"), "hunter2"));
    let gitlab = from("from: env, name: JWT", &[("JWT", "hunter2\n")]).unwrap();
    assert!(matches!(token(&gitlab), TokenFrom::Env { name, token } if name == "JWT" && token.expose() == "hunter2"));
    let job =
        [("SYSTEM_OIDCREQUESTURI", "https://dev.example.com/o/_apis/oidctoken"), ("SYSTEM_ACCESSTOKEN", "hunter2")];
    let told = ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "told");
    for (keys, vars, connection) in [
        ("from: azure_devops", vec![job[0], job[1], told], "told"),
        ("from: azure_devops, service_connection: written", vec![job[0], job[1], told], "written"),
    ] {
        let azure = from(keys, &vars).unwrap();
        let TokenFrom::AzureDevops { url, .. } = token(&azure) else { panic!("{keys}") };
        assert_eq!(url.query(), Some(format!("api-version=7.1&serviceConnectionId={connection}").as_str()));
    }
    for (keys, vars, words) in [
        ("from: azure_devops", vec![job[1], told], "`SYSTEM_OIDCREQUESTURI` is not set"),
        ("from: azure_devops", vec![job[0], told], "`SYSTEM_ACCESSTOKEN` is not set"),
        ("from: azure_devops", job.to_vec(), "service_connection: …"),
        ("from: azure_devops", vec![("SYSTEM_OIDCREQUESTURI", "http://x.example/"), job[1], told], "in clear"),
        ("from: github", vec![], "GitHub hands out no token"),
        ("from: github", vec![(URL, "https://ci.example.com/"), (TOKEN, "")], "GitHub hands out no token"),
        ("from: github", vec![(URL, "hunter2"), (TOKEN, "hunter2")], "is not a URL"),
        ("from: github", vec![(URL, "http://ci.example.com/"), (TOKEN, "hunter2")], "in clear"),
        ("from: env, name: JWT", vec![("JWT", " ")], "`JWT` is not set"),
    ] {
        let faults = from(keys, &vars).unwrap_err();
        let shown = faults.to_string();
        assert!(faults.count() == 1 && shown.contains(words) && !shown.contains("hunter2"), "{keys}: {shown}");
    }
}

#[test]
fn a_key_file_that_came_as_its_text_is_not_shown() {
    let text = "version: 1\npipeline: x\nextract:\n  - google: { customer: C01, credential: { service_account_file: \"${KEY}\" } }\n\
                load:\n  - folder: { path: out }\n";
    let environment = Fixed { vars: [("KEY", "{ \"private_key\": \"hunter2\" }")].into(), ..Fixed::default() };
    let shown = parse(text, "p.yaml").unwrap().resolve(&environment, &Overlay::default()).unwrap_err().to_string();
    assert!(shown.contains("the text of a key") && !shown.contains("hunter2"), "{shown}");
}
