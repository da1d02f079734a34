//! Every file of `pipelines/` does its job as it is, against the bundled simulators of `--sandbox`.
//!
//! Owns: who must show which face after it, read from the world that the run left behind.
//! Leaves to others: what goes wrong (`several`), the words that are printed (`printed`, `readme`).
//! A newcomer gets wrong: the file is taken as it is, rates included, so a run takes its seconds; each has its own test
//! to run beside the others.

use std::path::Path;
use std::process::Command;

use avatarpipe_sandbox::truth::{Account, ShownKind, Truth};
use avatarpipe_sandbox::{Options, Running, Sandbox, World};

use super::ended::Ended;
use super::truth::{expect_tidy, looks};

/// Where the files lie.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines");

/// Accounts of `corporate` that are left as they are in every product, which is not the rule.
const LEFT: &[&str] = &[
    // The account is inactive, nobody's, or somebody's and somebody else's.
    "hedy",
    "build-bot",
    "svc-avatars",
    "frontdesk",
    "access-key-user",
    // Not in scope: disabled, a guest.
    "paula",
    "bob",
    // Provably no photo, and the default is shown.
    "lynn",
    "butler",
    // No photo that can be shown: cut off, a login page, a bomb, too small, a mailbox that cannot say.
    "victor",
    "wanda",
    "xaver",
    "yusuf",
    "zoe",
    "otto",
];

/// Accounts of `corporate` with a picture of their own whose people provably have no photo: they go back to the default.
const TAKEN_OFF: &[&str] = &["ellen", "sally"];

/// After two runs of a file.
struct Done {
    folder: tempfile::TempDir,
    sandbox: Running,
}

/// Runs the file twice in a folder of its own, in the world that fits it; the second time there must be nothing to do.
#[track_caller]
fn done(name: &str, world: &str, prepare: impl FnOnce(&Path)) -> Done {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let pipeline = format!("pipelines/{name}");
    std::fs::create_dir(folder.path().join("pipelines")).expect("a folder for the file");
    std::fs::copy(format!("{FOLDER}/{name}"), folder.path().join(&pipeline)).expect("the file can be copied");
    prepare(folder.path());
    let run = || {
        let arguments = ["run", &pipeline, "--sandbox", "--report", "report"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_avatarpipe"));
        let output = command.args(arguments).current_dir(folder.path()).env_clear().output().expect("the program runs");
        Ended::new(format!("avatarpipe {}", arguments.join(" ")), output, folder.path())
    };
    run().expect_exit(0).expect_answer("replaced (");
    let second = run().expect_exit(0).expect_answer("nothing to do");
    let sources = second.report()["sources"].as_array().cloned().unwrap_or_default();
    second.holds(!sources.is_empty(), "a source in the report");
    for source in sources {
        second.holds(source["downloaded"] == 0, &format!("no photo downloaded from {}", source["id"]));
    }
    let state = folder.path().join("state/sandbox").join(world).join("world");
    let bundled = World::bundled(world).unwrap_or_else(|fault| panic!("{fault}"));
    let sandbox = Sandbox::start(bundled, Options { state: Some(state), ..Options::default() });
    let sandbox = sandbox.unwrap_or_else(|fault| panic!("{fault}"));
    assert!(sandbox.resumed(), "the world of the runs is there");
    Done { folder, sandbox }
}

impl Done {
    /// Every account of that product shows its person's photo; those of the list show what they showed before.
    #[track_caller]
    fn expect_faces(&self, product: &str, left: &[&str]) -> usize {
        let truth = self.sandbox.truth();
        let (mut faces, mut untouched) = (0, Vec::new());
        for account in truth.accounts.iter().filter(|account| account.simulator == product) {
            if left.contains(&account.name.as_str()) {
                assert!(!account.changed(), "{product}/{} was to be left as it was", account.name);
                untouched.push(account.name.as_str());
                continue;
            }
            if TAKEN_OFF.contains(&account.name.as_str()) {
                assert_eq!(account.now.kind, ShownKind::Default, "{product}/{} has no photo", account.name);
                continue;
            }
            let photo = photo(&truth, &account.name);
            expect_face(account, &photo);
            faces += 1;
        }
        let ours = truth.avatars.iter().filter(|avatar| avatar.simulator == product && avatar.creator != "world");
        assert_eq!(ours.count(), faces, "one picture of ours for each face of {product}");
        expect_tidy(&self.sandbox);
        faces
    }

    /// Nothing in that product is other than it was.
    #[track_caller]
    fn expect_untouched(&self, product: &str) {
        for account in self.sandbox.truth().accounts.iter().filter(|account| account.simulator == product) {
            assert!(!account.changed(), "{product}/{} was changed", account.name);
        }
    }
}

/// The photo of the person with this local part in an address or in the sign-in name.
#[track_caller]
fn photo(truth: &Truth, account: &str) -> Vec<u8> {
    let local = account.split('@').next().unwrap_or(account).to_lowercase();
    let local = if local == "kenneth.abernathy" { "ken" } else { &local };
    let fits = |address: &String| address.split('@').next() == Some(local);
    let mut people = truth.people.iter().filter(|person| fits(&person.user_name) || person.emails.iter().any(fits));
    let photo = people.find_map(|person| person.photo.as_ref());
    photo.unwrap_or_else(|| panic!("nobody who is {local} has a photo")).0.to_vec()
}

#[track_caller]
fn expect_face(account: &Account, photo: &[u8]) {
    let place = format!("{}/{}", account.simulator, account.name);
    assert_eq!(account.now.kind, ShownKind::Custom, "{place} shows no picture");
    let apart = looks(&account.now.bytes).distance(&looks(photo));
    assert!(apart <= 6.0, "{place} shows another picture than the person's photo: {apart:.1} apart");
}

#[test]
fn every_file_is_run_here() {
    let entries = std::fs::read_dir(FOLDER).expect("the folder of the files").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".yaml") && !name.ends_with(".test.yaml")).collect();
    names.sort();
    let run = [
        "corporate.yaml",
        "entra-to-jira-confluence.yaml",
        "folder-to-jira.yaml",
        "google-to-jira.yaml",
        "merged-companies.yaml",
        "smallest.yaml",
    ];
    assert_eq!(names, run);
}

