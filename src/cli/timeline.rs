//! `--trace FILE`: what took how long, as the Trace Event Format that Perfetto and Chromium open (docs/command-line.md,
//! "Where the time goes").
//!
//! Owns: the file, and who stands in which line of it. Leaves to others: what is worth a span (`run`, `http`, `state`).
//! A newcomer gets wrong: a list that is not ended is still a timeline, so a run that is killed leaves one, too. Lines are of one
//! thing at a time: what goes on at the same time stands in several.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::error::Trouble;
use crate::secret::outlet;

/// The spans that only say whose the others are.
const OWNERS: [&str; 2] = ["source", "target"];
/// So much of a file holds the first event of a timeline.
const BEGINNING: u64 = 1024;
/// What belongs to no source or target.
const RUN: &str = "run";

/// Writes each span of ours when it ends.
#[derive(Clone)]
pub(super) struct Timeline(Arc<Mutex<Page>>);

struct Page {
    file: BufWriter<File>,
    begun: Instant,
    /// Sources, targets and the rest, each with its lines: whether something is under way there.
    groups: BTreeMap<String, Group>,
}

#[derive(Default)]
struct Group {
    number: usize,
    lines: Vec<bool>,
}

/// Where a span stands, from its beginning to its end.
#[derive(Clone)]
struct Stand {
    group: String,
    line: usize,
    /// It stands within another span's line.
    within: bool,
    begun: u128,
    fields: Map<String, Value>,
}

impl Timeline {
    /// Begins a file. A timeline that is there is written over.
    pub(super) fn begin(path: &Path) -> Result<Self, Trouble> {
        if !may_be_written_over(path) {
            let found = "it is there, and is no timeline: nothing was written; name another file";
            return Err(Trouble::Usage(format!("--trace {}: {found}", path.display())));
        }
        let place = format!("begin the timeline of --trace at {}; name a place that can be written to", path.display());
        Self::create(path).map_err(Trouble::file(place))
    }

    fn create(path: &Path) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        // Every event ends in a comma, so that the next one can follow; the last is the end.
        writeln!(file, "[")?;
        Ok(Self(Arc::new(Mutex::new(Page { file, begun: Instant::now(), groups: BTreeMap::new() }))))
    }

    /// Whether a span is of ours.
    pub(super) fn takes(metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target().starts_with("avatarpipe")
    }

    /// Ends the list.
    pub(super) fn end(&self) -> io::Result<()> {
        self.with(|page| {
            let now = page.begun.elapsed().as_micros();
            let end = json!({ "name": "end", "ph": "i", "s": "g", "ts": now, "pid": 0, "tid": 0 });
            write!(page.file, "{end}\n]\n")?;
            page.file.flush()
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Page) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What else stands there is somebody's: a table, a picture, the pipeline file, the state. A pipe or a device holds nothing.
fn may_be_written_over(path: &Path) -> bool {
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() && found.len() > 0 => {
            let mut head = Vec::new();
            let read = File::open(path).and_then(|file| file.take(BEGINNING).read_to_end(&mut head));
            let event =
                || head.strip_prefix(b"[\n").is_some_and(|event| event.windows(5).any(|word| word == b"\"ph\":"));
            read.is_ok() && (head == b"[\n" || event())
        }
        _ => true,
    }
}

impl Page {
    /// The first line of a group in which nothing is under way.
    fn take_line(&mut self, group: &str) -> usize {
        let number = self.groups.len();
        if !self.groups.contains_key(group) {
            self.groups.insert(group.to_owned(), Group { number, lines: Vec::new() });
            self.put(&json!({ "name": "process_name", "ph": "M", "pid": number, "args": { "name": group } }));
        }
        let Some(Group { lines, .. }) = self.groups.get_mut(group) else { return 0 };
        let free = lines.iter().position(|busy| !busy).unwrap_or(lines.len());
        if free == lines.len() {
            lines.push(true);
        }
        lines[free] = true;
        free
    }

    fn free_line(&mut self, stand: &Stand) {
        let group = self.groups.get_mut(&stand.group);
        if let Some(busy) = group.and_then(|group| group.lines.get_mut(stand.line)).filter(|_| !stand.within) {
            *busy = false;
        }
    }

    fn put(&mut self, event: &Value) {
        // A full disk costs the timeline, and nothing else.
        _ = writeln!(self.file, "{},", outlet::json(&event.to_string()));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Timeline {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let above = || span.parent().and_then(|parent| parent.extensions().get::<Stand>().cloned());
        let stand = self.with(|page| {
            let begun = page.begun.elapsed().as_micros();
            let group = match (span.name(), fields.0.get("id").and_then(Value::as_str)) {
                (name, Some(id)) if OWNERS.contains(&name) => id.to_owned(),
                _ => above().map_or_else(|| RUN.to_owned(), |stand| stand.group),
            };
            let whole = |span: &SpanRef<'_, S>| OWNERS.contains(&span.name()) || matches!(span.name(), "run" | "phase");
            let parent = span.parent().filter(|parent| !whole(parent)).and_then(|_| above());
            let line = match &parent {
                Some(stand) => stand.line,
                None if OWNERS.contains(&span.name()) => 0,
                None => page.take_line(&group),
            };
            let within = parent.is_some() || OWNERS.contains(&span.name());
            Stand { group, line, within, begun, fields: fields.0 }
        });
        span.extensions_mut().insert(stand);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(stand) = span.extensions_mut().remove::<Stand>() else { return };
        if OWNERS.contains(&span.name()) {
            return;
        }
        self.with(|page| {
            let took = page.begun.elapsed().as_micros().saturating_sub(stand.begun);
            page.free_line(&stand);
            let number = page.groups.get(&stand.group).map_or(0, |group| group.number);
            let said = |field: &str| stand.fields.get(field).and_then(Value::as_str);
            let name = said("phase").or_else(|| said("method")).unwrap_or(span.name());
            page.put(&json!({
                "name": name, "cat": span.name(), "ph": "X", "ts": stand.begun, "dur": took,
                "pid": number, "tid": stand.line, "args": stand.fields,
            }));
        });
    }
}

/// The fields of a span.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }
}
