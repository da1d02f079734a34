//! The contact sheet: everybody whose picture changes, once, and nothing that a name could break out of.
//!
//! Owns: what stands in the page, read as strictly as no browser does. Leaves to others: that it works in one (`opened`).
//! A newcomer gets wrong: a page that looks right may still be somebody's else: so tags, attributes and their number are
//! held, and not the text alone.

use std::collections::BTreeSet;

use avatarpipe_sandbox::faults::{Answer, Effect, Fault};

use super::ended::Ended;
use super::harness::Harness;
use super::population::Population;

const TAGS: [&str; 45] = [
    "a", "b", "bdi", "body", "button", "circle", "code", "dd", "details", "dialog", "div", "dl", "dt", "em", "footer",
    "g", "h1", "h2", "h3", "head", "header", "html", "img", "input", "kbd", "label", "li", "main", "meta", "nav", "ol",
    "p", "path", "rect", "script", "section", "span", "style", "summary", "svg", "symbol", "time", "title", "ul",
    "use",
];

/// A tag with its attributes, or the text between two.
#[derive(Debug)]
enum Piece {
    Tag(String, Vec<(String, String)>),
    Text(String),
}

/// Reads a page in which `<` begins a known tag, each attribute has its quotes, and only style and script are raw.
fn pieces(page: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").expect("a doctype");
    while let Some(at) = rest.find('<') {
        pieces.push(Piece::Text(plain(&rest[..at])));
        let (tag, behind) = tag(&rest[at + 1..]);
        rest = behind;
        if let Piece::Tag(name, attributes) = &tag {
            for (key, value) in attributes.iter().filter(|(key, _)| ["src", "href"].contains(&key.as_str())) {
                assert!(value.starts_with("data:image/") || value.starts_with('#'), "{key}={value} in <{name}");
            }
            if ["style", "script"].contains(&name.as_str()) {
                let (raw, _) = rest.split_once("</").expect("the end of raw text");
                assert!(!["url(", "@import", "http", "fetch("].iter().any(|word| raw.contains(word)), "<{name}> loads");
                rest = &rest[raw.len()..];
            }
        }
        pieces.push(tag);
    }
    assert!(rest.trim().is_empty(), "text behind the page: {rest}");
    pieces
}

fn tag(text: &str) -> (Piece, &str) {
    let name_end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '/').expect("the end of a tag");
    let name = &text[..name_end];
    assert!(TAGS.contains(&name.trim_start_matches('/')), "an unknown tag <{name}");
    let (mut attributes, mut rest) = (Vec::new(), &text[name_end..]);
    loop {
        rest = rest.trim_start_matches(['\n', ' ']);
        if let Some(behind) = rest.strip_prefix("/>").or_else(|| rest.strip_prefix('>')) {
            return (Piece::Tag(name.to_owned(), attributes), behind);
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').expect("the end of an attribute");
        let key = &rest[..end];
        assert!(!key.is_empty() && !key.starts_with("on") && key != "style", "the attribute `{key}` in <{name}");
        rest = &rest[end..];
        let Some(quoted) = rest.strip_prefix("=\"") else {
            attributes.push((key.to_owned(), String::new()));
            continue;
        };
        let close = quoted.find('"').expect("a closing quote");
        attributes.push((key.to_owned(), plain(&quoted[..close])));
        rest = &quoted[close + 1..];
    }
}

