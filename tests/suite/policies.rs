//! The policies of the guide at a store that keeps to them: with each of them all goes, and without any line of it something
//! does not.
//!
//! Owns: what a policy lets through, and which action a request is. Leaves to others: the store itself, which is asked.
//! A newcomer gets wrong: whoever may not list is not told that an object is missing, but that it is forbidden
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>, "Permissions").

use std::sync::Arc;

use avatarpipe_sandbox::s3::{BUCKET, ObjectStore, Then};
use serde_json::Value;

use super::harness::Harness;
use super::stores::{s3, store};

/// The JSON blocks of a page.
fn blocks(page: &str) -> Vec<Value> {
    let path = format!("{}/{page}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let blocks = text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    blocks.map(|block| serde_json::from_str(block).unwrap_or_else(|error| panic!("{page}: {error}\n{block}"))).collect()
}

/// What a policy lets through: an action, of what, and which prefix a listing names.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    action: String,
    resource: String,
    prefix: Option<String>,
}

#[derive(Clone, Debug)]
struct Policy(Vec<Line>);

impl Policy {
    /// The one of a page that lets somebody do something to objects.
    fn of(page: &str) -> Self {
        let is_one = |block: &Value| block["Statement"][0]["Resource"].is_string();
        let policies: Vec<_> = blocks(page).into_iter().filter(is_one).collect();
        assert_eq!(policies.len(), 1, "{page}");
        assert_eq!(policies[0]["Version"], "2012-10-17");
        let statements = policies[0]["Statement"].as_array().expect("a list").clone();
        Self(statements.iter().flat_map(lines).collect())
    }

    fn allows(&self, action: &str, name: &str) -> bool {
        let object = format!("arn:aws:s3:::{BUCKET}/{name}");
        self.0.iter().filter(|line| line.action == action).any(|line| match &line.prefix {
            Some(prefix) => line.resource == format!("arn:aws:s3:::{BUCKET}") && fits(prefix, name),
            None => fits(&line.resource, &object),
        })
    }

    /// The store keeps to it.
    fn rule(self, store: &Arc<ObjectStore>) {
        let there = Arc::downgrade(store);
        store.judge(move |asked| {
            let (verb, name) = asked.split_once(' ').expect("a request");
            let action = match verb {
                "GET" | "HEAD" => "s3:GetObject",
                "PUT" | "POST" => "s3:PutObject",
                "DELETE" => "s3:DeleteObject",
                "LIST" => "s3:ListBucket",
                other => panic!("which action is {other}?"),
            };
            let is_missing = || !there.upgrade().expect("the store").objects().contains_key(name);
            let tells = action != "s3:GetObject" || self.allows("s3:ListBucket", name) || !is_missing();
            if self.allows(action, name) && tells { Then::Answer } else { Then::Refuse(403) }
        });
    }

    fn without(&self, line: &Line) -> Self {
        Self(self.0.iter().filter(|kept| *kept != line).cloned().collect())
    }

    fn reading(&self) -> Self {
        let writes = ["s3:PutObject", "s3:DeleteObject"];
        Self(self.0.iter().filter(|line| !writes.contains(&line.action.as_str())).cloned().collect())
    }
}

fn lines(statement: &Value) -> Vec<Line> {
    assert_eq!(statement["Effect"], "Allow");
    let actions = match &statement["Action"] {
        Value::Array(actions) => actions.clone(),
        one => vec![one.clone()],
    };
    let resource = statement["Resource"].as_str().expect("a resource").to_owned();
    let condition = statement.get("Condition");
    let prefix = condition.map(|condition| condition["StringLike"]["s3:prefix"].as_str().expect("a prefix").to_owned());
    let action = |action: Value| action.as_str().expect("an action").to_owned();
    actions
        .into_iter()
        .map(|of| Line { action: action(of), resource: resource.clone(), prefix: prefix.clone() })
        .collect()
}

/// `corporate/*`.
fn fits(pattern: &str, text: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == text, |head| text.starts_with(head))
}

/// What jobs do with a state; whether all of it went.
fn a_state_is_kept(policy: Policy) -> bool {
    let store = Arc::new(store());
    policy.rule(&store);
    let mut harness = Harness::with_people(&["ada"]).with(|pipe| _ = pipe.jira("quiet", "0s"));
    s3(store.url(), "corporate").for_state(&mut harness, "");
    let mut all = harness.run().succeeded();
    for face in ["spare", "ada"] {
        harness.new_photo("ada", face);
        harness.move_with_the_state_alone();
        all &= harness.run().succeeded();
    }
    harness.finish(&["state", "pipeline.yaml", "forget", "ada"]).succeeded() && all
}

