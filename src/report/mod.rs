//! What a run tells: events and the finished report in; terminal, JSON, Markdown, JUnit and metrics out, one file each.
//!
//! Owns: the shape of `run.json` (docs/command-line.md, "Streams") and every word on the screen.
//! Leaves to others: counting and deciding (`run`).
//! A newcomer gets wrong: standard output is the answer, standard error the way there; nothing here prints both.

mod contact_sheet;
mod files;
mod human;
mod json;
mod junit;
#[cfg(feature = "bucket")]
mod last_run;
mod lease_line;
mod metrics;
mod natural;
mod people;
mod person_line;
mod progress;
mod pseudonyms;
mod run_report;
mod screen;
mod standard_error;
mod summary;
mod times;
mod words;

pub(crate) use contact_sheet::PICTURES;
pub use files::Uncut;
pub(crate) use files::{ReportFile, ReportInput};
pub use human::human;
pub(crate) use json::{RUN_JSON, write_json};
pub(crate) use junit::JUNIT;
#[cfg(feature = "bucket")]
pub(crate) use last_run::last_run;
pub(crate) use lease_line::LeaseLine;
pub(crate) use metrics::METRICS;
pub(crate) use people::{People, Pictured, ReportPictures, StoodPictures, Thumbnail};
pub(crate) use person_line::{AccountLine, ChangeLine, PersonFailure, PersonLine, PersonWho};
pub(crate) use progress::Progress;
pub use progress::{Listener, RunEvent};
pub(crate) use pseudonyms::{Beginnings, Pseudonyms};
pub(crate) use run_report::{
    CredentialLine, LimitLine, MisplacedLine, RequestLine, RunReport, SourceLine, StoreLine, TargetLine,
};
pub use screen::Screen;
pub(crate) use screen::{Colours, Page, PictureWords};
pub(crate) use standard_error::{AnswerPlace, Form, Severity, StandardError, Verbosity};
pub(crate) use summary::SUMMARY;
pub(crate) use words::{change_in_words, limit_sentence, short_digest};

/// The files of a report, in the order in which they are written; a new form is one more.
pub(crate) const FILES: [&ReportFile; 5] = [&RUN_JSON, &SUMMARY, &PICTURES, &junit::JUNIT, &metrics::METRICS];
