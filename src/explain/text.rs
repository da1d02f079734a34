//! The answer for people.
//!
//! Owns: the order of what is told, and the words. Leaves to others: what is known (`collect`).
//! A newcomer gets wrong: the account comes with its own decision and rule, since one person can have five accounts, and
//! each is decided about on its own.

use std::fmt::Write as _;

use super::explanation::{
    AccountExplained, DecisionExplained, Explanation, MatchExplained, NotReadExplained, PersonExplained,
    PlacementExplained,
};
use super::not_read;
use crate::model::PersonResult;

/// As a page of text.
pub(crate) fn text(explanation: &Explanation, marks: Marks) -> String {
    let mut out = String::new();
    for person in &explanation.people {
        tell_person(&mut out, person, &explanation.not_read, marks);
    }
    for account in &explanation.accounts {
        tell_account(&mut out, account, "", marks);
        out.push('\n');
    }
    _ = writeln!(out, "as the plan or run of {} learnt it; no request was made", explanation.as_of);
    if explanation.part {
        _ = writeln!(out, "it was of a part (`--only`, `--target`): nobody else was decided about");
    }
    if let Some(run) = &explanation.unfinished {
        let how = match explanation.under_way {
            Some(true) => "is under way",
            Some(false) => "did not end",
            None => "is under way, or was killed",
        };
        _ = writeln!(out, "run {run} {how}: what is told may be half of it");
    }
    out
}

/// Whether what a server calls a picture is told, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Marks {
    /// `-v`.
    Told,
    /// Words say enough.
    LeftOut,
}

fn tell_person(out: &mut String, person: &PersonExplained, not_read: &[NotReadExplained], marks: Marks) {
    if person.listed {
        _ = writeln!(out, "{}  ({} {})", person.name, person.source, person.id);
    } else {
        _ = writeln!(out, "{} {}  (not listed last time: as the state knows it)", person.source, person.id);
    }
    let standing = match person.standing.as_str() {
        "unknown" => "not known",
        "in_scope" => "in scope: `users` selects the person",
        "inactive" => "disabled at the provider",
        "opted_out" => "opted out",
        "frozen" => "frozen: the accounts keep what they show",
        _ => "out of scope: `users` does not select the person",
    };
    row(out, "standing", standing);
    for (number, (key, value)) in person.keys.iter().filter(|(key, _)| key != "id").enumerate() {
        row(out, if number == 0 { "known as" } else { "" }, &format!("{key} {value}"));
    }
    let digest = person.photo.digest.as_deref().map(|digest| format!("  {}", short(digest))).unwrap_or_default();
    match &person.photo.remembered {
        None => row(out, "photo", &format!("{}{digest}", person.photo.found)),
        Some(remembered) => {
            row(out, "photo", &person.photo.found);
            row(out, "", &format!("when a run last looked: {remembered}{digest}"));
        }
    }
    if let Some(version) = &person.photo.version {
        row(out, "", &format!("the provider's change marker when a run last looked: {version}"));
    }
    for target in &person.without_account {
        row(out, target, "no account there has a key of this person");
    }
    for target in &person.not_read {
        let known = not_read.iter().find(|one| one.kind == "target" && one.id == *target);
        row(out, target, &not_read::words(known.and_then(|one| one.why.as_deref())));
    }
    for account in &person.accounts {
        out.push('\n');
        tell_account(out, account, "  ", marks);
    }
    out.push('\n');
}

