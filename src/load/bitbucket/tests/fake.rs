//! As much of a Bitbucket as the protocols need, written from docs/wire/atlassian.md §5.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};
use url::Url;

use crate::http::loopback::{Loopback, ReceivedRequest, reply, reply_json};
use crate::load::bitbucket::Bitbucket;
use crate::load::jira::tests::{Grey, Log};
use crate::load::tests::{members_of, target};
use crate::load::{Learnt, Target as _};
use crate::secret::Secret;
use crate::settings::{self, AtlassianCredential, TargetKind};

/// A user; the slug differs from the name.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub id: u64,
    pub name: &'static str,
    pub slug: &'static str,
    pub kind: &'static str,
    /// The `v` and the picture.
    pub picture: Option<(String, Bytes)>,
}

/// What goes wrong at a step, and whether its effect takes place all the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub status: u16,
    pub takes_effect: bool,
}

/// The server's memory and its switches.
#[derive(Debug)]
pub(super) struct World {
    pub users: Vec<User>,
    pub group: Vec<u64>,
    pub faults: HashMap<&'static str, Fault>,
    pub latest_there: bool,
    pub bare_listing: bool,
    pub bare_single: bool,
    pub endless: bool,
    pub display_name: &'static str,
    /// The `v` of the next upload.
    pub next: &'static str,
}

/// 2023-11-14T22:13:20Z, and the same as the server dates its answers.
pub(super) const SENT_AT: u64 = 1_700_000_000;
const DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";

impl Default for World {
    fn default() -> Self {
        let user = |id, name, slug, kind| User { id, name, slug, kind, picture: None };
        Self {
            users: vec![
                user(101, "ada+x@ex.org", "ada_x_ex.org", "NORMAL"),
                user(102, "bob", "bob", "NORMAL"),
                user(103, "build", "build", "SERVICE"),
            ],
            group: Vec::new(),
            faults: HashMap::new(),
            latest_there: true,
            bare_listing: false,
            bare_single: false,
            endless: false,
            display_name: "Bitbucket",
            next: "1700000000123",
        }
    }
}

impl World {
    /// Ada shows this picture.
    pub(super) fn shows(mut self, v: &str, picture: Bytes) -> Self {
        self.users[0].picture = Some((v.to_owned(), picture));
        self
    }

    /// Ada has another name, and Bob has hers.
    pub(super) fn renamed(mut self) -> Self {
        (self.users[0].name, self.users[0].slug) = ("countess", "countess");
        (self.users[1].name, self.users[1].slug) = ("ada+x@ex.org", "ada_x_ex.org");
        self
    }

    pub(super) fn ada(&self) -> &User {
        &self.users[0]
    }

    fn bean(&self, user: &User, query: &HashMap<String, String>) -> Value {
        let mut bean = json!({ "id": user.id, "name": user.name, "slug": user.slug, "displayName": user.name,
            "emailAddress": format!("{}@ex.org", user.slug), "active": true, "type": user.kind });
        if query.contains_key("avatarSize") && !self.bare_listing {
            bean["avatarUrl"] = match &user.picture {
                Some((v, _)) => json!(format!("/users/{}/avatar.png?s=64&v={v}", user.slug)),
                None => json!("https://secure.gravatar.com/avatar/205e460b479e2e5b48aec07710c08d50.jpg?s=64&d=mm"),
            };
        }
        bean
    }

    fn response(&mut self, asked: &ReceivedRequest) -> (String, Response) {
        let url = Url::parse(&format!("http://git{}", asked.path)).unwrap();
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let path = url.path().trim_start_matches('/').to_owned();
        let root = if self.latest_there { "rest/api/latest/" } else { "rest/api/1.0/" };
        let slug = path.rsplit('/').nth(1).unwrap_or_default().to_owned();
        let step = match (asked.method.as_str(), path.strip_prefix(root)) {
            ("GET", Some("application-properties")) => "properties",
            ("GET", Some("users")) if query.contains_key("filter") => "user",
            ("GET", Some("users")) if query["limit"] == "1" => "who",
            ("GET", Some("users")) => "list",
            ("GET", Some(path)) if path.strip_prefix("users/").is_some_and(|slug| !slug.contains('/')) => "read",
            ("POST", Some(_)) => "post",
            ("DELETE", Some(_)) => "delete",
            ("GET", None) if path == "rest/applinks/1.0/manifest" => "manifest",
            ("GET", None) if path.ends_with("/avatar.png") => "picture",
            ("GET", None) => "nothing",
            other => panic!("an unknown call: {other:?}"),
        };
        let http = format!("{} {step}", if asked.method == "GET" { "R" } else { "W" });
        if let Some(fault) = self.faults.get(step).copied() {
            if fault.takes_effect {
                let _ = self.done(step, asked, &query, &slug);
            }
            return (http, reply_json(fault.status, &json!({ "errors": [{ "message": "no" }] })));
        }
        (http, self.done(step, asked, &query, &slug))
    }

