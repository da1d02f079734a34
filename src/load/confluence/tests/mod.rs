//! Protocol tests against a small Confluence written from docs/wire/atlassian.md, with the journal of the Jira tests.

mod fake;
mod handles;
mod remotes;
mod removals;
mod surveys;
mod writes;

use crate::load::jira::tests::{grey, intent, rendition};
use crate::model::{Digest, Intent, IntentKind, PictureRef, Rendition, Shown};

/// The file that we placed before: [`grey`] 100, by its digest.
const OLD: &str = "avatarpipe-5bdc5e0e273463a3.png";

/// The picture that is sent, and the name it gets.
fn picture() -> (Rendition, PictureRef) {
    let digest = Digest::of(&grey(200));
    (rendition(200), PictureRef::new(format!("avatarpipe-{}.png", &digest.hex()[..16])))
}

/// A write for account `K`, which shows this.
fn draft(kind: IntentKind, stood: Shown, old: Option<&str>) -> Intent {
    let handle = matches!(stood, Shown::Custom(_)).then(|| "77".to_owned());
    let rendition = (kind == IntentKind::Replace).then(|| Digest::of(&grey(200)));
    Intent { stood, handle, rendition, old: old.map(PictureRef::from), ..intent(kind) }
}
