//! Servers that answer with bombs, files that would blow up, and nobody who listens.
//!
//! Owns: what the program takes of memory then, and how it ends. Leaves to others: single readers (`fuzzing`, `transform`).
//! A newcomer gets wrong: the bound is on the whole program, not on one answer: several arrive at once.

use std::io::Write as _;

use avatarpipe_sandbox::entra::world::Photo;
use avatarpipe_sandbox::faults::{Answer, Effect, Fault};
use serde_json::Value;

use super::ended::Ended;
use super::harness::Harness;
use super::peak::{MIB, peak_of};
use super::population::{Population, file};
use super::truth::Shows::{Default, Face};

/// What all decoders together may hold, and what the rest of the program takes while its largest answers are read.
const CAP: u64 = (512 + 256) * MIB;

/// Runs it, and holds its memory against the cap.
#[track_caller]
fn bounded(harness: &Harness, arguments: &[&str], cap: u64) -> Ended {
    let mut child = harness.spawn(arguments);
    let peak = peak_of(&mut child);
    let ended = harness.wait(child, arguments);
    ended.holds(peak <= cap, &format!("at most {} MiB, found {} MiB", cap / MIB, peak / MIB));
    ended
}

const RUN: [&str; 4] = ["run", "pipeline.yaml", "--report", "report"];

/// A picture of this size in a few kilobytes: a PNG of one colour.
fn huge(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("a header");
    let mut stream = writer.stream_writer().expect("a stream");
    for _ in 0..height {
        stream.write_all(&vec![0; width as usize]).expect("a row");
    }
    stream.finish().expect("an end");
    writer.finish().expect("an end");
    bytes
}

#[test]
fn everybody_s_photo_is_a_bomb() {
    let names = ["ada", "grace", "alan", "edsger", "barbara", "donald", "radia", "tim"];
    let mut world = names.iter().fold(Population::of(&names), |population, name| {
        population.photo(name, Photo::File(file("bomb").as_str().into()))
    });
    world = world.with_picture("bomb", huge(9_000, 5_500)).with_person("leslie").with_account("leslie");
    let harness = Harness::of(world.world()).with(|pipe| _ = pipe.top("transform", "{ hash: { same_picture: none } }"));
    bounded(&harness, &RUN, CAP);
    harness.expect_shown(&[("leslie", Face("leslie"))]);
}

#[test]
fn answers_that_are_bombs_end_in_words() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let long = |head: &str, each: &str, tail: &str| format!("{head}{}{tail}", each.repeat(15_000_000 / each.len()));
    let many = |each: &str| long("{\"value\":[", each, "{\"id\":\"x\"}]}");
    let parts = long("{\"responses\":[", "{\"id\":\"0\",\"status\":0},", "{\"id\":\"0\",\"status\":0}]}");
    let nested = format!("{{\"responses\":[{{\"id\":\"0\",\"status\":404,\"body\":{}}}]}}", long("[", "[],", "0]"));
    for (simulator, method, path, body) in [
        ("graph", "GET", "/v1.0/users", deep("[", "]")),
        ("graph", "GET", "/v1.0/users", deep("{\"value\":", "}")),
        ("graph", "GET", "/v1.0/users", many("{\"id\":\"x\"},")),
        ("graph", "POST", "/v1.0/$batch", parts),
        ("graph", "POST", "/v1.0/$batch", nested),
        ("graph", "POST", "/v1.0/$batch", deep("{\"responses\":[{\"id\":\"0\",\"status\":404,\"body\":[", "]")),
        ("jira", "GET", "*/user/search", long("[", "{},", "{}]")),
        ("jira", "GET", "*", long("\"", "x", "\"")),
    ] {
        let harness = Harness::with_people(&["ada"]);
        let start: String = body.chars().take(40).collect();
        let headers = [("content-type".to_owned(), "application/json".to_owned())].into();
        let answer = Answer { status: 200, headers, body: Value::String(body) };
        harness.sandbox.fault(Fault::new(Effect::Answer(answer)).at(simulator).on(method, path));
        let ended = bounded(&harness, &RUN, 256 * MIB);
        // What concerns one person alone stops nobody; all else has its exit code. 1 would be our own fault, 101 a panic.
        let told = ended.code().is_some_and(|code| ![1, 101].contains(&code));
        ended.holds(told, &format!("words about {start} of {simulator}"));
        harness.expect_shown(&[("ada", Default)]);
    }
}

