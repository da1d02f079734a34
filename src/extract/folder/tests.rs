//! Tables and pictures in a folder made for each test.

use std::fs::{self, File};
use std::path::Path;

use futures::FutureExt as _;

use super::Folder;
use super::people::TABLE;
use crate::extract::rules::by_patterns;
use crate::extract::{PhotoResult, Source as _, VersionResult};
use crate::http::{Failure, FailureKind};
use crate::model::{Absence, Person, PersonId, PersonKey, Standing};
use crate::settings::Users;

fn folder(table: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(TABLE), table).unwrap();
    folder
}

fn source(folder: &tempfile::TempDir) -> Folder {
    Folder::new(folder.path(), Users::default())
}

fn list(source: &Folder) -> Result<Vec<Person>, Failure> {
    let mut people = Vec::new();
    let listing = source.list(&mut |page| people.extend(page)).now_or_never().unwrap()?;
    assert_eq!(listing.people, people.len() as u64);
    Ok(people)
}

fn ids(names: &[&str]) -> Vec<PersonId> {
    names.iter().map(|name| PersonId::from(*name)).collect()
}

fn fetch(source: &Folder, name: &str) -> PhotoResult {
    source.fetch(&ids(&[name])).now_or_never().unwrap().unwrap().remove(0).1
}

fn version(source: &Folder, name: &str) -> VersionResult {
    source.versions(&ids(&[name])).now_or_never().unwrap().unwrap().remove(0).1
}

#[test]
fn a_row_becomes_a_person_with_all_keys() {
    let folder = folder(
        "\u{feff}id,name,email,upn,username,employee_id,active,photo\n\
         1,\"Ada, Countess\",Ada@Example.com; lovelace@example.com,ada@corp.example,ADA,0042,yes,ada.jpg\n\
         2,,,,,,,\n\
         3,Off,,,,,false,\n",
    );
    let people = list(&source(&folder)).unwrap();
    let values = |key| people[0].values(key).collect::<Vec<_>>();
    assert_eq!(values(PersonKey::Email), ["ada@example.com", "lovelace@example.com"]);
    assert_eq!((values(PersonKey::EmailLocal), values(PersonKey::UpnLocal)), (vec!["ada"], vec!["ada"]));
    assert_eq!((values(PersonKey::Sam), values(PersonKey::EmployeeId)), (vec!["ada"], vec!["0042"]));
    let shown: Vec<(&str, Standing)> = people.iter().map(|p| (p.display_name.as_str(), p.standing)).collect();
    assert_eq!(shown, [("Ada, Countess", Standing::InScope), ("2", Standing::InScope), ("Off", Standing::Inactive)]);
}

#[test]
fn the_users_rules_hold_here_too() {
    let folder =
        folder("id,email,username\n1,a@example.com,\n2,b@example.com,\n3,c@example.com,\n4,d@example.com,shy.d\n");
    let users = Users { exclude: by_patterns(&["a@*"]), opted_out: by_patterns(&["2", "shy.D"]), ..Users::default() };
    let people = list(&Folder::new(folder.path(), users)).unwrap();
    let standings: Vec<Standing> = people.iter().map(|p| p.standing).collect();
    assert_eq!(standings, [Standing::OutOfScope, Standing::OptedOut, Standing::InScope, Standing::OptedOut]);
}

