//! What becomes of a secret on its way through a server and back.
//!
//! Owns: the forms in which it is looked for. Leaves to others: looking (`redact.rs`).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use unicode_normalization::UnicodeNormalization as _;

/// The ways in which servers give back what they were sent: as it is or as a form or a URL spells it, and each of these
/// as JSON and pages escape it.
pub(super) fn spellings(text: &str) -> Vec<String> {
    let form: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let in_url = form.replace('+', "%20");
    let lower = in_lower_case(&in_url);
    let mut all = Vec::new();
    for spelled in [text, &form, &in_url, &lower] {
        all.push(spelled.to_owned());
        all.extend([LetterCase::Lower, LetterCase::Upper].map(|case| in_json(spelled, case)));
        all.push(in_json(spelled, LetterCase::Upper).replace('/', "\\/"));
        all.push(serde_json::Value::from(spelled).to_string().trim_matches('"').to_owned());
        all.push(serde_json::Value::from(spelled).to_string().trim_matches('"').replace('/', "\\/"));
        all.extend([PageEscapes::Plain, PageEscapes::Careful].map(|page| in_page(spelled, page)));
    }
    all
}

/// What is meant by what a URL spells.
pub(super) fn decoded(text: &str) -> String {
    // A form means a blank by `+` and an end by `&`, which here are themselves.
    let text = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(text.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// In which forms it is looked for where nothing is escaped any more: as it is, and what a server that hides that it gives
/// something back may have made of it.
pub(super) fn encodings(text: &str) -> Vec<Vec<u8>> {
    let form: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let mut forms: Vec<Vec<u8>> = [
        text.to_owned(),
        // A blank in a form, a quote in a table.
        text.replace(' ', "+"),
        text.replace('"', "\"\""),
        text.nfc().collect(),
        text.nfd().collect(),
        // UTF-8 that somebody took for Latin-1.
        text.bytes().map(char::from).collect(),
    ]
    .map(String::into_bytes)
    .into();
    forms.extend(in_latin_1(text));
    forms.extend(in_utf_16(text));
    let spelled = [form.replace("%7E", "~"), form].map(String::into_bytes);
    let encoded: Vec<Vec<u8>> = forms
        .iter()
        .chain(&spelled)
        .flat_map(|bytes| {
            let in_base64 = (0..3).flat_map(|before| in_base64(bytes, before)).map(String::into_bytes);
            let in_hex = ["", ":", "-", " "].map(|between| in_hex(bytes, between).into_bytes());
            in_base64.chain(in_hex).collect::<Vec<_>>()
        })
        .collect();
    forms.extend(encoded);
    forms.extend(in_logs(text));
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// Longer ones are tokens, which nobody types or prints byte by byte; their forms would fill the memory.
const TYPED: usize = 128;

/// What a log, a shell or a query makes of a short one: signs that it does not have as `?` or left out, UTF-8 taken for
/// windows-1252, doubled quotes, and its bytes as numbers.
fn in_logs(text: &str) -> Vec<Vec<u8>> {
    if text.len() > TYPED {
        return Vec::new();
    }
    let with = |mark: &str| {
        text.chars().map(|c| if c.is_ascii() { c.to_string() } else { mark.to_owned() }).collect::<String>()
    };
    let mut forms: Vec<String> = vec![text.replace('\'', "''"), in_windows_1252(text), in_base32(text)];
    if !text.is_ascii() {
        forms.extend([with("?"), with("??"), with("")]);
    }
    let decimal = |between: &str| text.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(between);
    // As Java prints them.
    let signed = text.bytes().map(|byte| byte.cast_signed().to_string()).collect::<Vec<_>>().join(", ");
    forms.extend([decimal(", "), decimal(","), signed]);
    let in_hex = [", 0x", ",0x", " 0x", "="].map(|between| in_hex(text.as_bytes(), between));
    let forms = forms.into_iter().chain(in_hex).map(String::into_bytes);
    // A form in Latin-1 has `+` for a blank, too.
    forms.chain(in_latin_1(&text.replace(' ', "+"))).collect()
}

/// UTF-8 that somebody took for windows-1252 (<https://encoding.spec.whatwg.org/#windows-1252>).
fn in_windows_1252(text: &str) -> String {
    const FROM_80: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    let other = |byte: u8| FROM_80.chars().nth(usize::from(byte).checked_sub(0x80)?);
    text.bytes().map(|byte| other(byte).unwrap_or_else(|| char::from(byte))).collect()
}

/// RFC 4648 §6, without the letter that the end shares with the padding.
fn in_base32(text: &str) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits = |at: usize| {
        (at..at + 5).fold(0, |sum, bit| sum << 1 | usize::from(text.as_bytes()[bit / 8] >> (7 - bit % 8) & 1))
    };
    (0..text.len() * 8 / 5).map(|nth| char::from(LETTERS[bits(nth * 5)])).collect()
}

/// Where its letters have other bytes there than in UTF-8.
fn in_latin_1(text: &str) -> Option<Vec<u8>> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    bytes.filter(|_| !text.is_ascii())
}

/// With the lower byte first and with the upper.
fn in_utf_16(text: &str) -> [Vec<u8>; 2] {
    [u16::to_le_bytes, u16::to_be_bytes].map(|order| text.encode_utf16().flat_map(order).collect())
}

/// What base64 makes of it wherever it stands in something longer, such as `user:password`: so many bytes before it, and any
/// behind it. The letters that the neighbours share are left out.
fn in_base64(text: &[u8], before: usize) -> [String; 2] {
    let bytes = [&vec![0; before], text].concat();
    let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
    [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)].map(|encoded| encoded[from..to].to_owned())
}

fn in_hex(text: &[u8], between: &str) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    let mut hex = String::with_capacity(text.len() * (2 + between.len()));
    for (nth, byte) in text.iter().enumerate() {
        hex.push_str(if nth == 0 { "" } else { between });
        hex.extend([digit(byte >> 4), digit(byte & 15)]);
    }
    hex
}

/// `%2B` as `%2b`.
fn in_lower_case(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).unwrap_or((piece, ""));
        out = out + "%" + &digits.to_ascii_lowercase() + rest;
    }
    out
}

/// The hexadecimal digits of an escape.
#[derive(Clone, Copy)]
enum LetterCase {
    Lower,
    Upper,
}

/// As .NET writes JSON: everything that means something in a page is escaped.
fn in_json(text: &str, case: LetterCase) -> String {
    let escaped = text.chars().map(|c| match (c, case) {
        ('\\', _) => "\\\\".to_owned(),
        ('"' | '&' | '\'' | '+' | '<' | '>' | '`', LetterCase::Lower) => format!("\\u{:04x}", u32::from(c)),
        ('"' | '&' | '\'' | '+' | '<' | '>' | '`', LetterCase::Upper) => format!("\\u{:04X}", u32::from(c)),
        (c, _) => c.to_string(),
    });
    escaped.collect()
}

/// How much a page escapes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PageEscapes {
    /// What it must.
    Plain,
    /// What OWASP says, and Go's templates do: `+`, `=`, `/` and quotes, too.
    Careful,
}

fn in_page(text: &str, page: PageEscapes) -> String {
    let escaped = text.chars().map(|c| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' if page == PageEscapes::Plain => "&quot;".to_owned(),
        '"' => "&#34;".to_owned(),
        '\'' => "&#39;".to_owned(),
        '+' if page == PageEscapes::Careful => "&#43;".to_owned(),
        c => c.to_string(),
    });
    escaped.collect()
}
