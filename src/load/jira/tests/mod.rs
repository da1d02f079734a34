//! Protocol tests against a small Jira written from docs/wire/atlassian.md, with a journal that remembers the order.

mod fake;
mod passing;
mod restored;
mod surveys;
mod uploads;
mod writes;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;

use crate::http::{Failure, FailureKind};
use crate::load::{Fingerprinter, Journal};
use crate::model::{Before, Event, Intent, IntentKind, Luma, MediaType, OpenIntent, Rendition, Shown, Status};

/// What happened, in order: requests and journal calls.
pub(crate) type Log = Arc<Mutex<Vec<String>>>;

/// An intent for account `K` named `ada+x@ex.org`, whose rendition is grey 200.
pub(crate) fn intent(kind: IntentKind) -> Intent {
    Intent {
        handle: None,
        run: "run".into(),
        target: "jira".into(),
        server: "server".into(),
        account: "K".into(),
        account_name: "ada+x@ex.org".into(),
        kind,
        person: None,
        photo: None,
        recipe: None,
        rendition: None,
        luma: Grey.luma(b"grey 200"),
        stood: Shown::System("10122".into()),
        making: None,
        base: Vec::new(),
        old: None,
        old_looks: None,
        keys: None,
        before: Before::Default,
        owner: None,
        stood_in: None,
        stood_of: None,
        back: None,
        begun_at: 7,
    }
}

/// A picture that is `value` all over.
pub(crate) fn grey(value: u8) -> Bytes {
    Bytes::from(format!("grey {value}"))
}

pub(crate) fn rendition(value: u8) -> Rendition {
    Rendition::new(grey(value), MediaType::Png, 256, None)
}

/// Knows the pictures of [`grey`].
pub(crate) struct Grey;

impl Fingerprinter for Grey {
    fn luma(&self, picture: &[u8]) -> Option<Luma> {
        let value = std::str::from_utf8(picture).ok()?.strip_prefix("grey ")?.parse().ok()?;
        Luma::from_values(vec![value; Luma::SIDE * Luma::SIDE])
    }
}

/// A journal in memory. It breaks at the call numbered `breaks_at`, counted from 0, before anything is kept.
#[derive(Default)]
pub(crate) struct Memory {
    log: Log,
    intent: Option<Intent>,
    events: Vec<Event>,
    calls: usize,
    breaks_at: Option<usize>,
}

impl Memory {
    pub(crate) fn new(log: &Log) -> Self {
        Self { log: Arc::clone(log), ..Self::default() }
    }

    pub(crate) fn breaking_at(log: &Log, request: usize) -> Self {
        Self { breaks_at: Some(request), ..Self::new(log) }
    }

    /// The journal of the same intent in the next run.
    pub(crate) fn resumed(self) -> Self {
        Self { breaks_at: None, ..self }
    }

    pub(crate) fn status(&self) -> Status {
        Status::of(&self.events).unwrap()
    }

    pub(crate) fn open(&self) -> Option<OpenIntent> {
        let intent = self.intent.clone()?;
        Some(OpenIntent { id: crate::model::IntentId(1), intent, status: self.status(), sent_as: None })
    }

    fn keep(&mut self, event: Event) -> Result<(), Failure> {
        self.calls += 1;
        if self.breaks_at == Some(self.calls - 1) {
            return Err(Failure::new(FailureKind::Stopped, "the journal", "killed"));
        }
        self.log.lock().unwrap().push(format!("J {}", name(&event)));
        self.events.push(event);
        let _ = self.status();
        Ok(())
    }
}

#[async_trait]
impl Journal for Memory {
    async fn begin(&mut self, intent: Intent, first: Event) -> Result<(), Failure> {
        assert!(self.intent.is_none(), "begun twice");
        self.keep(first)?;
        self.intent = Some(intent);
        Ok(())
    }

    async fn record(&mut self, event: Event) -> Result<(), Failure> {
        assert!(self.intent.is_some(), "recorded before it was begun");
        self.keep(event)
    }
}

fn name(event: &Event) -> String {
    match event {
        Event::Sent { attempt, route, .. } => format!("sent {attempt} {route}"),
        Event::Made { mark } => format!("made {mark}"),
        Event::Shown { mark } => format!("shown {mark}"),
        Event::Recognised { mark } => format!("recognised {mark}"),
        Event::Confirmed { mark } => format!("confirmed {mark}"),
        Event::Bad { mark } => format!("bad {mark}"),
        Event::Stray { mark, owner } => format!("stray {mark} {owner}"),
        Event::Reset => "reset".into(),
        Event::Foreign => "foreign".into(),
        Event::Abandoned { mark } => format!("abandoned {mark}"),
        Event::Refused { .. } => "refused".into(),
        Event::Void { .. } => "void".into(),
        Event::Unsure { .. } => "unsure".into(),
        Event::Disowned { mark } => format!("disowned {mark}"),
        Event::Closed => "closed".into(),
    }
}
