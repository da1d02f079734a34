//! One request, as its caller writes it down.
//!
//! Owns: method, URL, credential, body, what it costs in the vendor's units, how large the answer may be.
//! Leaves to others: whether it may be repeated: that is said by sending it as a read or as a write (`client.rs`).
//! A newcomer gets wrong: a call never fails while it is built. What could not be encoded is told when it is sent.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Client as HttpClient, Method, RequestBuilder};
use serde::Serialize;
use url::Url;

use super::origin::origin;
#[cfg(feature = "bucket")]
use crate::secret::cover;
use crate::secret::{Secret, cut, safe_url};

/// Larger answers are cut off, unless the call says otherwise.
const CAP: usize = 16 * 1024 * 1024;

/// How a call says who it is.
#[derive(Clone, Debug)]
pub(crate) enum Authorization {
    /// A token.
    Bearer(Secret),
    /// User name and password.
    Basic {
        /// The user name.
        user: String,
        /// The password.
        password: Secret,
    },
}

impl Authorization {
    fn value(&self) -> String {
        match self {
            Self::Bearer(token) => format!("Bearer {}", token.expose()),
            Self::Basic { user, password } => {
                let pair = Secret::new(STANDARD.encode(format!("{user}:{}", password.expose())));
                format!("Basic {}", pair.expose())
            }
        }
    }
}

/// What goes with a request.
#[derive(Clone)]
enum Payload {
    None,
    Bytes {
        mime: String,
        bytes: Bytes,
    },
    Form(String),
    Multipart {
        part: String,
        file: String,
        mime: String,
        bytes: Bytes,
    },
    /// Nothing is said of it but what the headers say.
    #[cfg(feature = "bucket")]
    AsMade(Bytes),
}

/// Which answers to a read are asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeats {
    /// Those that may be better next time.
    Transient,
    /// None; only a broken way there is.
    NoAnswer,
}

/// One request. Built, then given to [`super::Client::read`] or [`super::Client::write`].
#[derive(Clone)]
pub(crate) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) units: u32,
    pub(super) cap: usize,
    pub(super) secret: bool,
    private: bool,
    pub(super) returns_secrets: bool,
    pub(super) repeats: Repeats,
    pub(super) fault: Option<String>,
    pub(super) stamp: Option<&'static str>,
    timeout: Option<Duration>,
    headers: HeaderMap,
    payload: Payload,
}