#[test]
fn corporate() {
    let done = done("corporate.yaml", "corporate", |_| {});
    assert_eq!(done.expect_faces("jira", LEFT), 35);
    done.expect_untouched("confluence");
    done.expect_untouched("bitbucket");
}

#[test]
fn smallest() {
    let done = done("smallest.yaml", "corporate", |_| {});
    // The accounts are found by address alone, and Frances has none in Jira.
    assert_eq!(done.expect_faces("jira", &[LEFT, &["frances"]].concat()), 34);
    done.expect_untouched("confluence");
    done.expect_untouched("bitbucket");
}

#[test]
fn entra_to_jira_and_confluence() {
    let done = done("entra-to-jira-confluence.yaml", "corporate", |_| {});
    // The accounts are found by address alone, and Frances has none in Jira; Anita is in the group of who opted out.
    assert_eq!(done.expect_faces("jira", &[LEFT, &["frances", "anita"]].concat()), 33);
    // They are found by user name alone, and Ken has another one there.
    assert_eq!(done.expect_faces("confluence", &[LEFT, &["kenneth.abernathy", "anita"]].concat()), 33);
    done.expect_untouched("bitbucket");
}

#[test]
fn google_to_jira() {
    let done = done("google-to-jira.yaml", "merged", |_| {});
    // Linus has no photo, Tim left; the others are not known to Google by the address that they have in Jira.
    let left = ["linus", "tim", "ada", "grace", "barbara", "radia", "svc-avatars"];
    assert_eq!(done.expect_faces("jira", &left), 2);
    done.expect_untouched("confluence");
    done.expect_untouched("bitbucket");
}

#[test]
fn merged_companies() {
    let done = done("merged-companies.yaml", "merged", |_| {});
    let left = ["linus", "tim", "svc-avatars"];
    // By address, Radia's account is that of the buyer's directory, which has no photo of her.
    assert_eq!(done.expect_faces("jira", &[&left[..], &["radia"]].concat()), 5);
    // By user name, it belongs to her in either directory, and Google has a photo.
    assert_eq!(done.expect_faces("confluence", &left), 6);
    assert_eq!(done.expect_faces("bitbucket", &[&left[..], &["radia", "access-key-user"]].concat()), 3);
}

#[test]
fn folder_to_jira() {
    let photos = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hr-photos");
    let done = done("folder-to-jira.yaml", "corporate", |folder| {
        let copies = folder.join("fixtures/hr-photos");
        std::fs::create_dir_all(&copies).expect("a folder for photos");
        for photo in std::fs::read_dir(&photos).expect("the folder of photos").flatten() {
            std::fs::copy(photo.path(), copies.join(photo.file_name())).expect("a photo can be copied");
        }
    });
    let truth = done.sandbox.truth();
    let changed: Vec<_> = truth.accounts.iter().filter(|account| account.changed()).collect();
    for account in &changed {
        assert_eq!(account.simulator, "jira");
        assert_eq!(account.start.kind, ShownKind::Default, "{} chose a picture itself", account.name);
        let photo = std::fs::read(photos.join(format!("{}.jpg", account.name))).expect("a photo of that person");
        expect_face(account, &photo);
        let copies = "state/sandbox/corporate/folder-to-jira.folders/folder";
        let copy = done.folder.path().join(copies).join(format!("{}.png", account.name));
        let copy = std::fs::read(&copy).unwrap_or_else(|fault| panic!("{}: {fault}", copy.display()));
        assert!(looks(&copy).fits(&looks(&photo)), "the copy of {}", account.name);
    }
    assert!(!done.folder.path().join("out").exists(), "a sandbox writes no folder of the file");
    // Eight have a photo there; the others of the tenth that is rolled out are nobody's.
    let names: Vec<_> = changed.iter().map(|account| account.name.as_str()).collect();
    assert_eq!(names, ["mary", "radia"]);
    expect_tidy(&done.sandbox);
}
