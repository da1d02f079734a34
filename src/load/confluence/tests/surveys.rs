//! Listings to their end, and what they show.

use super::OLD;
use super::fake::{ADA, Fault, Stage, Way, World};
use crate::http::{Failure, FailureKind};
use crate::load::{Learnt, Surveyed, Target as _};
use crate::model::{Account, AccountKey, AccountStanding, Shown};

async fn list(stage: &Stage, learnt: &mut Learnt) -> Result<(Surveyed, Vec<Account>), Failure> {
    let mut accounts = Vec::new();
    let surveyed = stage.wiki.survey(learnt, &mut |page| accounts.extend(page)).await?;
    Ok((surveyed, accounts))
}

fn groups(names: &[&'static str]) -> Way {
    Way { groups: names.to_vec(), ..Way::default() }
}

#[tokio::test]
async fn everybody_is_listed_by_the_next_links() {
    for bare in [false, true] {
        let stage = Stage::new(World { bare_listing: bare, ..World::default().shows(OLD) }, Way::default()).await;
        let mut learnt = Learnt::new();
        let (surveyed, accounts) = list(&stage, &mut learnt).await.unwrap();
        assert_eq!((surveyed.accounts, surveyed.notes.len()), (3, usize::from(bare)));
        let ada = &accounts[0];
        assert_eq!((ada.id.as_str(), ada.name.as_str(), ada.handle.as_deref()), ("K", ADA, Some("77")));
        assert_eq!((&ada.shown, &accounts[1].shown), (&Shown::Custom(OLD.into()), &Shown::Default));
        assert_eq!(learnt["default_path"], "/images/icons/profilepics/default.svg");
        let requests = stage.take_log().len();
        assert_eq!(requests, if bare { 5 } else { 2 });
        let first = stage.server.asked()[0].path.clone();
        assert_eq!(first, "/rest/api/user/list?start=0&limit=200&expand=status");
    }
}

#[tokio::test]
async fn a_listing_that_breaks_off_is_no_listing() {
    let stage = Stage::new(World { endless: true, ..World::default() }, Way::default()).await;
    assert_eq!(list(&stage, &mut Learnt::new()).await.unwrap_err().kind, FailureKind::Odd);
    for (status, kind) in [(401, FailureKind::Refused), (403, FailureKind::Refused), (500, FailureKind::Unreachable)] {
        let stage = Stage::new(World::default(), Way::default()).await;
        stage.world().faults.insert("list", Fault { status, body: "", takes_effect: false });
        assert_eq!(list(&stage, &mut Learnt::new()).await.unwrap_err().kind, kind, "{status}");
    }
}

#[tokio::test]
async fn an_older_confluence_lists_its_groups() {
    let old = || World { list_there: false, ..World::default() };
    let stage = Stage::new(old(), Way::default()).await;
    let failure = list(&stage, &mut Learnt::new()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Misconfigured);
    assert!(failure.hint.is_some_and(|words| words.contains("groups: [")));
    let mut world = old();
    world.groups.insert("users", vec![ADA, "bob", "svc"]);
    world.groups.insert("more", vec!["bob"]);
    let stage = Stage::new(world, groups(&["users", "more"])).await;
    let (surveyed, accounts) = list(&stage, &mut Learnt::new()).await.unwrap();
    assert_eq!((surveyed.accounts, accounts.len()), (3, 3));
    for (way, words) in [
        (groups(&["none"]), "no group `none`"),
        (groups(&["a/b"]), "cannot be asked"),
        (groups(&[".."]), "cannot be asked"),
    ] {
        let stage = Stage::new(old(), way).await;
        let failure = list(&stage, &mut Learnt::new()).await.unwrap_err();
        assert!(failure.kind == FailureKind::Misconfigured && failure.found.contains(words), "{failure}");
    }
}

#[tokio::test]
async fn a_newer_confluence_takes_any_name_of_a_group() {
    let odd = ["a/b", "..", "a;b", "100%", "a\\b"];
    let mut world = World { newer: true, list_there: false, ..World::default() };
    for group in odd {
        world.groups.insert(group, vec![ADA, "bob", "svc"]);
    }
    let stage = Stage::new(world, groups(&odd)).await;
    let (surveyed, _) = list(&stage, &mut Learnt::new()).await.unwrap();
    assert_eq!((surveyed.accounts, stage.take_log().len()), (3, 1 + 2 * odd.len()));
    let asked = stage.server.asked();
    let first = asked.iter().find(|asked| asked.path.contains("group")).unwrap();
    assert_eq!(first.path, "/rest/api/group/member?groupName=a%2Fb&start=0&limit=200&expand=status");
}

#[tokio::test]
async fn addresses_are_listed_where_match_needs_them_and_the_release_has_them() {
    let way = Way { matching: AccountKey::Email, ..Way::default() };
    let mut world = World { newer: true, ..World::default() };
    world.users.get_mut(ADA).unwrap().email = Some("ada@ex.org");
    let stage = Stage::new(world, way.clone()).await;
    let (_, accounts) = list(&stage, &mut Learnt::new()).await.unwrap();
    let addresses: Vec<_> = accounts.iter().map(|account| account.email.as_deref()).collect();
    assert_eq!(addresses, [Some("ada@ex.org"), None, None]);
    assert_eq!(stage.take_log(), ["R active", "R active", "R list", "R list"]);
    // One without that listing, and one that hides them from us.
    for newer in [false, true] {
        let failure =
            list(&Stage::new(World { newer, ..World::default() }, way.clone()).await, &mut Learnt::new()).await;
        let failure = failure.unwrap_err();
        assert!(failure.hint.as_deref().is_some_and(|words| words.contains("match: [username]")), "{failure}");
        assert_eq!(failure.kind, FailureKind::Misconfigured, "{failure}");
    }
    let stage = Stage::new(World { newer: true, ..World::default() }, Way::default()).await;
    list(&stage, &mut Learnt::new()).await.unwrap();
    assert_eq!(stage.take_log(), ["R list", "R list"], "nobody asked for them");
}

#[tokio::test]
async fn a_listing_that_does_not_get_on_ends() {
    let stage = Stage::new(World { stuck: true, ..World::default() }, Way::default()).await;
    let failure = list(&stage, &mut Learnt::new()).await.unwrap_err();
    assert!(failure.kind == FailureKind::Odd && failure.found.contains("no end"), "{failure}");
}

#[tokio::test]
async fn groups_select_where_everybody_is_listed() {
    let mut world = World::default();
    world.groups.insert("users", vec!["bob"]);
    let stage = Stage::new(world, groups(&["users"])).await;
    let (_, accounts) = list(&stage, &mut Learnt::new()).await.unwrap();
    let active: Vec<&str> = accounts
        .iter()
        .filter(|account| account.standing == AccountStanding::Active)
        .map(|account| account.name.as_str())
        .collect();
    assert_eq!((accounts.len(), active), (3, vec!["bob"]));
}
