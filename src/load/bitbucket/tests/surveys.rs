//! Listings to their end, and what they show.

use super::fake::{Stage, World};
use crate::http::{Failure, FailureKind};
use crate::load::jira::tests::grey;
use crate::load::{Learnt, Surveyed, Target as _};
use crate::model::{Account, AccountStanding, Shown};

async fn list(stage: &Stage) -> Result<(Surveyed, Vec<Account>), Failure> {
    let mut accounts = Vec::new();
    let surveyed = stage.git.survey(&mut Learnt::new(), &mut |page| accounts.extend(page)).await?;
    Ok((surveyed, accounts))
}

#[tokio::test]
async fn everybody_is_listed_by_the_next_start() {
    let stage = Stage::new(World::default().shows("1655392225748", grey(9)), &[]).await;
    let (surveyed, accounts) = list(&stage).await.unwrap();
    assert_eq!((surveyed.accounts, stage.take_log().len()), (3, 2));
    let ada = &accounts[0];
    assert_eq!((ada.id.as_str(), ada.name.as_str()), ("101", "ada+x@ex.org"));
    assert_eq!((ada.handle.as_deref(), &ada.shown), (Some("ada_x_ex.org"), &Shown::Custom("1655392225748".into())));
    assert_eq!(accounts[1].shown, Shown::Default);
    let standings: Vec<AccountStanding> = accounts.iter().map(|account| account.standing).collect();
    assert_eq!(standings, [AccountStanding::Active, AccountStanding::Active, AccountStanding::Inactive]);
    assert_eq!(stage.server.asked()[0].path, "/rest/api/latest/users?start=0&limit=1000&avatarSize=64");
    assert_eq!(stage.git.look(ada).await.unwrap(), Some(grey(9)));
    assert_eq!(stage.git.look(&accounts[1]).await.unwrap(), None);
}

#[tokio::test]
async fn who_answers_is_asked_in_either_version() {
    for latest_there in [true, false] {
        let stage = Stage::new(World { latest_there, ..World::default() }, &[]).await;
        let server = stage.git.identify().await.unwrap();
        assert_eq!((server.product.as_str(), server.id.as_str()), ("Bitbucket 8.19.1", "b17"));
        assert_eq!(server.user.as_deref(), Some("svc"));
        assert_eq!(list(&stage).await.unwrap().0.accounts, 3);
    }
    let stage = Stage::new(World { display_name: "Jira", ..World::default() }, &[]).await;
    assert_eq!(stage.git.identify().await.unwrap_err().kind, FailureKind::Misconfigured);
}

#[tokio::test]
async fn what_the_listing_does_not_say_is_unknown() {
    let stage = Stage::new(World { bare_listing: true, ..World::default() }, &[]).await;
    let (surveyed, accounts) = list(&stage).await.unwrap();
    assert!(accounts.iter().all(|account| matches!(account.shown, Shown::Unknown(_))));
    assert_eq!(surveyed.notes.len(), 1);
}

#[tokio::test]
async fn a_listing_without_an_end_is_no_listing() {
    let stage = Stage::new(World { endless: true, ..World::default() }, &[]).await;
    assert_eq!(list(&stage).await.unwrap_err().kind, FailureKind::Odd);
}

#[tokio::test]
async fn groups_select() {
    let stage = Stage::new(World { group: vec![102], ..World::default() }, &["devs"]).await;
    let (_, accounts) = list(&stage).await.unwrap();
    let active: Vec<&str> = accounts
        .iter()
        .filter(|account| account.standing == AccountStanding::Active)
        .map(|account| account.name.as_str())
        .collect();
    assert_eq!((accounts.len(), active), (3, vec!["bob"]));
    let stage = Stage::new(World::default(), &["nobody"]).await;
    assert_eq!(list(&stage).await.unwrap_err().kind, FailureKind::Misconfigured);
}
