//! `check FILE…`: all faults of pipeline files, offline, without secrets.
//!
//! Owns: the answer, for people, for programs, and as annotations of a CI platform. Leaves to others: finding faults
//! (`pipeline`).
//! A newcomer gets wrong: annotations are an answer and stand on standard output; the faults with their snippets stand on
//! standard error in any case.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::check_files::{self, FileFinding};
use super::ci::{Annotation, AnnotationLevel, AzureCommand, GitHubCommand, Platform};
use super::environment::{self, Unread};
use super::output::{answer_json, answer_lines, commands, tell};
use crate::error::Trouble;
use crate::exit::Exit;
use crate::model::Digest;
use crate::pipeline::{Document, Element, Warning};
use crate::report::Severity;
use crate::run;
use crate::secret::outlet;

/// What is checked.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The pipeline files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How the answer on standard output is written [default: for people; on GitHub and Azure DevOps as annotations, too]
    #[arg(long, value_enum)]
    format: Option<CheckFormat>,
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    /// A line for each file that has no faults
    Human,
    /// Every fault with its place
    Json,
    /// Workflow commands: GitHub shows each fault on its line
    Github,
    /// A Code Quality report, for `artifacts: reports: codequality`
    Gitlab,
}

/// One file, checked.
struct CheckedFile<'a> {
    file: &'a Path,
    found: Result<Document, Unread>,
    /// Of the files that it names.
    beside: Vec<FileFinding>,
}

/// Something found in a file.
struct Finding {
    /// The file, if it is another one than the pipeline file.
    file: Option<PathBuf>,
    weight: AnnotationLevel,
    place: Option<(usize, usize)>,
    message: String,
    help: Option<String>,
}

impl Finding {
    fn sentence(&self) -> String {
        match &self.help {
            Some(help) => format!("{}: {help}", self.message),
            None => self.message.clone(),
        }
    }
}

impl CheckedFile<'_> {
    fn of(file: &Path) -> CheckedFile<'_> {
        let found = found(file);
        let beside = found.as_ref().map(check_files::look).unwrap_or_default();
        CheckedFile { file, found, beside }
    }

    /// Whether neither it nor a file that it names has a fault.
    fn is_valid(&self) -> bool {
        self.found.is_ok() && !self.beside.iter().any(|one| one.is_fault)
    }

    fn found(&self) -> Vec<Finding> {
        let mut all = self.found_in_it();
        all.extend(self.beside.iter().map(|one| {
            let elsewhere = Path::new(&*one.place.file) != self.file;
            Finding {
                file: elsewhere.then(|| PathBuf::from(&*one.place.file)),
                weight: if one.is_fault { AnnotationLevel::Error } else { AnnotationLevel::Warning },
                place: Some((one.place.line as usize, 1)),
                message: one.message.clone(),
                help: Some(one.help.to_owned()),
            }
        }));
        all
    }

    fn found_in_it(&self) -> Vec<Finding> {
        let fault = AnnotationLevel::Error;
        match &self.found {
            Ok(document) => document
                .warnings()
                .into_iter()
                .map(|Warning { place, message }| Finding {
                    file: None,
                    weight: AnnotationLevel::Warning,
                    place: Some((place.line as usize, 1)),
                    message,
                    help: None,
                })
                .collect(),
            Err(Unread::Faults(faults)) => faults
                .iter()
                .map(|one| Finding {
                    file: None,
                    weight: fault,
                    place: Some(faults.position(one)),
                    message: one.message.clone(),
                    help: one.help.clone(),
                })
                .collect(),
            Err(Unread::Unreadable(words)) => {
                vec![Finding { file: None, weight: fault, place: None, message: words.clone(), help: None }]
            }
        }
    }
}

/// What a file is by itself, and what links make of its folders on this machine.
fn found(file: &Path) -> Result<Document, Unread> {
    let document = environment::read(file)?;
    run::apart_in(&document).map_err(Unread::Unreadable)?;
    Ok(document)
}

/// Checks every file; one that is wrong does not hide the faults of the next.
pub(super) fn run(flags: &Flags) -> Result<Exit, Trouble> {
    let checked: Vec<_> = flags.files.iter().map(|file| CheckedFile::of(file)).collect();
    let mut exit = Exit::Done;
    for one in &checked {
        match &one.found {
            Ok(document) => {
                for warning in document.warnings() {
                    tell(Severity::Warning, &format!("{}: {}", warning.place, warning.message));
                }
            }
            Err(unread) => {
                let trouble = unread.trouble();
                tell(Severity::Failure, &trouble.to_string());
                exit = exit.and(trouble.exit());
            }
        }
        for found in &one.beside {
            let severity = if found.is_fault { Severity::Failure } else { Severity::Warning };
            tell(severity, &format!("{}: {} (help: {})", found.place, found.message, found.help));
        }
        if !one.is_valid() {
            exit = exit.and(Exit::Usage);
        }
    }
    match flags.format {
        Some(CheckFormat::Json) => answer_json(&pretty(&as_json(&checked))?)?,
        Some(CheckFormat::Gitlab) => answer_json(&pretty(&code_quality(&checked))?)?,
        Some(CheckFormat::Github) => commands(&annotations(&checked, |one| GitHubCommand(one).to_string()))?,
        Some(CheckFormat::Human) => answer_lines(&human(&checked))?,
        None => {
            answer_lines(&human(&checked))?;
            match Platform::here() {
                Some(Platform::GitHub) => commands(&annotations(&checked, |one| GitHubCommand(one).to_string()))?,
                Some(Platform::AzureDevOps) => commands(&annotations(&checked, |one| AzureCommand(one).to_string()))?,
                // GitLab takes a file, and Jenkins has no word of its own for it.
                Some(Platform::GitLab | Platform::Jenkins) | None => {}
            }
        }
    }
    Ok(exit)
}

