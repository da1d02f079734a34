//! As much of a Jira as the protocols need, written from docs/wire/atlassian.md §3.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};
use url::Url;

use crate::http::loopback::{Loopback, ReceivedRequest, reply, reply_json};
use crate::load::jira::Jira;
use crate::load::tests::{everybody, placed, target};
use crate::load::{Changes, Learnt, Target as _};
use crate::secret::Secret;
use crate::settings::{self, Accounts, AtlassianCredential, JiraUpload, Ownership, Target, TargetKind};

use super::{Grey, Log};

/// The instance's default picture.
pub(super) const DEFAULT: u32 = 10122;

/// A user of the fake.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub key: String,
    pub custom: Vec<u32>,
    pub selected: u32,
}

/// What goes wrong at a step, and whether its effect takes place all the same.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub status: u16,
    pub takes_effect: bool,
    pub body: &'static str,
    pub headers: Vec<(&'static str, &'static str)>,
}

impl Fault {
    pub(super) fn status(status: u16) -> Self {
        Self { status, takes_effect: false, body: r#"{"errorMessages":["no"],"errors":{}}"#, headers: Vec::new() }
    }

    pub(super) fn taking_effect(self) -> Self {
        Self { takes_effect: true, ..self }
    }

    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// The server's memory and its switches.
#[derive(Debug)]
pub(super) struct World {
    pub version: &'static str,
    pub users: BTreeMap<String, User>,
    pub pictures: HashMap<u32, Bytes>,
    pub groups: HashMap<&'static str, Vec<String>>,
    pub faults: HashMap<&'static str, Fault>,
    /// Sessions end after each request, as with a token.
    pub forgetful: bool,
    /// How the raw variant of the upload is answered; anything but 201: there is only the form.
    pub raw: u16,
    /// Served in place of every picture.
    pub swapped: Option<Bytes>,
    /// Whom what is made is said to belong to, if not the user that was named.
    pub owner: Option<&'static str>,
    /// Whether what is made names its owner.
    pub owner_told: bool,
    /// Before this step ada is renamed, and somebody new gets the name.
    pub passes_before: Option<&'static str>,
    pub list_there: bool,
    /// Something on the way leaves the list of uploads out.
    pub uploads_listed: bool,
    pub search_cap: usize,
    pub search_page: usize,
    pub bare_listing: bool,
    /// E-mail addresses are masked, as the instance may be set (§3.2).
    pub masked: bool,
    pub sessions: HashMap<String, Bytes>,
    /// How many sessions were begun.
    pub begun: u32,
    pub next: u32,
    /// What the pipeline file says of people's own pictures.
    pub ownership: Ownership,
}

impl Default for World {
    fn default() -> Self {
        let ada = User { key: "K".into(), custom: Vec::new(), selected: DEFAULT };
        let svc = User { key: "SVC".into(), custom: Vec::new(), selected: DEFAULT };
        Self {
            version: "9.12.5",
            users: BTreeMap::from([("ada+x@ex.org".into(), ada), ("svc".into(), svc)]),
            pictures: HashMap::new(),
            groups: HashMap::new(),
            faults: HashMap::new(),
            forgetful: false,
            raw: 201,
            swapped: None,
            owner: None,
            owner_told: true,
            passes_before: None,
            list_there: true,
            uploads_listed: true,
            search_cap: usize::MAX,
            search_page: 1000,
            bare_listing: false,
            masked: false,
            sessions: HashMap::new(),
            begun: 0,
            next: 15001,
            ownership: Ownership::Provider,
        }
    }
}

impl World {
    /// Puts an uploaded picture there that the user shows.
    pub(super) fn place(&mut self, name: &str, picture: Bytes) -> u32 {
        let id = self.next;
        self.next += 1;
        self.pictures.insert(id, picture);
        let user = self.users.get_mut(name).unwrap();
        user.custom.push(id);
        user.selected = id;
        id
    }

    /// Ada is called something else, and her name is that of a new user without pictures.
    pub(super) fn pass_on(&mut self) {
        let ada = self.users.remove("ada+x@ex.org").unwrap();
        self.users.insert("ada.old".into(), ada);
        let new = User { key: "NEW".into(), custom: Vec::new(), selected: DEFAULT };
        self.users.insert("ada+x@ex.org".into(), new);
    }

    /// What the account is called.
    pub(super) fn called(&self, key: &str) -> Option<String> {
        self.users.iter().find(|(_, user)| user.key == key).map(|(name, _)| name.clone())
    }

    pub(super) fn ada(&self) -> &User {
        &self.users["ada+x@ex.org"]
    }

    fn bean(&self, name: &str, user: &User) -> Value {
        let mut bean = json!({ "key": user.key, "name": name, "emailAddress": format!("{name}@ex.org"),
            "displayName": name, "active": true });
        if self.masked {
            bean["emailAddress"] = json!(format!("{name} at ex dot org").replace('@', " at "));
        }
        if !self.bare_listing {
            bean["avatarUrls"] = urls(user);
        }
        bean
    }

    fn page(&self, from: usize, size: usize) -> Vec<Value> {
        self.users.iter().skip(from).take(size).map(|(name, user)| self.bean(name, user)).collect()
    }

    fn response(&mut self, asked: &ReceivedRequest) -> (String, Response) {
        let url = Url::parse(&format!("http://jira{}", asked.path)).unwrap();
        let query: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let path = url.path().trim_start_matches('/').to_owned();
        let (step, detail) = step(&asked.method, &path);
        let http = format!("{} {step}{detail}", if asked.method == "GET" { "R" } else { "W" });
        if asked.method != "GET" {
            assert_eq!(asked.header("x-atlassian-token"), "no-check", "{path}");
            assert!(query.contains_key("username"), "{path}");
        }
        if self.passes_before.is_some_and(|before| before == step) {
            self.passes_before = None;
            self.pass_on();
        }
        let fault = self.faults.get(step).cloned();
        if let Some(fault) = fault {
            if fault.takes_effect {
                let _ = self.done(step, asked, &query, &path);
            }
            let mut headers = vec![("content-type", "application/json")];
            headers.extend(&fault.headers);
            return (http, reply(fault.status, &headers, fault.body));
        }
        (http, self.done(step, asked, &query, &path))
    }

    fn done(&mut self, step: &str, asked: &ReceivedRequest, query: &HashMap<String, String>, path: &str) -> Response {
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
        let name = query.get("username").cloned().unwrap_or_default();
        match step {
            "serverInfo" => {
                let info =
                    json!({ "baseUrl": "https://jira.ex.org", "version": self.version, "deploymentType": "Server" });
                reply(200, &[("content-type", "application/json"), ("x-ausername", "svc%2Bbot")], info.to_string())
            }
            "manifest" => reply(200, &[], "<manifest><id>9d1f</id><typeId>jira</typeId></manifest>"),
            "myself" => reply_json(200, &json!({ "key": "SVC", "name": "svc" })),
            "mypermissions" => reply_json(200, &json!({ "permissions": { "ADMINISTER": { "havePermission": true } } })),
            "list" if !self.list_there => reply_json(404, &json!({ "errorMessages": [] })),
            "list" => {
                let (from, size) = (number("cursor").unwrap_or(0), 2);
                let last = from + size >= self.users.len();
                let mut page = json!({ "values": self.page(from, size), "isLast": last });
                if !last {
                    page["nextCursor"] = json!((from + size).to_string());
                }
                reply_json(200, &page)
            }
            "search" => {
                let (from, size) = (number("startAt").unwrap(), number("maxResults").unwrap().min(self.search_page));
                let mut page = self.page(from, size);
                page.truncate(self.search_cap.saturating_sub(from));
                reply_json(200, &Value::Array(page))
            }
            "member" => match self.groups.get(query["groupname"].as_str()) {
                None => reply_json(404, &json!({ "errorMessages": ["no such group"] })),
                Some(names) => {
                    let (from, size) = (number("startAt").unwrap(), 2);
                    let values: Vec<Value> =
                        names.iter().skip(from).take(size).map(|n| self.bean(n, &self.users[n])).collect();
                    reply_json(
                        200,
                        &json!({ "values": values, "total": names.len(), "isLast": from + size >= names.len() }),
                    )
                }
            },
            "user" => {
                let asked = |name: &str, user: &User| match query.get("key") {
                    Some(key) => user.key == *key,
                    None => query.get("username").is_some_and(|asked| asked == name),
                };
                let Some((name, user)) = self.users.iter().find(|(name, user)| asked(name, user)) else {
                    return reply_json(404, &json!({ "errorMessages": ["no such user"] }));
                };
                let mut bean = self.bean(name, user);
                bean["avatarUrls"] = urls(user);
                reply_json(200, &bean)
            }
            "avatars" => match self.users.get(&name) {
                Some(user) => {
                    let mut lists = lists(user);
                    if !self.uploads_listed {
                        lists.as_object_mut().unwrap().remove("custom");
                    }
                    reply_json(200, &lists)
                }
                None => reply_json(404, &json!({ "errorMessages": ["no such user"] })),
            },
            "picture" => {
                let id: u32 = query["avatarId"].parse().unwrap();
                match (&self.swapped, self.pictures.get(&id)) {
                    (Some(bytes), _) | (None, Some(bytes)) => {
                        reply(200, &[("content-type", "image/png")], bytes.clone())
                    }
                    (None, None) => reply(404, &[], ""),
                }
            }
            "temporary" => self.upload(asked, query, &name),
            "confirm" => {
                let picture = session(asked).and_then(|id| self.sessions.remove(&id));
                let Some(picture) = picture else {
                    return reply_json(500, &json!({ "errorMessages": ["upload failure"] }));
                };
                let crop = asked.json();
                assert_eq!((&crop["cropperOffsetX"], &crop["cropperWidth"]), (&json!(0), &json!(256)));
                self.make(&name, picture)
            }
            "select" => {
                let id: u32 = asked.json()["id"].as_str().unwrap().parse().unwrap();
                self.users.get_mut(&name).unwrap().selected = id;
                reply(204, &[], "")
            }
            "delete" => {
                let id: u32 = path.rsplit('/').next().unwrap().parse().unwrap();
                let user = self.users.get_mut(&name).unwrap();
                if !user.custom.contains(&id) {
                    return reply_json(404, &json!({ "errorMessages": ["no such avatar"] }));
                }
                user.custom.retain(|other| *other != id);
                if user.selected == id {
                    user.selected = DEFAULT;
                }
                self.pictures.remove(&id);
                reply(204, &[], "")
            }
            _ => reply(404, &[], "<html>no such page</html>"),
        }
    }

    fn upload(&mut self, asked: &ReceivedRequest, query: &HashMap<String, String>, name: &str) -> Response {
        let form = asked.header("content-type").starts_with("multipart/form-data");
        if self.raw != 201 && !form {
            return reply_json(self.raw, &json!({}));
        }
        let picture = if form {
            let text = asked.body.windows(8).position(|at| at.starts_with(b"grey ")).unwrap();
            let end = asked.body[text..].iter().position(|byte| *byte == b'\r').unwrap();
            asked.body.slice(text..text + end)
        } else {
            assert_eq!(query["size"], asked.body.len().to_string());
            assert_eq!(query["filename"], "avatar.png");
            asked.body.clone()
        };
        // Small and square is told by the grey value here: 48 and below.
        let small = std::str::from_utf8(&picture).ok().and_then(|t| t.strip_prefix("grey ")?.parse::<u8>().ok());
        if small.is_some_and(|value| value <= 48) {
            return self.make(name, picture);
        }
        let id = session(asked).unwrap_or_else(|| {
            self.begun += 1;
            format!("s{}", self.begun)
        });
        if !self.forgetful {
            self.sessions.insert(id.clone(), picture);
        }
        let cookie = format!("JSESSIONID={id}; Path=/");
        let order = json!({ "cropperWidth": 117, "cropperOffsetX": 41, "cropperOffsetY": 41, "needsCropping": true });
        if form {
            let page =
                r#"<html><body><textarea>{"cropperWidth":"117","isCroppingNeeded":"true"}</textarea></body></html>"#;
            return reply(200, &[("content-type", "text/html"), ("set-cookie", &cookie)], page);
        }
        reply(201, &[("content-type", "application/json"), ("set-cookie", &cookie)], order.to_string())
    }

    fn make(&mut self, name: &str, picture: Bytes) -> Response {
        let before = self.users[name].selected;
        let id = self.place(name, picture);
        let user = self.users.get_mut(name).unwrap();
        user.selected = before;
        let owner = self.owner.map_or(user.key.clone(), str::to_owned);
        let mut made = json!({ "id": id.to_string(), "isSelected": false });
        if self.owner_told {
            made["owner"] = json!(owner);
        }
        reply_json(201, &made)
    }
}

/// The step's name and what tells one such step from another.
fn step(method: &str, path: &str) -> (&'static str, String) {
    let rest = path.strip_prefix("rest/api/2/").unwrap_or(path);
    let plain = |step| (step, String::new());
    match (method, rest) {
        ("GET", "serverInfo") => plain("serverInfo"),
        ("GET", "myself") => plain("myself"),
        ("GET", "mypermissions") => plain("mypermissions"),
        ("GET", "rest/applinks/1.0/manifest") => plain("manifest"),
        ("GET", "user/list") => plain("list"),
        ("GET", "user/search") => plain("search"),
        ("GET", "group/member") => plain("member"),
        ("GET", "user") => plain("user"),
        ("GET", "user/avatars") => plain("avatars"),
        ("GET", "secure/useravatar") => plain("picture"),
        ("POST", "user/avatar/temporary") => plain("temporary"),
        ("POST", "user/avatar") => plain("confirm"),
        ("PUT", "user/avatar") => plain("select"),
        ("DELETE", path) => ("delete", format!(" {}", path.rsplit('/').next().unwrap())),
        other => panic!("an unknown call: {other:?}"),
    }
}

fn session(asked: &ReceivedRequest) -> Option<String> {
    let cookies = asked.header("cookie").to_owned();
    cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix("JSESSIONID=")).map(str::to_owned)
}

fn urls(user: &User) -> Value {
    let id = user.selected;
    let owner = if user.custom.contains(&id) { format!("ownerId={}&", user.key) } else { String::new() };
    json!({ "48x48": format!("https://jira.ex.org/secure/useravatar?{owner}avatarId={id}") })
}

fn lists(user: &User) -> Value {
    let one = |id: u32, owner: Option<&str>| json!({ "id": id.to_string(), "owner": owner, "isSystemAvatar": owner.is_none(), "isSelected": id == user.selected });
    let custom: Vec<Value> = user.custom.iter().map(|id| one(*id, Some(&user.key))).collect();
    json!({ "system": [one(DEFAULT, None), one(10130, None)], "custom": custom })
}

/// The fake with a target before it.
pub(super) struct Stage {
    pub jira: Jira,
    pub log: Log,
    pub server: Loopback,
    world: Arc<Mutex<World>>,
}

/// How the target of a stage signs in and uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Password,
    Token,
}

