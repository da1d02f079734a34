//! `pictures.html`: before and after of everybody whose picture changes, on one page that loads nothing.
//!
//! Owns: the page from its first to its last byte. Leaves to others: lines and pictures (`run`).
//! A newcomer gets wrong: the head tells what the rows add up to, so the rows are written first, into a file for each
//! section, and put behind the head; neither memory nor time grows faster than the page (promise P9).

mod duration;
mod head;
mod row;
mod rows;
mod section;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use self::head::{LineCounts, count, counted, head, is_plan, panels};
use self::rows::Rows;
use self::section::{Section, needs_attention};
use super::files::SHEET_ROWS;
use super::{People, ReportFile, ReportInput, ReportPictures, RunReport, StoodPictures};

/// In the folder of the report, or beside a saved plan.
pub(crate) const PICTURES: ReportFile =
    ReportFile { name: "pictures.html", write: |told, out| contact_sheet(told, out) };

const STYLE: &str = concat!(include_str!("../../../pages/parts.css"), include_str!("page.css"));
const SCRIPT: &str = include_str!("../../../pages/parts.js");
/// The drawings that rows name.
const GLYPHS: &str = include_str!("../../../pages/glyphs.svg");

/// Writes the page.
fn contact_sheet(told: ReportInput<'_>, out: impl Write) -> io::Result<()> {
    let ReportInput { report, people, uncut } = told;
    let mut sections: BTreeMap<Section, Rows> = BTreeMap::new();
    let planned = is_plan(report);
    let mut lines = LineCounts::default();
    let mut targets: BTreeMap<String, u64> = BTreeMap::new();
    people.each_pictured(&mut |pictured| {
        let section = Section::of(&pictured.line, planned);
        lines.all += 1;
        lines.left += u64::from(!pictured.line.is_change());
        lines.attention += u64::from(needs_attention(&pictured.line, planned));
        *targets.entry(pictured.line.target.clone()).or_default() += 1;
        let rows = match sections.entry(section) {
            std::collections::btree_map::Entry::Occupied(there) => there.into_mut(),
            std::collections::btree_map::Entry::Vacant(empty) => {
                empty.insert(Rows::within(people.scratch()?, people.scratch()?))
            }
        };
        rows.all += 1;
        if section.is_whole() || rows.here < SHEET_ROWS {
            let line = &pictured.line;
            rows.unseen += u64::from(row::goes_unseen(&pictured));
            rows.put(&line.reason, row::name(line), &row::row(&pictured, planned).into_string())?;
        }
        Ok(())
    })?;
    let mut out = BufWriter::new(out);
    out.write_all(begin(report, lines, &sections, &targets).into_string().as_bytes())?;
    for (section, rows) in sections {
        out.write_all(opening(section, planned, &rows, people.pictures()).as_bytes())?;
        let (all, here) = (rows.all, rows.here);
        rows.write(&mut out)?;
        out.write_all(b"</ol></div>")?;
        if here < all {
            // The page has changes whole: what is cut is in the file of everybody alone.
            let whole = uncut.everybody.and_then(Path::file_name).map(|name| name.display().to_string());
            let whole = whole.unwrap_or_else(|| "the run.json that `--report DIR` writes".to_owned());
            let cut = html! { p.more { "The first " (count(here)) " of " (count(all)) ": " (row::prose(&whole)) " has them all." } };
            out.write_all(cut.into_string().as_bytes())?;
        }
        out.write_all(b"</section>")?;
    }
    out.write_all(end(people).into_string().as_bytes())?;
    out.flush()
}

/// Only what is in the page may be shown or run: not even a name that became markup could load anything.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// The page up to the first row.
fn begin(
    report: &RunReport,
    lines: LineCounts,
    sections: &BTreeMap<Section, Rows>,
    targets: &BTreeMap<String, u64>,
) -> Markup {
    html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\">"))
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy());
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="referrer" content="no-referrer";
            meta name="robots" content="noindex";
            title { (report.pipeline) ": " (report.command) " of " (report.finished) }
            style { (PreEscaped(STYLE)) }
        }
        (PreEscaped("<body>"))
        (PreEscaped(GLYPHS))
        a.skip href="#people" { "To the pictures" }
        (head(report, lines))
        (PreEscaped("<main>"))
        (panels(report))
        (tools(lines, sections, targets, is_plan(report)))
        (PreEscaped("<div id=\"people\">"))
    }
}

