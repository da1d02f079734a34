//! Through a proxy with a password, over TLS: the password is for the proxy alone, and no redirect leads anything out.
//!
//! Owns: where a proxy's password can stand, how the proxy fails, where a redirect can lead.
//! Leaves to others: redirects in the clear (`foreign_hosts`).
//! A newcomer gets wrong: a proxy that opens TLS can answer in the place of every server, and quote what only the proxy
//! was sent.

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};

use super::super::harness::Harness;
use super::super::population::Population;
#[cfg(feature = "bucket")]
use super::super::stores::{s3, store};
use super::super::truth::Shows::Face;
use super::tls::{DOMAIN, Manner, Proxy, pair};
use super::{finish, http};

const SIMULATORS: [&str; 7] = ["login", "graph", "token", "directory", "jira", "confluence", "bitbucket"];

/// Where the proxy's URL stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the pipeline file, from a variable.
    File,
    /// In `HTTPS_PROXY`, as everywhere.
    System,
    /// In `https_proxy`, as curl takes it.
    SystemLower,
    /// In `ALL_PROXY`.
    SystemAll,
}

const PLACES: [Place; 4] = [Place::File, Place::System, Place::SystemLower, Place::SystemAll];

/// A company that is reached through a proxy only.
fn harness(place: Place) -> (Harness, Proxy) {
    let population = Population::of(&["ada", "grace"]).with_google(&["leslie"]).everywhere();
    let mut harness = Harness::connected(population.world());
    let proxy = Proxy::before(&mut harness, &SIMULATORS);
    configure(&mut harness, place, &proxy.url());
    (harness, proxy)
}

fn configure(harness: &mut Harness, place: Place, url: &str) {
    let (variable, entry) = match place {
        Place::File => ("PROXY_URL", "proxy: '${PROXY_URL}', "),
        Place::System => ("HTTPS_PROXY", ""),
        Place::SystemLower => ("https_proxy", ""),
        Place::SystemAll => ("ALL_PROXY", ""),
    };
    harness.set(variable, url);
    harness.set("HEADER", "canary-header-value");
    let entry = format!("{entry}ca_file: ca.pem, timeout: 20s, headers: {{ X-Api-Key: '${{HEADER}}' }}");
    harness.edit(|pipe| _ = pipe.top("http", &http(&entry)));
}

#[test]
fn a_proxy_s_password_is_for_the_proxy_alone() {
    for place in PLACES {
        println!("{place:?}");
        let (harness, proxy) = harness(place);
        finish(&harness, &["auth", "pipeline.yaml"]).expect_exit(0);
        finish(&harness, &["run", "pipeline.yaml", "--report", "report"]).expect_exit(0);
        harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
        let heard = proxy.heard();
        for simulator in SIMULATORS {
            let connect = format!("CONNECT {simulator}.{DOMAIN}:443");
            assert!(heard.asked.contains(&connect), "{simulator} was not reached through the proxy");
        }
        let (pair, inside) = (pair(), heard.inside.join("\n"));
        assert!(!inside.contains(&pair) && !inside.to_lowercase().contains("proxy-auth"), "a server got it: {inside}");
    }
}

const MANNERS: [Manner; 12] = [
    Manner::Refuses(407),
    Manner::Refuses(403),
    Manner::Refuses(302),
    Manner::Refuses(502),
    Manner::GoneAfter(0),
    Manner::GoneAfter(3),
    Manner::Babbles,
    Manner::Answers(400),
    Manner::Answers(401),
    Manner::Answers(403),
    Manner::Answers(302),
    Manner::Answers(500),
];

#[test]
fn no_failure_of_a_proxy_gives_the_password_of_the_file_away() {
    fail(Place::File);
}

#[test]
fn no_failure_of_a_proxy_gives_the_password_of_the_environment_away() {
    fail(Place::System);
}

fn fail(place: Place) {
    let (harness, proxy) = harness(place);
    for (nth, manner) in MANNERS.into_iter().enumerate() {
        println!("{manner:?}");
        proxy.behave(manner);
        let command = if nth % 2 == 0 { "auth" } else { "plan" };
        let ended = finish(&harness, &[command, "pipeline.yaml"]);
        ended.holds(!ended.succeeded(), "a failure");
        if manner == Manner::Refuses(407) {
            ended.expect_answer("proxy authorization required");
        }
    }
}

