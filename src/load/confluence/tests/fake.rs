//! As much of a Confluence as the protocols need, written from docs/wire/atlassian.md §4 and the shipped endpoint.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use url::Url;

use crate::http::loopback::{Loopback, ReceivedRequest, reply, reply_json};
use crate::load::confluence::Confluence;
use crate::load::jira::tests::{Grey, Log, grey};
use crate::load::tests::{members_of, pair, target};
use crate::load::{Learnt, Target as _};
use crate::model::{AccountKey, PersonKey};
use crate::secret::Secret;
use crate::settings::{self, AtlassianCredential, ConfluenceUpload, Matching, TargetKind};

pub(super) const ADA: &str = "ada+x@ex.org";
const STOCK: &str = "/images/icons/profilepics/";

/// A user; the files lie under content id 77 (ada) or 78.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub key: &'static str,
    pub content: &'static str,
    /// A file, or a path below the stock pictures.
    pub shown: String,
    pub files: BTreeMap<String, Bytes>,
    pub email: Option<&'static str>,
}

/// What goes wrong at a step, and whether its effect takes place all the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub status: u16,
    pub body: &'static str,
    pub takes_effect: bool,
}

/// The server's memory and its switches.
#[derive(Debug)]
pub(super) struct World {
    pub users: BTreeMap<&'static str, User>,
    pub groups: HashMap<&'static str, Vec<&'static str>>,
    pub faults: HashMap<&'static str, Fault>,
    pub server_information: bool,
    pub list_there: bool,
    pub bare_listing: bool,
    pub endless: bool,
    /// Every page is the first one, whatever was asked for.
    pub stuck: bool,
    /// Newer: `admin/users/list/active`, and any group's name as a parameter.
    pub newer: bool,
    /// The remote API takes the login of the request.
    pub knows_requests: bool,
    /// Who signs in is a Confluence administrator.
    pub admin: bool,
    pub endpoint: bool,
}

impl Default for World {
    fn default() -> Self {
        let user = |key, content| User {
            key,
            content,
            shown: format!("{STOCK}default.svg"),
            files: BTreeMap::new(),
            email: None,
        };
        Self {
            users: BTreeMap::from([(ADA, user("K", "77")), ("bob", user("L", "78")), ("svc", user("S", "79"))]),
            groups: HashMap::new(),
            faults: HashMap::new(),
            server_information: true,
            list_there: true,
            bare_listing: false,
            endless: false,
            stuck: false,
            newer: false,
            knows_requests: true,
            admin: true,
            endpoint: false,
        }
    }
}

impl World {
    /// Ada shows this file of hers.
    pub(super) fn shows(mut self, file: &str) -> Self {
        let ada = self.users.get_mut(ADA).unwrap();
        ada.files.insert(file.to_owned(), grey(100));
        ada.shown = file.to_owned();
        self
    }

    pub(super) fn ada(&self) -> &User {
        &self.users[ADA]
    }

    fn person(&self, name: &str, bare: bool) -> Value {
        let user = &self.users[name];
        let default = user.shown.starts_with(&format!("{STOCK}default"));
        let path = if user.shown.starts_with(STOCK) {
            user.shown.clone()
        } else {
            format!("/download/attachments/{}/{}", user.content, user.shown)
        };
        let mut person = json!({ "type": "known", "username": name, "userKey": user.key, "displayName": name });
        if self.newer {
            person["email"] = json!(user.email);
        }
        if !bare {
            person["profilePicture"] = json!({ "path": path, "width": 48, "height": 48, "isDefault": default });
        }
        person
    }

    fn page(&self, names: &[&str], query: &HashMap<String, String>, path: &str) -> Response {
        let from: usize = query["start"].parse().unwrap();
        let size = 2;
        let results: Vec<Value> = names
            .iter()
            .skip(if self.stuck { 0 } else { from })
            .take(size)
            .map(|name| self.person(name, self.bare_listing))
            .collect();
        let mut links = json!({ "self": "x" });
        if self.stuck || from + size < names.len() || (self.endless && from < names.len()) {
            links["next"] = json!(format!("/{path}?limit={size}&start={}", from + size));
        }
        reply_json(200, &json!({ "results": results, "start": from, "limit": size, "_links": links }))
    }

