//! Whose each line of the log is: run, source or target, phase.
//!
//! Owns: the names and fields of these spans (docs/command-line.md, "Streams"). Leaves to others: the span of a request
//! (`http`), how lines look (`cli`).
//! A newcomer gets wrong: spans are of the level of errors, or a warning would not say whose it is.

use tracing::{Span, error_span, trace_span};

use crate::model::{RunId, SourceId, TargetId};

/// Of the whole run.
pub(super) fn run(id: &RunId) -> Span {
    error_span!("run", id = %id)
}

/// Of a source, in this phase.
pub(super) fn source(id: &SourceId, phase: &str) -> Span {
    let source = error_span!("source", id = %id);
    error_span!(parent: &source, "phase", phase)
}

/// Of a target, in this phase.
pub(super) fn target(id: &TargetId, phase: &str) -> Span {
    let target = error_span!("target", id = %id);
    error_span!(parent: &target, "phase", phase)
}

/// A phase of everybody, which no line of the log needs (docs/command-line.md, "Where the time goes").
pub(super) fn step(phase: &str) -> Span {
    trace_span!("phase", phase)
}
