//! `auth FILE`: who we are everywhere, what we may, what is missing or too much, what expires when.

use std::io::IsTerminal as _;
use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use super::output::{OutputFormat, answer_json, answer_page, screen, tell};
use super::pipeline_file::PipelineFile;
use super::{ci, job, log};
use crate::error::Trouble;
use crate::exit::Exit;
use crate::load::{ProbeResult, Tried};
use crate::model::rfc3339;
use crate::report::{Page, Progress, Severity};
use crate::run::{self, AuthReport, ElementReport, Stop, Uploads};
use crate::secret::outlet;

/// What is asked.
#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(flatten)]
    pipeline: PipelineFile,
    /// Tries every way that pictures can go, on the service account itself, and puts back what stood there. Where that
    /// could not be put back (a picture of its own in Bitbucket) nothing is tried. Without it nothing is written
    #[arg(long)]
    probe: bool,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = OutputFormat::Human)]
    format: OutputFormat,
}

/// Signs in everywhere and shows what was said.
pub(super) fn run(flags: &Flags) -> Result<Exit, Trouble> {
    let (pipeline, _stand_ins) = flags.pipeline.resolved()?;
    if flags.pipeline.sandbox_flag().is_some() {
        let whose =
            "the simulators have credentials of their own: what is said of secrets and certificates is of those";
        tell(Severity::Progress, whose);
    }
    let uploads = if flags.probe { Uploads::Tried } else { Uploads::NotTried };
    let listener = Arc::new(Progress::new(log::standard_error(), std::io::stderr().is_terminal()));
    let runtime = run::runtime()?;
    let everybody = runtime.block_on(async {
        let stop = Stop::new();
        if uploads == Uploads::Tried {
            stop.listen(None, job::say).map_err(Trouble::file("listen for signals"))?;
        }
        run::auth(&pipeline, uploads, listener, stop, ci::started_by()).await
    })?;
    match flags.format {
        OutputFormat::Human => answer_page(&human(&everybody)),
        OutputFormat::Json => answer_json(&written(&everybody)?),
    }?;
    tell_failures(&everybody);
    Ok(everybody.exit())
}

/// The failures of the answer, for whoever reads standard error alone.
fn tell_failures(everybody: &AuthReport) {
    let stream = log::standard_error();
    if !stream.is_read_alone() {
        return;
    }
    for asked in everybody.all() {
        let missing = asked.signed.iter().filter(|signed| !signed.missing.is_empty());
        let missing = missing.map(|signed| format!("{}: missing: {}", asked.id, signed.missing.join("; ")));
        let failure = asked.failure.iter().map(|failure| format!("{}: {failure}", asked.id));
        missing.chain(failure).for_each(|words| stream.tell(Severity::Failure, &outlet::sentence(&words)));
    }
}

fn human(everybody: &AuthReport) -> Page {
    let mut page = Page::on(screen());
    let reports: Vec<_> = everybody.reports.iter().collect();
    let lists = [&everybody.sources, &everybody.targets].map(|list| list.iter().collect::<Vec<_>>());
    let mut begun = false;
    for (kind, list) in ["source", "target", "reports"].into_iter().zip(lists.iter().chain([&reports])) {
        for asked in list {
            if std::mem::replace(&mut begun, true) {
                page.blank();
            }
            block(&mut page, kind, asked);
        }
    }
    page
}

fn block(page: &mut Page, kind: &str, asked: &ElementReport) {
    page.heading(
        0,
        &match &asked.server {
            Some(server) => format!("{kind} {}: {}", asked.id, outlet::line(&server.product)),
            None => format!("{kind} {}", asked.id),
        },
    );
    let mut line = |name: &str, text: &str| page.labelled(2, name, &outlet::line(text));
    if asked.off {
        line("off", "`enabled: false`: not asked");
    }
    if let Some(signed) = &asked.signed {
        let list = |list: &[String]| if list.is_empty() { "nothing".to_owned() } else { list.join(", ") };
        line("who", &signed.who);
        line("may", &list(&signed.may));
        line("missing", &list(&signed.missing));
        line("too much", &list(&signed.too_much));
        signed.expires.iter().for_each(|(what, at)| line("expires", &format!("{what}: {}", rfc3339(*at))));
    }
    if let Some(upload) = &asked.upload {
        let side = upload.side.map_or(String::new(), |side| format!(", up to {side} px"));
        line("uploads", &format!("{}{side}", upload.route));
    }
    for tried in &asked.tried {
        let told = match &tried.told {
            ProbeResult::Works => "works".to_owned(),
            ProbeResult::Fails(failure) => format!("fails: {}", failure.found),
            ProbeResult::NotTried(why) => format!("not tried: {why}"),
        };
        line("tried", &format!("{}: {told}", tried.route));
    }
    notes(asked).for_each(|note| line("note", note));
    if let Some(failure) = &asked.failure {
        line("failed", &format!("{}: {}", failure.tried, failure.found));
        failure.hint.iter().for_each(|hint| line("hint", hint));
    }
}

fn notes(asked: &ElementReport) -> impl Iterator<Item = &String> {
    let signed = asked.signed.iter().flat_map(|signed| &signed.notes);
    signed.chain(asked.upload.iter().filter_map(|upload| upload.note.as_ref()))
}

fn written(everybody: &AuthReport) -> Result<String, Trouble> {
    let list = |list: &[ElementReport]| list.iter().map(element).collect::<Vec<_>>();
    let all = json!({
        "format": 1,
        "exit_code": everybody.exit().code(),
        "sources": list(&everybody.sources),
        "targets": list(&everybody.targets),
        "reports": everybody.reports.as_ref().map(element),
    });
    serde_json::to_string_pretty(&all)
        .map(|text| text + "\n")
        .map_err(|error| Trouble::Own(format!("the answer cannot be written down: {error}")))
}

fn element(asked: &ElementReport) -> Value {
    let signed = asked.signed.as_ref();
    let expires = |(what, at): &(String, u64)| json!({ "what": what, "at": rfc3339(*at) });
    json!({
        "id": asked.id,
        "enabled": !asked.off,
        "product": asked.server.as_ref().map(|server| &server.product),
        "who": signed.map(|signed| &signed.who),
        "may": signed.map(|signed| &signed.may),
        "missing": signed.map(|signed| &signed.missing),
        "too_much": signed.map(|signed| &signed.too_much),
        "expires": signed.map(|signed| signed.expires.iter().map(expires).collect::<Vec<_>>()),
        "uploads": asked.upload.as_ref().map(|upload| json!({
            "route": upload.route, "side": upload.side,
        })),
        "tried": asked.tried.iter().map(tried).collect::<Vec<_>>(),
        "notes": notes(asked).collect::<Vec<_>>(),
        "failure": asked.failure.as_ref().map(|failure| json!({
            "tried": failure.tried, "found": failure.found, "hint": failure.hint,
        })),
    })
}

fn tried(tried: &Tried) -> Value {
    let (told, why) = match &tried.told {
        ProbeResult::Works => ("works", None),
        ProbeResult::Fails(failure) => ("fails", Some(failure.to_string())),
        ProbeResult::NotTried(why) => ("not_tried", Some(why.clone())),
    };
    json!({ "route": tried.route, "told": told, "why": why })
}
