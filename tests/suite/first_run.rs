//! The main job on the world of the README: every account shows its person's photo, and the second run finds nothing to do.

use avatarpipe_sandbox::World;
use avatarpipe_sandbox::truth::ShownKind;

use super::harness::Harness;
use super::truth::looks;

/// Accounts of `corporate` that must end up with their person's photo, which is the rule; the rest is listed here.
const LEFT_AS_THEY_WERE: &[(&str, &str)] = &[
    ("hedy", "the account is inactive"),
    ("frontdesk", "its address belongs to two people"),
    ("anita", "opted out, and shows the default"),
    ("lynn", "no photo, and shows the default"),
    ("butler", "no photo, and shows the default"),
    ("victor", "cut off"),
    ("wanda", "a login page"),
    ("xaver", "a bomb"),
    ("yusuf", "too small"),
    ("zoe", "no mailbox: not known"),
    ("otto", "the mailbox is elsewhere: not known"),
    ("paula", "disabled in the directory"),
    ("bob", "a guest"),
    ("build-bot", "nobody's"),
    ("svc-avatars", "nobody's"),
];

/// Provably without a photo, and with a picture of their own: the mission's own sentence takes it off.
const TAKEN_OFF: [&str; 2] = ["ellen", "sally"];

fn corporate() -> Harness {
    let world = World::bundled("corporate").unwrap_or_else(|fault| panic!("{fault}"));
    let harness = Harness::of(world);
    // As little known as with the failing store of the world, but nothing that is waited for.
    harness.photo_fails("otto", "mailbox_not_hosted");
    harness.with(|pipe| {
        pipe.entra("users", "{ opted_out: [anita@contoso.example] }");
        // The photos of the world are large; the reader of a test waits for each.
        pipe.top("transform", "{ resize: { size: 64 } }");
    })
}

#[test]
fn every_account_shows_the_right_face_and_the_second_run_is_quiet() {
    let harness = corporate();
    harness.run().expect_exit(0);

    let truth = harness.sandbox.truth();
    let mut faces = 0;
    for account in truth.accounts.iter().filter(|account| account.simulator == "jira") {
        if let Some((_, why)) = LEFT_AS_THEY_WERE.iter().find(|(name, _)| *name == account.name) {
            assert!(!account.changed(), "{} was to be left as it was: {why}", account.name);
            continue;
        }
        if TAKEN_OFF.contains(&account.name.as_str()) {
            assert_eq!(account.now.kind, ShownKind::Default, "{} has no photo", account.name);
            continue;
        }
        let upn = if account.name == "kenneth.abernathy" { "ken" } else { account.name.as_str() };
        let person = truth.people.iter().find(|person| person.user_name == format!("{upn}@contoso.example"));
        let person = person.unwrap_or_else(|| panic!("nobody is {}", account.name));
        let (photo, _) = person.photo.as_ref().unwrap_or_else(|| panic!("{} has no photo", person.display_name));
        assert_eq!(account.now.kind, ShownKind::Custom, "{} shows no picture", account.name);
        let apart = looks(&account.now.bytes).distance(&looks(photo));
        assert!(apart <= 6.0, "{} shows another picture than the person's photo: {apart:.1} apart", account.name);
        faces += 1;
    }
    let accounts = truth.accounts.iter().filter(|account| account.simulator == "jira").count();
    assert_eq!(faces + LEFT_AS_THEY_WERE.len() + TAKEN_OFF.len(), accounts, "every account is one or the other");
    let ours = truth.avatars.iter().filter(|avatar| avatar.creator != "world").count();
    assert_eq!(ours, faces, "one picture of ours for each face, and no stray");
    harness.expect_promises();

    let (second, arrived) = harness.counted(Harness::run);
    let second = second.expect_exit(0).expect_answer("nothing to do");
    assert_eq!(second.report()["sources"][0]["downloaded"], 0);
    assert_eq!(harness.writes(), [""; 0]);
    assert!(arrived["jira"] <= 6, "more than the listing: {arrived:?}");
    harness.expect_promises();
}

#[test]
fn the_readme_command_works_with_nothing_set_up() {
    let harness = Harness::tiny();
    harness.finish(&["run", "pipeline.yaml", "--sandbox=tiny"]).expect_exit(0).expect_answer("replaced (2)");
    let second = harness.finish(&["run", "pipeline.yaml", "--sandbox=tiny"]);
    second.expect_exit(0).expect_answer("nothing to do").expect_error("as the last run left it");
    let here = harness.finish(&["status", "pipeline.yaml"]).expect_exit(0).expect_answer("the state is missing");
    here.expect_answer("see them with: avatarpipe status pipeline.yaml --sandbox=tiny");
    let there = harness.finish(&["status", "pipeline.yaml", "--sandbox=tiny"]).expect_exit(0);
    there.expect_answer("last success: ").holds_no_answer("recorded apart");
}
