//! The promises of `Client`, tried over loopback.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::loopback::{Loopback, ReceivedRequest, reply};
use super::*;
use crate::secret::Secret;
use crate::settings::{HeaderName, Http, Proxy, ProxyUrl};

fn token(text: &str) -> Authorization {
    Authorization::Bearer(Secret::new(text))
}

fn line_to(base: &str, http: &Http) -> Client {
    Client::new("test", Url::parse(base).unwrap(), RateLimit::recording(), http).unwrap()
}

/// A port on which nobody listens.
async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A server that takes a request and hangs up, or never says anything.
async fn mute(hang_up: bool) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut kept = Vec::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.readable().await.unwrap();
            let mut buffer = [0; 4096];
            let _ = stream.try_read(&mut buffer);
            if !hang_up {
                kept.push(stream);
            }
        }
    });
    url
}

#[tokio::test]
async fn a_read_is_repeated_until_the_server_is_well_again() {
    let server = Loopback::start(|number, _| match number {
        0 => reply(429, &[("retry-after", "7")], ""),
        1 => reply(503, &[("retry-after", "0.249")], ""),
        2 => reply(500, &[], ""),
        _ => reply(200, &[], "well"),
    })
    .await;
    let (client, rate_limit) = server.client();
    let response = client.read(Request::get(client.url("x")).units(5)).await.unwrap();
    assert_eq!((response.status, response.body.as_ref()), (200, &b"well"[..]));
    let counts = Counts { sent: 4, units: 20, retried: 3, throttled: 1, bytes_received: 4 };
    assert_eq!(client.counts(), counts);
    // 7 s: held for everybody and slept by this one. 1 s: held; the back-off of the second try is 2 to 4 s.
    let rests = rate_limit.rests();
    assert_eq!(&rests[..3], [7, 7, 1], "{rests:?}");
    assert!((2..=4).contains(&rests[3]) && (4..=8).contains(&rests[4]) && rests.len() == 5, "{rests:?}");
}

#[tokio::test]
async fn the_last_answer_is_returned_whatever_its_status() {
    let server = Loopback::start(|_, _| reply(502, &[], "bad gateway")).await;
    let (client, _) = server.client();
    assert_eq!(client.read(Request::get(client.url("x"))).await.unwrap().status, 502);
    assert_eq!(server.asked().len(), 6);
}

