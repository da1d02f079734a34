//! One line of the page: a person, and of each product the picture at the beginning and the one of now.
//!
//! Owns: the words for pictures, and what the filters know a line by. Leaves to others: who belongs on it (`rows`), why
//! (`reasons`), its look (`page.css`).
//! A newcomer gets wrong: every text here is somebody else's; `maud` escapes it, and `bdi` keeps its direction to itself.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::picture_cache::PictureCache;
use super::reasons::{Photo, is_other, photo, reasons};
use super::rows::Row;
use crate::truth::{Account, Person, Shown, ShownKind};

/// What stands in a frame.
enum Content {
    Picture(String),
    Blank,
}

/// A row as it is told to browsers.
pub(super) struct Line {
    /// By what it is known.
    pub(super) key: String,
    /// What the filters know it by.
    pub(super) marks: BTreeSet<String>,
    pub(super) html: String,
}

pub(super) fn line(row: &Row<'_>, products: &[&str], pictures: &PictureCache) -> Line {
    let key = blake3::hash(row.key().as_bytes()).to_hex()[..12].to_owned();
    let marks = marks(row, products, pictures);
    let words = marks.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let markup = html! {
        li data-k=(key) data-f=(words) {
            div.person {
                div.own {
                    @for person in &row.people { (own(person, pictures)) }
                    @if row.people.is_empty() { (frame("of nobody in a directory", "f", &Content::Blank)) }
                }
                div.who { (who(row)) }
            }
            @for (product, accounts) in products.iter().zip(&row.cells) {
                div.column {
                    @for account in accounts { (cell(row, product, account, pictures)) }
                    @if accounts.is_empty() { span.none { "no account" span.unseen { " in " (product) } } }
                }
            }
        }
    };
    Line { key, marks, html: markup.into_string() }
}

fn who(row: &Row<'_>) -> Markup {
    let address = row.cells.iter().flatten().find_map(|account| account.email.as_deref());
    html! {
        b { bdi { (row.name()) } }
        @for person in &row.people {
            span.mail { bdi { (person.user_name) } }
            @if !person.enabled { span.t { "disabled" } }
            @if is_other(person) { span.t { (person.kind.to_lowercase()) } }
        }
        @if row.people.is_empty() { span.mail { bdi { (address.unwrap_or("no e-mail address")) } } }
    }
}

fn own(person: &Person, pictures: &PictureCache) -> Markup {
    let (words, content) = match (photo(person, pictures), &person.photo) {
        (Photo::Shown(odd), Some((bytes, _))) => {
            (odd.unwrap_or_else(|| "photo".to_owned()), Content::Picture(pictures.digest(bytes)))
        }
        (Photo::Shown(_), None) => ("photo".to_owned(), Content::Blank),
        (Photo::Not(words), _) => (words, Content::Blank),
    };
    html! {
        button.pair type="button" tabindex="-1" { (frame(&format!("{}: {words}", person.simulator), "f square", &content)) }
    }
}

fn cell(row: &Row<'_>, product: &str, account: &Account, pictures: &PictureCache) -> Markup {
    let of = |when: &str, shown: &Shown| {
        let words = format!("{} {when}: {} {}", product, state(account, shown), shown.id);
        frame(words.trim_end(), "f", &Content::Picture(pictures.digest(&shown.bytes)))
    };
    let reasons = if account.changed() { Vec::new() } else { reasons(row, account, pictures) };
    let (colour, word) = match (account.changed(), account.now.kind) {
        (true, ShownKind::Default) => ("k-warn", "reverted"),
        (true, _) if is_strange(account) => ("k-bad", "misplaced"),
        (true, _) => ("k-good", "changed"),
        (false, _) if !reasons.is_empty() => ("k-rest", "left alone"),
        (false, _) => ("k-rest", "as at first"),
    };
    let before = state(account, &account.start);
    html! {
        div.cell.off[!account.active] {
            button.pair type="button" tabindex="-1" {
                @if account.changed() {
                    (of("at first", &account.start))
                    (glyph("arrow"))
                    (of("now", &account.now))
                } @else {
                    (of("as at first", &account.now))
                }
            }
            div.why {
                p.account { span.t { (product) } bdi { (account.name) } @if account.key != account.name { code { (account.key) } } }
                p { span class={ "tag " (colour) } { (word) }
                    @if account.changed() { (before) " → " (state(account, &account.now)) } @else { (before) } }
                @if !reasons.is_empty() { p.d { bdi { (reasons.join("; ")) } } }
            }
        }
    }
}

fn frame(words: &str, class: &str, content: &Content) -> Markup {
    html! {
        @if let Content::Picture(digest) = content {
            span class=(class) title=(words) {
                img src={ "/picture/" (digest) } alt=(words) width="48" height="48" loading="lazy" decoding="async";
            }
        } @else {
            span class={ (class) " blank" } title=(words) { (glyph("picture")) span.unseen { (words) } }
        }
    }
}

/// One of the drawings that stand once in the page.
pub(super) fn glyph(name: &str) -> Markup {
    html! { svg.glyph aria-hidden="true" { use href={ "#i-" (name) } {} } }
}

/// Whether it shows the picture of another account, which must never be.
fn is_strange(account: &Account) -> bool {
    account.now.kind == ShownKind::Custom && account.now.owner != account.key
}

/// What kind of picture it is.
fn state(account: &Account, shown: &Shown) -> String {
    match shown.kind {
        ShownKind::Custom if shown.owner != account.key => format!("picture {} of {}!", shown.id, shown.owner),
        ShownKind::Custom => "uploaded picture".to_owned(),
        ShownKind::System => "stock picture".to_owned(),
        ShownKind::Default => "default".to_owned(),
    }
}

fn marks(row: &Row<'_>, products: &[&str], pictures: &PictureCache) -> BTreeSet<String> {
    let mut marks = BTreeSet::new();
    for (product, accounts) in products.iter().zip(&row.cells) {
        for account in accounts {
            marks.insert(format!("t:{}", product));
            let now = match account.now.kind {
                ShownKind::Custom => "own",
                ShownKind::System => "stock",
                ShownKind::Default => "default",
            };
            marks.insert(now.to_owned());
            if account.changed() {
                marks.insert("changed".to_owned());
            } else if !reasons(row, account, pictures).is_empty() {
                marks.insert("left".to_owned());
            }
        }
    }
    if row.cells.iter().all(Vec::is_empty) {
        marks.insert("none".to_owned());
    }
    marks
}
