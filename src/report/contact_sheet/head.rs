//! What stands above the rows: how the run ended, its targets, its limits, and how long a run takes.
//!
//! Owns: the sentence that a reader takes away. Leaves to others: rows (`row`), the sum of a run's time (`duration`).
//! A newcomer gets wrong: what may not wait stands first, as on the terminal: misplaced pictures, then what stopped.

use maud::{Markup, html};

use super::duration;
use super::row::{glyph, prose};
use crate::report::times::{self, took};
use crate::report::words::{misplaced, plans};
use crate::report::{LimitLine, RunReport, TargetLine};

/// So many lines, as the page counts them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LineCounts {
    /// All that are told.
    pub all: u64,
    /// Those that stay as they are.
    pub left: u64,
    /// Those that somebody can do something about.
    pub attention: u64,
}

/// `10,000`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut told = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

/// `1 account`, `2 accounts`.
pub(super) fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

pub(super) fn is_plan(report: &RunReport) -> bool {
    matches!(report.command.as_str(), "plan" | "undo")
}

fn changes(target: &TargetLine) -> u64 {
    target.replaced + target.reverted + target.removed + target.finished + target.tidied
}

pub(super) fn head(report: &RunReport, lines: LineCounts) -> Markup {
    html! {
        header.top {
            p.kind { (glyph("mark")) "contact sheet: " (report.command) }
            h1 { bdi { (report.pipeline) } }
            (verdict(report, lines))
            dl.meta {
                div { dt { "made" } dd { time datetime=(report.finished) { (minutes(&report.finished)) } } }
                @if let Some(took) = took(report) { div { dt { "took" } dd { (times::words(took)) } } }
                div { dt { "run" } dd { code { (report.run) } } }
                @for (what, digest) in plans(report) { div { dt { (what) } dd { code { (digest) } } } }
                div { dt { "ended" } dd { (report.outcome) ", exit code " (report.exit_code) } }
                div { dt { "by" } dd { (report.tool) } }
            }
            (alarm("Misplaced: a face on an account that it was not made for", &misplaced(report)))
            (alarm("Stopped", &report.failures))
        }
    }
}

/// `2026-11-23 08:00 UTC`.
fn minutes(time: &str) -> String {
    match (time.get(..10), time.get(11..16)) {
        (Some(day), Some(minute)) => format!("{day} {minute} UTC"),
        _ => time.to_owned(),
    }
}

fn verdict(report: &RunReport, lines: LineCounts) -> Markup {
    let sum = |dry: bool| report.targets.iter().filter(|target| target.is_dry_run() == dry).map(changes).sum::<u64>();
    let (done, would) = (sum(false), sum(true));
    let failed: u64 = report.targets.iter().map(|target| target.failed).sum();
    let left: u64 = report.targets.iter().map(TargetLine::left_alone).sum();
    let conflicts: u64 = report.targets.iter().map(|target| target.conflicts).sum();
    let stopped: Vec<_> = report.targets.iter().filter(|target| target.state == "limit").collect();
    html! {
        p.verdict {
            @if is_plan(report) {
                b { (counted(lines.all - lines.left, "change")) " planned." } " Nothing was written."
            } @else if done == 0 && failed == 0 {
                b { "Nothing was written." }
            } @else {
                b { (counted(done, "change")) " made" @if failed > 0 { ", " (count(failed)) " failed" } "." }
            }
            @if would > 0 && !is_plan(report) { " " (counted(would, "change")) " only planned: `dry_run`." }
            @for target in stopped { " " b { "A limit stops " bdi { (target.id) } "." } }
            @if left > 0 {
                " " (counted(left, "account")) @if left == 1 { " is" } @else { " are" } " left alone"
                @if conflicts > 0 { ", " (count(conflicts)) " in conflict" }
                "."
            } @else if conflicts > 0 {
                " " (counted(conflicts, "account")) @if conflicts == 1 { " is" } @else { " are" } " in conflict."
            }
            @if lines.attention > 0 {
                " "
                button type="button" data-show="care" {
                    (counted(lines.attention, "account")) @if lines.attention == 1 { " needs" } @else { " need" } " attention"
                }
                "."
            }
        }
    }
}

fn alarm(heading: &str, sentences: &[String]) -> Markup {
    html! {
        @if !sentences.is_empty() {
            section.alarm { h2 { (heading) } ul { @for sentence in sentences { li { bdi { (prose(sentence)) } } } } }
        }
    }
}

pub(super) fn panels(report: &RunReport) -> Markup {
    html! {
        div.panels {
            (targets(report))
            @if !report.limits.is_empty() { (limits(&report.limits)) }
            (time(report))
            @if !report.notes.is_empty() {
                section.panel.notes {
                    h2 { "Notes" }
                    ul { @for note in &report.notes { li { bdi { (prose(note)) } } } }
                }
            }
        }
    }
}

fn targets(report: &RunReport) -> Markup {
    let planned = is_plan(report);
    html! {
        section.panel {
            h2 { "Targets" }
            @for target in &report.targets {
                @let parts = parts(target, planned || target.is_dry_run());
                h3 {
                    bdi { (target.id) }
                    @if target.state == "ok" {
                        span { (counted(target.accounts, "account")) }
                    } @else {
                        span.bad { (state(&target.state)) }
                    }
                }
                (bar("bar", &parts.map(|(colour, number, _)| (colour, number)), target.accounts))
                ul.legend {
                    @for (colour, number, words) in parts {
                        @if number > 0 { li class=(colour) { b { (count(number)) } " " (words) } }
                    }
                }
            }
        }
    }
}

