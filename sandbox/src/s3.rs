//! An object store that speaks as much of Amazon S3 as is asked of one: objects with conditions, parts of them, uploads in
//! parts, listings (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>); and of Google
//! Cloud Storage what differs: conditions by the number of the writing, whoever asks by a token
//! (<https://cloud.google.com/storage/docs/xml-api/reference-headers>).
//!
//! Owns: the objects of one bucket, its clock, what goes wrong at which request, the log.
//! Leaves to others: whoever asks. Signatures are looked for and not checked.
//! A newcomer gets wrong: it is no simulator of a world; it stands for the place where a state is kept, and a sandbox
//! keeps its states in files.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use tokio::sync::watch;

/// The one bucket.
pub const BUCKET: &str = "avatars";

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It is done and answered.
    Answer,
    /// It is not done, and this is the answer.
    Refuse(u16),
    /// It is done, and this is the answer all the same.
    Lose(u16),
    /// It is done though its condition does not hold, as stores do that know of none.
    PassOver,
    /// Half of what is put is kept, and answered for as if it were all.
    KeepHalf,
    /// As many other bytes are kept, under the same mark.
    KeepOthers,
    /// It is done, and the mark in the answer is another than the object's.
    TellAnotherTag,
    /// It is done, and the answer has no mark.
    TellNoTag,
}

/// An object store that runs until it is dropped.
pub struct ObjectStore {
    shared: Arc<Shared>,
    url: String,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

type Judge = Box<dyn FnMut(&str) -> Then + Send>;

struct Shared {
    kept: Mutex<Kept>,
    judge: Mutex<Judge>,
}

#[derive(Default)]
struct Kept {
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, BTreeMap<u32, Bytes>>,
    /// What listings show, where that is not what stands there.
    listed: Option<BTreeMap<String, Object>>,
    log: Vec<String>,
    traffic: u64,
    /// How far its clock is ahead.
    ahead: Duration,
    /// How far it is behind.
    behind: Duration,
    number: u64,
}

#[derive(Clone)]
struct Object {
    bytes: Bytes,
    /// Which writing made it: Google calls it the generation.
    number: u64,
    written: SystemTime,
    served: Vec<(&'static str, String)>,
}

impl Object {
    fn tag(&self) -> String {
        format!("\"{:016x}\"", self.number)
    }

    fn marks(&self) -> [(&'static str, String); 2] {
        [("etag", self.tag()), ("x-goog-generation", self.number.to_string())]
    }
}

/// What is kept of a write besides its bytes, and served with them.
const SERVED: [&str; 2] = ["cache-control", "content-type"];

/// Before the number of the first writing: Google's are the microseconds of the time.
const BEFORE: u64 = 1_700_000_000_000_000;

/// Objects of one page of a listing.
const PAGE: usize = 1000;

impl std::fmt::Debug for ObjectStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectStore").field("url", &self.url).finish_non_exhaustive()
    }
}

impl ObjectStore {
    /// Begins to listen, with an empty bucket.
    pub fn start() -> std::io::Result<Self> {
        let shared = Arc::new(Shared { kept: Mutex::default(), judge: Mutex::new(Box::new(|_| Then::Answer)) });
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, mut stopped) = watch::channel(false);
        let kept = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("object-store".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                let router = Router::new().fallback(move |request: Request| answer(Arc::clone(&kept), request));
                tokio::select! {
                    _ = axum::serve(listener, router) => {}
                    _ = stopped.changed() => {}
                }
            });
        })?;
        Ok(Self { shared, url, stop, thread: Some(thread) })
    }

    /// Its base URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on each request is judged by this: `PUT lease`, `GET log/000000000001`, `LIST log/`.
    pub fn judge(&self, judge: impl FnMut(&str) -> Then + Send + 'static) {
        *lock(&self.shared.judge) = Box::new(judge);
    }

    /// Its clock goes on by this much at once; objects stay as old as they are.
    pub fn pass(&self, time: Duration) {
        lock(&self.shared.kept).ahead += time;
    }

    /// Its clock is behind by this much; objects stay as old as they are.
    pub fn is_behind(&self, time: Duration) {
        lock(&self.shared.kept).behind = time;
    }

    /// From now on listings show what stands there now, whatever is written: as those of some stores lag.
    pub fn lag(&self) {
        let mut kept = lock(&self.shared.kept);
        kept.listed = Some(kept.objects.clone());
    }

    /// Listings show what stands there.
    pub fn catch_up(&self) {
        lock(&self.shared.kept).listed = None;
    }

    /// Every request so far, with the status of its answer: `PUT lease 412`.
    pub fn log(&self) -> Vec<String> {
        lock(&self.shared.kept).log.clone()
    }

    /// Bytes of the bodies of all of them, both ways.
    pub fn traffic(&self) -> u64 {
        lock(&self.shared.kept).traffic
    }

    /// Forgets the requests so far.
    pub fn reset_log(&self) {
        let mut kept = lock(&self.shared.kept);
        kept.log.clear();
        kept.traffic = 0;
    }

    /// Every object by its name.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let kept = lock(&self.shared.kept);
        kept.objects.iter().map(|(name, object)| (name.clone(), object.bytes.to_vec())).collect()
    }

    /// A header that an object is served with.
    pub fn header(&self, name: &str, header: &str) -> Option<String> {
        let kept = lock(&self.shared.kept);
        let served = &kept.objects.get(name)?.served;
        served.iter().find(|(known, _)| *known == header).map(|(_, value)| value.clone())
    }

    /// Puts an object there, whatever stands there.
    pub fn put(&self, name: &str, bytes: impl Into<Bytes>) {
        lock(&self.shared.kept).put(name, bytes.into(), Vec::new());
    }

    /// Removes an object.
    pub fn remove(&self, name: &str) {
        lock(&self.shared.kept).objects.remove(name);
    }
}

