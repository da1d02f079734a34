//! Why an account keeps its picture, as far as a server can know.
//!
//! Owns: these facts in words. Leaves to others: the rules of a pipeline file, of which no server knows anything.
//! A newcomer gets wrong: a fact is no verdict: a rule may take a person without a photo back to the default, and an
//! account without an address may be matched by its name.

use super::picture_cache::PictureCache;
use super::rows::Row;
use crate::truth::{Account, Person};

/// Pictures beyond this are not given to the browser to decode.
const MOST_PIXELS: u64 = 50_000_000;
/// Below this a picture is blurred where it is shown large.
const SMALL: u32 = 48;

/// What a person's photo is to whoever looks at it.
pub(super) enum Photo {
    /// A browser can show it; in words what is odd about it.
    Shown(Option<String>),
    /// There is none to show, and why.
    Not(String),
}

pub(super) fn photo(person: &Person, pictures: &PictureCache) -> Photo {
    let Some((bytes, _)) = &person.photo else {
        let instead = person.instead.as_deref().unwrap_or("none").replace('_', " ");
        let words = if person.proven_absent { "provably no photo" } else { "photo not to be had" };
        return Photo::Not(format!("{words}: {instead}"));
    };
    match pictures.size(bytes) {
        Some((w, h)) if u64::from(w) * u64::from(h) > MOST_PIXELS => Photo::Not(format!("a photo of {w} × {h} pixels")),
        Some((w, h)) if w.min(h) < SMALL => Photo::Shown(Some(format!("a small photo: {w} × {h}"))),
        Some(_) => Photo::Shown(None),
        None => Photo::Not("the photo is not a picture".to_owned()),
    }
}

/// What stands in the way of this account, if anything is known to.
pub(super) fn reasons(row: &Row<'_>, account: &Account, pictures: &PictureCache) -> Vec<String> {
    let mut reasons = Vec::new();
    if !account.active {
        reasons.push("the account is inactive".to_owned());
    }
    if row.people.is_empty() {
        reasons.push(nobody(row, account));
    }
    let several = row.cells.iter().find(|cell| cell.len() > 1 && cell.contains(&account));
    if let Some(cell) = several.filter(|_| !row.people.is_empty()) {
        reasons.push(format!("one of {} accounts of this person", cell.len()));
    }
    // One directory that stands for them is enough.
    let of_people: Vec<Vec<String>> = row.people.iter().map(|person| about(person, pictures)).collect();
    if !of_people.iter().any(Vec::is_empty) {
        reasons.extend(of_people.concat());
    }
    reasons
}

fn nobody(row: &Row<'_>, account: &Account) -> String {
    match (&row.fits[..], &account.email) {
        ([], Some(_)) => "nobody has its e-mail address".to_owned(),
        ([], None) => "no e-mail address, and nobody of its name".to_owned(),
        (several, _) => {
            let names: Vec<_> = several.iter().map(|person| person.display_name.as_str()).collect();
            format!("fits {}", names.join(" and "))
        }
    }
}

fn about(person: &Person, pictures: &PictureCache) -> Vec<String> {
    let mut about = Vec::new();
    if !person.enabled {
        about.push("disabled in the directory".to_owned());
    }
    if is_other(person) {
        about.push(format!("a {} in the directory", person.kind.to_lowercase()));
    }
    match photo(person, pictures) {
        Photo::Shown(None) => {}
        Photo::Shown(Some(words)) | Photo::Not(words) => about.push(words),
    }
    about
}

/// Whether it is a guest, or what else is no member or user.
pub(super) fn is_other(person: &Person) -> bool {
    !["", "member", "user"].contains(&person.kind.to_lowercase().as_str())
}