    fn done(&mut self, step: &str, asked: &ReceivedRequest, query: &HashMap<String, String>, slug: &str) -> Response {
        let next = self.next;
        match step {
            "properties" => {
                let body = json!({ "version": "8.19.1", "displayName": self.display_name }).to_string();
                reply(200, &[("content-type", "application/json"), ("x-ausername", "svc")], body)
            }
            "manifest" => reply(200, &[], "<manifest><id>b17</id><typeId>stash</typeId></manifest>"),
            "list" | "user" | "who" => {
                let from: usize = query["start"].parse().unwrap();
                let grouped = |user: &&User| !query.contains_key("group") || self.group.contains(&user.id);
                let fits = |user: &&User| query.get("filter").is_none_or(|text| user.name.contains(text.as_str()));
                let all: Vec<&User> = self.users.iter().filter(grouped).filter(fits).collect();
                let values: Vec<Value> = all.iter().skip(from).take(2).map(|user| self.bean(user, query)).collect();
                let last = from + 2 >= all.len() && !self.endless;
                // What we may not see is counted too.
                let next = if last || self.endless { Value::Null } else { json!(from + 2) };
                let body = json!({ "values": values, "isLastPage": last, "nextPageStart": next, "start": from });
                reply(200, &[("x-ausername", "svc")], body.to_string())
            }
            "read" => {
                let slug = slug_of(asked);
                match self.users.iter().find(|user| user.slug == slug) {
                    Some(user) => {
                        let mut bean = self.bean(user, query);
                        if self.bare_single {
                            bean.as_object_mut().unwrap().remove("avatarUrl");
                        }
                        reply(200, &[("x-ausername", "svc")], bean.to_string())
                    }
                    None => reply_json(404, &json!({ "errors": [{ "message": "no such user" }] })),
                }
            }
            "picture" => match self.users.iter().find(|user| user.slug == slug).and_then(|user| user.picture.clone()) {
                Some((_, picture)) => reply(200, &[("content-type", "image/png")], picture),
                None => reply(404, &[], ""),
            },
            "post" | "delete" => {
                assert_eq!(asked.header("x-atlassian-token"), "no-check");
                let Some(user) = self.users.iter_mut().find(|user| user.slug == slug) else {
                    return reply_json(404, &json!({ "errors": [{ "message": "no such user" }] }));
                };
                if step == "delete" {
                    user.picture = None;
                    return reply_json(200, &json!({ "href": "x" }));
                }
                let body = asked.body.clone();
                let start = body.windows(5).position(|at| at == b"grey ").unwrap();
                let end = body[start..].iter().position(|byte| *byte == b'\r').unwrap();
                assert!(body.windows(13).any(|at| at == b"name=\"avatar\""));
                user.picture = Some((next.to_owned(), body.slice(start..start + end)));
                reply(201, &[("date", DATE), ("location", "x")], "")
            }
            _ => reply_json(404, &json!({})),
        }
    }
}

/// The last segment of the path.
fn slug_of(asked: &ReceivedRequest) -> String {
    let path = asked.path.split('?').next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The fake with a target before it.
pub(super) struct Stage {
    pub git: Bitbucket,
    pub log: Log,
    pub server: Loopback,
    world: Arc<Mutex<World>>,
}

impl Stage {
    pub(super) async fn new(world: World, groups: &[&str]) -> Self {
        let credential = AtlassianCredential::Password { username: "svc".into(), password: Secret::new("pw") };
        Self::signed_in(world, groups, credential).await
    }

    pub(super) async fn signed_in(world: World, groups: &[&str], credential: AtlassianCredential) -> Self {
        let (world, log) = (Arc::new(Mutex::new(world)), Log::default());
        let (there, written) = (Arc::clone(&world), Arc::clone(&log));
        let server = Loopback::start(move |_, asked| {
            let (http, http_response) = there.lock().unwrap().response(asked);
            written.lock().unwrap().push(http);
            http_response
        })
        .await;
        let client = server.client().0;
        let bitbucket = settings::Bitbucket { base_url: client.base().clone(), credential };
        let target = target("git", TargetKind::Bitbucket(bitbucket.clone()));
        let target = settings::Target { accounts: members_of(groups), ..target };
        let git = Bitbucket::new(&target, &bitbucket, client, Arc::new(Grey)).unwrap();
        Self { git, log, server, world }
    }

    /// Identified and surveyed, and the log empty again.
    pub(super) async fn ready(world: World) -> Self {
        let stage = Self::new(world, &[]).await;
        let mut learnt = Learnt::new();
        stage.git.identify().await.unwrap();
        stage.git.survey(&mut learnt, &mut |_| {}).await.unwrap();
        stage.take_log();
        stage
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub(super) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}
