//! Who answers, and all accounts, by version.

use serde_json::json;

use crate::http::{Failure, FailureKind};
use crate::load::jira::tests::fake::{DEFAULT, Fault, Stage, User, Way, World};
use crate::load::jira::tests::grey;
use crate::load::tests::members_of;
use crate::load::{Learnt, Surveyed, Target as _};
use crate::model::{Account, AccountStanding, PictureRef, Shown};

/// A world of `count` users at this version, ada and svc among them.
fn world(version: &'static str, count: usize) -> World {
    let mut world = World { version, ..World::default() };
    for n in world.users.len()..count {
        let user = User { key: format!("P{n}"), custom: vec![], selected: DEFAULT };
        world.users.insert(format!("p{n:05}"), user);
    }
    world
}

async fn survey(stage: &Stage, learnt: &mut Learnt) -> Result<(Vec<Account>, Surveyed), Failure> {
    stage.jira.identify().await?;
    let mut accounts = Vec::new();
    let surveyed = stage.jira.survey(learnt, &mut |page| accounts.extend(page)).await?;
    Ok((accounts, surveyed))
}

#[tokio::test]
async fn the_server_says_who_it_is_and_who_we_are() {
    let stage = Stage::new(World::default(), Way::Token).await;
    let server = stage.jira.identify().await.unwrap();
    assert_eq!(
        (server.id.as_str(), server.product.as_str(), server.user.as_deref()),
        ("9d1f", "Jira 9.12.5", Some("svc+bot"))
    );
    let by_jira = Fault { headers: vec![("x-ausername", "svc%2Bbot")], ..Fault::status(404) };
    stage.world().faults.insert("manifest", by_jira);
    assert_eq!(stage.jira.identify().await.unwrap().id.as_str(), "https://jira.ex.org");
}

#[tokio::test]
async fn what_stands_before_a_server_does_not_say_who_it_is() {
    let stage = Stage::new(World::default(), Way::Token).await;
    for status in [401, 403, 404] {
        stage.world().faults.insert("manifest", Fault::status(status));
        let failure = stage.jira.identify().await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreachable, "{failure}");
    }
}