fn words(elements: &[Element]) -> String {
    elements.iter().map(|element| element.id.clone()).collect::<Vec<_>>().join(", ")
}

fn human(checked: &[CheckedFile<'_>]) -> String {
    let line = |one: &CheckedFile<'_>| {
        let document = one.found.as_ref().ok().filter(|_| one.is_valid())?;
        let (sources, targets) = (words(document.sources()), words(document.targets()));
        let mut told = format!("{}: no faults ({sources} → {targets})\n", one.file.display());
        for (place, program) in document.programs() {
            told += &format!("{place}: `{program}` is run when the pipeline runs, and not by check\n");
        }
        Some(told)
    };
    checked.iter().filter_map(line).collect()
}

fn annotations(checked: &[CheckedFile<'_>], command: impl Fn(Annotation<'_>) -> String) -> String {
    let mut out = String::new();
    for one in checked {
        for found in one.found() {
            let file = outlet::line(&in_repository(found.file.as_deref().unwrap_or(one.file)));
            let (place, message) = (found.place, outlet::sentence(&found.sentence()));
            out += &command(Annotation { weight: found.weight, file: &file, place, message: &message });
            out.push('\n');
        }
    }
    out
}

fn as_json(checked: &[CheckedFile<'_>]) -> Value {
    let file = |one: &CheckedFile<'_>| {
        let told: Vec<_> = one
            .found()
            .iter()
            .map(|found| {
                let (line, column) = found.place.unzip();
                let mut told = json!({ "severity": severity(found.weight), "line": line, "column": column,
                                       "message": found.message, "help": found.help });
                if let Some(file) = &found.file {
                    told["file"] = file.display().to_string().into();
                }
                told
            })
            .collect();
        let programs: Vec<_> = one.found.iter().flat_map(Document::programs).collect();
        let programs: Vec<_> =
            programs.iter().map(|(place, program)| json!({ "line": place.line, "program": program })).collect();
        json!({ "file": one.file.display().to_string(), "valid": one.is_valid(), "found": told, "programs": programs })
    };
    json!({ "format": 1, "files": checked.iter().map(file).collect::<Vec<_>>() })
}

fn severity(weight: AnnotationLevel) -> &'static str {
    match weight {
        AnnotationLevel::Error => "error",
        AnnotationLevel::Warning => "warning",
    }
}

/// The path from the root of the repository, which is how platforms know a file, with `/` and without `.`; where no repository
/// is, from the working folder.
pub(super) fn in_repository(file: &Path) -> String {
    let named = || file.display().to_string();
    // A line is shown on the file that has it; where a link leads out of the repository, the link is all that stands there.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Ok(folder), Some(name)) = (folder.canonicalize(), file.file_name()) else { return named() };
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
    let root = folder.ancestors().find(|above| above.join(".git").exists()).map(Path::to_owned).or(here);
    let whole = file.canonicalize().ok();
    let within = root.and_then(|root| {
        let behind = whole.as_deref().and_then(|whole| whole.strip_prefix(&root).ok()).map(Path::to_owned);
        behind.or_else(|| Some(folder.strip_prefix(&root).ok()?.join(name)))
    });
    within.map_or_else(named, |path| path.display().to_string())
}

/// <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>.
fn code_quality(checked: &[CheckedFile<'_>]) -> Value {
    let mut entries = Vec::new();
    for one in checked {
        for found in one.found() {
            let path = in_repository(found.file.as_deref().unwrap_or(one.file));
            let (line, _) = found.place.unwrap_or((1, 1));
            let fingerprint = Digest::of(format!("{path}\n{line}\n{}", found.message).as_bytes()).hex();
            let weight = match found.weight {
                AnnotationLevel::Error => "blocker",
                AnnotationLevel::Warning => "minor",
            };
            entries
                .push(json!({ "description": found.sentence(), "check_name": "avatarpipe", "fingerprint": fingerprint,
                "severity": weight, "location": { "path": path, "lines": { "begin": line } } }));
        }
    }
    Value::Array(entries)
}

fn pretty(value: &Value) -> Result<String, Trouble> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| Trouble::Own(format!("the faults cannot be written down: {error}")))
}