#[test]
fn all_faults_of_a_table_are_told_with_their_lines() {
    for (table, faults) in [
        ("", vec!["people.csv:1: the header is missing: write `id,name,email,"]),
        (
            "name,emial,shoe\n",
            vec![
                "people.csv:1: `emial` is not a column: did you mean `email`?",
                "people.csv:1: `shoe` is not a column: there are id, name",
                "people.csv:1: the column `id` is missing",
            ],
        ),
        ("id,id\n", vec!["people.csv:1: the column `id` stands twice"]),
        (
            "id,active\n1,Perhaps\n\"\",\n2,true,more\n3,true\n3,true\n",
            vec![
                "people.csv:2: `active` is `Perhaps`: write true or false",
                "people.csv:3: the id is empty",
                "people.csv:4: 3 fields where the header has 2",
                "people.csv:6: the same id as line 5",
            ],
        ),
        ("Id,name,\n", vec!["people.csv:1: column 3 has no name"]),
        ("1,ada.jpg\n2,bob.jpg\n", vec!["people.csv:1: no column of the table is named here"]),
        ("sep=,\r\nid,email\r\n,\r\n1,n/a\r\n", vec!["people.csv:4: `email` is `n/a`, and no address"]),
        (
            "id,employee_id\n1,1.2E+05\n",
            vec!["people.csv:2: `employee_id` is `1.2E+05`: a number that a spreadsheet shortened"],
        ),
        ("id,name\n1,\"two\nlines\"\n,x\n", vec!["people.csv:4: the id is empty"]),
        // `10` that was cut would prove something about somebody else.
        ("photo,id\n,1", vec!["people.csv:2: the file ends within `id` without a line end"]),
        (
            "id,photo,employee_id\n7,,gr\n8,,100",
            vec!["people.csv:3: the file ends within `employee_id` without a line end"],
        ),
    ] {
        let folder = folder(table);
        let failure = list(&source(&folder)).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Misconfigured);
        assert!(failure.tried.ends_with("people.csv"), "the path once, for all: {failure}");
        assert_eq!(failure.found.lines().count(), faults.len(), "{failure}");
        for (line, fault) in failure.found.lines().zip(faults) {
            assert!(line.starts_with(fault), "{line} | {fault}");
        }
    }
}

#[test]
fn a_table_that_is_not_text_or_not_there_is_a_failure() {
    let folder = folder("");
    fs::write(folder.path().join(TABLE), b"id,name\n1,Ad\xE4\n2,Bob\n").unwrap();
    let failure = list(&source(&folder)).unwrap_err();
    assert!(failure.found.contains("people.csv:2: not UTF-8"), "{failure}");
    fs::remove_file(folder.path().join(TABLE)).unwrap();
    assert_eq!(list(&source(&folder)).unwrap_err().kind, FailureKind::Unreachable);
}

#[test]
fn many_faults_are_counted() {
    let table = format!("id\n{}", "\"\"\n".repeat(25));
    let failure = list(&source(&folder(&table))).unwrap_err();
    assert!(failure.found.ends_with("and 15 more"), "{failure}");
}

#[test]
fn pictures_are_present_absent_or_unknown() {
    let folder =
        folder("id,photo\n1,sub/ada.jpg\n2,\n3,missing.jpg\n4,sub\n5,./sub/../sub/ada.jpg\n6,/etc/hostname\n7,../x\n");
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("sub/ada.jpg"), b"photo").unwrap();
    let source = source(&folder);
    list(&source).unwrap();
    let PhotoResult::Photo { version: marker, bytes } = fetch(&source, "1") else { panic!("a photo") };
    assert_eq!(&bytes[..], b"photo");
    assert_eq!(version(&source, "1"), VersionResult::Version(marker.clone()));
    assert!(marker.is_some_and(|marker| marker.as_str().starts_with("5-")));
    assert_eq!(
        (fetch(&source, "2"), version(&source, "2")),
        (PhotoResult::Absent(Absence::NoFile), VersionResult::Absent(Absence::NoFile))
    );
    for (id, code) in [
        ("3", "picture_missing"),
        ("4", "picture_unreadable"),
        ("5", "outside_folder"),
        ("6", "outside_folder"),
        ("7", "outside_folder"),
        ("nobody", "changed_meanwhile"),
    ] {
        let (PhotoResult::Unknown(looked), VersionResult::Unknown(probed)) = (fetch(&source, id), version(&source, id))
        else {
            panic!("unknown: {id}");
        };
        assert_eq!((looked.code.as_str(), probed.code.as_str()), (code, code), "{id}");
        if let Ok(number) = id.parse::<u32>() {
            let told = source.placed(&id.into(), looked);
            assert!(told.message.starts_with(&format!("people.csv:{}: ", number + 1)), "{told:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_inside_and_refused_outside() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.jpg"), b"secret").unwrap();
    let folder = folder("id,photo\n1,in.jpg\n2,out.jpg\n3,dir/secret.jpg\n");
    let link = |from: &Path, to: &str| std::os::unix::fs::symlink(from, folder.path().join(to)).unwrap();
    fs::write(folder.path().join("real.jpg"), b"photo").unwrap();
    link(Path::new("real.jpg"), "in.jpg");
    link(&outside.path().join("secret.jpg"), "out.jpg");
    link(outside.path(), "dir");
    let source = source(&folder);
    list(&source).unwrap();
    assert!(matches!(fetch(&source, "1"), PhotoResult::Photo { .. }));
    for id in ["2", "3"] {
        assert!(matches!(fetch(&source, id), PhotoResult::Unknown(fault) if fault.code == "outside_folder"), "{id}");
    }
}