#[tokio::test]
async fn the_wrong_product_is_a_fault_of_the_file() {
    let table = [
        ("serverInfo", r#"{"version":"1001.0","deploymentType":"Cloud"}"#, 200, FailureKind::Misconfigured),
        ("serverInfo", "<html>log in</html>", 200, FailureKind::Odd),
        ("serverInfo", "", 404, FailureKind::Misconfigured),
        ("manifest", r#"{"id":"1","typeId":"confluence"}"#, 200, FailureKind::Misconfigured),
    ];
    for (step, body, status, kind) in table {
        let stage = Stage::new(World::default(), Way::Token).await;
        stage.world().faults.insert(step, Fault { body, ..Fault::status(status) });
        assert_eq!(stage.jira.identify().await.unwrap_err().kind, kind, "{step} {body}");
    }
}

#[tokio::test]
async fn each_version_is_listed_by_its_own_call() {
    // Version, users, calls of the survey without the question for the default.
    let table: [(&'static str, usize, &[&str]); 5] = [
        ("11.0.0", 5, &["R list", "R list", "R list"]),
        ("10.3.4", 5, &["R list", "R list", "R list"]),
        ("9.12.5", 5, &["R search"]),
        ("9.12.5", 1003, &["R search", "R search"]),
        ("8.5.0", 999, &["R search"]),
    ];
    for (version, count, calls) in table {
        let stage = Stage::new(world(version, count), Way::Token).await;
        let mut learnt = Learnt::new();
        let (accounts, surveyed) = survey(&stage, &mut learnt).await.unwrap();
        assert_eq!((accounts.len(), surveyed.accounts), (count, count as u64), "{version}");
        assert_eq!(surveyed.default, Some(PictureRef::new(DEFAULT.to_string())), "{version}");
        let mut expected = vec!["R serverInfo", "R manifest"];
        expected.extend(calls);
        expected.push("R avatars");
        assert_eq!(stage.take_log(), expected, "{version}");
        // Once learnt, the default is not asked for again.
        stage.jira.survey(&mut learnt, &mut |_| {}).await.unwrap();
        assert_eq!(stage.take_log(), calls, "{version}");
    }
}

/// One that the listing shows with an owner would put somebody's face on everybody who is reverted.
#[tokio::test]
async fn a_default_that_the_listing_does_not_show_is_none() {
    let stage = Stage::new(world("9.12.5", 5), Way::Token).await;
    let body = r#"{"system":[{"id":"15002","isSystemAvatar":true,"isSelected":true,"selected":true}],"custom":[]}"#;
    stage.world().faults.insert("avatars", Fault { body, ..Fault::status(200) });
    let (_, surveyed) = survey(&stage, &mut Learnt::new()).await.unwrap();
    assert_eq!(surveyed.default, None);
    assert!(surveyed.notes.iter().any(|note| note.contains("default picture is not known")), "{:?}", surveyed.notes);
}

#[tokio::test]
async fn a_lowered_page_size_is_followed_to_the_end() {
    let stage = Stage::new(World { search_page: 100, ..world("9.12.5", 230) }, Way::Token).await;
    let (accounts, _) = survey(&stage, &mut Learnt::new()).await.unwrap();
    assert_eq!(accounts.len(), 230);
}

#[tokio::test]
async fn a_listing_that_begins_again_and_again_has_no_end() {
    let stage = Stage::new(world("9.12.5", 3), Way::Token).await;
    let urls = json!({ "48x48": "https://jira.ex.org/secure/useravatar?avatarId=1" });
    let user = |nth| json!({ "key": format!("K{nth}"), "name": format!("n{nth}"), "avatarUrls": urls });
    let page: Vec<_> = (0..50).map(user).collect();
    let body = serde_json::to_string(&page).unwrap().leak();
    stage.world().faults.insert("search", Fault { body, ..Fault::status(200) });
    let failure = survey(&stage, &mut Learnt::new()).await.unwrap_err();
    assert!(failure.found.contains("has no end"), "{failure}");
}

#[tokio::test]
async fn a_cut_listing_is_a_failure() {
    for (version, cap, count) in [
        ("8.5.0", 1000, 1500),
        ("9.12.5", 2000, 2500),
        ("8.4.1", 1000, 1000),
        ("8.20.3", 1000, 1500),
        ("8.20.3", 100, 150),
        ("8.13.2", 100, 100),
    ] {
        let stage = Stage::new(World { search_cap: cap, ..world(version, count) }, Way::Token).await;
        let failure = survey(&stage, &mut Learnt::new()).await.unwrap_err();
        assert!(failure.found.contains("cut off"), "{version}: {failure}");
        let way_out = failure.hint.as_deref().unwrap_or_default().contains("groups");
        assert_eq!(way_out, version.starts_with('8'), "{version}: {failure}");
    }
}

#[tokio::test]
async fn where_all_cannot_be_listed_groups_are_asked_for() {
    for version in ["10.0.1", "10.3.0"] {
        let there = || World { list_there: false, ..world(version, 8) };
        let stage = Stage::new(there(), Way::Token).await;
        let failure = survey(&stage, &mut Learnt::new()).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Misconfigured);
        assert!(failure.hint.unwrap().contains("groups"));

        let mut with_groups = there();
        with_groups.groups.insert("staff", vec!["p00002".into(), "p00003".into(), "p00004".into()]);
        with_groups.groups.insert("board", vec!["p00004".into(), "p00005".into()]);
        let stage = Stage::with(with_groups, Way::Token, members_of(&["staff", "board"])).await;
        let (accounts, _) = survey(&stage, &mut Learnt::new()).await.unwrap();
        let mut names: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["p00002", "p00003", "p00004", "p00005"], "{version}");
    }
}

#[tokio::test]
async fn groups_list_what_an_old_search_cuts_off() {
    let mut world = World { search_cap: 1000, ..world("8.5.0", 1500) };
    world.groups.insert("staff", (2..1202).map(|nth| format!("p{nth:05}")).collect());
    let stage = Stage::with(world, Way::Password, members_of(&["staff"])).await;
    let (accounts, _) = survey(&stage, &mut Learnt::new()).await.unwrap();
    assert_eq!(accounts.len(), 1200);
}

#[tokio::test]
async fn a_hundred_accounts_are_all_where_nothing_is_cut() {
    for version in ["8.20.4", "9.12.5"] {
        let stage = Stage::new(world(version, 100), Way::Token).await;
        assert_eq!(survey(&stage, &mut Learnt::new()).await.unwrap().0.len(), 100, "{version}");
    }
}

#[tokio::test]
async fn where_a_token_may_not_list_everybody_groups_do() {
    for status in [401, 403] {
        let refused = || {
            let mut world = world("11.0.0", 8);
            world.groups.insert("staff", vec!["p00002".into(), "p00003".into()]);
            world.faults.insert("list", Fault::status(status));
            world
        };
        let stage = Stage::new(refused(), Way::Token).await;
        let failure = survey(&stage, &mut Learnt::new()).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Refused, "{failure}");
        assert!(failure.hint.as_deref().is_some_and(|hint| hint.contains("service account")), "{failure}");

        let stage = Stage::with(refused(), Way::Token, members_of(&["staff"])).await;
        let mut learnt = Learnt::new();
        let (accounts, surveyed) = survey(&stage, &mut learnt).await.unwrap();
        assert_eq!(accounts.len(), 2);
        assert!(surveyed.notes.iter().any(|note| note.contains("service account")), "{:?}", surveyed.notes);
        stage.take_log();
        stage.jira.survey(&mut learnt, &mut |_| {}).await.unwrap();
        assert_eq!(stage.take_log(), ["R member"], "it is not asked for again");
    }
}

