//! `--only-file LIST`: whom a list names, one on each line.
//!
//! Owns: the form of the list. Leaves to others: whom a name means (`run`).
//! A newcomer gets wrong: a list that names nobody is a mistake, and never everybody; and `#` begins a comment at the start of
//! a line alone, since names hold it, too.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Trouble;
use crate::model::Place;
use crate::run::Only;

/// The largest list, in bytes.
const LARGEST: u64 = 16 << 20;

/// Whom the lists name; `-` is standard input.
pub(super) fn read(lists: &[PathBuf]) -> Result<Vec<Only>, Trouble> {
    let mut all = Vec::new();
    for list in lists {
        let is_input = list == Path::new("-");
        let name = if is_input { "standard input".to_owned() } else { list.display().to_string() };
        let wrong = |found: String| Trouble::Usage(format!("--only-file {name}: {found}"));
        let bytes = if is_input { capped(io::stdin()) } else { File::open(list).and_then(capped) };
        let bytes = bytes.map_err(|error| wrong(format!("it cannot be read: {error}")))?;
        let named = names(&bytes, &name).map_err(wrong)?;
        if named.is_empty() {
            return Err(wrong("it names nobody; nothing was done".to_owned()));
        }
        all.extend(named);
    }
    Ok(all)
}

/// A list may come through a pipe, as shells make one.
fn capped(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other(format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    Ok(bytes)
}

fn names(bytes: &[u8], file: &str) -> Result<Vec<Only>, String> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err("it is UTF-16: save it as UTF-8".to_owned());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text: save it as UTF-8".to_owned())?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let file: Arc<str> = file.into();
    let lines = text.lines().map(str::trim).zip(1..);
    let named = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    Ok(named
        .map(|(line, at)| Only { name: line.to_owned(), place: Some(Place { file: Arc::clone(&file), line: at }) })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_names_somebody() {
        let told = |bytes: &[u8]| {
            let named = names(bytes, "l.txt")?;
            Ok::<_, String>(named.iter().map(ToString::to_string).collect::<Vec<_>>().join("|"))
        };
        for (bytes, expected) in [
            (&b"ada\ngrace@contoso.example"[..], Ok("l.txt:1: ada|l.txt:2: grace@contoso.example")),
            (b"\xEF\xBB\xBFada\r\n\r\n# the pilot\r\n  Ada #2 \r\n", Ok("l.txt:1: ada|l.txt:4: Ada #2")),
            (b"\xEF\xBB\xBF# first\nada", Ok("l.txt:2: ada")),
            (b" \n#\n", Ok("")),
            (b"\xFF\xFEa\0", Err("it is UTF-16: save it as UTF-8")),
            (b"Ad\xE4", Err("it is not UTF-8 text: save it as UTF-8")),
        ] {
            assert_eq!(told(bytes), expected.map(str::to_owned).map_err(str::to_owned), "{bytes:?}");
        }
    }
}