#[test]
fn a_proxy_that_quotes_what_it_was_sent_gives_nothing_away_wherever_its_url_stands() {
    for place in [Place::SystemLower, Place::SystemAll] {
        let (harness, proxy) = harness(place);
        proxy.behave(Manner::Answers(400));
        let ended = finish(&harness, &["auth", "pipeline.yaml"]).expect_exit(6);
        ended.holds(ended.stdout.contains("400"), "the proxy's answer");
    }
}

/// Nobody there, a proxy that wants TLS itself, and URLs that are none. The environment's would be passed over for those.
#[test]
fn a_proxy_that_cannot_be_used_gives_nothing_away() {
    for (place, changes) in [
        (
            Place::File,
            &[("127.0.0.1", "127.0.0.2"), ("http://", "https://"), ("http://", "socks9://"), ("http://", "")][..],
        ),
        (Place::System, &[("127.0.0.1", "127.0.0.2"), ("http://", "https://")]),
    ] {
        let (mut harness, proxy) = harness(place);
        for (is, becomes) in changes {
            configure(&mut harness, place, &proxy.url().replace(is, becomes));
            let ended = finish(&harness, &["auth", "pipeline.yaml"]);
            ended.holds(!ended.succeeded(), "a failure");
        }
    }
}

#[test]
fn a_redirect_leads_no_credential_out_of_tls_or_to_another_host() {
    let (harness, proxy) = harness(Place::File);
    let mut ways = [0, 1, 2, 3].into_iter().cycle();
    for status in [301, 302, 303, 307, 308] {
        for simulator in SIMULATORS {
            let location = match ways.next() {
                Some(0) => format!("http://{simulator}.{DOMAIN}/x"),
                Some(1) => format!("https://elsewhere.{DOMAIN}/x"),
                Some(2) => format!("https://{simulator}.{DOMAIN}:8443/x"),
                _ => format!("//svc:pw@elsewhere.{DOMAIN}/x"),
            };
            let headers = [("location".to_owned(), location.clone())].into();
            let answer = Effect::Answer(Answer { status, headers, ..Answer::default() });
            let number = harness.sandbox.faults().add(Fault::new(answer).at(simulator));
            proxy.behave(Manner::Honest);
            finish(&harness, &["auth", "pipeline.yaml"]);
            let struck = harness.sandbox.faults().all().iter().any(|fault| fault.number == number && fault.struck > 0);
            assert!(struck, "{simulator} was not asked");
            harness.sandbox.faults().remove(number);
            let known = SIMULATORS.map(|name| format!("CONNECT {name}.{DOMAIN}:443"));
            for asked in proxy.heard().asked {
                assert!(known.contains(&asked), "{status} at {simulator} to {location}: {asked}");
            }
        }
    }
}

/// What is for the configured products, a header and the proxy's password, is not for the store.
#[cfg(feature = "bucket")]
#[test]
fn a_state_in_a_bucket_is_reached_through_it_too() {
    const RUN: [&str; 4] = ["run", "pipeline.yaml", "--report", "report"];
    for place in [Place::File, Place::System] {
        println!("{place:?}");
        let (mut harness, proxy) = harness(place);
        let store = store();
        s3(&proxy.leads_to("store", store.url()), "p").for_state(&mut harness, "");
        configure(&mut harness, place, &proxy.url());
        finish(&harness, &RUN).expect_exit(0);
        assert!(store.objects().contains_key("p/lease"), "{:?}", store.objects().keys());
        let of_store = format!("host: store.{DOMAIN}");
        let inside: Vec<_> = proxy.heard().inside.into_iter().filter(|head| head.contains(&of_store)).collect();
        assert!(inside.len() > 4, "{inside:#?}");
        for head in inside {
            assert!(!head.contains("canary-header-value") && !head.contains(&pair()), "{head}");
        }
        for manner in [Manner::Refuses(407), Manner::Answers(403), Manner::Babbles, Manner::GoneAfter(0)] {
            proxy.behave(manner);
            let ended = finish(&harness, &RUN);
            ended.holds(!ended.succeeded(), "a failure");
        }
    }
}
