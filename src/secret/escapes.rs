//! What stands for a sign in JSON, in a page, in a URL.
//!
//! Owns: which escapes there are, and a text without them. Leaves to others: what is looked for in it (`echoes`).
//! A newcomer gets wrong: an escape may stand in the place of a sign of another one (`%255C`, `&amp;#112;`), so one round of
//! this may leave some.

use std::ops::Range;

/// An escape, and what it stands for.
struct Escape {
    at: Range<usize>,
    sign: Sign,
}

/// A sign as bytes, and how many of them there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sign([u8; 4], usize);

impl Sign {
    fn byte(byte: u8) -> Self {
        Self([byte, 0, 0, 0], 1)
    }

    fn letter(c: char) -> Self {
        let mut bytes = [0; 4];
        let length = c.encode_utf8(&mut bytes).len();
        Self(bytes, length)
    }

    fn bytes(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

/// What of the text lies within `reach` bytes of an escape, without its escapes; `None` if there is none.
pub(super) fn unescaped_nearby(text: &[u8], reach: usize) -> Option<Vec<u8>> {
    let (mut out, mut end) = (Vec::new(), 0);
    while let Some(Escape { at, sign }) = next_escape(text, end) {
        let between = &text[end..at.start];
        match between.len().checked_sub(reach) {
            Some(far) if end == 0 => out.extend_from_slice(&between[far..]),
            Some(far) if far > reach => {
                out.extend_from_slice(&between[..reach]);
                // What is left out parts what is kept.
                out.push(0);
                out.extend_from_slice(&between[far..]);
            }
            _ => out.extend_from_slice(between),
        }
        out.extend_from_slice(sign.bytes());
        end = at.end;
    }
    let rest = &text[end..];
    out.extend_from_slice(&rest[..rest.len().min(reach)]);
    (end > 0).then_some(out)
}

/// The text without its escapes, and where each of its bytes, and its end, stood; `None` if there is none.
pub(super) fn unescaped(text: &[u8]) -> Option<(Vec<u8>, Vec<usize>)> {
    let (mut out, mut stood, mut end) = (Vec::with_capacity(text.len()), Vec::with_capacity(text.len()), 0);
    while let Some(Escape { at, sign }) = next_escape(text, end) {
        out.extend_from_slice(&text[end..at.start]);
        stood.extend(end..at.start);
        out.extend_from_slice(sign.bytes());
        stood.extend(sign.bytes().iter().map(|_| at.start));
        end = at.end;
    }
    out.extend_from_slice(&text[end..]);
    stood.extend(end..=text.len());
    (end > 0).then_some((out, stood))
}

fn next_escape(text: &[u8], from: usize) -> Option<Escape> {
    let mut at = from;
    loop {
        at += next_beginning(text.get(at..)?)?;
        let rest = &text[at..];
        if let Some((length, sign)) = escape(rest) {
            return Some(Escape { at: at..at + length, sign });
        }
        at += 1;
    }
}

/// Where the next sign stands with which an escape may begin. Most of a text has none, so eight bytes are looked at together.
fn next_beginning(text: &[u8]) -> Option<usize> {
    let (words, rest) = text.as_chunks::<8>();
    for (nth, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = holds(word, b'\\') | holds(word, b'%') | holds(word, b'&');
        if found != 0 {
            return Some(8 * nth + found.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|byte| matches!(byte, b'\\' | b'%' | b'&'))?;
    Some(8 * words.len() + at)
}

/// The highest bit of the lowest of eight bytes that is this one
/// (<https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>); above it others may have theirs, too.
fn holds(word: u64, byte: u8) -> u64 {
    const LOWEST: u64 = u64::MAX / 0xff;
    let differs = word ^ (LOWEST * u64::from(byte));
    differs.wrapping_sub(LOWEST) & !differs & (LOWEST << 7)
}

/// The escape with which a text begins: its length, and what it stands for.
fn escape(text: &[u8]) -> Option<(usize, Sign)> {
    match text {
        [b'\\', b'u', b'{', ..] => braced(text),
        [b'\\' | b'%', b'u' | b'U', ..] => unit_escape(text),
        [b'\\', b'0'..=b'3', b'0'..=b'7', b'0'..=b'7', ..] => {
            Some((4, Sign::byte(u8::try_from(number(&text[1..4], 8)?).ok()?)))
        }
        [b'\\', b'x', ..] => Some((4, Sign::letter(char::from_u32(number(text.get(2..4)?, 16)?)?))),
        [b'\\', sign @ (b'\\' | b'"' | b'\'' | b'/'), ..] => Some((2, Sign::byte(*sign))),
        [b'\\', b'n', ..] => Some((2, Sign::byte(b'\n'))),
        [b'\\', b'r', ..] => Some((2, Sign::byte(b'\r'))),
        [b'\\', b't', ..] => Some((2, Sign::byte(b'\t'))),
        [b'%', ..] => Some((3, Sign::byte(u8::try_from(number(text.get(1..3)?, 16)?).ok()?))),
        [b'&', ..] => entity(text),
        _ => None,
    }
}

/// `\u0070`, and two of them for a letter beyond the first plane.
fn unit_escape(text: &[u8]) -> Option<(usize, Sign)> {
    let unit = |at: usize| {
        let begins = matches!(text.get(at..at + 2)?, [b'\\' | b'%', b'u' | b'U']);
        u16::try_from(number(text.get(at + 2..at + 6)?, 16)?).ok().filter(|_| begins)
    };
    let units = [unit(0)?, unit(6).unwrap_or_default()];
    let letter = char::decode_utf16(units).next()?.ok()?;
    Some((6 * letter.len_utf16(), Sign::letter(letter)))
}

/// `\u{70}`, as Rust, Swift and newer JavaScript have it.
fn braced(text: &[u8]) -> Option<(usize, Sign)> {
    let digits = text[3..].iter().take(LONGEST).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let letter = char::from_u32(number(&text[3..3 + digits], 16)?)?;
    (text.get(3 + digits) == Some(&b'}')).then_some((4 + digits, Sign::letter(letter)))
}

/// `&#112;`, `&#x70;`, which pages also take without the semicolon, and `&amp;`.
fn entity(text: &[u8]) -> Option<(usize, Sign)> {
    let (head, radix) = match text {
        [b'&', b'#', b'x' | b'X', ..] => (3, 16),
        [b'&', b'#', ..] => (2, 10),
        _ => return named(text),
    };
    let digits = text[head..].iter().take(LONGEST).take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let end = head + digits;
    let letter = char::from_u32(number(&text[head..end], radix)?)?;
    Some((end + usize::from(text.get(end) == Some(&b';')), Sign::letter(letter)))
}

/// An entity that has a name. Most of what begins so is a parameter of a URL, which is seen by how it ends.
fn named(text: &[u8]) -> Option<(usize, Sign)> {
    let name = &text[1..];
    let length = name.iter().take(LONGEST).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let (name, end) = name.split_at(length);
    if length == 0 || end.first() != Some(&b';') {
        return None;
    }
    let name = std::str::from_utf8(name).ok()?;
    let sign = SIGNS.iter().find(|(sign, _)| *sign == name).map(|(_, sign)| *sign);
    let letter = || LETTERS.split(' ').zip('\u{a0}'..='\u{ff}').find(|(letter, _)| *letter == name);
    Some((1 + length + 1, Sign::letter(sign.or_else(|| letter().map(|(_, letter)| letter))?)))
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let digit = |byte: &u8| char::from(*byte).to_digit(radix);
    let begun = (!digits.is_empty()).then_some(0)?;
    digits.iter().try_fold(begun, |sum: u32, byte| sum.checked_mul(radix)?.checked_add(digit(byte)?))
}

/// As many digits or letters as are taken for those of an entity.
const LONGEST: usize = 10;

/// Names of ASCII signs (<https://html.spec.whatwg.org/multipage/named-characters.html>).
const SIGNS: [(&str, char); 30] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("excl", '!'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("lpar", '('),
    ("rpar", ')'),
    ("ast", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("period", '.'),
    ("sol", '/'),
    ("colon", ':'),
    ("semi", ';'),
    ("equals", '='),
    ("quest", '?'),
    ("commat", '@'),
    ("lsqb", '['),
    ("bsol", '\\'),
    ("rsqb", ']'),
    ("Hat", '^'),
    ("lowbar", '_'),
    ("grave", '`'),
    ("lcub", '{'),
    ("vert", '|'),
    ("rcub", '}'),
];

/// Names of the letters from U+00A0 on, in their order.
const LETTERS: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 \
    sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring \
    AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash \
    Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml \
    igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn \
    yuml";

#[cfg(test)]
mod tests {
    use super::*;

    /// Each escape with what it stands for.
    const ESCAPES: [(&str, &str); 27] = [
        (r"\u{70}", "p"),
        (r"\u{1F600}", "😀"),
        (r"\160", "p"),
        (r"\u0070", "p"),
        (r"\U00e4", "ä"),
        (r"\ud83d\uDE00", "😀"),
        (r"%u0070", "p"),
        (r"\x70", "p"),
        (r"\xe4", "ä"),
        (r"\\", "\\"),
        ("\\\"", "\""),
        (r"\/", "/"),
        (r"\n", "\n"),
        (r"\t", "\t"),
        ("%70", "p"),
        ("%c3%A4", "ä"),
        ("&#112;", "p"),
        ("&#112", "p"),
        ("&#0000112;", "p"),
        ("&#x70;", "p"),
        ("&#X1F600;", "😀"),
        ("&amp;", "&"),
        ("&auml;", "ä"),
        ("&yuml;", "ÿ"),
        ("&nbsp;", "\u{a0}"),
        ("&szlig;", "ß"),
        ("&rcub;", "}"),
    ];

    #[test]
    fn each_escape_stands_for_its_sign() {
        for (escape, sign) in ESCAPES {
            let text = format!("a-{escape}|{escape}");
            let (plain, stood) = unescaped(text.as_bytes()).expect(escape);
            assert_eq!(String::from_utf8_lossy(&plain), format!("a-{sign}|{sign}"), "{escape}");
            assert_eq!(stood.len(), plain.len() + 1);
            assert_eq!((stood[2], stood[2 + sign.len()], stood[plain.len()]), (2, 2 + escape.len(), text.len()));
            assert_eq!(unescaped_nearby(text.as_bytes(), 99), Some(plain));
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in [
            "",
            "plain",
            "100% & more",
            r"\q\",
            r"\ud83d",
            r"\u12",
            r"\u{}",
            r"\u{70",
            r"\16",
            r"\400",
            r"\189",
            "%",
            "%4",
            "%zz",
            "&;",
            "&#;",
            "&#x;",
            "&avatarId=1",
        ] {
            assert_eq!((unescaped(text.as_bytes()), unescaped_nearby(text.as_bytes(), 9)), (None, None), "{text}");
        }
    }

    #[test]
    fn what_is_far_from_every_escape_is_left_out() {
        let long = "0123456789".repeat(9);
        let kept = unescaped_nearby(format!("{long}%41{long}%42%43c{long}").as_bytes(), 3).unwrap();
        assert_eq!(String::from_utf8(kept).unwrap(), "789A012\u{0}789BCc01");
    }
}
