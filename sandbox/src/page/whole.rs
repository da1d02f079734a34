//! The page from its first to its last byte.
//!
//! Owns: what stands where. Leaves to others: the pieces (`head`), the rows (`row`), what it shares with the contact sheet
//! (`pages/`, docs/decisions/simulators.md).
//! A newcomer gets wrong: whatever changes while the page is open has a name (`data-piece`, `data-k`), and is told anew.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::head::{count, counted, of_the_log};
use super::row::glyph;
use super::told::Told;
use crate::server_state::ServerState;

pub(super) const STYLE: &str = concat!(include_str!("../../../pages/parts.css"), include_str!("page.css"));
pub(super) const SCRIPT: &str = concat!(include_str!("../../../pages/parts.js"), include_str!("live.js"));
/// The drawings that rows name.
const GLYPHS: &str = include_str!("../../../pages/glyphs.svg");
/// Rows that a browser lays out together, or not at all while they are out of sight.
const TOGETHER: usize = 60;
/// Columns for which the look is made.
const COLUMNS: usize = 9;

pub(super) fn whole(server: &ServerState, told: &Told) -> Markup {
    let products = &told.products;
    let log: Vec<_> = of_the_log(server, told).into_iter().map(|(name, html)| (name, html.into_string())).collect();
    let piece = |wanted: &str| {
        let found = told.pieces.iter().chain(&log).find(|(name, _)| *name == wanted);
        PreEscaped(found.map_or("", |(_, html)| html.as_str()))
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (server.world) ": sandbox" }
                link rel="stylesheet" href="/page.css";
                link rel="icon" href="data:,";
            }
            body {
                (PreEscaped(GLYPHS))
                a.skip href="#people" { "To the pictures" }
                header.top {
                    p.kind { (glyph("mark")) "sandbox" span #live role="status" data-at=(told.at()) { "as it stood when it was loaded" } }
                    h1 { bdi { (server.world) } }
                    p.verdict data-piece="verdict" { (piece("verdict")) }
                    p.about { bdi { (server.about) } }
                    dl.meta data-piece="writes" { (piece("writes")) }
                    div data-piece="broken" { (piece("broken")) }
                }
                main class={ "c" (products.len().min(COLUMNS)) } {
                    div.panels {
                        section.panel { h2 { "Directories" } div.parts data-piece="directories" { (piece("directories")) } }
                        section.panel.wide { h2 { "Products" } div.parts data-piece="products" { (piece("products")) } }
                    }
                    (tools(told))
                    div #people { (group(told, true)) (group(told, false)) }
                    p.empty hidden { "Nobody fits. " kbd { "Esc" } " clears the search." }
                    details {
                        summary { "Requests" }
                        div.table { table data-piece="endpoints" { (piece("endpoints")) } }
                    }
                    details {
                        summary { "Faults and switches" }
                        div.table { table data-piece="switches" { (piece("switches")) } }
                    }
                }
                (end())
                script src="/page.js" {}
            }
        }
    }
}

fn tools(told: &Told) -> Markup {
    let products = &told.products;
    let people = told.lines.iter().filter(|line| line.is_of_a_person).count();
    let words = format!(
        "{} rows, {} of them people; {}",
        count(told.lines.len()),
        count(people),
        counted(told.accounts, "account")
    );
    let marked = |mark: &str| told.marks.get(mark).copied().unwrap_or_default();
    html! {
        div.tools role="search" {
            div.search {
                label.unseen for="q" { "Search names, addresses, accounts and reasons" }
                input #q type="search" placeholder="Name, address, reason" autocomplete="off" spellcheck="false";
                kbd aria-hidden="true" { "/" }
            }
            ul.pills {
                (pill("all", "All", told.lines.len()))
                @for (mark, words) in [("changed", "Changed"), ("left", "Left alone"), ("own", "Uploaded picture"), ("stock", "Stock picture"),
                    ("default", "Default picture"), ("none", "No account")] { (pill(mark, words, marked(mark))) }
                @if products.len() > 1 {
                    @for (name, _) in products { (pill(&format!("t:{name}"), name, marked(&format!("t:{name}")))) }
                }
            }
            p.count role="status" data-all=(words) { (words) }
            div.columns aria-hidden="true" {
                span { "Person" }
                @for (name, title) in products { span { bdi { (title) } @if !title.eq_ignore_ascii_case(name) { " " code { (name) } } } }
            }
        }
    }
}

fn pill(filter: &str, words: &str, number: usize) -> Markup {
    html! {
        li {
            button type="button" data-f=(filter) aria-pressed=(filter == "all") { bdi { (words) } b { (count(number)) } }
        }
    }
}

fn group(told: &Told, of_people: bool) -> Markup {
    let lines: Vec<_> = told.lines.iter().filter(|line| line.is_of_a_person == of_people).collect();
    let (id, colour, title, about) = if of_people {
        (
            "of-people",
            "k-good",
            "People",
            "One line a person, one column a product. Whose account it is, is found by e-mail address, or by user name where an account has none.",
        )
    } else {
        ("alone", "k-rest", "Accounts alone", "They fit nobody in a directory, or more than one person.")
    };
    let all = count(lines.len());
    html! {
        @if !lines.is_empty() {
            section.group id=(id) aria-labelledby={ "h-" (id) } {
                h2 class=(colour) id={ "h-" (id) } { em { (title) } span data-all=(all) { (all) } }
                p.about { (about) }
                div.rows {
                    @for chunk in lines.chunks(TOGETHER) {
                        ol { @for line in chunk { (PreEscaped(line.html.as_str())) } }
                    }
                }
            }
        }
    }
}

fn end() -> Markup {
    html! {
        footer {
            p.keys {
                kbd { "/" } " search · " kbd { "j" } " " kbd { "k" } " next and previous · " kbd { "←" } " " kbd { "→" } " across · "
                kbd { "Enter" } " large · " kbd { "Esc" } " back"
            }
            p { "Simulated on this machine: names and secrets are invented. The page knows what stands on the servers, and of no rule of a pipeline file." }
        }
        dialog aria-label="Photo, picture at first, picture now" {
            div.large {
                div.title { div.who {} button.close type="button" { "Close" } }
                div.plates {}
                div.why {}
                nav aria-label="Others" {
                    button.back type="button" { "Previous" } span.place {} button.next type="button" { "Next" }
                }
            }
        }
    }
}