fn tools(
    lines: LineCounts,
    sections: &BTreeMap<Section, Rows>,
    targets: &BTreeMap<String, u64>,
    planned: bool,
) -> Markup {
    let told = format!("{} told; whoever stays as is, is left out", counted(lines.all, "account"));
    html! {
        div.tools role="search" {
            div.search {
                label.unseen for="q" { "Search names, accounts, reasons and rules" }
                input #q type="search" placeholder="Name, account, reason" autocomplete="off" spellcheck="false";
                kbd aria-hidden="true" { "/" }
            }
            ul.pills {
                (pill("all", "All", lines.all, None))
                (pill("care", "Needs attention", lines.attention, Some("care")))
                @for (section, rows) in sections { (pill(section.id(), section.short_title(planned), rows.all, None)) }
                @if targets.len() > 1 {
                    @for (target, number) in targets { (pill(&format!("t:{target}"), target, *number, None)) }
                }
            }
            div.view {
                button type="button" data-v="rows" aria-pressed="true" { "Rows" }
                button type="button" data-v="sheet" aria-pressed="false" { "Sheet" }
            }
            p.count role="status" data-all=(told) { (told) }
        }
    }
}

fn pill(filter: &str, words: &str, number: u64, class: Option<&str>) -> Markup {
    html! {
        li {
            button type="button" class=[class] data-f=(filter) aria-pressed=(filter == "all") {
                bdi { (words) } b { (count(number)) }
            }
        }
    }
}

/// A section up to its first row.
fn opening(section: Section, planned: bool, rows: &Rows, shown: ReportPictures) -> String {
    let (id, all) = (section.id(), count(rows.all));
    let head = html! {
        h2 class=(section.colour()) id={ "h-" (id) } { em { (section.title(planned)) } span data-all=(all) { (all) } }
        p.about {
            (row::prose(section.about()))
            @if let Some(why) = why_unseen(rows.unseen, shown) { " " (row::prose(&why)) }
        }
    };
    let head = head.into_string();
    format!("<section class=\"group\" id=\"{id}\" aria-labelledby=\"h-{id}\">{head}<div class=\"rows\"><ol>")
}

/// Why pictures that go are told in a word.
fn why_unseen(unseen: u64, shown: ReportPictures) -> Option<String> {
    let why = match shown.before {
        StoodPictures::Fetched => "could not be fetched",
        StoodPictures::Seen => "are not shown, since a run asks for no picture more: `plan` shows them before",
        StoodPictures::Off | StoodPictures::NotKept => return None,
    };
    (unseen > 0 && shown.side.is_some()).then(|| match unseen {
        1 => format!("1 picture that goes {}.", why.replacen("are", "is", 1).replace("shows them", "shows it")),
        _ => format!("{} pictures that go {why}.", count(unseen)),
    })
}

/// The page from the last row on.
fn end(people: &dyn People) -> Markup {
    html! {
        (PreEscaped("</div>"))
        p.empty hidden { "Nobody fits. " kbd { "Esc" } " clears the search." }
        (PreEscaped("</main>"))
        footer {
            p.keys {
                kbd { "/" } " search · " kbd { "j" } " " kbd { "k" } " next and previous · " kbd { "Enter" } " large · "
                kbd { "Esc" } " back"
            }
            p { (row::prose(&about_pictures(people))) }
            p { "This page loads nothing from anywhere, and is whole as one file. It is about people: keep it no longer than it is needed." }
            div.sign { span { "Reviewed by" } span { "Date" } span { "Signature" } }
        }
        dialog aria-label="Before and after" {
            div.large {
                div.title { div.who {} button.close type="button" { "Close" } }
                div.plates {}
                div.why {}
                code.at {}
                nav aria-label="Others" {
                    button.back type="button" { "Previous" } span.place {} button.next type="button" { "Next" }
                }
            }
        }
        script { (PreEscaped(SCRIPT)) }
        (PreEscaped("</body></html>\n"))
    }
}

fn about_pictures(people: &dyn People) -> String {
    let shown = people.pictures();
    if shown.before == StoodPictures::NotKept {
        return "This page was made again from what is on record, which holds no pictures.".to_owned();
    }
    let Some(side) = shown.side else { return "Pictures are left out: `report: { pictures: none }`.".to_owned() };
    let before = match shown.before {
        StoodPictures::Fetched => "what stood there before was fetched, where it could be",
        StoodPictures::Seen => {
            "what stood there before is shown where it was looked at anyhow, since a run asks for no picture more"
        }
        StoodPictures::Off | StoodPictures::NotKept => {
            "what stood there before was not asked for: `report: { pictures: new }`"
        }
    };
    format!("Pictures are copies of at most {side} pixels a side, for looking at; {before}.")
}
