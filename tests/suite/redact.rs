//! What differs from run to run, taken out of an output before it is compared as a whole.
//!
//! Owns: ids, times, addresses. Leaves to others: everything else, which must be the same on every machine.
//! A newcomer gets wrong: a shape is a text in which `0` stands for any digit and `x` for any hexadecimal one.

use super::harness::Harness;

/// Each shape with what stands in its place.
const SHAPES: [(&str, &str); 6] = [
    ("0000-00-00T00-00-00Z-xxxx", "<run>"),
    ("0000-00-00T00:00:00Z", "<time>"),
    ("b3:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "<digest>"),
    ("127.0.0.1:00000", "127.0.0.1:<port>"),
    ("request-id xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "request-id <guid>"),
    ("request id xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "request id <guid>"),
];

/// The text without what differs.
pub(super) fn redact(harness: &Harness, text: &str) -> String {
    let mut text = text.replace(&harness.folder().display().to_string(), "<folder>");
    for (name, url) in harness.sandbox.endpoints() {
        text = text.replace(url.as_str(), &format!("<{name}>"));
    }
    SHAPES.iter().fold(text, |text, (shape, with)| replace(&text, shape, with))
}

/// Replaces every place that has this shape.
pub(super) fn replace(text: &str, shape: &str, with: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        match rest.get(..shape.len()) {
            Some(head) if fits(head, shape) => {
                out.push_str(with);
                rest = &rest[shape.len()..];
            }
            _ => {
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    out
}

fn fits(head: &str, shape: &str) -> bool {
    head.bytes().zip(shape.bytes()).all(|(found, wanted)| match wanted {
        b'0' => found.is_ascii_digit(),
        b'x' => found.is_ascii_hexdigit(),
        wanted => found == wanted,
    })
}

#[test]
fn shapes_are_found_where_they_stand() {
    assert_eq!(replace("run 2026-11-23T08-00-00Z-7f3a: ok", SHAPES[0].0, "<run>"), "run <run>: ok");
    assert_eq!(replace("é 12:3", "00:0", "<>"), "é <>");
}