fn state(word: &str) -> &str {
    match word {
        "limit" => "stopped by a limit",
        "dry_run" => "dry run",
        word => word,
    }
}

fn parts(target: &TargetLine, planned: bool) -> [(&'static str, u64, &'static str); 9] {
    let words = |todo, done| if planned { todo } else { done };
    [
        ("k-good", target.replaced, words("to replace", "replaced")),
        ("k-warn", target.reverted + target.removed, words("to revert", "reverted")),
        ("k-good", target.finished + target.tidied, words("to mend", "mended")),
        ("k-bad", target.failed, "failed"),
        ("k-warn", target.not_done, "not begun"),
        ("k-bad", target.conflicts, "in conflict"),
        ("k-bad", target.still_shown, "to take off by hand"),
        ("k-rest", target.left_alone(), "left alone"),
        ("k-same", target.unchanged + target.adopted, "as they should be"),
    ]
}

/// Parts of a whole, side by side.
fn bar(class: &str, parts: &[(&str, u64)], whole: u64) -> Markup {
    let share = |number: u64| {
        // In hundredths of a percent, which is finer than any screen.
        let share = u128::from(number) * 10_000 / u128::from(whole.max(1));
        format!("{}.{:02}%", share / 100, share % 100)
    };
    let before = |nth: usize| parts.iter().take(nth).map(|(_, number)| number).sum();
    html! {
        svg class=(class) aria-hidden="true" {
            @for (nth, (colour, number)) in parts.iter().enumerate() {
                @if *number > 0 { rect class=(colour) x=(share(before(nth))) y="0" width=(share(*number)) height="100%" {} }
            }
        }
    }
}

fn limits(limits: &[LimitLine]) -> Markup {
    let (mut close, far): (Vec<_>, Vec<_>) = limits.iter().partition(|limit| limit.allowed.is_some() || limit.broken);
    close.sort_by_key(|limit| (!limit.broken, !limit.overridden));
    html! {
        section.panel.limits {
            h2 { "Limits" }
            ul { @for limit in close { (with_a_bar(limit)) } }
            @if !far.is_empty() {
                details {
                    summary { (count(far.len() as u64)) " more that stop nothing here" }
                    ul.costs {
                        @for limit in far {
                            li { span { (limit.limit) " " bdi { (limit.scope) } } span { (count(limit.value)) " of " (count(limit.of)) " " (limit.of_what) } }
                        }
                    }
                }
            }
        }
    }
}

fn with_a_bar(limit: &LimitLine) -> Markup {
    let allowed = limit.allowed.unwrap_or_default();
    let colour = if limit.broken { "k-bad" } else { "k-good" };
    html! {
        li.over[limit.broken] {
            p {
                b { (limit.limit) " " bdi { (limit.scope) } }
                span.n { (count(limit.value)) " of " (count(limit.of)) " " (limit.of_what) ", " (count(allowed)) " allowed" }
            }
            (bar("bar thin", &[(colour, limit.value.min(allowed.max(1)))], allowed))
            @if let Some(remedy) = &limit.remedy { p.remedy { bdi { (prose(remedy)) } } }
            @if limit.overridden { p.n { "let pass by --allow" } }
        }
    }
}

fn time(report: &RunReport) -> Markup {
    let planned = is_plan(report);
    // What a limit holds up is in no forecast.
    let is_whole = !report.limits.iter().any(|limit| limit.broken);
    let asked: Vec<_> = report.requests.iter().filter(|line| line.sent > 0).collect();
    html! {
        @if !asked.is_empty() {
            section.panel {
                h2 { @if planned && is_whole { "How long the run takes" } @else { "Requests" } }
                @if let (true, Some(time)) = (planned && is_whole, duration::of_a_run(report)) {
                    p.big { "about " (times::words(time)) }
                }
                ul.costs {
                    @for line in asked {
                        li {
                            bdi { (line.endpoint) }
                            span {
                                @if planned && is_whole {
                                    (counted(duration::units(report, line), duration::unit(report, line))) " at " (speed(line.per_second)) " per second"
                                } @else {
                                    (counted(line.sent, "request"))
                                    @if line.sent == line.forecast { ", as forecast" }
                                    @else { ", " (count(line.forecast)) " forecast before" }
                                }
                            }
                        }
                    }
                }
                @if planned {
                    @let looks: u64 = report.requests.iter().map(|line| line.for_pictures).sum();
                    @if looks > 0 {
                        p.costs { (counted(looks, "request")) " more, of this plan alone, showed what stood before." }
                    }
                }
            }
        }
    }
}

/// `20`, `0.5`.
fn speed(per_second: f64) -> String {
    format!("{:.2}", per_second).trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_as_people_write_them() {
        for (number, told) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), told);
        }
        assert_eq!((speed(20.0), speed(0.5), speed(10.0)), ("20".into(), "0.5".into(), "10".into()));
    }
}