#[test]
fn a_table_that_changes_after_the_listing_moves_no_face() {
    let folder = folder("id,photo\n1,a.jpg\n2,b.jpg\n");
    fs::write(folder.path().join("a.jpg"), b"face of 1").unwrap();
    let source = source(&folder);
    list(&source).unwrap();
    fs::write(folder.path().join(TABLE), "id,photo\n2,a.jpg\n1,b.jpg\n").unwrap();
    for id in ["1", "2"] {
        assert!(matches!(fetch(&source, id), PhotoResult::Unknown(fault) if fault.code == "changed_meanwhile"), "{id}");
    }
}

#[test]
fn rows_are_found_again_past_quotes_line_ends_and_many_pages() {
    let mut table = String::from("id,name,photo\r\n");
    for number in 0..1200 {
        table.push_str(&format!("{number},\"line\r\nand \"\"quote\"\" {number}\",\"p/{}.jpg\"\r\n\r\n", number % 3));
    }
    let folder = folder(&table);
    fs::create_dir(folder.path().join("p")).unwrap();
    for number in 0..3 {
        fs::write(folder.path().join(format!("p/{number}.jpg")), format!("photo {number}")).unwrap();
    }
    let source = source(&folder);
    assert_eq!(list(&source).unwrap().len(), 1200);
    for number in [0, 1, 499, 500, 501, 1199] {
        let PhotoResult::Photo { bytes, .. } = fetch(&source, &number.to_string()) else { panic!("a photo: {number}") };
        assert_eq!(bytes, format!("photo {}", number % 3));
    }
}

#[test]
fn what_a_table_does_not_say_is_no_absence() {
    for (table, id, code) in [
        ("id,name\n1,Ada\n", "1", Some("no_photo_column")),
        ("id,photo\n1,", "1", Some("table_cut")),
        ("id,photo\n1, ", "1", Some("table_cut")),
        ("id,photo\n2,101\n1,10", "1", Some("table_cut")),
        ("id,photo\n2,101\n1,ada.jpeg", "1", Some("picture_missing")),
        ("id,photo\n2,101\n1,\"10\"", "1", Some("picture_missing")),
        ("id,photo\n1,\"\"", "1", Some("no_photo_named")),
        ("id,photo\n1,\n2, \n", "1", Some("no_photo_named")),
        ("id,photo\n2,ada.jpg\n1,\"\"", "1", None),
        ("id,photo\n3,ada.jpg\n1,\n2,", "1", None),
        ("id,photo\n1,\u{a0}\n", "1", Some("picture_missing")),
        ("id,photo\n1,sub\\ada.jpg\n", "1", Some("backslash")),
    ] {
        let folder = folder(table);
        let source = source(&folder);
        list(&source).unwrap();
        match (fetch(&source, id), code) {
            (PhotoResult::Absent(Absence::NoFile), None) => {}
            (PhotoResult::Unknown(fault), Some(code)) if fault.code == code => {}
            (other, _) => panic!("{table:?}: {other:?}"),
        }
    }
}

