//! One row of the contact sheet: what stood there, what is to stand there, who, where, why.
//!
//! Owns: the words for pictures. Leaves to others: where the row stands (`section`), its look (`page.css`).
//! A newcomer gets wrong: every text here is somebody else's; `maud` escapes it, and `bdi` keeps its direction to itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

use super::section::{Section, needs_attention};
use crate::model::Change;
use crate::report::person_line::reason_text;
use crate::report::{PersonLine, Pictured, Thumbnail};

/// Whom a row is of.
pub(super) fn name(line: &PersonLine) -> &str {
    line.person.as_ref().and_then(|person| person.name.as_deref()).unwrap_or(&line.account.name)
}

pub(super) fn row(pictured: &Pictured, planned: bool) -> Markup {
    let Pictured { line, before, after } = pictured;
    let name = name(line);
    let changes = matches!(
        Change::of_word(&line.change.kind),
        Some(Change::Replace | Change::Revert | Change::Remove | Change::Finish)
    );
    let section = Section::of(line, planned);
    // The limit stands above, once.
    let error = line.error.as_ref().filter(|_| section == Section::Failed);
    let needs_care = needs_attention(line, planned);
    let care = if needs_care { "care " } else { "" };
    html! {
        li data-f={ (care) "t:" (line.target) } {
            button.pair type="button" tabindex="-1" {
                (frame(if changes { "before" } else { "stays" }, &line.change.from, before.as_ref()))
                @if changes {
                    (glyph("arrow"))
                    (frame("after", &line.change.to, after.as_ref()))
                }
            }
            div.who {
                b {
                    bdi { (name) }
                    @if needs_care { span.care title="needs attention" { span.unseen { " needs attention" } } }
                }
                span { span.t { bdi { (line.target) } } bdi { (line.account.name) } }
            }
            div.why {
                span class={ "tag " (section.colour()) } { (line.change.kind) }
                (prose(reason_text(&line.reason)))
                @if let Some(detail) = &line.detail { p.d { bdi { (prose(detail)) } } }
                @if let Some(error) = error { p.e { code { bdi { (error.code) } } " " bdi { (prose(&error.message)) } } }
            }
            code.at { bdi { (line.rule) } }
        }
    }
}

/// Words with what stands between two backticks as code; a backtick alone is somebody's own.
pub(super) fn prose(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    let is_code = |nth: usize| nth % 2 == 1 && nth + 1 < parts.len();
    html! {
        @for (nth, part) in parts.iter().enumerate() {
            @if is_code(nth) { code { (part) } }
            @else if nth % 2 == 1 { "`" (part) }
            @else { (part) }
        }
    }
}

fn frame(which: &str, picture: &str, bytes: Option<&Thumbnail>) -> Markup {
    let words = format!("{which}: {}", label(picture));
    html! {
        @if let Some(Thumbnail { media_type, bytes }) = bytes {
            span.f title=(words) {
                img src={ "data:" (media_type.word()) ";base64," (STANDARD.encode(bytes)) }
                    alt=(words) width="48" height="48" loading="lazy" decoding="async";
            }
        } @else if picture == "default" {
            span.f.default title=(words) { (glyph("person")) span.unseen { (words) } }
        } @else {
            // A word, since an empty frame looks like a picture that does not load.
            span.f.word title=(words) { span aria-hidden="true" { (short(picture)) } span.unseen { (words) } }
        }
    }
}

/// Whose a picture is that is not on the page.
fn short(picture: &str) -> &'static str {
    match picture.split_once(':') {
        Some(("b3", _)) => "ours",
        Some(("foreign", _)) => "upload",
        Some(("system", _)) => "stock",
        _ => "?",
    }
}

/// Whether a picture that goes is not on the page.
pub(super) fn goes_unseen(pictured: &Pictured) -> bool {
    let Pictured { line, before, .. } = pictured;
    let goes = matches!(Change::of_word(&line.change.kind), Some(Change::Replace | Change::Revert | Change::Remove));
    goes && before.is_none() && !matches!(line.change.from.as_str(), "default" | "unknown")
}

/// One of the drawings that stand once in the page.
pub(super) fn glyph(name: &str) -> Markup {
    html! { svg.glyph aria-hidden="true" { use href={ "#i-" (name) } {} } }
}

/// A picture of a line, in words.
fn label(picture: &str) -> String {
    match picture.split_once(':') {
        Some(("b3", hex)) => format!("ours, b3:{}", hex.get(..8).unwrap_or(hex)),
        Some(("foreign", mark)) => format!("uploaded picture {mark}"),
        Some(("system", mark)) => format!("stock picture {mark}"),
        _ if picture == "default" => "the default picture".to_owned(),
        _ if picture == "unknown" => "not known".to_owned(),
        _ => picture.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::prose;

    #[test]
    fn what_stands_between_backticks_is_code() {
        for (text, markup) in [
            ("plain <b>", "plain &lt;b&gt;"),
            ("write `a: <b>` there", "write <code>a: &lt;b&gt;</code> there"),
            ("`a` and `b`", "<code>a</code> and <code>b</code>"),
            ("O`Brien", "O`Brien"),
            ("`a` of O`Brien", "<code>a</code> of O`Brien"),
        ] {
            assert_eq!(prose(text).into_string(), markup, "{text}");
        }
    }
}
