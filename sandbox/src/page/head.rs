//! What stands around the rows: how the world differs from its beginning, products, directories, requests, writes.
//!
//! Owns: the pieces that a page that is open takes anew, by name. Leaves to others: rows (`row`), when they are sent (`live`).
//! A newcomer gets wrong: what is wrong with a run is told on top of the page, in the words of whoever saw it.

use maud::{Markup, html};

use super::told::Told;
use crate::server_state::ServerState;
use crate::truth::{Account, Person, ShownKind, Truth};

/// A piece of the page, by the name that its place has.
pub(super) type Piece = (&'static str, Markup);

/// What follows from what stands on the servers alone.
pub(super) fn of_the_truth(server: &ServerState, truth: &Truth) -> Vec<Piece> {
    let of = |name: &str| truth.accounts.iter().filter(|account| account.simulator == name).collect::<Vec<_>>();
    let people = |name: &str| truth.people.iter().filter(|person| person.simulator == name).collect::<Vec<_>>();
    let changed = truth.accounts.iter().filter(|account| account.changed()).count();
    let verdict = html! {
        b { (counted(changed, "account")) @if changed == 1 { " shows" } @else { " show" } " another picture" }
        " than at the beginning, of " (count(truth.accounts.len())) "."
    };
    let products = html! {
        @for simulator in &server.simulators {
            @let accounts = of(simulator.name());
            @if !accounts.is_empty() { (product(server, simulator.name(), &simulator.title(), &accounts)) }
        }
    };
    let directories = html! {
        @for simulator in &server.simulators {
            @let people = people(simulator.name());
            @if !people.is_empty() { (directory(simulator.name(), &simulator.title(), &people)) }
        }
    };
    vec![("verdict", verdict), ("products", products), ("directories", directories)]
}

fn product(server: &ServerState, name: &str, title: &str, accounts: &[&Account]) -> Markup {
    let changed = accounts.iter().filter(|account| account.changed()).count();
    let now = |kind: ShownKind| accounts.iter().filter(|a| !a.changed() && a.now.kind == kind).count();
    let parts = [
        ("k-good", changed, "changed"),
        ("k-loss", now(ShownKind::Custom), "own, as at first"),
        ("k-warn", now(ShownKind::System), "stock"),
        ("k-same", now(ShownKind::Default), "default"),
    ];
    let base = server.shared.addresses.get().and_then(|all| all.get(name)).map_or("", String::as_str);
    html! {
        div {
            h3 { bdi { (title) } span { (counted(accounts.len(), "account")) } }
            (bar(&parts, accounts.len()))
            code.base { (base) }
        }
    }
}

fn directory(name: &str, title: &str, people: &[&Person]) -> Markup {
    let photo = people.iter().filter(|person| person.photo.is_some()).count();
    let absent = people.iter().filter(|person| person.photo.is_none() && person.proven_absent).count();
    let parts = [
        ("k-good", photo, "with a photo"),
        ("k-same", absent, "provably without"),
        ("k-bad", people.len() - photo - absent, "not to be had"),
    ];
    html! {
        div {
            h3 { bdi { (title) } span { (count(people.len())) @if people.len() == 1 { " person" } @else { " people" } } }
            (bar(&parts, people.len()))
            code.base { (name) }
        }
    }
}

/// Parts of a whole, side by side, and what they are.
fn bar(parts: &[(&str, usize, &str)], whole: usize) -> Markup {
    let share = |number: usize| {
        let share = number * 10_000 / whole.max(1);
        format!("{}.{:02}%", share / 100, share % 100)
    };
    let before = |nth: usize| parts.iter().take(nth).map(|(_, number, _)| number).sum();
    html! {
        svg.bar aria-hidden="true" {
            @for (nth, (colour, number, _)) in parts.iter().enumerate() {
                @if *number > 0 { rect class=(colour) x=(share(before(nth))) y="0" width=(share(*number)) height="100%" {} }
            }
        }
        ul.legend {
            @for (colour, number, words) in parts {
                @if *number > 0 { li class=(colour) { b { (count(*number)) } " " (words) } }
            }
        }
    }
}

/// What changes without a picture changing: requests, writes, broken rules, faults and switches.
pub(super) fn of_the_log(server: &ServerState, told: &Told) -> Vec<Piece> {
    let log = server.shared.writes.end();
    let counts = server.shared.requests.counts();
    let total: u64 = counts.values().map(|count| count.requests).sum();
    let broken = html! {
        @if !log.violations.is_empty() {
            section.alarm { h2 { "Broken rules" } ul { @for rule in &log.violations { li { bdi { (rule) } } } } }
        }
    };
    let writes = html! {
        div { dt { "requests" } dd { (count(total as usize)) } }
        div { dt { "writes" } dd { (count(log.count)) } }
        @if let Some(write) = log.last {
            div { dt { "last" } dd { (write.simulator) " " (write.what) " of " bdi { (told.name_of(&write.simulator, &write.account)) } } }
        }
    };
    let endpoints = html! {
        tr { th { "Endpoint" } th.n { "Requests" } th.n { "Parts" } th.n { "Units" } th.n { "Throttled" } }
        @for (endpoint, count) in &counts {
            tr {
                td { code { (endpoint) } }
                @for number in [count.requests, count.parts, count.units, count.throttled] { td.n { (number) } }
            }
        }
    };
    vec![("broken", broken), ("writes", writes), ("endpoints", endpoints), ("switches", switches(server))]
}

/// The faults that are dialled in, and every switch with how it stands.
fn switches(server: &ServerState) -> Markup {
    html! {
        tr { th { "Simulator" } th { "Switch" } th { "Stands on" } th { "What is open" } }
        @for dialled in server.shared.faults.all() {
            tr {
                td { "fault " (dialled.number) }
                td colspan="2" { "struck " (dialled.struck) " of " (dialled.matched) }
                td { code { (serde_json::to_string(&dialled.fault).unwrap_or_default()) } }
            }
        }
        @for (simulator, switch, value) in server.shared.switches.all() {
            tr {
                td { (simulator) }
                td { code { (switch.name) } }
                td { @if value == switch.default { (value) } @else { b { (value) } } }
                td { (switch.about) }
            }
        }
    }
}

/// `10,000`.
pub(super) fn count(number: usize) -> String {
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
pub(super) fn counted(number: usize, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}
