//! Many users at once, by version.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use super::{ADMIN, As, Heard, Set, TestSandbox};
use crate::faults::{Effect, Fault};

/// That many plain accounts and the administrator.
fn people_of(version: &str, count: usize) -> String {
    let admin = "  - { name: svc, role: admin, password: pw, tokens: [tok], groups: [staff] }\n";
    let others: String =
        (1..count).map(|n| format!("  - {{ name: u{n:04}, email: u{n}@ex.org, groups: [staff] }}\n")).collect();
    format!("version: {version}\naccounts:\n{admin}{others}")
}

#[tokio::test]
async fn search_sees_as_far_as_the_version() {
    // version, users, startAt, maxResults → found
    let table = [
        ("9.12.5", 1005, 0, "1000", 1000),
        ("9.12.5", 1005, 1000, "1000", 5),
        ("9.12.5", 1005, 0, "5000", 1000),
        ("9.12.5", 1005, 0, "", 50),
        ("8.5.0", 1005, 0, "1000", 1000),
        ("8.5.0", 1005, 1000, "1000", 0),
        ("8.5.0", 1005, 990, "20", 10),
        ("10.2.0", 130, 0, "1000", 100),
        ("10.2.0", 130, 90, "50", 10),
        ("10.2.0", 130, 100, "50", 0),
        ("10.3.12", 130, 0, "1000", 100),
    ];
    for (version, count, start, page, found) in table {
        let sandbox = TestSandbox::of(&people_of(version, count), &[]);
        let page = if page.is_empty() { String::new() } else { format!("&maxResults={page}") };
        let heard = sandbox.get(&format!("/rest/api/2/user/search?username=.&startAt={start}{page}"), ADMIN).await;
        assert_eq!(heard.json().as_array().map(Vec::len), Some(found), "{version} {count} {start} {page}");
    }
    for (reach, found) in [("100", 100), ("1000", 1000), ("version", 1000)] {
        let sandbox = TestSandbox::of(&people_of("8.20.3", 1005), &[("search_reach", reach)]);
        let heard = sandbox.get("/rest/api/2/user/search?username=.&maxResults=1000", ADMIN).await;
        assert_eq!(heard.json().as_array().map(Vec::len), Some(found), "{reach}");
    }
}

/// Names are not sorted again for each page, so whatever changes one has to show in the next.
#[tokio::test]
async fn search_goes_by_the_names_of_today() {
    let sandbox = TestSandbox::of(&people_of("9.12.5", 4), &[]);
    let names = async || {
        let heard = sandbox.get("/rest/api/2/user/search?username=.", ADMIN).await.json();
        let names = heard.as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names().await, "svc u0001 u0002 u0003");
    sandbox.running.command("jira", &json!({ "rename": { "name": "u0002", "to": "zoe" } })).unwrap();
    assert_eq!(names().await, "svc u0001 u0003 zoe");
}

#[tokio::test]
async fn search_matches_beginnings() {
    let sandbox = TestSandbox::new("9.12.5", &[]);
    // query → names
    let table = [
        ("username=.", "ada alan grace root svc"),
        ("username=.&includeInactive=true", "ada alan grace idle jirauser10107 root svc"),
        ("username=.&includeInactive=True&includeActive=False", "idle jirauser10107"),
        ("username=A", "ada alan"),
        ("username=hop", "grace"),
        ("username=opper", ""),
        ("username=grace%2Bnavy%40ex.org&maxResults=2", "grace"),
        ("username=grace+navy%40ex.org", ""),
        ("username=gone&includeInactive=true", ""),
    ];
    for (query, names) in table {
        let found = sandbox.get(&format!("/rest/api/2/user/search?{query}"), ADMIN).await.json();
        let found: Vec<&str> = found.as_array().into_iter().flatten().filter_map(|u| u["name"].as_str()).collect();
        assert_eq!(found.join(" "), names, "{query}");
    }
    for (query, status) in [("", 400), ("username=", 400), ("username=.&startAt=x", 400)] {
        assert_eq!(sandbox.get(&format!("/rest/api/2/user/search?{query}"), ADMIN).await.status, status, "{query}");
    }
    for (switch, status, body) in [("refused", 401, ""), ("anonymous", 200, "[]")] {
        let sandbox = TestSandbox::new("9.12.5", &[("anonymous_search", switch)]);
        let heard = sandbox.get("/rest/api/2/user/search?username=.", As::Token("dead")).await;
        assert_eq!((heard.status, status == 401 || heard.text() == body), (status, true));
    }
}

