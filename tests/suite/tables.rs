//! Tables typed by hand: `people.csv`, and the map of `match`. What is doubtful in one is told with its line, and moves no
//! face (P1) and takes none away (P2).

use super::harness::Harness;
use super::population::{address, face};
use super::truth::Shows::{Default, Face, Start};

const EVERYBODY: [&str; 3] = ["ada", "alan", "grace"];

fn source() -> Harness {
    let harness = Harness::with_people(&EVERYBODY).with(|pipe| {
        pipe.without_source("entra").source("folder").set("path", "people");
        pipe.top("limits", "{ reverts: { count: 10 } }");
    });
    for name in EVERYBODY {
        harness.write(&format!("people/{name}.png"), face(name));
    }
    harness
}

fn table(harness: &Harness, text: impl AsRef<[u8]>) {
    harness.write("people/people.csv", text);
}

fn whole() -> String {
    let row = |(id, name): (usize, &&str)| format!("{id},{},\"{name}\",{name}.png\n", address(name));
    format!("id,email,name,photo\n{}", EVERYBODY.iter().enumerate().map(row).collect::<String>())
}

/// The input of the field, with the addresses of this world.
#[test]
fn one_missing_quote_gives_nobody_the_face_of_another() {
    let harness = source();
    let broken = whole().replace("\"ada\"", "\"ada");
    table(&harness, broken);
    harness.run().expect_exit(2).expect_answer("people.csv:2: a quote is opened here and closed in line 3");
    harness.expect_shown(&EVERYBODY.map(|name| (name, Start)));
    assert_eq!(harness.writes(), [""; 0]);
}

#[test]
fn doubtful_tables_are_told_with_their_line_and_change_nothing() {
    let harness = source();
    table(&harness, whole());
    harness.run().expect_exit(0);
    harness.sandbox.requests().reset();
    let whole = whole();
    for (text, told) in [
        // Everybody below would vanish.
        (
            whole.replace('"', "").replace(",alan.png", ",\"alan.png"),
            "people.csv:3: a quote is opened here and closed nowhere",
        ),
        (whole.replace("\"alan\"", "alan\""), "people.csv:3: a quote inside of text"),
        (whole.replace("\"alan\"", "\"alan\"x"), "people.csv:3: text behind a closing quote"),
        // Two missing quotes are a table again, and another one.
        (whole.replace("\"ada\"", "\"ada").replace("\"alan\"", "alan\""), "people.csv:2: the text in quotes"),
        (whole.replace("ada.png", "\"ada\n.png\""), "people.csv:2: `photo` has a line break"),
        (whole.replace("0,", "\"0\n\","), "people.csv:2: `id` has a line break"),
        (whole.replace(",grace.png\n", ""), "people.csv:4: the last line is cut: 3 fields where the header has 4"),
        (whole.replace(',', ";"), "people.csv:1: the columns are separated by `;`"),
        (whole.replace(',', "\t").replace('"', ""), "people.csv:1: the columns are separated by tabs"),
        (whole.replace("0,", "0\u{200b},"), "people.csv:2: `id` has a zero-width space (U+200B)"),
        (whole.replace("alan@", "alan\u{a0}@"), "people.csv:3: `email` has a no-break space (U+00A0)"),
        (whole.replace("0,", "A,").replace("1,", "a,"), "people.csv:3: the same id as line 2, but for case"),
    ] {
        table(&harness, text);
        harness.run().expect_exit(2).expect_answer(told);
    }
    let utf_16 = |text: &str| [0xFEFF_u16].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let utf_16: Vec<u8> = utf_16(&whole);
    table(&harness, utf_16);
    harness.run().expect_exit(2).expect_answer("people.csv:1: the table is UTF-16: save it as UTF-8");
    assert_eq!(harness.writes(), [""; 0]);
    harness.expect_shown(&EVERYBODY.map(|name| (name, Face(name))));
}

