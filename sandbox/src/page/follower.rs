//! Telling pages that are open what changed, and nothing else.
//!
//! Owns: holding what is against what was told. Leaves to others: what stands in a row (`row`), waiting (`routes`).
//! A newcomer gets wrong: the number of changes is read before the truth is: what changes in between is told twice, and
//! never missed.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use super::head::of_the_truth;
use super::row::line;
use super::rows::rows;
use super::told::{Told, ToldLine};
use crate::server_state::ServerState;

/// The page as it is now.
pub(super) fn told(server: &ServerState) -> MutexGuard<'_, Told> {
    let mut told = server.told.lock().unwrap_or_else(PoisonError::into_inner);
    let changes = server.shared.changes();
    if told.changes != Some(changes) {
        told.changes = Some(changes);
        tell(&mut told, server);
    }
    told
}

/// Whether a page that was told so much has something to hear at once.
pub(super) fn is_behind(server: &ServerState, at: &str) -> bool {
    let told = server.told.lock().unwrap_or_else(PoisonError::into_inner);
    told.changes != Some(server.shared.changes()) || told.at() != at
}

fn tell(told: &mut Told, server: &ServerState) {
    let truth = server.truth();
    server.pictures.fill(&truth);
    let has_accounts = |name: &str| truth.accounts.iter().any(|account| account.simulator == name);
    let products = server.simulators.iter().filter(|simulator| has_accounts(simulator.name()));
    told.products = products.map(|simulator| (simulator.name().to_owned(), simulator.title())).collect();
    let products: Vec<&str> = told.products.iter().map(|(name, _)| name.as_str()).collect();

    told.version += 1;
    let mut known: HashMap<String, ToldLine> = told.lines.drain(..).map(|line| (line.key.clone(), line)).collect();
    // Another sandbox may have had the same rows on the same port.
    let mut edition = blake3::Hasher::new();
    edition.update(server.edition.as_bytes());
    told.marks.clear();
    for row in rows(&truth, &products) {
        let fresh = line(&row, &products, &server.pictures);
        edition.update(fresh.key.as_bytes());
        for mark in fresh.marks {
            *told.marks.entry(mark).or_default() += 1;
        }
        let before = known.remove(&fresh.key).filter(|before| before.html == fresh.html);
        let since = before.map_or(told.version, |before| before.since);
        let is_of_a_person = !row.people.is_empty();
        told.lines.push(ToldLine { key: fresh.key, is_of_a_person, html: fresh.html, since });
    }
    told.edition = edition.finalize().to_hex()[..16].to_owned();
    told.accounts = truth.accounts.len();
    told.pieces = of_the_truth(server, &truth).into_iter().map(|(name, piece)| (name, piece.into_string())).collect();
    let named = truth.accounts.iter().map(|a| ((a.simulator.clone(), a.key.clone()), a.display_name.clone()));
    told.names = named.collect();
}
