//! `load`: where pictures go.
//!
//! Owns: what the kinds of target have in common. Leaves to others: which there are (`kinds`), each kind's own keys (one
//! file a kind).
//! A newcomer gets wrong: `accounts` decides who is looked at, `ownership` whose pictures are replaced.

use super::declare::{element, words};
use super::fault::{Fault, Span};
use super::matching::Match;
use super::read::{At, List, Reader};
use super::scalar::{Flag, Name, Percent, Word};
use super::source::{Names, texts};
use super::web::BaseUrl;
use crate::model::Place;
use crate::settings;

/// What every kind of target can do.
pub(super) trait TargetSettings {
    /// The name of the element; unique among the targets.
    fn id(&self) -> &At<Name>;

    /// The server that its pictures go to, where that is known: its address in one spelling, and where it stands.
    fn server(&self) -> Option<(String, &Span)> {
        None
    }

    /// Which account belongs to which person.
    fn matching(&self) -> &At<Match>;

    /// Judges what stands there and looks everything up.
    fn settle(&self, reader: &mut Reader<'_>, names: &Names, place: Place) -> Option<settings::Target>;
}

/// What [`TargetSettings::server`] says of an address.
pub(super) fn server_at<'a>(kind: &str, base_url: &'a At<BaseUrl>) -> Option<(String, &'a Span)> {
    // `Url` has folded the host and dropped the usual port already.
    let url = base_url.get()?.0.as_str().trim_end_matches('/');
    Some((format!("{kind} at {url}"), &base_url.span))
}

element! {
    /// Which accounts are looked at.
    Accounts {
        /// Disabled accounts are left alone.
        active: Flag = Else("true"),
        /// Members of these groups of the target. Empty: everybody.
        groups: List<Word> = Else("[]"),
        /// Names of accounts that are left alone.
        exclude: List<Word> = Else("[]"),
        /// The share of the accounts that takes part; always the same ones, and more of them as it grows.
        rollout: Percent = Else("100%"),
    }
}

impl Accounts {
    /// For a target that has none: a group that is passed over would write to whoever was to be left alone.
    pub(super) fn refuse_groups(&self, reader: &mut Reader<'_>) {
        let named = self.groups.get().into_iter().flat_map(|list| &list.0).filter(|group| group.get().is_some());
        for span in named.map(|group| group.span.clone()) {
            let fault = Fault::new(span, "a folder has no groups");
            reader.fault(
                fault.help("write patterns over its names under `exclude`, or `groups` of the source's `users`"),
            );
        }
    }

    pub(super) fn settle(&self) -> Option<settings::Accounts> {
        Some(settings::Accounts {
            active: self.active.placed(|flag| Some(flag.0))?,
            groups: self.groups.placed(texts)?,
            exclude: self.exclude.placed(texts)?,
            rollout: self.rollout.placed(|share| Some(share.0))?,
        })
    }
}

words! {
    /// Whose pictures are replaced.
    Ownership = settings::Ownership {
        /// Any picture.
        "provider" => Provider,
        /// Only the default and pictures of ours; what people chose themselves stays.
        "ours" => Ours,
    }
}