fn tell_account(out: &mut String, account: &AccountExplained, indent: &str, marks: Marks) {
    let email = account.email.as_deref().map(|email| format!(", {email}")).unwrap_or_default();
    let AccountExplained { target, name, id, display_name, .. } = account;
    _ = match account.listed {
        true => writeln!(out, "{indent}{target}/{name}  ({id}; {display_name}{email})"),
        false => writeln!(out, "{indent}{target}/{id}  (not listed last time: as the state knows it)"),
    };
    let mut tell = |heading: &str, words: &str| row_in(out, indent, heading, words);
    if account.listed && account.standing != "active" {
        tell("standing", &account.standing.replace('_', " "));
    }
    for one in &account.matched {
        tell("match", &match_words(one));
    }
    for (number, key) in account.keys_in_common.iter().enumerate() {
        tell(if number == 0 { "in common" } else { "" }, key);
    }
    if account.listed {
        tell("showed", &shown(&account.showed));
    }
    if let Some(placement) = &account.placement {
        let how = if placement.provenance == "made" { "we put it there" } else { "recognised, put there by others" };
        let before = before(&account.target, placement, marks);
        tell("ours", &format!("{} ({how}); before it stood there: {before}", short(&placement.picture)));
    }
    for decision in &account.decisions {
        tell("decided", &decision_words(decision));
        tell("rule", &decision.rule);
        if let Some(error) = &decision.error {
            tell("failed", error);
        }
    }
    for (number, write) in account.writes.iter().enumerate() {
        let open = if write.open { " (open)" } else { "" };
        tell(
            if number == 0 { "written" } else { "" },
            &format!("{} in run {}: {}{open}", write.kind, write.run, write.ended),
        );
    }
    tell("next run", &account.next);
    if let Some(advice) = &account.advice {
        tell("to do", advice);
    }
}

/// What an account shows, in words.
fn shown(picture: &str) -> String {
    match picture.split_once(':') {
        Some(("system", mark)) => format!("a stock picture of the product (`{mark}`)"),
        Some(("foreign", mark)) => format!("a picture of somebody's own (`{mark}`)"),
        Some(("b3", _)) => format!("our picture ({})", short(picture)),
        _ => picture.to_owned(),
    }
}

/// What stood there before our first write, in words.
fn before(target: &str, placement: &PlacementExplained, marks: Marks) -> String {
    let name = placement.before.as_str();
    let words = match placement.before_was.as_str() {
        "default" => return "the default picture".to_owned(),
        "stock" => "the product's default or another stock picture of it",
        "upload" => "an upload of somebody's own",
        _ if name == "unknown" => return "a picture that is not known".to_owned(),
        _ => "a picture that we did not set",
    };
    match marks {
        Marks::Told if !name.is_empty() => format!("{words} ({target} calls it `{name}`)"),
        _ => words.to_owned(),
    }
}

fn match_words(one: &MatchExplained) -> String {
    let detail = one.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
    match (one.verdict.as_str(), &one.person) {
        ("matched", Some(person)) => format!("belongs to {} {person}{detail}", one.source),
        ("ambiguous", _) => format!("{}: more than one candidate{detail}", one.source),
        ("conflict", _) => format!("{}: the keys contradict each other{detail}", one.source),
        ("unknown", _) => format!("{} {}", one.source, not_read::words(one.detail.as_deref())),
        _ => format!("{}: nobody has a key of this account{detail}", one.source),
    }
}

fn decision_words(decision: &DecisionExplained) -> String {
    let what = if decision.change.writes() {
        format!("{} {} → {}", decision.change.word(), short(&decision.from), short(&decision.to))
    } else {
        decision.change.word().to_owned()
    };
    let result = match decision.result {
        None | Some(PersonResult::None) => "",
        Some(PersonResult::Planned) => ", planned",
        Some(PersonResult::Done) => ", done",
        Some(PersonResult::NotShown) => ", written, but not shown",
        Some(PersonResult::Failed) => ", failed",
        Some(PersonResult::Open) => ", open",
        Some(PersonResult::NotDone) => ", not begun",
    };
    let detail = decision.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{what}{result}: {}{detail}", decision.reason.text())
}

/// A digest is cut to what an eye can compare.
fn short(picture: &str) -> String {
    match picture.strip_prefix("b3:") {
        Some(hex) => format!("b3:{}", hex.get(..8).unwrap_or(hex)),
        None => picture.to_owned(),
    }
}

fn row(out: &mut String, heading: &str, words: &str) {
    row_in(out, "", heading, words);
}

fn row_in(out: &mut String, indent: &str, heading: &str, words: &str) {
    _ = writeln!(out, "{indent}  {heading:<10} {words}");
}