impl Stage {
    pub(super) async fn new(world: World, way: Way) -> Self {
        Self::with(world, way, everybody()).await
    }

    pub(super) async fn with(world: World, way: Way, accounts: Accounts) -> Self {
        let ownership = placed(world.ownership);
        let (world, log) = (Arc::new(Mutex::new(world)), Log::default());
        let (there, written) = (Arc::clone(&world), Arc::clone(&log));
        let server = Loopback::start(move |_, asked| {
            let (http, http_response) = there.lock().unwrap().response(asked);
            written.lock().unwrap().push(http);
            http_response
        })
        .await;
        let credential = match way {
            Way::Password => {
                AtlassianCredential::Password { username: "svc".into(), password: Secret::new("pass-word") }
            }
            Way::Token => AtlassianCredential::Token(Secret::new("to-ken")),
        };
        let base_url = Url::parse("http://jira").unwrap();
        let settings = settings::Jira { base_url, credential, upload: JiraUpload::Auto };
        let target = Target { accounts, ownership, ..target("jira", TargetKind::Jira(settings.clone())) };
        let jira = Jira::new(&target, &settings, server.client().0, Arc::new(Grey)).unwrap();
        Self { jira, log, server, world }
    }

    /// Identified, surveyed, prepared, and the log empty again.
    pub(super) async fn ready(world: World, way: Way) -> Self {
        let stage = Self::new(world, way).await;
        let mut learnt = Learnt::new();
        stage.jira.identify().await.unwrap();
        stage.jira.survey(&mut learnt, &mut |_| {}).await.unwrap();
        stage.jira.prepare(&mut learnt, None).await.unwrap();
        stage.take_log();
        stage
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub(super) fn take_log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// What a plan without a survey would cost.
    pub(super) fn forecast(&self, changes: &Changes) -> u64 {
        self.jira.forecast(changes)
    }
}