#[tokio::test]
async fn the_cursor_goes_through_everybody_once() {
    let sandbox = TestSandbox::of(&people_of("11.0.0", 25), &[]);
    let (mut names, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = sandbox.get(&format!("/rest/api/2/user/list?maxResults=10{cursor}"), As::Token("tok")).await.json();
        pages += 1;
        names.extend(
            page["values"].as_array().into_iter().flatten().filter_map(|u| u["name"].as_str().map(str::to_owned)),
        );
        assert!(page["total"].is_null() && page["values"][0]["avatarUrls"]["48x48"].is_string());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break assert_eq!(page["isLast"], true),
        }
    }
    let all: BTreeSet<&String> = names.iter().collect();
    assert_eq!((names.len(), all.len(), pages), (25, 25, 3));
    assert!(!names.is_sorted(), "the order is nobody's");
    // version, switches → status, users
    let table: &[(&str, Set, u16, usize)] = &[
        ("9.12.5", &[], 404, 0),
        ("10.3.0", &[], 404, 0),
        ("10.3.0", &[("user_list", "on")], 200, 7),
        ("10.3.12", &[], 200, 7),
        ("11.0.0", &[("user_list_inactive", "off")], 200, 5),
        ("11.0.0", &[("token_scope", "service")], 403, 0),
    ];
    for (version, switches, status, count) in table {
        let heard = TestSandbox::new(version, switches).get("/rest/api/2/user/list", As::Token("tok")).await;
        let found = heard.json()["values"].as_array().map_or(0, Vec::len);
        assert_eq!((heard.status, found), (*status, *count), "{version} {switches:?}");
    }
    let bare = TestSandbox::new("11.0.0", &[("user_list_avatars", "off")])
        .get("/rest/api/2/user/list", As::Token("tok"))
        .await;
    assert!(bare.json()["values"][0]["avatarUrls"].is_null());
    assert_eq!(sandbox.get("/rest/api/2/user/list?cursor=x", As::Token("tok")).await.status, 400);
}

#[tokio::test]
async fn members_of_a_group_come_in_pages_of_fifty() {
    let sandbox = TestSandbox::of(&people_of("10.2.0", 120), &[]);
    // startAt, maxResults → members, last
    for (start, page, count, last) in [(0, 1000, 50, false), (50, 50, 50, false), (100, 50, 20, true), (0, 7, 7, false)]
    {
        let path = format!("/rest/api/2/group/member?groupname=staff&startAt={start}&maxResults={page}");
        let heard = sandbox.get(&path, ADMIN).await.json();
        let found = heard["values"].as_array().map_or(0, Vec::len);
        assert_eq!(
            (found, heard["isLast"] == true, heard["nextPage"].is_null()),
            (count, last, last),
            "{start} {page}"
        );
        assert_eq!(heard["total"], 120);
    }
    let sandbox = TestSandbox::new("10.2.0", &[]);
    // query, caller → status, members
    let table = [
        ("groupname=staff", ADMIN, 200, 5),
        ("groupname=staff&includeInactiveUsers=true", ADMIN, 200, 6),
        ("groupname=none", ADMIN, 404, 0),
        ("", ADMIN, 400, 0),
        ("groupname=staff", As::Basic("ada", "pw"), 403, 0),
        ("groupname=staff", As::Nobody, 401, 0),
    ];
    for (query, who, status, count) in table {
        let heard = Heard::from(sandbox.ask(Method::GET, &format!("/rest/api/2/group/member?{query}"), who)).await;
        assert_eq!(
            (heard.status, heard.json()["values"].as_array().map_or(0, Vec::len)),
            (status, count),
            "{query} {who:?}"
        );
    }
}

#[tokio::test]
async fn a_listing_by_offset_drifts_when_others_come_and_go() {
    let sandbox = TestSandbox::new("9.12.5", &[]);
    let name = async |from: usize| {
        let page = format!("/rest/api/2/user/search?username=.&startAt={from}&maxResults=1");
        sandbox.get(&page, ADMIN).await.json()[0]["name"].clone()
    };
    let names = [name(0).await, name(1).await, name(2).await];
    for (word, from, shown) in
        [("page_skips", 1, 2), ("page_repeats", 1, 0), ("page_skips", 0, 0), ("page_repeats", 0, 0)]
    {
        sandbox.running.fault(Fault::new(Effect::Special(word.to_owned())).on("GET", "*/user/search").times(1));
        assert_eq!(name(from).await, names[shown], "{word} {from}");
    }
}
