//! `http`: how a server is reached, named once and shared by every stage that names it.
//!
//! Owns: what its keys have to say to each other. Leaves to others: reading certificates, connecting (`http`).
//! A newcomer gets wrong: `proxy: none` is not the default; without it `HTTPS_PROXY` and its like are honoured.

use super::certificate::Certificate;
use super::declare::taken;
use super::fault::FileFault;
use super::forms;
use super::read::{At, ByName, Reader};
use super::scalar::*;
use super::settle::Settle;
use super::web::HeaderValue;
use crate::secret::Secret;
use crate::settings::{self, HeaderName, Proxy};

/// The entry of whoever names none, if the file has no `default`.
pub(super) const BUILT_IN: &str = "{}";

/// Headers that the requests have already.
const OURS: [&str; 8] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "transfer-encoding",
    "user-agent",
];

settings::http!(taken);

impl Http {
    pub(super) fn judge(&self, reader: &mut Reader<'_>) {
        self.timeout.refuse_nothing(reader, "timeout");
        self.retry_pause.refuse_nothing(reader, "retry_pause");
    }
}

impl Settle<Vec<(HeaderName, Secret)>> for ByName<HeaderValue> {
    fn settle(at: &At<Self>, reader: &mut Reader<'_>) -> Option<Vec<(HeaderName, Secret)>> {
        let mut headers = Some(Vec::new());
        for (text, span, value) in &at.get()?.0 {
            let name = HeaderName::new(text);
            if name.is_none() {
                let message = format!("`{}` is not the name of a header", text.escape_debug());
                reader.fault(FileFault::new(span.clone(), message));
            } else if name.as_ref().is_some_and(|name| OURS.contains(&name.as_str())) {
                let fault = FileFault::new(span.clone(), format!("the header `{text}` is set by avatarpipe itself"));
                reader.fault(fault.help("leave it out; sign-in stands under `credential`"));
            } else if forms::sounds_like_one(text) && value.get().is_some_and(|value| !value.from_outside) {
                reader.fault(FileFault::new(value.span.clone(), "a secret is written out").help("write `${NAME}`"));
            }
            match (name, value.get(), headers.as_mut()) {
                (Some(name), Some(value), Some(headers)) => headers.push((name, value.text.clone())),
                _ => headers = None,
            }
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::read::At;
    use crate::pipeline::tests::{judged, refused};

    fn settle(at: &At<Http>, reader: &mut Reader<'_>) -> Option<settings::Http> {
        at.get()?.judge(reader);
        Http::settle(at, reader)
    }

    #[test]
    fn the_forms_of_a_proxy() {
        use settings::Proxy;
        let (built_in, of_tests) = (judged(BUILT_IN, settle).unwrap(), settings::Http::default());
        assert!(matches!(built_in.proxy, Proxy::System));
        assert_eq!((built_in.timeout, built_in.retry_pause), (of_tests.timeout, of_tests.retry_pause));
        assert!(matches!(judged("{ proxy: none }", settle).unwrap().proxy, Proxy::None));
        assert!(matches!(judged("{ proxy: 'http://proxy:3128' }", settle).unwrap().proxy, Proxy::Url(_)));
    }

    #[test]
    fn what_is_ours_or_secret_is_refused() {
        refused(
            &[
                ("{ timeout: 0s }", "longer than nothing"),
                ("{ retry_pause: 0s }", "longer than nothing"),
                ("{ proxy: proxy:3128 }", "is not `system`, `none` or the URL of a proxy"),
                ("{ proxy: 'http://a:b@proxy' }", "a secret is written out"),
                ("{ proxy: 'a:b@proxy:3128' }", "this is not"),
                ("{ headers: { Authorization: x } }", "is set by avatarpipe itself"),
                ("{ headers: { X-Auth-Token: x } }", "a secret is written out"),
                ("{ headers: { 'X Y': x } }", "not the name of a header"),
                ("{ headers: { X-Team: \"a\\nb\" } }", "visible ASCII"),
                ("{ client_cert: {} }", "`file` is missing"),
                ("{ client_cert: { file: a.p12, password: x } }", "a secret is written out"),
            ],
            settle,
        );
    }
}