impl Request {
    fn new(method: Method, mut url: Url) -> Self {
        // A credential never rides in a URL: the client would send it on, and others would print it.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Self {
            method,
            url,
            units: 1,
            cap: CAP,
            secret: false,
            private: false,
            returns_secrets: false,
            repeats: Repeats::Transient,
            fault: None,
            stamp: None,
            timeout: None,
            headers: HeaderMap::new(),
            payload: Payload::None,
        }
    }

    /// A GET.
    pub(crate) fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    /// A POST.
    pub(crate) fn post(url: Url) -> Self {
        Self::new(Method::POST, url)
    }

    /// A PUT.
    pub(crate) fn put(url: Url) -> Self {
        Self::new(Method::PUT, url)
    }

    /// One that somebody else has made, whole and signed: nothing is added to it.
    #[cfg(feature = "bucket")]
    pub(super) fn as_made(method: Method, url: Url, mut headers: HeaderMap, body: Bytes) -> Self {
        let mut request = Self::new(method, url);
        // A token that it got by itself is known to nobody else.
        let told = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = told("authorization").and_then(|value| value.strip_prefix("Bearer "));
        bearer.into_iter().chain(told("x-amz-security-token")).for_each(cover);
        if let Some(value) = headers.get_mut(AUTHORIZATION) {
            value.set_sensitive(true);
            request.secret = true;
        }
        // A shared access signature of Azure's stands in the query.
        if let Some((_, signature)) = request.url.query_pairs().find(|(key, _)| key == "sig") {
            cover(&signature);
            (request.secret, request.private) = (true, true);
        }
        request.headers = headers;
        request.payload = Payload::AsMade(body);
        request
    }

    /// A DELETE.
    pub(crate) fn delete(url: Url) -> Self {
        Self::new(Method::DELETE, url)
    }

    /// Whose address is a secret, also the one that a redirect makes of it: of neither more than the host is told.
    #[must_use]
    pub(crate) fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// With this credential.
    #[must_use]
    pub(crate) fn auth(mut self, authorization: &Authorization) -> Self {
        let value = authorization.value();
        self.secret = true;
        match HeaderValue::from_str(&value) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.headers.insert(AUTHORIZATION, value);
                self
            }
            Err(_) => self.broken("the credential holds characters that no header can hold"),
        }
    }

    /// With this header; the last value wins.
    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        match (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => {
                self.headers.insert(name, value);
                self
            }
            _ => self.broken(format!("the value of the header `{name}` holds characters that no header can hold")),
        }
    }

    /// Every sending, repeated ones too, bears a new id in this header; the log tells it.
    #[must_use]
    pub(crate) fn stamped(mut self, header: &'static str) -> Self {
        self.stamp = Some(header);
        self
    }

    /// Asks for this kind of answer.
    #[must_use]
    pub(crate) fn accept(self, mime: &str) -> Self {
        self.header(ACCEPT.as_str(), mime)
    }

    /// With this value as JSON.
    #[must_use]
    pub(crate) fn json(self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => self.bytes("application/json", Bytes::from(bytes)),
            Err(error) => self.broken(format!("the body cannot be written as JSON: {error}")),
        }
    }

    /// With these fields as a form; repeated calls add up.
    #[must_use]
    pub(crate) fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let form = match std::mem::replace(&mut self.payload, Payload::None) {
            Payload::Form(form) => form,
            _ => String::new(),
        };
        let mut form = url::form_urlencoded::Serializer::new(form);
        form.extend_pairs(fields);
        self.payload = Payload::Form(form.finish());
        self
    }

    /// With these fields as a form, none of which is ever printed; repeated calls add up.
    #[must_use]
    pub(crate) fn secret_form(mut self, fields: &[(&str, &Secret)]) -> Self {
        for (name, value) in fields {
            self.secret = true;
            self = self.form(&[(name, value.expose())]);
        }
        self
    }

    /// Says that something in it is secret: it goes to the configured server only, and never in the clear.
    #[must_use]
    pub(crate) fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Says that the answer is a credential, such as the one that is known already.
    #[must_use]
    pub(super) fn returns_secrets(mut self) -> Self {
        self.returns_secrets = true;
        self
    }

    /// With this header, which is never printed.
    #[must_use]
    pub(crate) fn secret_header(self, name: &str, value: &Secret) -> Self {
        self.header(name, value.expose()).secret()
    }

    /// With these bytes.
    #[must_use]
    pub(crate) fn bytes(mut self, mime: &str, bytes: Bytes) -> Self {
        self.payload = Payload::Bytes { mime: mime.to_owned(), bytes };
        self
    }

    /// With these bytes as the one file of a multipart form.
    #[must_use]
    pub(crate) fn multipart(mut self, part_name: &str, file_name: &str, mime: &str, bytes: Bytes) -> Self {
        let (part, file, mime) = (part_name.to_owned(), file_name.to_owned(), mime.to_owned());
        self.payload = Payload::Multipart { part, file, mime, bytes };
        self
    }

    /// What the vendor counts it as; 1 unless said.
    #[must_use]
    pub(crate) fn units(mut self, units: u32) -> Self {
        self.units = units;
        self
    }

    /// The most bytes of a body that are taken; 16 MiB unless said.
    #[must_use]
    pub(crate) fn cap(mut self, bytes: usize) -> Self {
        self.cap = bytes;
        self
    }

    /// Hands every answer back at once, whatever its status: a refused batch may hold answered parts.
    #[must_use]
    pub(crate) fn judged_by_caller(mut self) -> Self {
        self.repeats = Repeats::NoAnswer;
        self
    }

    /// Waits at least so long for the answer, even if the transport says less.
    #[must_use]
    pub(crate) fn slow(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// `GET https://host/path?query`, without anything secret.
    pub(crate) fn describe(&self) -> String {
        let url = if self.private { format!("{}/…", origin(&self.url)) } else { cut(safe_url(&self.url)) };
        format!("{} {url}", self.method)
    }

    /// The same request to another URL of the same server.
    pub(super) fn moved(mut self, url: Url) -> Self {
        self.url = url;
        self
    }

    fn broken(mut self, why: impl Into<String>) -> Self {
        self.fault.get_or_insert(why.into());
        self
    }

    /// How long the answer may take, where the transport allows for `timeout`.
    pub(super) fn patience(&self, timeout: Duration) -> Duration {
        self.timeout.map_or(timeout, |own| own.max(timeout))
    }

    /// The request as the client takes it. `timeout` is the transport's.
    pub(super) fn http_request(&self, http_client: &HttpClient, timeout: Duration) -> RequestBuilder {
        let mut http_request = http_client.request(self.method.clone(), self.url.clone()).headers(self.headers.clone());
        if self.patience(timeout) > timeout {
            http_request = http_request.timeout(self.patience(timeout));
        }
        match &self.payload {
            Payload::None => http_request,
            Payload::Bytes { mime, bytes } => http_request.header(CONTENT_TYPE, mime).body(bytes.clone()),
            #[cfg(feature = "bucket")]
            Payload::AsMade(bytes) => http_request.body(bytes.clone()),
            Payload::Form(form) => {
                http_request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.clone())
            }
            Payload::Multipart { part, file, mime, bytes } => {
                let length = bytes.len() as u64;
                let body = Part::stream_with_length(Body::from(bytes.clone()), length).file_name(file.clone());
                match body.mime_str(mime) {
                    Ok(body) => http_request.multipart(Form::new().part(part.clone(), body)),
                    // Cannot be: the callers name constants. The client refuses the empty header just the same.
                    Err(_) => http_request.header(CONTENT_TYPE, "\n"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url() -> Url {
        Url::parse("https://user:pw@h.example/token?client_secret=abc").unwrap()
    }

    #[test]
    fn a_description_holds_no_secret() {
        let request = Request::post(url()).secret_form(&[("client_secret", &Secret::new("very-secret"))]);
        assert_eq!(request.describe(), "POST https://h.example/token?client_secret=***");
        assert!(request.secret);
    }

    #[cfg(feature = "bucket")]
    #[test]
    fn what_a_store_is_sent_is_covered() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer of-the-machine"));
        headers.insert("x-amz-security-token", HeaderValue::from_static("of-the-session"));
        let url = Url::parse("https://h.example/b?sp=r&sig=of%2Fthe%2Blink").unwrap();
        _ = Request::as_made(Method::GET, url, headers, Bytes::new());
        let told = "you sent of-the-machine, of-the-session, of/the+link or of%2Fthe%2Blink";
        assert_eq!(crate::secret::redact(told), "you sent ***, ***, *** or ***");
    }

    #[test]
    fn what_cannot_be_sent_is_remembered_and_names_no_value() {
        let token = Authorization::Bearer(Secret::new("line\nbreak"));
        let request = Request::get(url()).auth(&token);
        assert_eq!(request.fault.as_deref(), Some("the credential holds characters that no header can hold"));
        let request = Request::get(url()).header("X-A", "a\nb");
        assert!(request.fault.is_some_and(|fault| fault.contains("X-A") && !fault.contains("a\nb")));
    }

    #[test]
    fn a_credential_prints_no_secret() {
        let basic = Authorization::Basic { user: "svc".into(), password: Secret::new("pass-word-1") };
        let shown = format!("{basic:?} {:?}", Authorization::Bearer(Secret::new("tok-en-1")));
        assert!(!shown.contains("pass-word-1") && !shown.contains("tok-en-1"), "{shown}");
    }
}