#[test]
fn a_pipeline_file_cannot_blow_up() {
    let head = "version: 1\npipeline: hostile\n";
    let keys: String = (0..1_000_000).map(|nth| format!("k{nth}: 1\n")).collect();
    let few_keys: String = (0..40_000).map(|nth| format!("k{nth}: 1\n")).collect();
    let twice = "k: 1\n".repeat(40_000);
    let lists: String = (0..26)
        .map(|nth| {
            let (name, of) = (char::from(b'a' + nth), char::from(b'a' + nth.max(1) - 1));
            if nth == 0 {
                "a: &a [x]\n".to_owned()
            } else {
                format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 9].join(","))
            }
        })
        .collect();
    let merges: String = (1..400)
        .map(|nth| format!("m{nth}: &m{nth} {{ <<: [{}], k{nth}: 1 }}\n", vec![format!("*m{}", nth - 1); 8].join(",")))
        .collect();
    let texts: Vec<(&str, Vec<u8>)> = vec![
        ("aliases of aliases", [head, &lists].concat().into()),
        ("merges of merges", [head, "m0: &m0 { k: 1 }\n", &merges].concat().into()),
        ("brackets", "[".repeat(900_000).into()),
        ("braces", "{a: ".repeat(200_000).into()),
        ("dashes", "- ".repeat(400_000).into()),
        ("a huge word", format!("{head}x: {}", "y".repeat(1_000_000)).into()),
        ("a huge key", format!("{head}? {}\n: 1\n", "y".repeat(900_000)).into()),
        ("a huge quoted word", format!("{head}x: \"{}\"", "\\u00e9".repeat(150_000)).into()),
        ("a million keys", [head, &keys].concat().into()),
        ("forty thousand keys", [head, &few_keys].concat().into()),
        ("one key forty thousand times", [head, &twice].concat().into()),
        ("20 MB", vec![b'#'; 20 << 20]),
        ("zeros", vec![0; 100_000]),
        ("a zero", b"version: 1\npipeline: \"a\0b\"\n".to_vec()),
        ("no UTF-8", b"version: 1\npipeline: \xff\xfe\n".to_vec()),
        ("UTF-16", "version: 1".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("a mark at the beginning", [b"\xef\xbb\xbf".as_slice(), b"version: 1\nversion: 1\n"].concat()),
        ("a key twice", b"version: 1\nversion: 1\n".to_vec()),
        ("dollars", format!("{head}x: {}", "${A:-".repeat(12_000)).into()),
        ("anchors", format!("{head}x: [{}]", (0..40_000).map(|nth| format!("&a{nth} 1,")).collect::<String>()).into()),
        ("comments", "#\n".repeat(500_000).into()),
        ("documents", "---\n".repeat(200_000).into()),
        ("tags", format!("{head}x: !{} 1", "t".repeat(500_000)).into()),
        ("a directory of itself", format!("{head}a: &a [*a]\n").into()),
    ];
    for (name, text) in texts {
        let harness = Harness::with_people(&["ada"]);
        harness.write("hostile.yaml", text);
        let arguments = ["check", "hostile.yaml"];
        let ended = bounded(&harness, &arguments, 160 * MIB);
        ended.holds(ended.code() == Some(2), &format!("exit code 2 for {name}"));
        ended.holds(
            ended.stderr.len() < 100_000,
            &format!("a clear word about {name}, found {} bytes", ended.stderr.len()),
        );
    }
}

#[test]
fn nobody_has_to_listen() {
    // Whoever read the beginning and went away does not end a run in the middle.
    let harness = Harness::with_people(&["ada", "grace"]);
    let mut child = harness.spawn(&["run", "pipeline.yaml", "-vvv"]);
    drop(child.stderr.take());
    drop(child.stdout.take());
    let ended = harness.wait(child, &RUN).expect_exit(0);
    drop(ended);
    harness.expect_shown(&[("ada", Face("ada")), ("grace", Face("grace"))]);
}