#[test]
fn names_that_look_the_same_are_no_guess() {
    let folder =
        folder("id,photo\n1,Ada.jpg\n2,zo\u{eb}.jpg\n3,both/eve.jpg\n4,Sub/x.jpg\n5,twin/x.jpg\n6,n\u{200b}.jpg\n");
    for name in ["ada.jpg", "zoe\u{308}.jpg", "both/eve.jpg", "both/Eve.jpg", "sub/x.jpg", "twin/x.jpg", "Twin/x.jpg"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"photo").unwrap();
    }
    let source = source(&folder);
    list(&source).unwrap();
    for (id, code, words) in [
        ("1", "picture_missing", "there is `ada.jpg`, which differs only in case"),
        ("2", "picture_missing", "differs only in case or Unicode form"),
        ("3", "picture_twice", "two of the name `eve.jpg`"),
        ("4", "picture_missing", "there is `sub`"),
        ("5", "picture_twice", "two of the name `twin`"),
        ("6", "picture_missing", "its name has a zero-width space (U+200B)"),
    ] {
        let PhotoResult::Unknown(fault) = fetch(&source, id) else { panic!("unknown: {id}") };
        assert!(fault.code == code && fault.message.contains(words), "{id}: {fault:?}");
    }
}

/// Everything that the old marker was made of stays the same.
#[test]
fn two_files_that_change_places_are_noticed() {
    let folder = folder("id,photo\n1,a.jpg\n2,b.jpg\n");
    let path = |name: &str| folder.path().join(name);
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    let write = |name: &str, face: &[u8]| {
        fs::write(path(name), face).unwrap();
        File::options().write(true).open(path(name)).unwrap().set_modified(time).unwrap();
    };
    write("a.jpg", b"face of 1");
    write("b.jpg", b"face of 2");
    let source = source(&folder);
    list(&source).unwrap();
    let versions = || ["1", "2"].map(|id| version(&source, id));
    let before = versions();
    assert_eq!(before, versions());
    for (from, to) in [("a.jpg", "c.jpg"), ("b.jpg", "a.jpg"), ("c.jpg", "b.jpg")] {
        fs::rename(path(from), path(to)).unwrap();
    }
    let swapped = versions();
    // Written over in place, and the time of writing put back.
    write("a.jpg", b"face of 3");
    let written = versions();
    for (one, other) in [(&before, &swapped), (&swapped, &written)] {
        assert_ne!(one[0], other[0]);
    }
    assert_ne!(before[1], swapped[1]);
}

#[test]
fn what_is_no_file_keeps_nobody_waiting() {
    let pipe = |path: &Path| assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    let folder = folder("id,photo\n1,pipe.jpg\n2,socket.jpg\n3,link.jpg\n4,ada.jpg\n");
    pipe(&folder.path().join("pipe.jpg"));
    std::os::unix::net::UnixListener::bind(folder.path().join("socket.jpg")).unwrap();
    std::os::unix::fs::symlink("pipe.jpg", folder.path().join("link.jpg")).unwrap();
    fs::write(folder.path().join("ada.jpg"), b"photo").unwrap();
    let source = source(&folder);
    list(&source).unwrap();
    for (id, words) in [("1", "a pipe"), ("2", "a socket"), ("3", "a pipe")] {
        let (PhotoResult::Unknown(looked), VersionResult::Unknown(probed)) = (fetch(&source, id), version(&source, id))
        else {
            panic!("unknown: {id}");
        };
        assert!(looked.code == "picture_unreadable" && looked.message.contains(words), "{looked:?}");
        assert_eq!(looked, probed);
    }
    assert!(matches!(fetch(&source, "4"), PhotoResult::Photo { .. }));

    fs::remove_file(folder.path().join(TABLE)).unwrap();
    pipe(&folder.path().join(TABLE));
    assert!(list(&source).unwrap_err().found.contains("a pipe"));
    assert!(source.whoami().now_or_never().unwrap().is_err());
}
