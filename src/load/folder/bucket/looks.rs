//! Looking at what was put: at what a listing speaks against, and at one in so many against which nothing speaks.
//!
//! Owns: what is read, and what the bytes say. Leaves to others: why something is looked at (`kept.rs`), what becomes of what is
//! spoilt (`shared.rs`).
//! A newcomer gets wrong: a store that gives out other bytes under the right mark is seen by a sample alone. So where one is
//! wrong, nothing that this run put there is believed without a look.

use std::collections::{BTreeMap, BTreeSet};

use super::kept::Doubt;
use super::shared::BucketConnection;
use crate::http::Failure;
use crate::model::PictureRef;

/// What was put, against what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// These very bytes; whether their `ETag` is no MD5 of them, though it may be one.
    Right {
        odd_tag: bool,
    },
    Wrong,
    /// Somebody put another picture there since, which the next listing sees.
    Another,
}

impl BucketConnection {
    /// Looks at what is doubted; the accounts whose objects are spoilt. `stands`: what the listing saw.
    pub(super) async fn look_at(
        &self,
        doubted: &[(String, Doubt)],
        stands: &BTreeMap<String, PictureRef>,
    ) -> Result<BTreeSet<String>, Failure> {
        let of = |doubt| doubted.iter().filter(move |(_, why)| *why == doubt).map(|(account, _)| account.clone());
        let (mut spoilt, mut right, mut tags_tell) = (BTreeSet::new(), BTreeSet::new(), true);
        for account in of(Doubt::Sample) {
            match self.look_at_one(&account).await {
                Ok(Look::Right { odd_tag }) => {
                    tags_tell &= !odd_tag;
                    right.insert(account);
                }
                Ok(Look::Wrong) => _ = spoilt.insert(account),
                Ok(Look::Another) => {}
                // It was written all the same, and nothing speaks against it.
                Err(failure) => tracing::warn!("a picture that was put could not be read for comparing: {failure}"),
            }
        }
        let is_wide = !spoilt.is_empty();
        let rest: Vec<_> = match is_wide {
            true => self
                .sent_as(stands)
                .into_iter()
                .filter(|account| !spoilt.contains(account) && !right.contains(account))
                .collect(),
            false => of(Doubt::Length).chain(of(Doubt::Tag).filter(|_| tags_tell)).collect(),
        };
        for account in rest {
            match self.look_at_one(&account).await? {
                Look::Wrong => _ = spoilt.insert(account),
                // In this bucket it tells nothing: an encrypted object has another one, for instance. Lengths come first.
                Look::Right { odd_tag: true } if !is_wide => break,
                Look::Right { .. } | Look::Another => {}
            }
        }
        Ok(spoilt)
    }

    async fn look_at_one(&self, account: &str) -> Result<Look, Failure> {
        let there = self.read(account).await?;
        Ok(match self.was_sent(account).zip(there) {
            Some((sent, (bytes, mark))) if sent.mark == mark => match sent.is(&bytes) {
                true => Look::Right { odd_tag: sent.has_odd_tag() },
                false => Look::Wrong,
            },
            _ => Look::Another,
        })
    }
}