#[tokio::test]
async fn masked_addresses_match_nobody_and_are_told() {
    for masked in [false, true] {
        let stage = Stage::new(World { masked, ..World::default() }, Way::Password).await;
        let (accounts, surveyed) = survey(&stage, &mut Learnt::new()).await.unwrap();
        assert_eq!(accounts.iter().all(|account| account.email.is_none()), masked);
        assert_eq!(surveyed.notes.iter().any(|note| note.contains("2 accounts show a masked")), masked);
    }
}

#[tokio::test]
async fn elsewhere_groups_select_among_all() {
    let mut world = world("9.12.5", 5);
    world.groups.insert("staff", vec!["p00002".into(), "p00003".into(), "p00004".into()]);
    let stage = Stage::with(world, Way::Token, members_of(&["staff"])).await;
    let (accounts, _) = survey(&stage, &mut Learnt::new()).await.unwrap();
    assert_eq!(accounts.len(), 5);
    for account in accounts {
        let expected =
            if account.name.starts_with('p') { AccountStanding::Active } else { AccountStanding::NotInGroups };
        assert_eq!(account.standing, expected, "{}", account.name);
    }
    let stage = Stage::with(super::fake::World::default(), Way::Token, members_of(&["typo"])).await;
    let failure = survey(&stage, &mut Learnt::new()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Misconfigured);
}

#[tokio::test]
async fn listings_without_pictures_are_completed_one_by_one() {
    let mut world = World { bare_listing: true, ..world("11.0.0", 3) };
    let custom = world.place("ada+x@ex.org", grey(7));
    let stage = Stage::new(world, Way::Token).await;
    let (accounts, surveyed) = survey(&stage, &mut Learnt::new()).await.unwrap();
    let ada = accounts.iter().find(|account| account.id.as_str() == "K").unwrap();
    assert_eq!(ada.shown, Shown::Custom(PictureRef::new(custom.to_string())));
    assert!(surveyed.notes.iter().any(|note| note.contains("one by one")), "{:?}", surveyed.notes);
}

#[tokio::test]
async fn an_empty_listing_is_a_missing_permission() {
    let stage = Stage::new(World { users: Default::default(), ..World::default() }, Way::Token).await;
    assert_eq!(survey(&stage, &mut Learnt::new()).await.unwrap_err().kind, FailureKind::Refused);
}

#[tokio::test]
async fn what_an_account_shows_can_be_looked_at() {
    let mut world = World::default();
    world.place("ada+x@ex.org", grey(7));
    let stage = Stage::new(world, Way::Token).await;
    let (accounts, _) = survey(&stage, &mut Learnt::new()).await.unwrap();
    let by_key = |key: &str| accounts.iter().find(|account| account.id.as_str() == key).unwrap();
    assert_eq!(stage.jira.look(by_key("K")).await.unwrap(), Some(grey(7)));
    assert_eq!(stage.jira.look(by_key("SVC")).await.unwrap(), None, "the default");
    stage.world().faults.insert("picture", Fault { body: "<html>log in</html>", ..Fault::status(200) });
    assert_eq!(stage.jira.look(by_key("K")).await.unwrap_err().kind, FailureKind::Odd);
}
