//! `junit.xml`: the report as the test results that CI platforms show.
//!
//! Owns: what counts as a failed test. Leaves to others: what went wrong (`run`).
//! A newcomer gets wrong: a failure is what somebody must mend; whom a rule leaves alone, and what only waits for the next
//! run, is skipped. Platforms follow a test by its name, so no count stands in one.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::people::{SectionLines, sections};
use super::times::took;
use super::words::limit_sentence;
use super::{LimitLine, MisplacedLine, PersonLine, ReportFile, ReportInput, RunReport};
use crate::model::{PersonResult, Reason, counted};

/// Failed changes of one target that have a test of their own.
const CHANGES: usize = 200;

/// In the folder of the report.
pub(crate) const JUNIT: ReportFile = ReportFile { name: "junit.xml", write };

/// A test, which is something that may go wrong.
struct TestCase {
    name: String,
    verdict: Verdict,
}

enum Verdict {
    Passed,
    Skipped(String),
    Failed { kind: String, message: String, text: String },
}

/// What is told of one source or target.
struct Suite<'a> {
    name: &'a str,
    cases: Vec<TestCase>,
}

impl TestCase {
    fn new(name: impl Into<String>, verdict: Verdict) -> Self {
        Self { name: name.into(), verdict }
    }

    fn failed(name: impl Into<String>, kind: &str, message: String) -> Self {
        Self::new(name, Verdict::Failed { kind: kind.to_owned(), message, text: String::new() })
    }
}

impl Suite<'_> {
    fn count(&self, of: impl Fn(&Verdict) -> bool) -> usize {
        self.cases.iter().filter(|case| of(&case.verdict)).count()
    }

    fn failures(&self) -> usize {
        self.count(|verdict| matches!(verdict, Verdict::Failed { .. }))
    }

    fn skipped(&self) -> usize {
        self.count(|verdict| matches!(verdict, Verdict::Skipped(_)))
    }
}

/// What became of an account, as far as it matters here.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Went {
    Right,
    Wrong,
    NotBegun,
}

fn went(line: &PersonLine) -> Went {
    if line.is_still_shown() {
        return Went::Wrong;
    }
    match line.result {
        PersonResult::Failed | PersonResult::Open | PersonResult::NotShown => Went::Wrong,
        PersonResult::NotDone if line.is_change() => Went::NotBegun,
        // It was reviewed, and does not hold any more.
        PersonResult::NotDone => Went::Wrong,
        PersonResult::None | PersonResult::Planned | PersonResult::Done => Went::Right,
    }
}

type CasesByLine = BTreeMap<(String, Went), SectionLines>;

