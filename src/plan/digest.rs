//! The digest by which a reviewed plan is recognised (design §3, plan).
//!
//! Owns: what goes into it, in which order. Leaves to others: saving plans (`cli`), comparing them (`run`).
//! A newcomer gets wrong: reasons and places are not in it; a comment added to the file does not make a plan stale.

use crate::model::{Decision, Digest};

/// The digest over (target, account, change, from, to) of all changes, in the order given.
pub fn plan_digest<'a>(changes: impl IntoIterator<Item = &'a Decision>) -> Digest {
    let mut text = String::new();
    for decision in changes {
        for part in [
            decision.target.as_str(),
            decision.account.as_str(),
            decision.verdict.word(),
            &decision.from.label(),
            &decision.to,
        ] {
            // Lengths before the parts: no two different lists give the same text.
            text.push_str(&format!("{}:{part};", part.len()));
        }
        text.push('\n');
    }
    Digest::of(text.as_bytes())
}
