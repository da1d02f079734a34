//! The rules of docs/wire/atlassian.md over real loopback HTTP, one table for each group.
//!
//! Owns: the sandbox that is asked, and the world it asks about.
//! Leaves to others: the tables, one file for each group of rules.
//! A newcomer gets wrong: these requests are written by hand from that page; no client of this crate is used.

mod avatars;
mod listing;
mod login;
mod people;
mod upload;

use reqwest::{Client, Method, RequestBuilder, Response, redirect};
use serde_json::Value;

use super::world::Instance;
use crate::{Options, Running, Sandbox, World};

/// Eight accounts: an administrator who asks, and the odd ones.
const ACCOUNTS: &str = "
accounts:
  - { name: svc, role: admin, password: pw, tokens: [tok], email: svc@ex.org, groups: [staff] }
  - { name: root, role: system_admin, password: pw, groups: [staff] }
  - { name: ada, key: ada.contractor, display_name: Ada Lovelace, email: ada@ex.org, password: pw, groups: [staff], avatars: [quarters.png] }
  - { name: grace, display_name: Grace Hopper, email: grace+navy@ex.org, groups: [staff], avatars: [grey.png, quarters.png], shows: { custom: 0 } }
  - { name: alan, display_name: Alan Turing, email: alan@ex.org, groups: [staff], shows: { system: 1 } }
  - { name: idle, display_name: Idle Hand, standing: inactive, groups: [staff], shows: dead }
  - { name: gone, display_name: Gone Girl, standing: deleted }
  - { name: was, display_name: Was Somebody, email: was@ex.org, standing: anonymised }
";

/// Four coloured quarters as a square or a rectangle.
fn quarters(width: u32, height: u32) -> Vec<u8> {
    encoded(image::RgbaImage::from_fn(width, height, |x, y| {
        image::Rgba(match (x * 2 < width, y * 2 < height) {
            (true, true) => [255, 0, 0, 255],
            (false, true) => [0, 255, 0, 255],
            (true, false) => [0, 0, 255, 255],
            (false, false) => [255, 255, 255, 255],
        })
    }))
}

fn grey(side: u32) -> Vec<u8> {
    encoded(image::RgbaImage::from_pixel(side, side, image::Rgba([128, 128, 128, 255])))
}

fn encoded(picture: image::RgbaImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).expect("a picture is encodable");
    bytes.into_inner()
}

/// The colours near the four corners of a PNG, as one letter each.
fn corners(bytes: &[u8]) -> String {
    let picture = image::load_from_memory(bytes).expect("a picture").to_rgb8();
    let (right, bottom) = (picture.width() - 2, picture.height() - 2);
    [(1, 1), (right, 1), (1, bottom), (right, bottom)]
        .into_iter()
        .map(|(x, y)| letter(picture.get_pixel(x, y).0))
        .collect()
}

/// The colour at that share of both sides.
fn colour(bytes: &[u8], share: f32) -> char {
    let picture = image::load_from_memory(bytes).expect("a picture").to_rgb8();
    let at = image::imageops::sample_nearest(&picture, share, share).expect("a share is inside");
    letter(at.0)
}

fn letter(colour: [u8; 3]) -> char {
    match colour.map(|value| (value > 200, value < 60)) {
        [(true, _), (true, _), (true, _)] => 'w',
        [(true, _), (_, true), (_, true)] => 'r',
        [(_, true), (true, _), (_, true)] => 'g',
        [(_, true), (_, true), (true, _)] => 'b',
        _ => '?',
    }
}

/// Switches that do not stand on their default.
type Set<'a> = &'a [(&'a str, &'a str)];

/// How a request signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum As {
    Nobody,
    Token(&'static str),
    Basic(&'static str, &'static str),
}

const ADMIN: As = As::Basic("svc", "pw");

/// One running Jira and a plain client without cookies.
struct TestSandbox {
    running: Running,
    base: String,
    client: Client,
}

impl TestSandbox {
    fn new(version: &str, switches: Set) -> TestSandbox {
        TestSandbox::of(&format!("version: {version}\nbase_path: /jira\n{ACCOUNTS}"), switches)
    }

    fn of(yaml: &str, switches: Set) -> TestSandbox {
        let running = Sandbox::start(world(yaml, switches), Options::default()).expect("a sandbox");
        let base = running.endpoint("jira").expect("a Jira").to_owned();
        TestSandbox { running, base, client: client(false) }
    }

    /// A request to a path below the base URL.
    fn ask(&self, method: Method, path: &str, who: As) -> RequestBuilder {
        self.ask_by(&self.client, method, path, who)
    }

    fn ask_by(&self, client: &Client, method: Method, path: &str, who: As) -> RequestBuilder {
        let request = client.request(method, format!("{}{path}", self.base)).header("X-Atlassian-Token", "no-check");
        match who {
            As::Nobody => request,
            As::Token(token) => request.bearer_auth(token),
            As::Basic(name, password) => request.basic_auth(name, Some(password)),
        }
    }

    async fn get(&self, path: &str, who: As) -> Heard {
        Heard::from(self.ask(Method::GET, path, who)).await
    }

    /// The admin's view of one user.
    async fn user(&self, name: &str) -> Value {
        self.get(&format!("/rest/api/2/user?username={name}"), ADMIN).await.json()
    }

    /// Step 1 as the administrator with that client.
    async fn upload(&self, client: &Client, who: As, name: &str, picture: Vec<u8>) -> Heard {
        let size = picture.len();
        let path = format!("/rest/api/2/user/avatar/temporary?username={name}&filename=avatar.png&size={size}");
        Heard::from(self.ask_by(client, Method::POST, &path, who).header("Content-Type", "image/png").body(picture))
            .await
    }

    /// Step 2.
    async fn confirm(&self, client: &Client, who: As, name: &str, crop: [u32; 3]) -> Heard {
        let [x, y, width] = crop;
        let body = serde_json::json!({
            "cropperOffsetX": x, "cropperOffsetY": y, "cropperWidth": width, "needsCropping": false
        });
        let path = format!("/rest/api/2/user/avatar?username={name}");
        Heard::from(self.ask_by(client, Method::POST, &path, who).json(&body)).await
    }

    /// Step 3.
    async fn select(&self, name: &str, body: Value) -> Heard {
        let path = format!("/rest/api/2/user/avatar?username={name}");
        Heard::from(self.ask(Method::PUT, &path, ADMIN).json(&body)).await
    }

    fn report(&self) -> Value {
        self.running.command("jira", &serde_json::json!({"report": {}})).expect("a report")
    }
}

fn world(yaml: &str, switches: Set) -> World {
    let instance: Instance = serde_yaml::from_str(yaml).expect("an instance");
    let built =
        World::builder().jira(instance).picture("quarters.png", quarters(200, 200)).picture("grey.png", grey(64));
    let built = switches.iter().fold(built, |built, (name, value)| built.switch("jira", name, value));
    built.build().expect("a world")
}

fn client(cookies: bool) -> Client {
    let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().cookie_store(cookies);
    // No certificate is looked at, so none need be read.
    let client = client.tls_certs_only(Vec::new());
    // An idle connection would hold up the end of every sandbox.
    let client = client.pool_max_idle_per_host(0);
    client.user_agent("test/1").build().expect("a client")
}

/// An answer, read to its end.
struct Heard {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

impl Heard {
    async fn from(request: RequestBuilder) -> Heard {
        let response: Response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Heard { status, headers, body: response.bytes().await.expect("a body").to_vec() }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|fault| panic!("{fault}: {}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn id(&self) -> u64 {
        self.json()["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("no id in {}", self.text()))
    }
}
