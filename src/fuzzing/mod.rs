//! What is thrown at every reader of foreign bytes, and what must hold whatever is thrown.
//!
//! Owns: one target for each reader, with its promises. Built for unit tests and for the fuzzer (`--cfg fuzzing`) only.
//! Leaves to others: reading (a reader hands back what it read, and knows nothing of this room), and inventing bytes
//! (`tests` beside this file in CI, libFuzzer in `tests/fuzz` for as long as one likes).
//! A newcomer gets wrong: a target does not ask whether the answer is right, which tables of tests do. It asks for an
//! answer at all: no panic, no hang, nobody lost, nothing larger than what came in allows.

mod answers;
#[cfg(test)]
mod mutate;
#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash, Hasher as _};

use crate::pipeline::{self, Colour, Environment, Overlay};
use crate::settings::{Format, Resize};
use crate::transform::{DecodeLimits, luma, memory_needed, render};

/// One reader.
#[derive(Clone, Copy, Debug)]
pub struct FuzzTarget {
    /// The folder under `tests/fuzz/corpus`, and the name for `.ci/fuzz`.
    pub name: &'static str,
    /// Reads the bytes and checks the promises. What comes back stands for the kind of answer, so that bytes with a new
    /// kind can be kept and built upon.
    pub run: fn(&[u8]) -> u64,
    /// Words of the format.
    pub words: &'static [&'static str],
    /// Inputs that a CI run invents.
    pub rounds: u32,
}

/// All of them.
pub const TARGETS: [FuzzTarget; 7] = [
    FuzzTarget {
        name: "pipeline",
        run: pipeline_file,
        words: &[
            "version: 1",
            "extract:",
            "load:",
            "- entra:",
            "- jira:",
            "${A}",
            "${A:-b}",
            "${file:x}",
            "${",
            "&a",
            "*a",
            "<<: *a",
            "!!x",
            "---",
            "\n  ",
            "[[",
            "{{",
            "'",
            "\"",
            "|\n",
            ">-\n",
            "#",
            "\u{feff}",
            "\u{85}",
            "\0",
            "~",
        ],
        rounds: 1500,
    },
    FuzzTarget {
        name: "graph_batch",
        run: |bytes| shape(crate::extract::entra::fuzz_batch(bytes)),
        words: &[
            "\"id\"",
            "\"0\"",
            "\"1\"",
            "\"status\"",
            "200",
            "404",
            "429",
            "1e999",
            "-1",
            "\"headers\"",
            "\"Retry-After\"",
            "\"body\"",
            "\"ETag\"",
            "ImageNotFound",
            "\"error\":{",
            "\"code\":",
            "null",
            "[[[[",
            "\\ud800",
            "\\u0000",
        ],
        rounds: 6000,
    },
    FuzzTarget {
        name: "multipart",
        run: |bytes| shape(crate::extract::google::fuzz_multipart(bytes)),
        words: &[
            "--b\r\n",
            "--b--\r\n",
            "\r\n\r\n",
            "\n\n",
            "Content-ID: <response-p0>",
            "Content-ID: <p1>",
            "HTTP/1.1 200 OK",
            "HTTP/1.1 429 ",
            "Retry-After: 1",
            "Content-Type: application/http",
            "\r\n ",
            "\"photoData\":\"",
            "{\"id\":\"",
        ],
        rounds: 6000,
    },
    FuzzTarget {
        name: "xmlrpc",
        run: |bytes| shape(crate::load::confluence::fuzz_xmlrpc(bytes)),
        words: &[
            "<value>",
            "</value>",
            "<struct>",
            "<member>",
            "<name>",
            "<array><data>",
            "<![CDATA[",
            "]]>",
            "<!DOCTYPE a [",
            "<!ENTITY x \"y\">",
            "&x;",
            "&#0;",
            "&#x10FFFF;",
            "<?xml?>",
            "<nil/>",
            "<fault>",
            "faultString",
            "<!--",
            "-->",
        ],
        rounds: 6000,
    },
    FuzzTarget {
        name: "base64",
        run: |bytes| shape(base64(bytes)),
        words: &["=", "==", "-", "_", "+", "/", "\n", " ", ".", "*", "|"],
        rounds: 8000,
    },
    FuzzTarget {
        name: "answers",
        run: |bytes| shape(answers::read(bytes)),
        words: &[
            "{\"values\":[",
            "{\"value\":[",
            "{\"results\":[",
            "{\"users\":[",
            "\"@odata.nextLink\":\"",
            "\"nextPageToken\":",
            "\"errors\":[",
            "\"error\":",
            "<textarea>",
            "</textarea>",
            "&quot;",
            "\"id\":",
            "\"owner\":",
            "1e400",
            "[[[[[[[[",
            "/secure/useravatar?avatarId=1",
            "/download/attachments/1/a",
            "%",
            "%ff",
            "<id>",
            "</id>",
        ],
        rounds: 6000,
    },
    FuzzTarget {
        name: "pictures",
        run: picture,
        words: &[
            "\u{0}",
            "IHDR",
            "IDAT",
            "PLTE",
            "tRNS",
            "iCCP",
            "eXIf",
            "acTL",
            "fcTL",
            "IEND",
            "Exif\0\0",
            "ICC_PROFILE\0",
            "VP8 ",
            "VP8L",
            "VP8X",
            "ANMF",
            "ALPH",
            "NETSCAPE2.0",
        ],
        rounds: 2500,
    },
];