#[test]
fn what_was_cut_off_proves_no_absence() {
    let harness = source();
    table(&harness, whole());
    harness.run().expect_exit(0);
    harness.sandbox.requests().reset();
    for (text, told) in [
        (whole().lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned() + "\n").collect(), "no column `photo`"),
        (whole().replace("grace.png\n", ""), "has no line end: it may be cut"),
        (whole().replace("grace.png", "\u{a0}"), "picture_missing"),
        (whole().replace("grace.png", "sub\\\\grace.png"), "has a backslash"),
        (whole().replace("grace.png", "Grace.png"), "differs only in case"),
        (whole().replace("grace.png", "gone.png"), "people.csv:4: "),
        (whole().replace("grace.png", "people.csv"), "people.csv:4: this is not a picture"),
    ] {
        let text: String = text;
        table(&harness, text);
        let ended = harness.run();
        let detail = ended.line("jira", "grace")["detail"].to_string();
        ended.holds(detail.contains(told) || ended.stdout.contains(told), &format!("{told}; found {detail}"));
    }
    assert_eq!(harness.writes(), [""; 0]);
    harness.expect_shown(&EVERYBODY.map(|name| (name, Face(name))));
    // A row that is whole and names no picture is one.
    table(&harness, whole().replace("grace.png", ""));
    harness.run().expect_exit(0);
    harness.expect_shown(&[("grace", Default), ("alan", Face("alan"))]);
}

fn mapped(map: &str) -> Harness {
    let harness = Harness::with_people(&EVERYBODY).with(|pipe| {
        pipe.jira("match", "{ map: users.csv }");
    });
    harness.write("users.csv", map);
    harness
}

#[test]
fn a_map_is_read_as_strictly() {
    let row = |name: &str| format!("{name},\"a note\",{}\n", address(name));
    let whole = format!("account,note,person\n{}{}", row("ada"), row("alan"));
    for (map, told) in [
        (whole.replacen("note\"", "note", 1), "users.csv:2: a quote is opened here and closed in line 3"),
        (whole.replace("ada@", "\"ada@"), "users.csv:2: a quote is opened here"),
        (
            whole.replacen("a note\"", "a note", 1).replacen(",\"a note\"", ",a note\"", 1),
            "users.csv:2: the text in quotes",
        ),
        (whole.replace("alan,", "\"alan\n\","), "users.csv:3: `account` has a line break"),
        (whole.replace("alan@", "alan\u{200b}@"), "users.csv:3: `person` has a zero-width space"),
        (whole.replace(',', ";").replace('"', ""), "users.csv:1: the columns are separated by `;`"),
        (whole.replace("ada,", "Alan,"), "users.csv:3: names the account of line 2 again, but for case"),
    ] {
        let harness = mapped(&map);
        harness.run().expect_exit(2).expect_error(told);
        harness.expect_shown(&EVERYBODY.map(|name| (name, Start)));
    }
    let harness = mapped(&whole);
    harness.run().expect_exit(0);
    harness.expect_shown(&[("ada", Face("ada")), ("alan", Face("alan")), ("grace", Start)]);
}

/// Somebody who left is told and no fault; a slip of the pen gives somebody no picture, and that is not a success.
#[test]
fn rows_of_a_map_that_give_nobody_a_picture_are_told() {
    let row = |account: &str, name: &str| format!("{account},{}\n", address(name));
    let whole = format!("account,person\n{}{}", row("ada", "ada"), row("alan", "alan"));
    let left = mapped(&format!("{whole}{}", row("left.long.ago", "left.long.ago")));
    let told = left.run();
    let told = told
        .expect_exit(0)
        .expect_answer("users.csv:4: no account that is listed has the user name `left.long.ago` (jira)");
    let person =
        format!("users.csv:4: nobody that a source lists has the key `email` `{}` (jira)", address("left.long.ago"));
    told.expect_answer(&person);
    for (line, words) in [
        (
            row("gracee", "grace"),
            "users.csv:4: no account that is listed has the user name `gracee`; near it is `grace`",
        ),
        (row("grace", "gracee"), "near it is `grace@"),
    ] {
        let harness = mapped(&format!("{whole}{line}"));
        for ended in [harness.plan_with(&[]), harness.run()] {
            ended.expect_exit(3).expect_answer(words);
        }
        harness.expect_shown(&[("ada", Face("ada")), ("alan", Face("alan")), ("grace", Start)]);
    }
}
