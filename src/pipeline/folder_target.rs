//! `load: - folder`: a static copy of the pictures.
//!
//! Owns: the keys. Leaves to others: writing files (`load`).
//! A newcomer gets wrong: files that avatarpipe did not write are never removed (docs/write-protocols.md, "Folder").

use std::path::{Component, PathBuf};
use std::time::Duration;

use super::declare::element;
use super::fault::{Fault, Span};
use super::matching::Match;
use super::read::{At, Reader};
use super::scalar::{FilePath, Flag, Name};
use super::source::Names;
use super::target::{Accounts, Ownership, TargetSettings};
use crate::model::{Place, TargetId};
use crate::settings::{self, TargetKind};

element! {
    /// A folder that takes `NAME.png` and `index.json`.
    FolderTarget {
        /// The name of the element, unique among the targets.
        id: Name = Else("folder"),
        /// The folder.
        path: FilePath = Required,
        /// Which name belongs to which person. The default is how the names are made.
        r#match: Match = Else("[{ person: email_local, account: username }, { person: upn_local, account: username }]"),
        /// Which names are looked at.
        accounts: Accounts = Else("{}"),
        /// Whose pictures are replaced.
        ownership: Ownership = Else("provider"),
        /// `true`: the plan is made, and nothing is written there.
        dry_run: Flag = Else("false"),
    }
}

impl FolderTarget {
    /// What is accepted and does nothing is a promise that is not kept.
    fn refuse_what_a_folder_has_not(&self, reader: &mut Reader<'_>) {
        if let Some(accounts) = self.accounts.get() {
            accounts.refuse_groups(reader);
            if accounts.active.written && accounts.active.get().is_some() {
                let fault = Fault::new(accounts.active.span.clone(), "a folder has no disabled accounts");
                reader.fault(fault.help("leave `active` out; `users` of the source says who is in scope"));
            }
        }
        for span in self.r#match.get().map(Match::by_key).unwrap_or_default() {
            let fault = Fault::new(span, "the files of a folder have names and no keys");
            reader.fault(fault.help("write `account: username`: the file is named after what `person` says"));
        }
    }
}

impl TargetSettings for FolderTarget {
    fn id(&self) -> &At<Name> {
        &self.id
    }

    /// By its text; what links make of it is known when the pipeline runs (`run::folders`).
    fn server(&self) -> Option<(String, &Span)> {
        let mut plain = PathBuf::new();
        for part in self.path.get()?.0.components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                    _ = plain.pop();
                }
                part => plain.push(part),
            }
        }
        Some((format!("the folder {}", plain.display()), &self.path.span))
    }

    fn matching(&self) -> &At<Match> {
        &self.r#match
    }

    fn settle(&self, reader: &mut Reader<'_>, _: &Names, place: Place) -> Option<settings::Target> {
        let matching = Match::settle(&self.r#match, reader);
        self.refuse_what_a_folder_has_not(reader);
        Some(settings::Target {
            id: TargetId::new(self.id.get()?.0.clone()),
            place,
            matching: matching?,
            accounts: self.accounts.get()?.settle()?,
            ownership: self.ownership.placed(|word| Some(word.0))?,
            dry_run: self.dry_run.placed(|flag| Some(flag.0))?,
            rate: "default".to_owned(),
            http: "default".to_owned(),
            // What a rename did can be seen at once.
            quiet: Duration::ZERO,
            kind: TargetKind::Folder(settings::FolderTarget { path: self.path.get()?.0.clone() }),
        })
    }
}