/// The target of this name.
pub fn target(name: &str) -> Option<&'static FuzzTarget> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Stands for a kind of answer.
fn shape(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Variables and files that hold nothing usual.
struct OddEnvironment;

impl Environment for OddEnvironment {
    fn var(&self, name: &str) -> Option<String> {
        (name.len() < 3).then(|| format!("${{{name}}}\n- x: *y"))
    }

    fn file(&self, path: &str) -> Result<String, String> {
        if path.len() < 9 { Ok("\0\u{feff}: [".to_owned()) } else { Err("not there".to_owned()) }
    }
}

fn pipeline_file(bytes: &[u8]) -> u64 {
    // The command reads text; other bytes end before.
    let text = String::from_utf8_lossy(bytes);
    let faults = match pipeline::parse(&text, "fuzz.yaml") {
        Ok(document) => match document.resolve(&OddEnvironment, &Overlay::default()) {
            Ok(_) => return 0,
            Err(faults) => faults,
        },
        Err(faults) => faults,
    };
    let shown = faults.render(Colour::Plain);
    assert!(!shown.is_empty(), "faults without words");
    // The titles say which kinds of fault were found; numbers and quoted words say no more.
    let titles = shown.lines().filter_map(|line| line.strip_prefix("error: "));
    shape(titles.map(|title| title.split(['`', '\'']).next().unwrap_or_default().to_owned()).collect::<Vec<_>>())
}

fn base64(bytes: &[u8]) -> impl Hash + use<> {
    (crate::extract::entra::fuzz_base64(bytes), crate::extract::google::fuzz_base64(bytes))
}

fn picture(bytes: &[u8]) -> u64 {
    let limits = DecodeLimits { pixels: 300_000, memory: 4 << 20, ..DecodeLimits::default() };
    let settings = Resize { size: 24, smallest: 1, format: Format::Png, ..Resize::default() };
    let (needed, rendered) = (memory_needed(bytes, &limits), render(bytes, &settings, None, &limits));
    match (&needed, &rendered) {
        (Ok(needed), _) => assert!(*needed <= limits.memory, "{needed} bytes, though the limit was checked"),
        (Err(_), Ok(_)) => panic!("rendered, though nobody could say what it would take"),
        (Err(_), Err(_)) => {}
    }
    // At the size that looks are taken at, the same decoder is asked; at a smaller one another may be stricter.
    let whole = render(bytes, &Resize { size: 256, ..settings }, None, &limits);
    assert_eq!(luma(bytes, &limits).is_some(), whole.is_ok(), "looks and renditions differ about it: {whole:?}");
    match rendered {
        Ok(rendered) => {
            assert!((1..=24).contains(&rendered.side) && !rendered.bytes.is_empty());
            shape(("rendered", rendered.side))
        }
        Err(refusal) => shape(refusal.to_string().replace(|c: char| c.is_ascii_digit(), "")),
    }
}
