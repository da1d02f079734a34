//! `load`: where pictures go.
//!
//! Owns: what the kinds of target have in common, keys and all. Leaves to others: which there are (`kinds`), each kind's own keys (one
//! file a kind).
//! A newcomer gets wrong: `accounts` decides who is looked at, `ownership` whose pictures are replaced.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::credential::AtlassianCredential;
use super::declare::{taken, words};
use super::fault::{FileFault, Span};
use super::matching::Match;
use super::read::{At, List, Reader};
use super::scalar::*;
use super::settle::Settle;
use super::source::DeclaredNames;
use super::web::BaseUrl;
use crate::model::{Place, TargetId};
use crate::settings::{self, Matching, Ownership, Pattern, TargetKind};

/// A target: the keys of every one, with those of its kind before `ownership`, before `dry_run` and at the end.
macro_rules! target {
    ($(#[doc = $doc:literal])+ $name:ident = $word:literal $(one of $([$($together:ident),+]),+;)? { $($first:tt)+ } { $($own:tt)* } { $($last:tt)* } $reached:expr) => {
        $crate::pipeline::declare::element! {
            $(#[doc = $doc])+
            $name {
                /// The name of the element, unique among the targets.
                id: $crate::pipeline::scalar::Name = Else($word),
                $($first)+
                /// Whose pictures are replaced.
                ownership: $crate::settings::Ownership = Else("provider"),
                $($own)*
                /// `true`: the plan is made, and nothing is written there.
                dry_run: $crate::pipeline::scalar::Flag = Else("false"),
                /// `true`: every account keeps what it shows; nothing is planned, fetched for or written there.
                freeze: $crate::pipeline::scalar::Flag = Else("false"),
                $($last)*
            } $(one of $([$($together),+]),+)?
        }

        impl $crate::pipeline::target::TargetKeys for $name {
            fn shared(&self) -> $crate::pipeline::target::TargetCommon<'_> {
                let reached: fn(&Self) -> Option<$crate::pipeline::target::ServerKeys<'_>> = $reached;
                $crate::pipeline::target::TargetCommon {
                    kind: $word,
                    id: &self.id,
                    matching: &self.r#match,
                    accounts: &self.accounts,
                    ownership: &self.ownership,
                    dry_run: &self.dry_run,
                    freeze: &self.freeze,
                    reached: reached(self),
                }
            }
        }
    };
}

/// A target that is a server of Atlassian: the keys of every one, with those of its kind between `ownership` and `dry_run`.
macro_rules! server {
    ($(#[doc = $doc:literal])+ $name:ident = $word:literal {
        $(#[doc = $base_url:literal])+ base_url,
        $(#[doc = $match:literal])+ r#match,
        $($own:tt)*
    }) => {
        $crate::pipeline::target::target! {
            $(#[doc = $doc])+
            $name = $word {
                $(#[doc = $base_url])+
                base_url: $crate::pipeline::web::BaseUrl = Required,
                /// How the service account signs in.
                credential: $crate::pipeline::credential::AtlassianCredential = Required,
                $(#[doc = $match])+
                r#match: $crate::pipeline::matching::Match = Required,
                /// Which accounts are looked at.
                accounts: $crate::pipeline::target::Accounts = Else("{}"),
            } {
                $($own)*
            } {
                /// A write of which the end is not known is judged no sooner than this: a slow server may still be at it.
                quiet: $crate::pipeline::scalar::Time = Else("2m"),
                /// A name under `rates`.
                rate: $crate::pipeline::scalar::Name = Else("default"),
                /// A name under `http`.
                http: $crate::pipeline::scalar::Name = Else("default"),
            } |keys| Some($crate::pipeline::target::ServerKeys {
                login: Some($crate::pipeline::target::LoginKeys {
                    base_url: &keys.base_url,
                    credential: &keys.credential,
                }),
                quiet: &keys.quiet,
                rate: &keys.rate,
                http: &keys.http,
            })
        }
    };
}

pub(super) use {server, target};

/// The keys of every target.
pub(super) struct TargetCommon<'e> {
    /// The key that says the kind.
    pub(super) kind: &'static str,
    /// The name of the element; unique among the targets.
    pub(super) id: &'e At<Name>,
    /// Which account belongs to which person.
    pub(super) matching: &'e At<Match>,
    pub(super) accounts: &'e At<Accounts>,
    pub(super) ownership: &'e At<Ownership>,
    pub(super) dry_run: &'e At<Flag>,
    pub(super) freeze: &'e At<Flag>,
    /// `None`: nobody is asked over a network.
    pub(super) reached: Option<ServerKeys<'e>>,
}

/// The keys of every target that is reached over a network.
pub(super) struct ServerKeys<'e> {
    /// `None`: it is no server of Atlassian.
    pub(super) login: Option<LoginKeys<'e>>,
    pub(super) quiet: &'e At<Time>,
    pub(super) rate: &'e At<Name>,
    pub(super) http: &'e At<Name>,
}

/// The keys of every target that is a server of Atlassian.
pub(super) struct LoginKeys<'e> {
    pub(super) base_url: &'e At<BaseUrl>,
    pub(super) credential: &'e At<AtlassianCredential>,
}

/// What `target!` declares.
pub(super) trait TargetKeys {
    fn shared(&self) -> TargetCommon<'_>;
}

/// Where a server is, and how the service account signs in there.
pub(super) struct Address {
    pub(super) base_url: Url,
    pub(super) credential: settings::AtlassianCredential,
}

/// What every kind of target can do.
pub(super) trait TargetSettings: TargetKeys {
    /// The server that its pictures go to, where that is known: its address in one spelling, and where it stands.
    fn server(&self) -> Option<(String, &Span)> {
        let TargetCommon { kind, reached, .. } = self.shared();
        let at = reached?.login?.base_url;
        // `Url` has folded the host and dropped the usual port already.
        let url = at.get()?.0.as_str().trim_end_matches('/');
        Some((format!("{kind} at {url}"), &at.span))
    }

    /// The folder that it writes to, where that is known: in one spelling, and where it stands.
    fn folder(&self) -> Option<(PathBuf, &Span)> {
        None
    }

    /// Which account belongs to which person.
    fn matching(&self, reader: &mut Reader<'_>) -> Option<Matching> {
        Match::settle(self.shared().matching, reader)
    }

    /// Judges the keys of the kind. `address` is that of a server, if all of it is known.
    fn product(&self, reader: &mut Reader<'_>, address: Option<Address>) -> Option<TargetKind>;

    /// Judges what stands there and looks everything up.
    fn settle(&self, reader: &mut Reader<'_>, names: &DeclaredNames, place: Place) -> Option<settings::Target> {
        let shared = self.shared();
        // Everything is judged before anything is asked for, so that no fault hides another.
        let matching = self.matching(reader);
        let login = shared.reached.as_ref().and_then(|reached| reached.login.as_ref());
        let address = login.and_then(|login| login.address(reader));
        let rate = names.rate(reader, shared.reached.as_ref().map(|reached| reached.rate));
        let http = names.http(reader, shared.reached.as_ref().map(|reached| reached.http));
        let kind = self.product(reader, address);
        Some(settings::Target {
            id: TargetId::new(shared.id.get()?.0.clone()),
            place,
            matching: matching?,
            accounts: Accounts::settle(shared.accounts, reader)?,
            ownership: shared.ownership.placed(|word| Some(*word))?,
            dry_run: shared.dry_run.placed(|flag| Some(flag.0))?,
            freeze: shared.freeze.placed(|flag| Some(flag.0))?,
            rate: rate?,
            http: http?,
            quiet: match shared.reached {
                Some(reached) => reached.quiet.get()?.0,
                // What a rename did can be seen at once.
                None => Duration::ZERO,
            },
            kind: kind?,
        })
    }
}

impl LoginKeys<'_> {
    fn address(&self, reader: &mut Reader<'_>) -> Option<Address> {
        let credential = AtlassianCredential::settle(self.credential, reader);
        let base_url = self.base_url.get();
        if let Some(url) = base_url {
            url.refuse_clear(reader, &self.base_url.span);
        }
        Some(Address { base_url: base_url?.0.clone(), credential: credential? })
    }
}

settings::accounts!(taken);

impl Accounts {
    /// For a target that has none: a group that is passed over would write to whoever was to be left alone.
    pub(super) fn refuse_groups(&self, reader: &mut Reader<'_>) {
        let named = self.groups.get().into_iter().flat_map(|list| &list.0).filter(|group| group.get().is_some());
        for span in named.map(|group| group.span.clone()) {
            let fault = FileFault::new(span, "a folder has no groups");
            reader.fault(
                fault.help("write patterns over its names under `exclude`, or `groups` of the source's `users`"),
            );
        }
    }
}

words! {
    /// Whose pictures are replaced.
    Ownership {
        /// Any picture.
        "provider" => Provider,
        /// Only the default and pictures of ours; what people chose themselves stays.
        "ours" => Ours,
    }
}