fn write(ReportInput { report, people, .. }: ReportInput<'_>, out: &mut dyn Write) -> io::Result<()> {
    let lines = sections(people, CHANGES, |line| (line.target.clone(), went(line)))?;
    let suites = suites(report, &lines);
    let number = |count: fn(&Suite<'_>) -> usize| suites.iter().map(count).sum::<usize>().to_string();
    let mut xml = Writer::new_with_indent(io::BufWriter::new(out), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.create_element("testsuites")
        .with_attribute(("name", allowed(&format!("avatarpipe {} {}", report.command, report.pipeline)).as_str()))
        .with_attribute(("tests", number(|suite| suite.cases.len()).as_str()))
        .with_attribute(("failures", number(|suite| suite.failures()).as_str()))
        .with_attribute(("errors", "0"))
        .with_attribute(("time", took(report).unwrap_or_default().as_secs().to_string().as_str()))
        .write_inner_content(|xml| suites.iter().try_for_each(|suite| write_suite(xml, report, suite)))?;
    let mut out = xml.into_inner();
    out.write_all(b"\n")?;
    out.flush()
}

fn write_suite<W: Write>(xml: &mut Writer<W>, report: &RunReport, suite: &Suite<'_>) -> io::Result<()> {
    let class = allowed(&format!("{}.{}", report.pipeline, suite.name));
    xml.create_element("testsuite")
        .with_attribute(("name", allowed(suite.name).as_str()))
        .with_attribute(("timestamp", report.started.as_str()))
        .with_attribute(("tests", suite.cases.len().to_string().as_str()))
        .with_attribute(("failures", suite.failures().to_string().as_str()))
        .with_attribute(("errors", "0"))
        .with_attribute(("skipped", suite.skipped().to_string().as_str()))
        .write_inner_content(|xml| suite.cases.iter().try_for_each(|case| write_case(xml, &class, case)))?;
    Ok(())
}

fn write_case<W: Write>(xml: &mut Writer<W>, class: &str, case: &TestCase) -> io::Result<()> {
    let name = allowed(&case.name);
    let element =
        xml.create_element("testcase").with_attribute(("classname", class)).with_attribute(("name", name.as_str()));
    match &case.verdict {
        Verdict::Passed => element.write_empty()?,
        Verdict::Skipped(why) => element.write_inner_content(|xml| {
            xml.create_element("skipped").with_attribute(("message", allowed(why).as_str())).write_empty()?;
            Ok(())
        })?,
        Verdict::Failed { kind, message, text } => element.write_inner_content(|xml| {
            xml.create_element("failure")
                .with_attribute(("type", allowed(kind).as_str()))
                .with_attribute(("message", allowed(message).as_str()))
                .write_text_content(BytesText::new(&allowed(text)))?;
            Ok(())
        })?,
    };
    Ok(())
}

/// Without the characters that XML 1.0 has no place for, escaped or not (<https://www.w3.org/TR/xml/#charsets>).
fn allowed(text: &str) -> String {
    let forbidden =
        |c: char| (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}');
    text.replace(forbidden, "\u{fffd}")
}

fn suites<'a>(report: &'a RunReport, lines: &CasesByLine) -> Vec<Suite<'a>> {
    let sources = report.sources.iter().map(|source| {
        let switched_off = (source.state == "disabled").then(|| "it is switched off".to_owned());
        Suite { name: &source.id, cases: of_both(report, &source.id, switched_off) }
    });
    let targets = report.targets.iter().map(|target| {
        let mut cases = of_both(report, &target.id, None);
        cases.extend(report.misplaced.iter().filter(|one| one.target == target.id).map(of_misplaced));
        if let Some(wrong) = lines.get(&(target.id.clone(), Went::Wrong)) {
            cases.extend(wrong.lines.values().map(of_change));
            if wrong.more() > 0 {
                let message = format!("{} more of {} went wrong: see run.json", wrong.more(), wrong.count);
                cases.push(TestCase::failed("other accounts", "more", message));
            }
        }
        if let Some(left) = lines.get(&(target.id.clone(), Went::NotBegun)) {
            let message = counted(left.count, "change was not begun", "changes were not begun");
            cases.push(TestCase::new("changes not begun", Verdict::Skipped(message)));
        }
        if target.conflicts > 0 {
            let message = counted(
                target.conflicts,
                "account is in conflict: its keys do not name one person",
                "accounts are in conflict: their keys do not name one person",
            );
            cases.push(TestCase::new("conflicts", Verdict::Skipped(message)));
        }
        Suite { name: &target.id, cases }
    });
    let mut suites: Vec<_> = sources.chain(targets).collect();
    let told = |words: &str| suites.iter().any(|suite| of_endpoint(words, suite.name).is_some());
    let others = report.failures.iter().filter(|words| !told(words));
    let mut cases: Vec<_> = others.map(|words| TestCase::failed("finished", &report.outcome, words.clone())).collect();
    if report.slips > 0 {
        let (one, many) =
            ("entry of `users` or row of a map fits nobody", "entries of `users` or rows of a map fit nobody");
        let message = format!("{}, and somebody is called nearly so: see the notes", counted(report.slips, one, many));
        cases.push(TestCase::failed("entries of users and rows of maps", "slip", message));
    }
    if !cases.is_empty() {
        suites.push(Suite { name: &report.pipeline, cases });
    }
    suites
}

/// A failure says first whose it is.
fn of_endpoint<'a>(words: &'a str, id: &str) -> Option<&'a str> {
    words.strip_prefix(id)?.strip_prefix(": ")
}

/// What a source and a target have in common: they answered, and each limit.
fn of_both(report: &RunReport, id: &str, switched_off: Option<String>) -> Vec<TestCase> {
    let mut failures = report.failures.iter().filter_map(|words| of_endpoint(words, id)).peekable();
    let answered = match (failures.peek(), switched_off) {
        (Some(_), _) => {
            let message = failures.collect::<Vec<_>>().join("; ");
            Verdict::Failed { kind: "failed".to_owned(), message, text: String::new() }
        }
        (None, Some(why)) => Verdict::Skipped(why),
        (None, None) => Verdict::Passed,
    };
    let limits = report.limits.iter().filter(|limit| limit.scope == id).map(of_limit);
    std::iter::once(TestCase::new("answered", answered)).chain(limits).collect()
}

fn of_limit(limit: &LimitLine) -> TestCase {
    let name = format!("limit {}", limit.limit);
    if limit.broken {
        TestCase::failed(name, "limit", limit_sentence(limit))
    } else {
        TestCase::new(name, Verdict::Passed)
    }
}

fn of_misplaced(one: &MisplacedLine) -> TestCase {
    TestCase::failed(format!("misplaced on account {}", one.account.name), "misplaced", one.sentence())
}

fn of_change(line: &PersonLine) -> TestCase {
    let (kind, found) = match (&line.error, line.result) {
        (Some(error), _) => (error.code.clone(), error.message.clone()),
        (None, PersonResult::NotShown) => ("not_shown".to_owned(), "written, but not shown".to_owned()),
        (None, _) if line.is_still_shown() => (line.reason.clone(), Reason::StillShown.text().to_owned()),
        (None, PersonResult::NotDone) => ("not_made".to_owned(), "reviewed, but not made".to_owned()),
        (None, _) => ("failed".to_owned(), "it failed".to_owned()),
    };
    let text = format!("{}: {} ({})", line.change.kind, line.why(), line.rule);
    TestCase::new(format!("account {}", line.account.name), Verdict::Failed { kind, message: found, text })
}