    fn response(&mut self, asked: &ReceivedRequest) -> (String, Response) {
        let url = Url::parse(&format!("http://wiki{}", asked.path)).unwrap();
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let path = url.path().trim_start_matches('/').to_owned();
        if asked.method == "POST" && path == "rpc/xmlrpc" {
            return self.remote(asked, &query);
        }
        if path.starts_with("rest/scriptrunner/") {
            return self.scripted(asked, &query);
        }
        assert_eq!(asked.method, "GET", "{path}");
        let step = match path.as_str() {
            "rest/api/user/list" => "list",
            "rest/api/user/current" => "current",
            "rest/api/user" if query.contains_key("username") => "named",
            "rest/api/user" => "user",
            "rest/api/admin/users/list/active" => "active",
            "rest/api/group/member" => "group",
            "rest/api/server-information" => "information",
            "rest/applinks/1.0/manifest" => "manifest",
            path if path.starts_with("rest/api/group/") => "member",
            path if path.starts_with("download/attachments/") => "file",
            other => panic!("an unknown call: {other}"),
        };
        if let Some(fault) = self.faults.get(step) {
            return (format!("R {step}"), reply(fault.status, &[], fault.body));
        }
        let http_response = match step {
            "information" if self.server_information => reply_json(200, &json!({ "version": "9.2.0" })),
            "manifest" => reply_json(200, &json!({ "id": "c0ff", "typeId": "confluence" })),
            "current" => reply_json(200, &self.person("svc", false)),
            "list" if self.list_there => {
                let names: Vec<&str> = self.users.keys().copied().collect();
                self.page(&names, &query, &path)
            }
            "member" => match self.groups.get(path.split('/').nth(3).unwrap()) {
                Some(names) => self.page(names, &query, &path),
                None => reply_json(404, &json!({ "message": "no such group" })),
            },
            "named" => match self.users.keys().find(|name| **name == query["username"]) {
                Some(name) => reply_json(200, &self.person(name, false)),
                None => reply_json(404, &json!({ "message": "no such user" })),
            },
            "active" if self.newer => {
                let names: Vec<&str> = self.users.keys().copied().collect();
                self.page(&names, &query, &path)
            }
            "group" if self.newer => match self.groups.get(query["groupName"].as_str()) {
                Some(names) => self.page(names, &query, &path),
                None => reply_json(404, &json!({ "message": "no such group" })),
            },
            "user" => match self.users.iter().find(|(_, user)| user.key == query["key"]) {
                Some((name, _)) => reply_json(200, &self.person(name, false)),
                None => reply_json(404, &json!({ "message": "no such user" })),
            },
            "file" => {
                let (content, file) = path.trim_start_matches("download/attachments/").split_once('/').unwrap();
                let owner = self.users.values().find(|user| user.content == content);
                match owner.and_then(|user| user.files.get(file)) {
                    Some(bytes) => reply(200, &[("content-type", "image/png")], bytes.clone()),
                    None => reply(404, &[], ""),
                }
            }
            _ => reply_json(404, &json!({ "message": "null for uri" })),
        };
        (format!("R {step}"), http_response)
    }

    fn remote(&mut self, asked: &ReceivedRequest, query: &HashMap<String, String>) -> (String, Response) {
        assert_eq!(query["os_authType"], "basic");
        assert_eq!(asked.header("content-type"), "text/xml");
        let body = std::str::from_utf8(&asked.body).unwrap();
        let method = between(body, "<methodName>confluence2.", "</methodName>")[0].to_owned();
        let texts: Vec<String> = between(body, "<string>", "</string>").into_iter().map(str::to_owned).collect();
        let step = [
            "getServerInfo",
            "login",
            "getActiveUsers",
            "addProfilePicture",
            "setUserPreferenceString",
            "removeAttachment",
        ];
        let step = step.into_iter().find(|step| *step == method);
        let step = step.unwrap_or_else(|| panic!("an unknown method: {method}"));
        let sent = between(body, "<base64>", "</base64>").first().map(|text| STANDARD.decode(text).unwrap());
        let http = match step {
            "getServerInfo" | "login" | "getActiveUsers" => format!("R {step}"),
            "setUserPreferenceString" => format!("W set {}", texts[3]),
            "removeAttachment" => format!("W remove {} {}", texts[1], texts[2]),
            _ => format!("W add {}", texts[2]),
        };
        if let Some(fault) = self.faults.get(step).copied() {
            if fault.takes_effect {
                let _ = self.run(step, &texts, sent.unwrap_or_default());
            }
            return (http, reply(fault.status, &[], fault.body));
        }
        let inside = match self.run(step, &texts, sent.unwrap_or_default()) {
            Ok(value) => format!("<params><param><value>{value}</value></param></params>"),
            Err(words) => format!(
                "<fault><value><struct><member><name>faultCode</name><value><int>0</int></value></member><member>\
                 <name>faultString</name><value>java.lang.Exception: {words}</value></member></struct></value></fault>"
            ),
        };
        (http, reply(200, &[], format!("<?xml version=\"1.0\"?><methodResponse>{inside}</methodResponse>")))
    }