fn plain(text: &str) -> String {
    assert!(!text.contains('>'), "a raw `>` in {text}");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// A row: its section, its target, its texts in order, its pictures.
#[derive(Debug, Default)]
struct Row {
    section: String,
    target: String,
    texts: Vec<String>,
    pictures: usize,
}

impl Row {
    fn says(&self, text: &str) -> bool {
        self.texts.iter().any(|found| found == text)
    }
}

struct Page {
    text: String,
    rows: Vec<Row>,
}

fn page(harness: &Harness, name: &str) -> Page {
    let text = std::fs::read_to_string(harness.path(name)).expect("the contact sheet");
    let (mut rows, mut section, mut open) = (Vec::<Row>::new(), String::new(), false);
    let attribute = |attributes: &[(String, String)], key: &str| {
        attributes.iter().find(|(found, _)| found == key).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    for piece in pieces(&text) {
        match piece {
            Piece::Tag(name, attributes) if name == "section" => {
                let class = attribute(&attributes, "class");
                section = if class == "group" { attribute(&attributes, "id") } else { String::new() };
            }
            Piece::Tag(name, attributes) if name == "li" && !section.is_empty() => {
                let target = attribute(&attributes, "data-f").split("t:").nth(1).unwrap_or_default().to_owned();
                rows.push(Row { section: section.clone(), target, ..Row::default() });
                open = true;
            }
            Piece::Tag(name, _) if name == "/li" => open = false,
            Piece::Tag(name, attributes) if name == "img" => {
                assert!(!attribute(&attributes, "alt").is_empty(), "a picture without words");
                rows.last_mut().expect("a row").pictures += 1;
            }
            Piece::Text(text) if open && !text.trim().is_empty() => {
                rows.last_mut().expect("a row").texts.push(text.trim().to_owned());
            }
            Piece::Tag(..) | Piece::Text(_) => {}
        }
    }
    assert_eq!((text.matches("<script").count(), text.matches("default-src 'none'").count()), (1, 1));
    Page { text, rows }
}

impl Page {
    #[track_caller]
    fn row(&self, account: &str) -> &Row {
        let mut fits = self.rows.iter().filter(|row| row.says(account));
        let row = fits.next().unwrap_or_else(|| panic!("{account} is not in the page: {:#?}", self.rows));
        assert!(fits.next().is_none(), "{account} is in the page twice");
        row
    }

    /// Who changes by `run.json` is in the page once.
    #[track_caller]
    fn expect_whole(&self, ended: &Ended) {
        let people = ended.report()["people"].as_array().expect("people");
        assert_eq!(people.len(), self.rows.len());
        for line in people {
            let row = self.row(line["account"]["name"].as_str().expect("a name"));
            assert_eq!(row.target, line["target"].as_str().expect("a target"));
            for told in [&line["rule"], &line["person"]["name"], &line["change"]["kind"]] {
                assert!(told.as_str().is_none_or(|told| row.says(told)), "{told} in {row:?}");
            }
        }
    }
}

/// What would break out of a tag, an attribute, a line and its direction, and a name of another script.
const NAMES: [&str; 4] =
    ["<script>alert(1)</script>", "\" onload=\"alert(1)\" x='", "\u{202e}gpj.ada&amp;<b>", "عمر بن الخطاب"];

#[test]
fn no_name_breaks_out_of_its_place() {
    let people = ["ada", "grace", "alan", "edsger"];
    let population = people.iter().zip(NAMES).fold(Population::of(&people), |population, (name, odd)| {
        population.person(name, |person| person.name = odd.to_owned())
    });
    let harness = Harness::of(population.with_account("x<img src=y>&").world());
    let ended = harness.plan_with(&["--out", "saved.json"]).expect_exit(0);
    let sheet = page(&harness, "report/pictures.html");
    sheet.expect_whole(&ended);
    assert!(sheet.row("ada").says(NAMES[0]));
    assert!(sheet.row("grace").says(NAMES[1]));
    assert!(sheet.row("alan").says("\\u{202e}gpj.ada&amp;<b>"), "{:?}", sheet.row("alan"));
    assert!(sheet.row("edsger").says(NAMES[3]));
    assert!(!harness.path("saved.pictures.html").exists(), "one sheet is enough");
    harness.finish(&["plan", "pipeline.yaml", "--out", "saved.json"]).expect_exit(0);
    assert_eq!(page(&harness, "saved.pictures.html").rows.len(), 6);
    assert!(harness.path("saved.summary.md").exists(), "the page lies beside the plan, too");
}

#[test]
fn what_is_lost_or_failed_stands_first_with_both_pictures() {
    let people = ["ada", "grace", "alan", "edsger"];
    let harness = Harness::with_people(&people).with(|pipe| _ = pipe.top("limits", "{ reverts: { count: 5 } }"));
    harness.run().expect_exit(0);
    harness.by_hand("grace", "hand");
    harness.no_photo("ada");
    harness.new_photo("alan", "spare");
    harness.photo_fails("edsger", "mailbox_not_hosted");
    let ended = harness.plan_with(&[]).expect_exit(0);
    let sheet = page(&harness, "report/pictures.html");
    sheet.expect_whole(&ended);
    let order: Vec<_> = sheet.rows.iter().map(|row| (row.section.as_str(), row.pictures)).collect();
    assert_eq!(order, [("reverts", 1), ("foreign", 2), ("replaced", 2), ("left-alone", 0), ("skipped", 0)]);
    for (name, section) in [("ada", "reverts"), ("grace", "foreign"), ("alan", "replaced"), ("edsger", "left-alone")] {
        assert_eq!(sheet.row(name).section, section, "{name}");
    }

    harness.sandbox.fault(Fault::new(refusal(400)).at("jira").on("POST", "*/temporary").about("alan").times(9));
    let ended = harness.run().expect_exit(3);
    let sheet = page(&harness, "report/pictures.html");
    sheet.expect_whole(&ended);
    assert_eq!((sheet.rows[0].section.as_str(), sheet.row("alan").section.as_str()), ("failed", "failed"));
}

#[test]
fn what_a_limit_holds_up_in_a_plan_is_shown_as_what_it_would_be() {
    let harness = Harness::with_people(&["ada", "grace"]);
    harness.run().expect_exit(0);
    harness.no_photo("ada");
    let harness = harness.with(|pipe| _ = pipe.top("limits", "{ reverts: { count: 0 } }"));
    let ended = harness.plan_with(&[]).expect_exit(4);
    let sheet = page(&harness, "report/pictures.html");
    sheet.expect_whole(&ended);
    assert_eq!((sheet.row("ada").section.as_str(), sheet.row("ada").pictures), ("reverts", 1));
    assert!(sheet.text.contains("A limit stops") && !sheet.text.contains("How long the run takes"));
}

#[test]
fn a_works_council_can_have_it_without_names_and_pictures() {
    let names = ["ada", "grace"];
    let population = Population::of(&names).person("ada", |person| person.name = "Ada Lovelace".to_owned());
    let harness = Harness::of(population.chose_by_hand("grace").world())
        .with(|pipe| _ = pipe.top("report", "{ names: pseudonym, pictures: none }"));
    let ended = harness.plan_with(&[]).expect_exit(0);
    let sheet = page(&harness, "report/pictures.html");
    sheet.expect_whole(&ended);
    assert_eq!(for_pictures(&ended), 0, "nobody is asked for a picture");
    assert!(!sheet.text.contains("data:image") && !sheet.text.contains("<img"));
    let text = sheet.text.to_lowercase();
    for name in ["lovelace", "contoso", "grace", "@"].map(|name| [">", name].concat()) {
        assert!(!text.contains(&name), "{name}");
    }
    for row in &sheet.rows {
        assert!(row.texts.iter().any(|text| text.starts_with("p-")), "{row:?}");
    }
}

#[test]
fn earlier_pictures_cost_a_plan_what_is_told_and_a_run_nothing() {
    let names = ["ada", "grace", "alan"];
    let mut harness = Harness::with_people(&names);
    harness.run().expect_exit(0);
    names.iter().for_each(|name| harness.new_photo(name, "spare"));
    for (wanted, requests, on_a_row) in [("changed", 3, 2), ("new", 0, 1), ("none", 0, 0)] {
        harness.edit(|pipe| _ = pipe.top("report", &format!("{{ pictures: {wanted} }}")));
        let before = looks(&harness);
        let ended = harness.plan_with(&[]).expect_exit(0);
        assert_eq!((for_pictures(&ended), looks(&harness) - before), (requests, requests), "{wanted}");
        assert_eq!(pictures(&harness), BTreeSet::from([on_a_row]), "{wanted}");
    }

    // One that cannot be had fails nothing.
    harness.edit(|pipe| _ = pipe.top("report", "{ pictures: changed }"));
    harness.sandbox.fault(Fault::new(refusal(404)).at("jira").on("GET", "*/useravatar").times(1));
    harness.plan_with(&[]).expect_exit(0);
    assert_eq!(pictures(&harness), BTreeSet::from([1, 2]));

    let (run, _) = harness.counted(Harness::run);
    assert_eq!(for_pictures(&run.expect_exit(0)), 0);
    assert_eq!(pictures(&harness), BTreeSet::from([1]));
}

fn refusal(status: u16) -> Effect {
    Effect::Answer(Answer { status, ..Answer::default() })
}

fn for_pictures(ended: &Ended) -> u64 {
    ended.report()["requests"][1]["for_pictures"].as_u64().expect("a count")
}

/// How often the Jira was asked for a picture.
fn looks(harness: &Harness) -> u64 {
    harness.calls("jira").iter().filter(|call| call.contains("/useravatar")).count() as u64
}

/// How many pictures the replaced rows have.
fn pictures(harness: &Harness) -> BTreeSet<usize> {
    let rows = page(harness, "report/pictures.html").rows;
    rows.iter().filter(|row| row.section == "replaced").map(|row| row.pictures).collect()
}