#[tokio::test]
async fn answers_that_waiting_does_not_mend_are_not_repeated() {
    for status in [200, 204, 304, 400, 401, 403, 404, 410, 424, 501] {
        let server = Loopback::start(move |_, _| reply(status, &[], "")).await;
        let (client, _) = server.client();
        assert_eq!(client.read(Request::get(client.url("x"))).await.unwrap().status, status);
        assert_eq!(server.asked().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn an_absurd_retry_after_is_a_blocked_account() {
    let server = Loopback::start(|_, _| reply(429, &[("retry-after", "9223372036854775807")], "")).await;
    let (client, rate_limit) = server.client();
    let failure = client.read(Request::get(client.url("x"))).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.to_string().contains("blocked by rate limiting"), "{failure}");
    let Sent::Response(response) = client.write(Request::post(client.url("x"))).await else { panic!("an answer") };
    assert_eq!((response.status, server.asked().len(), rate_limit.rests()), (429, 2, vec![]));
}

#[tokio::test]
async fn a_server_in_maintenance_is_not_a_blocked_account() {
    let server = Loopback::start(|_, _| reply(503, &[("retry-after", "7200")], "")).await;
    let (client, _) = server.client();
    let failure = client.read(Request::get(client.url("x"))).await.unwrap_err();
    assert_eq!((failure.kind, server.asked().len()), (FailureKind::Unreachable, 1), "{failure}");
}

#[tokio::test]
async fn no_proxy_is_asked_for_this_machine_itself() {
    let server = Loopback::start(|_, _| reply(200, &[], "")).await;
    let proxy = Proxy::Url(ProxyUrl::new(Url::parse(&nobody().await).unwrap()));
    let client = line_to(server.url.as_str(), &Http { proxy, ..Http::default() });
    assert_eq!(client.read(Request::get(client.url("x"))).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_configured_proxy_is_asked_for_others() {
    let proxy = Loopback::start(|_, _| reply(200, &[], "by proxy")).await;
    let http = Http { proxy: Proxy::Url(ProxyUrl::new(proxy.url.clone())), ..Http::default() };
    let client = line_to("http://jira.invalid/jira", &http);
    assert_eq!(client.read(Request::get(client.url("x"))).await.unwrap().body.as_ref(), b"by proxy");
    assert_eq!(proxy.asked()[0].header("host"), "jira.invalid");
}

#[tokio::test]
async fn a_write_is_sent_once_but_for_a_plain_429() {
    for (status, times) in [(500, 1), (502, 1), (503, 1), (504, 1), (302, 1), (409, 1), (429, 2)] {
        let server = Loopback::start(move |number, _| match number {
            0 => reply(status, &[("location", "/elsewhere")], ""),
            _ => reply(201, &[], ""),
        })
        .await;
        let (client, _) = server.client();
        let request =
            Request::post(client.url("x")).multipart("avatar", "a.png", "image/png", Bytes::from_static(b"png"));
        let Sent::Response(response) = client.write(request).await else { panic!("an answer") };
        assert_eq!(response.status, if times == 2 { 201 } else { status });
        let asked = server.asked();
        assert_eq!(asked.len(), times, "{status}");
        let body = String::from_utf8_lossy(&asked[times - 1].body).into_owned();
        assert!(body.contains("filename=\"a.png\"") && body.contains("image/png") && body.contains("png"), "{body}");
    }
}

#[tokio::test]
async fn what_may_have_arrived_is_told_from_what_surely_did_not() {
    let never = line_to(&nobody().await, &Http::default());
    let Sent::Never(fault) = never.write(Request::post(never.url("x"))).await else { panic!("surely never left") };
    assert_eq!(fault.code, "not_connected");
    assert_eq!(never.counts(), Counts::default());

    let cut = line_to(&mute(true).await, &Http::default());
    let Sent::Lost(fault) = cut.write(Request::post(cut.url("x"))).await else { panic!("may have arrived") };
    assert_eq!((fault.code.as_str(), cut.counts().sent), ("connection_lost", 1));

    let slow = line_to(&mute(false).await, &Http { timeout: Duration::from_millis(20), ..Http::default() });
    let Sent::Lost(fault) = slow.write(Request::post(slow.url("x"))).await else { panic!("may have arrived") };
    assert_eq!((fault.code.as_str(), slow.counts().sent), ("timed_out", 1));
    assert!(fault.message.contains("no answer in 0.02 s"), "{}", fault.message);

    let broken = never.write(Request::post(never.url("x")).header("X-A", "a\nb")).await;
    assert!(matches!(broken, Sent::Never(fault) if fault.code == "not_sent"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable_after_six_tries() {
    let client = line_to(&nobody().await, &Http::default());
    let failure = client.read(Request::get(client.url("x"))).await.unwrap_err();
    assert_eq!((failure.kind, client.counts().retried), (FailureKind::Unreachable, 5));
    assert!(failure.found.starts_with("no connection: "), "{failure}");
}

#[tokio::test]
async fn a_body_over_the_cap_is_not_taken() {
    let server = Loopback::start(|number, _| match number {
        // With a length, and in chunks without one.
        0 => reply(200, &[], vec![b'x'; 101]),
        1 => reply(200, &[], axum::body::Body::from_stream(chunks())),
        _ => reply(200, &[], vec![b'x'; 100]),
    })
    .await;
    let (client, _) = server.client();
    let request = Request::get(client.url("x")).cap(100);
    assert!(client.read_within_cap(request.clone()).await.unwrap().is_none());
    let failure = client.read(request.clone()).await.unwrap_err();
    assert!(failure.kind == FailureKind::Odd && failure.found.contains("larger than the 100 bytes"), "{failure}");
    assert_eq!(client.read(request).await.unwrap().body.len(), 100);
}

fn chunks() -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> {
    futures::stream::iter((0..3).map(|_| Ok(Bytes::from_static(&[b'y'; 50]))))
}

#[tokio::test]
async fn reads_follow_redirects_on_the_same_server_with_their_credential() {
    let server = Loopback::start(|_, asked| match asked.path.as_str() {
        "/old" => reply(301, &[("location", "/jira/new")], ""),
        "/loop" => reply(302, &[("location", "/loop")], ""),
        _ => reply(200, &[], ""),
    })
    .await;
    let (client, _) = server.client();
    let read = |path: &str| client.read(Request::get(client.url(path)).auth(&token("same-host-token")));
    assert_eq!(read("old").await.unwrap().status, 200);
    assert!(server.asked().iter().all(|asked| asked.header("authorization") == "Bearer same-host-token"));
    let failure = read("loop").await.unwrap_err();
    assert!(failure.kind == FailureKind::Odd && failure.found.contains("after 3 others"), "{failure}");
}

#[tokio::test]
async fn a_redirect_to_another_server_is_a_failure_that_names_the_base_url() {
    let other = Loopback::start(|_, _| reply(200, &[], "")).await;
    let place = other.url.clone();
    let server = Loopback::start(move |_, asked| {
        let path = if asked.path.starts_with("/jira/rest") { &asked.path } else { "/login?next=jira" };
        reply(302, &[("location", place.join(path).unwrap().as_str())], "")
    })
    .await;
    let client = line_to(server.url.join("/jira").unwrap().as_str(), &Http::default());
    let read = |path: &str| client.read(Request::get(client.url(path)).auth(&token("another-host-token")));
    for (path, hint) in [
        ("/rest/api/2/myself", format!("redirects to {}jira: write that one", other.url)),
        ("/secure", "answers in its place: a sign-in page or a gateway?".to_owned()),
    ] {
        let failure = read(path).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Misconfigured);
        assert!(failure.to_string().contains(&hint), "{failure} | {hint}");
    }
    assert!(other.asked().is_empty(), "nothing was sent to the other server");
}

#[tokio::test]
async fn no_credential_goes_to_another_host_or_in_the_clear() {
    let (server, other) =
        (Loopback::start(|_, _| reply(200, &[], "")).await, Loopback::start(|_, _| reply(200, &[], "")).await);
    let (client, _) = server.client();
    let failure = client.read(Request::get(other.url.clone()).auth(&token("strayed-token"))).await.unwrap_err();
    assert!(failure.found.contains("no credential is sent there"), "{failure}");
    assert!(other.asked().is_empty());

    let plain = line_to("http://jira.example.com/", &Http::default());
    let headers = vec![(HeaderName::new("x-gateway").unwrap(), Secret::new("gateway-key"))];
    let dressed = line_to("http://jira.example.com/", &Http { headers, ..Http::default() });
    for (client, request) in [
        (&plain, Request::get(plain.url("x")).auth(&token("plain-token"))),
        (&plain, Request::post(plain.url("x")).secret_form(&[("client_secret", &Secret::new("plain-secret"))])),
        (&dressed, Request::get(plain.url("x"))),
    ] {
        let failure = client.read(request.clone()).await.unwrap_err();
        assert_eq!((failure.kind, client.counts().sent), (FailureKind::Misconfigured, 0));
        assert!(failure.to_string().contains("over plain http"), "{failure}");
        assert!(matches!(client.write(request).await, Sent::Never(_)));
    }
}

#[tokio::test]
async fn extra_headers_and_our_name_go_to_the_configured_server_only() {
    let (server, other) =
        (Loopback::start(|_, _| reply(200, &[], "")).await, Loopback::start(|_, _| reply(200, &[], "")).await);
    let headers = vec![(HeaderName::new("x-gateway").unwrap(), Secret::new("gateway-key-2"))];
    let client = line_to(server.url.as_str(), &Http { headers, ..Http::default() });
    client.read(Request::get(client.url("x"))).await.unwrap();
    client.read(Request::get(other.url.clone())).await.unwrap();
    let (here, there) = (server.asked(), other.asked());
    assert_eq!((here[0].header("x-gateway"), there[0].header("x-gateway")), ("gateway-key-2", ""));
    assert_eq!(here[0].header("user-agent"), concat!("avatarpipe/", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn each_session_has_a_jar_of_its_own() {
    let server = Loopback::start(|number, asked| match asked.path.as_str() {
        "/login" => reply(200, &[("set-cookie", &format!("JSESSIONID=session-{number}; Path=/"))], ""),
        _ => reply(200, &[], ""),
    })
    .await;
    let (client, _) = server.client();
    let (first, second) = (client.session(Cookies::Keep).unwrap(), client.session(Cookies::Keep).unwrap());
    let refusing = client.session(Cookies::Refuse).unwrap();
    for session in [&first, &second, &refusing, &client] {
        session.read(Request::get(session.url("login"))).await.unwrap();
        session.clone().read(Request::get(session.url("who"))).await.unwrap();
    }
    let cookies: Vec<String> =
        server.asked().iter().filter(|a| a.path == "/who").map(|a| a.header("cookie").to_owned()).collect();
    assert_eq!(cookies, ["JSESSIONID=session-0", "JSESSIONID=session-2", "", ""]);
    assert_eq!(client.counts().sent, 8, "sessions share the counts");
}

#[tokio::test]
async fn an_echoed_credential_is_neither_kept_nor_printed() {
    let server = Loopback::start(|_, asked: &ReceivedRequest| {
        reply(200, &[], format!("you said {}", asked.header("authorization")))
    })
    .await;
    let (client, _) = server.client();
    let basic = Authorization::Basic { user: "svc".into(), password: Secret::new("echoed-password") };
    for authorization in [token("echoed-token"), basic] {
        let shown = client.read(Request::get(client.url("x")).auth(&authorization)).await.unwrap_err().to_string();
        let kept = shown.contains("you said") || shown.contains("echoed") || shown.contains("c3ZjO");
        assert!(shown.contains("the answer holds a secret") && !kept, "{shown}");
    }
}

/// Servers name a session in ordinary answers: those are kept. What is told of an answer names none.
#[tokio::test]
async fn a_session_s_cookie_is_told_nowhere_and_an_answer_that_names_it_is_kept() {
    let session = "7D41C0AB27D3E4856E19F2B03C5A6D71";
    let server = Loopback::start(move |_, asked: &ReceivedRequest| {
        let (status, set) = if asked.path == "/fails" {
            (400, "a=b")
        } else {
            (200, "JSESSIONID=7D41C0AB27D3E4856E19F2B03C5A6D71; Path=/")
        };
        let body =
            format!(r#"{{"session":{{"name":"JSESSIONID","value":"{session}"}},"errorMessages":["no {session}"]}}"#);
        reply(status, &[("set-cookie", set), ("request-id", session)], body)
    })
    .await;
    let (client, _) = server.client();
    let client = client.session(Cookies::Keep).unwrap();
    let opened = client.read(Request::get(client.url("session"))).await.unwrap();
    assert!(opened.body.windows(session.len()).any(|window| window == session.as_bytes()));
    let failed = client.read(Request::get(client.url("fails"))).await.unwrap();
    assert!(server.asked()[1].header("cookie").contains(session));
    let told = failed.failure(FailureKind::Odd, failed.excerpt()).to_string();
    assert!(!told.contains(session) && told.contains("no ***"), "{told}");
}

/// A sign-in gives credentials, also one that is known; whatever else it says is held against them as any answer is.
#[tokio::test]
async fn a_sign_in_may_give_a_known_credential_and_nothing_else() {
    let secret = Secret::new("s1gn~in/secret+9");
    let (base64, pair) = ("czFnbn5pbi9zZWNyZXQrOQ==", "c3ZjOnMxZ25+aW4vc2VjcmV0Kzk=");
    for (status, header, body, kept) in [
        (200, "", r#"{"access_token":"s1gn~in/secret+9"}"#.to_owned(), true),
        (200, "", "s1gn~in/secret+9\n".to_owned(), true),
        (400, "", r#"{"error":"invalid_client"}"#.to_owned(), true),
        (200, base64, "{}".to_owned(), false),
        (200, "", "<html> you said s1gn~in/secret+9".to_owned(), false),
        (400, "", format!(r#"{{"error":"{base64}"}}"#), false),
        (401, "", format!(r#"{{"error":"{pair}"}}"#), false),
        (400, "", r#"{"error":"s1gn~in%2Fsecret%2B9"}"#.to_owned(), false),
        (400, "", r#"{"error":"s1gn~in\/s\u0065cret+9"}"#.to_owned(), false),
        (400, "", "7331676e7e696e2f7365637265742b39".to_owned(), false),
        (503, "", "%73%31%67%6e%7e%69%6e%2f%73%65%63%72%65%74%2b%39".to_owned(), false),
    ] {
        let told = body.clone();
        let server = Loopback::start(move |_, _| reply(status, &[("request-id", header)], told.clone())).await;
        let (client, _) = server.client();
        let request = Request::post(client.url("token")).returns_secrets().secret_form(&[("client_secret", &secret)]);
        match client.read(request).await {
            Ok(response) => assert!(kept && response.body == body, "{status} {body}"),
            Err(failure) => {
                let shown = failure.to_string();
                assert!(!kept && shown.contains("the answer holds a secret"), "{body}: {shown}");
                let says_no = (400..500).contains(&status) && body.starts_with('{');
                assert_eq!(failure.kind == FailureKind::Refused, says_no, "{body}: {shown}");
                assert_eq!(server.asked().len(), 1, "{body}");
            }
        }
    }
}

/// What is only called a picture is read as any other answer.
#[tokio::test]
async fn a_picture_is_known_by_its_bytes() {
    let secret = token("in-a-picture-9");
    let answers: [(&[u8], bool); 3] =
        [(b"\xff\xd8\xff in-a-picture-9", true), (b"\x89PNG in-a-picture-9", true), (b"[\"in-a-picture-9\"]", false)];
    for (body, kept) in answers {
        let server = Loopback::start(move |_, _| reply(200, &[("content-type", "image/png")], body)).await;
        let (client, _) = server.client();
        assert_eq!(client.read(Request::get(client.url("x")).auth(&secret)).await.is_ok(), kept);
    }
}

#[tokio::test]
async fn a_url_keeps_the_context_path_and_its_query() {
    for (base, path, url) in [
        ("https://h.example", "rest/x", "https://h.example/rest/x"),
        ("https://h.example/jira", "/rest/x?a=b&c", "https://h.example/jira/rest/x?a=b&c"),
        ("https://h.example/jira/", "rest/x", "https://h.example/jira/rest/x"),
        ("https://h.example:8443/a b", "ü?$top=1", "https://h.example:8443/a%20b/%C3%BC?$top=1"),
    ] {
        assert_eq!(line_to(base, &Http::default()).url(path).as_str(), url);
    }
}

#[tokio::test]
async fn the_same_server_is_scheme_host_and_port() {
    let client = line_to("https://graph.example.com", &Http::default());
    for (url, same) in [
        ("https://graph.example.com/v1.0/users", true),
        ("https://GRAPH.example.com:443/", true),
        ("http://graph.example.com/", false),
        ("https://graph.example.com:444/", false),
        ("https://graph.example.com.evil.example/", false),
        ("https://evil.example/graph.example.com", false),
    ] {
        assert_eq!(client.same_server(&Url::parse(url).unwrap()), same, "{url}");
    }
}

#[test]
fn a_base_url_that_cannot_be_one_is_refused_without_its_password() {
    for (base, found) in [
        ("ftp://h.example", "not an http or https URL"),
        ("https://svc:hunter22@h.example", "holds a credential"),
        ("https://h.example/?a", "neither"),
    ] {
        let base = Url::parse(base).unwrap();
        let failure = Client::new("jira", base, RateLimit::recording(), &Http::default()).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Misconfigured);
        assert!(failure.found.contains(found) && !failure.to_string().contains("hunter22"), "{failure}");
    }
}

#[tokio::test]
async fn an_emptied_bucket_gives_everybody_a_breather() {
    let server = Loopback::start(|_, _| reply(200, &[("x-ratelimit-remaining", "0")], "")).await;
    let (client, rate_limit) = server.client();
    client.read(Request::get(client.url("x"))).await.unwrap();
    assert_eq!(rate_limit.rests(), [1]);
    assert_eq!(Arc::strong_count(&rate_limit), 2, "the line shares the pace");
}

#[tokio::test]
async fn the_extra_headers_go_to_configured_servers_only() {
    use super::client::Route;
    let other = Loopback::start(|_, _| reply(200, &[], "")).await;
    let headers = vec![(HeaderName::new("x-gateway").unwrap(), Secret::new("gateway-secret"))];
    let client = line_to("https://h.example", &Http { headers, ..Http::default() });
    for (route, sent) in [(Route::Configured, "gateway-secret"), (Route::Foreign, ""), (Route::Direct, "")] {
        let beside = client.beside(other.url.clone(), route).unwrap();
        beside.read(Request::get(beside.url("x"))).await.unwrap();
        assert_eq!(other.asked().last().unwrap().header("x-gateway"), sent, "{route:?}");
    }
    assert_eq!(client.counts().sent, 3, "counted where the sign-in belongs");
}