    fn run(&mut self, step: &str, texts: &[String], sent: Vec<u8>) -> Result<String, &'static str> {
        let yes = || Ok("<boolean>1</boolean>".to_owned());
        if step == "login" {
            return if texts[1] == "pass-word" {
                Ok("<string>t0k</string>".into())
            } else {
                Err("AuthenticationFailed")
            };
        }
        let known = if texts[0].is_empty() { self.knows_requests } else { texts[0] == "t0k" };
        if !known {
            return Err("com.atlassian.confluence.rpc.InvalidSessionException: not logged in");
        }
        match step {
            "getServerInfo" => Ok("<struct><member><name>majorVersion</name><value>8</value></member><member>\
                <name>minorVersion</name><value><i4>5</i4></value></member></struct>"
                .into()),
            "getActiveUsers" if !self.admin => Err("com.atlassian.confluence.rpc.NotPermittedException: no"),
            "getActiveUsers" => Ok("<array><data><value>ada</value></data></array>".into()),
            "removeAttachment" => {
                let user = self.users.values_mut().find(|user| user.content == texts[1]).ok_or("no content")?;
                if user.files.remove(&texts[2]).is_some() { yes() } else { Err("The attachment does not exist") }
            }
            _ => {
                let user = self.users.get_mut(texts[1].as_str()).ok_or("User does not exist")?;
                if step == "addProfilePicture" {
                    user.files.insert(texts[2].clone(), sent.into());
                    user.shown = texts[2].clone();
                } else {
                    user.shown = texts[3].clone();
                }
                yes()
            }
        }
    }

    fn scripted(&mut self, asked: &ReceivedRequest, query: &HashMap<String, String>) -> (String, Response) {
        let (method, name) = (asked.method.as_str(), query.get("name").cloned().unwrap_or_default());
        let http = match method {
            "GET" => "R endpoint".to_owned(),
            "POST" if query.contains_key("action") => format!("W set {}", query["path"]),
            "POST" => format!("W add {name}"),
            _ => format!("W remove {name}"),
        };
        if !self.endpoint {
            return (http, reply_json(404, &json!({ "message": "null for uri", "status-code": 404 })));
        }
        if method == "GET" {
            return (http, reply_json(200, &json!({ "endpoint": "avatarpipe", "version": 1, "admin": true })));
        }
        assert_eq!(asked.header("x-atlassian-token"), "no-check");
        let path = |user: &User| match user.shown.starts_with(STOCK) {
            true => user.shown.clone(),
            false => format!("/download/attachments/{}/{}", user.content, user.shown),
        };
        let user = self.users.get_mut(query["user"].as_str()).unwrap();
        if query["key"] != user.key {
            return (http, reply_json(409, &json!({ "error": "changed", "message": "another account's" })));
        }
        if query.get("seen").is_some_and(|seen| *seen != path(user)) {
            return (http, reply_json(409, &json!({ "error": "changed", "message": "another", "path": path(user) })));
        }
        let response = match method {
            "DELETE" => json!({ "file": name, "removed": user.files.remove(&name).is_some() }),
            _ if query.contains_key("action") => {
                user.shown = query["path"].clone();
                json!({ "key": user.key, "file": null, "path": user.shown, "default": true })
            }
            _ => {
                assert_eq!(asked.json()["type"], "image/png");
                let sent = STANDARD.decode(asked.json()["picture"].as_str().unwrap()).unwrap();
                user.files.insert(name.clone(), sent.into());
                user.shown = name.clone();
                json!({ "key": user.key, "file": name, "path": path(user), "default": false })
            }
        };
        (http, reply_json(200, &response))
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    text.split(start).skip(1).map(|rest| rest.split(end).next().unwrap()).collect()
}

/// How the target of a stage is set up.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub token: bool,
    pub upload: ConfluenceUpload,
    pub matching: AccountKey,
    pub groups: Vec<&'static str>,
}

impl Default for Way {
    fn default() -> Self {
        Self { token: false, upload: ConfluenceUpload::Xmlrpc, matching: AccountKey::Username, groups: Vec::new() }
    }
}

/// The way by the script that we ship.
pub(super) fn endpoint() -> ConfluenceUpload {
    ConfluenceUpload::Endpoint { path: "/rest/scriptrunner/latest/custom/avatarpipe".to_owned() }
}

/// The fake with a target before it.
pub(super) struct Stage {
    pub wiki: Confluence,
    pub log: Log,
    pub server: Loopback,
    world: Arc<Mutex<World>>,
}

impl Stage {
    pub(super) async fn new(world: World, way: Way) -> Self {
        let (world, log) = (Arc::new(Mutex::new(world)), Log::default());
        let (there, written) = (Arc::clone(&world), Arc::clone(&log));
        let server = Loopback::start(move |_, asked| {
            let (http, http_response) = there.lock().unwrap().response(asked);
            written.lock().unwrap().push(http);
            http_response
        })
        .await;
        let credential = match way.token {
            false => AtlassianCredential::Password { username: "svc".into(), password: Secret::new("pass-word") },
            true => AtlassianCredential::Token(Secret::new("to-ken")),
        };
        let client = server.client().0;
        let confluence = settings::Confluence { base_url: client.base().clone(), credential, upload: way.upload };
        let target = settings::Target {
            matching: Matching::Pairs(vec![pair(PersonKey::Email, way.matching)]),
            accounts: members_of(&way.groups),
            ..target("wiki", TargetKind::Confluence(confluence.clone()))
        };
        let wiki = Confluence::new(&target, &confluence, client, Arc::new(Grey)).unwrap();
        Self { wiki, log, server, world }
    }

    /// Identified, surveyed, prepared, and the log empty again.
    pub(super) async fn ready(world: World, way: Way) -> Self {
        let stage = Self::new(world, way).await;
        let mut learnt = Learnt::new();
        stage.wiki.identify().await.unwrap();
        stage.wiki.survey(&mut learnt, &mut |_| {}).await.unwrap();
        stage.wiki.prepare(&mut learnt, None).await.unwrap();
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