impl Drop for ObjectStore {
    fn drop(&mut self) {
        // Whoever listens is gone already where this fails.
        _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request as far as it matters.
struct Asked {
    method: Method,
    name: String,
    query: BTreeMap<String, String>,
    signed: bool,
    if_match: Option<String>,
    if_none_match: Option<String>,
    if_generation: Option<String>,
    range: Option<(usize, usize)>,
    served: Vec<(&'static str, String)>,
    body: Bytes,
}

async fn answer(shared: Arc<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else { return plain(400, "IncompleteBody") };
    let received = body.len() as u64;
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    // Google's names come with `%2F` for each slash; none has a `=` or a `&`.
    let path = url::form_urlencoded::parse(parts.uri.path().trim_start_matches('/').as_bytes()).next();
    let path = path.map_or_else(String::new, |(path, _)| path.into_owned());
    let (bucket, name) = path.split_once('/').unwrap_or((&path, ""));
    if bucket != BUCKET {
        return plain(404, "NoSuchBucket");
    }
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let asked = Asked {
        name: name.to_owned(),
        query: query.map(|(key, value)| (key.into_owned(), value.into_owned())).collect(),
        signed: header("authorization")
            .is_some_and(|value| ["AWS4-HMAC-SHA256 ", "Bearer "].iter().any(|way| value.starts_with(way))),
        if_match: header("if-match"),
        if_none_match: header("if-none-match"),
        if_generation: header("x-goog-if-generation-match"),
        range: header("range").and_then(|range| span(&range)),
        served: SERVED.iter().filter_map(|name| Some((*name, header(name)?))).collect(),
        method: parts.method,
        body,
    };
    let words = match asked.query.get("prefix").filter(|_| asked.query.contains_key("list-type")) {
        Some(prefix) => format!("LIST {prefix}"),
        None => format!("{} {}", asked.method, asked.name),
    };
    let then = (lock(&shared.judge))(&words);
    let mut kept = lock(&shared.kept);
    let now = kept.now();
    let done = match then {
        Then::Refuse(status) => plain(status, "Refused"),
        _ if !asked.signed => plain(403, "AccessDenied"),
        then => kept.act(&asked, then, now),
    };
    let mut response = if let Then::Lose(status) = then { plain(status, "InternalError") } else { done };
    match then {
        Then::TellAnotherTag => _ = response.headers_mut().insert("etag", HeaderValue::from_static("\"another\"")),
        Then::TellNoTag => _ = response.headers_mut().remove("etag"),
        _ => {}
    }
    kept.traffic += received + response.body().size_hint().exact().unwrap_or_default();
    kept.log.push(format!("{words} {}", response.status().as_u16()));
    if let Ok(date) = httpdate::fmt_http_date(now).parse() {
        response.headers_mut().insert("date", date);
    }
    response
}

impl Kept {
    fn now(&self) -> SystemTime {
        SystemTime::now() + self.ahead - self.behind
    }

    fn put(&mut self, name: &str, bytes: Bytes, served: Vec<(&'static str, String)>) -> [(&'static str, String); 2] {
        self.number += 1;
        let object = Object { bytes, number: BEFORE + self.number, written: self.now(), served };
        let marks = object.marks();
        self.objects.insert(name.to_owned(), object);
        marks
    }

    fn act(&mut self, asked: &Asked, then: Then, now: SystemTime) -> Response {
        let there = self.objects.get(&asked.name);
        match (&asked.method, asked.query.get("uploadId")) {
            (&Method::GET, _) if asked.query.contains_key("list-type") => self.list(asked),
            // The server drops the body of an answer to HEAD.
            (&Method::GET | &Method::HEAD, _) => {
                there.map_or_else(|| plain(404, "NoSuchKey"), |object| read(object, asked, now))
            }
            (&Method::PUT, Some(upload)) => {
                let number = asked.query.get("partNumber").and_then(|number| number.parse().ok());
                let (Some(number), Some(parts)) = (number, self.uploads.get_mut(upload)) else {
                    return plain(404, "NoSuchUpload");
                };
                parts.insert(number, asked.body.clone());
                built(200, &[("etag", format!("\"part-{number}\""))], Body::empty())
            }
            (&Method::PUT, None) => {
                let tag = there.map(Object::tag);
                let number = there.map_or(0, |object| object.number).to_string();
                if then != Then::PassOver {
                    if asked.if_generation.as_ref().is_some_and(|wanted| *wanted != number) {
                        return plain(412, "PreconditionFailed");
                    }
                    match (&asked.if_match, tag) {
                        (Some(_), None) => return plain(404, "NoSuchKey"),
                        (Some(wanted), Some(tag)) if *wanted != tag => return plain(412, "PreconditionFailed"),
                        (None, Some(_)) if asked.if_none_match.is_some() => return plain(412, "PreconditionFailed"),
                        _ => {}
                    }
                }
                let kept = match then {
                    Then::KeepHalf => asked.body.slice(..asked.body.len() / 2),
                    Then::KeepOthers => asked.body.iter().map(|byte| !byte).collect(),
                    _ => asked.body.clone(),
                };
                let marks = self.put(&asked.name, kept, asked.served.clone());
                built(200, &marks, Body::empty())
            }
            (&Method::POST, None) if asked.query.contains_key("uploads") => {
                self.number += 1;
                let id = format!("upload-{}", self.number);
                self.uploads.insert(id.clone(), BTreeMap::new());
                xml(&format!(
                    "<InitiateMultipartUploadResult><Bucket>{BUCKET}</Bucket><Key>{}</Key><UploadId>{id}</UploadId>\
                     </InitiateMultipartUploadResult>",
                    asked.name
                ))
            }
            (&Method::POST, Some(upload)) => {
                let Some(parts) = self.uploads.remove(upload) else { return plain(404, "NoSuchUpload") };
                let [(_, tag), _] =
                    self.put(&asked.name, parts.into_values().flatten().collect(), asked.served.clone());
                xml(&format!(
                    "<CompleteMultipartUploadResult><Bucket>{BUCKET}</Bucket><Key>{}</Key><ETag>{tag}</ETag>\
                     </CompleteMultipartUploadResult>",
                    asked.name
                ))
            }
            (&Method::DELETE, _) => {
                self.objects.remove(&asked.name);
                built(204, &[], Body::empty())
            }
            _ => plain(501, "NotImplemented"),
        }
    }

    /// A page of a listing. Where it goes on, the last name of the page before says.
    fn list(&self, asked: &Asked) -> Response {
        let word = |key: &str| asked.query.get(key).map_or("", String::as_str);
        let (prefix, after) = (word("prefix"), word("continuation-token"));
        let listed = self.listed.as_ref().unwrap_or(&self.objects);
        let mut below = listed.iter().filter(|(name, _)| name.starts_with(prefix) && name.as_str() > after);
        let page: Vec<_> = below.by_ref().take(PAGE).collect();
        let next = page
            .last()
            .filter(|_| below.next().is_some())
            .map_or_else(String::new, |(name, _)| format!("<NextContinuationToken>{name}</NextContinuationToken>"));
        let truncated = !next.is_empty();
        let contents = page.iter().fold(String::new(), |contents, (name, object)| {
            let (tag, size) = (object.tag().replace('"', "&quot;"), object.bytes.len());
            let written = humantime::format_rfc3339_millis(object.written);
            contents
                + &format!(
                    "<Contents><Key>{name}</Key><LastModified>{written}</LastModified><ETag>{tag}</ETag><Size>{size}</Size></Contents>"
                )
        });
        xml(&format!(
            "<ListBucketResult><Name>{BUCKET}</Name><Prefix>{prefix}</Prefix><IsTruncated>{truncated}</IsTruncated>{next}{contents}\
             </ListBucketResult>"
        ))
    }
}

fn read(object: &Object, asked: &Asked, now: SystemTime) -> Response {
    if asked.if_match.as_ref().is_some_and(|wanted| *wanted != object.tag()) {
        return plain(412, "PreconditionFailed");
    }
    let size = object.bytes.len();
    let [tag, number] = object.marks();
    let mut about = vec![tag, number, ("last-modified", httpdate::fmt_http_date(object.written.min(now)))];
    about.extend(object.served.iter().cloned());
    if !about.iter().any(|(name, _)| *name == "content-type") {
        about.push(("content-type", "binary/octet-stream".to_owned()));
    }
    match asked.range {
        None => built(200, &about, Body::from(object.bytes.clone())),
        Some((from, _)) if from >= size => plain(416, "InvalidRange"),
        Some((from, to)) => {
            let to = to.min(size - 1);
            let range = ("content-range", format!("bytes {from}-{to}/{size}"));
            let about: Vec<_> = about.into_iter().chain([range]).collect();
            built(206, &about, Body::from(object.bytes.slice(from..=to)))
        }
    }
}

/// `bytes=0-99`: the first and the last.
fn span(range: &str) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

fn plain(status: u16, code: &str) -> Response {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>");
    built(status, &[("content-type", "application/xml".to_owned())], Body::from(body))
}

fn xml(body: &str) -> Response {
    built(200, &[("content-type", "application/xml".to_owned())], Body::from(body.to_owned()))
}

fn built(status: u16, headers: &[(&str, String)], body: Body) -> Response {
    let response = Response::builder().status(StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_IMPLEMENTED));
    let response = headers.iter().fold(response, |response, (name, value)| response.header(*name, value));
    response.body(body).unwrap_or_default()
}