/// The same with a folder of pictures.
fn pictures_are_kept(policy: Policy) -> bool {
    let store = Arc::new(store());
    policy.rule(&store);
    let mut harness = Harness::with_people(&["ada", "grace"]);
    s3(store.url(), "public").for_pictures(&mut harness);
    let mut all = harness.run().succeeded();
    harness.new_photo("ada", "spare");
    harness.edit(|pipe| _ = pipe.source("entra").set("users", "{ opted_out: ['grace@*'] }"));
    all &= harness.run().succeeded();
    all
}

#[test]
fn the_policies_of_the_guide_are_enough_and_no_line_is_too_much() {
    for (page, is_done) in [
        ("docs/guide/bucket.md", a_state_is_kept as fn(Policy) -> bool),
        ("docs/guide/avatar-server.md", pictures_are_kept),
    ] {
        let policy = Policy::of(page);
        assert!(is_done(policy.clone()), "{page}: it is not enough");
        for line in &policy.0 {
            assert!(!is_done(policy.without(line)), "{page}: {line:?} is not needed");
        }
    }
}

#[test]
fn a_job_that_only_plans_needs_no_right_to_write() {
    for (page, prefix) in [("docs/guide/bucket.md", "corporate"), ("docs/guide/avatar-server.md", "public")] {
        let store = Arc::new(store());
        let mut harness = Harness::with_people(&["ada"]);
        match prefix {
            "public" => s3(store.url(), prefix).for_pictures(&mut harness),
            _ => s3(store.url(), prefix).for_state(&mut harness, ""),
        }
        for first in [true, false] {
            Policy::of(page).reading().rule(&store);
            harness.plan_with(&[]).expect_exit(0);
            if first {
                Policy::of(page).rule(&store);
                harness.run().expect_exit(0);
            }
        }
    }
}

#[test]
fn reports_need_the_right_to_put_alone() {
    let store = Arc::new(store());
    let put =
        Line { action: "s3:PutObject".to_owned(), resource: format!("arn:aws:s3:::{BUCKET}/reports/*"), prefix: None };
    Policy(vec![put]).rule(&store);
    let mut harness = Harness::with_people(&["ada"]);
    s3(store.url(), "reports").for_reports(&mut harness, "");
    harness.run().expect_exit(0);
    assert!(store.objects().contains_key("reports/stage/index.html"), "{:?}", store.objects().keys());
}

/// `.ci/run stores` starts one that judges who asks, with a user who has the policy of the guide.
#[test]
fn a_store_of_another_maker_judges_by_the_policy() {
    let asked = ["S3_JUDGE", "S3_JUDGE_KEY_ID", "S3_JUDGE_KEY"].map(std::env::var);
    let [Ok(endpoint), Ok(id), Ok(key)] = asked else { return };
    for (prefix, code) in [("corporate", 0), ("other", 5)] {
        let mut harness = Harness::with_people(&["ada"]).with(|pipe| _ = pipe.jira("quiet", "0s"));
        s3(&endpoint, prefix).by_key(&id, key.clone()).for_state(&mut harness, "");
        harness.run().expect_exit(code);
        harness.move_with_the_state_alone();
        harness.run().expect_exit(code);
    }
}

/// What GitHub's token says of itself, and what is asked with it.
#[test]
fn a_role_trusts_the_token_that_is_asked_for() {
    let policies = blocks("docs/guide/bucket.md");
    let trust = policies.iter().find(|block| block["Statement"][0]["Principal"].is_object()).expect("a trust policy");
    let statement = &trust["Statement"][0];
    assert_eq!((&trust["Version"], &statement["Effect"]), (&Value::from("2012-10-17"), &Value::from("Allow")));
    assert_eq!(statement["Action"], "sts:AssumeRoleWithWebIdentity");
    let issuer = "token.actions.githubusercontent.com";
    let provider = statement["Principal"]["Federated"].as_str().expect("a provider");
    assert!(provider.ends_with(&format!(":oidc-provider/{issuer}")), "{provider}");
    let told = statement["Condition"]["StringEquals"].as_object().expect("claims");
    assert_eq!(told.keys().collect::<Vec<_>>(), [&format!("{issuer}:aud"), &format!("{issuer}:sub")]);
    assert_eq!(told[&format!("{issuer}:aud")], "sts.amazonaws.com");
}

/// By the names of <https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html>.
#[test]
fn rules_of_the_bucket_end_what_nobody_needs_and_nothing_else() {
    let rules = blocks("docs/guide/bucket.md").into_iter().find(|block| block["Rules"].is_array()).expect("rules");
    for rule in rules["Rules"].as_array().expect("a list") {
        assert_eq!((&rule["Status"], &rule["Filter"]["Prefix"]), (&"Enabled".into(), &"corporate/".into()));
        let ends = ["AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration"];
        assert_eq!(ends.iter().filter(|end| rule[**end].is_object()).count(), 1, "{rule}");
        assert!(["Expiration", "Transitions"].iter().all(|never| rule[*never].is_null()), "{rule}");
    }
}
