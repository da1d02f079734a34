//! `load: - folder`: a static copy of the pictures.
//!
//! Owns: the keys that it has alone, and what a folder has not. Leaves to others: the keys of every target (`target`),
//! writing files (`load`).
//! A newcomer gets wrong: files that avatarpipe did not write are never removed (docs/write-protocols.md, "Folder").

use std::path::PathBuf;

use crate::pipeline::fault::{FileFault, Span};
use crate::pipeline::matching::Match;
use crate::pipeline::read::Reader;
use crate::pipeline::scalar::FilePath;
use crate::pipeline::target::{Accounts, Address, TargetSettings, target};
use crate::settings::{self, TargetKind};

target! {
    /// A folder that takes `NAME.png` and `index.json`.
    FolderTarget = "folder" {
        /// The folder.
        path: FilePath = Required,
        /// Which name belongs to which person. The default is how the names are made.
        r#match: Match = Else("[{ person: email_local, account: username }, { person: upn_local, account: username }]"),
        /// Which names are looked at.
        accounts: Accounts = Else("{}"),
    } {} {} |_| None
}

impl FolderTarget {
    /// What is accepted and does nothing is a promise that is not kept.
    fn refuse_what_a_folder_has_not(&self, reader: &mut Reader<'_>) {
        if let Some(accounts) = self.accounts.get() {
            accounts.refuse_groups(reader);
            if accounts.active.written && accounts.active.get().is_some() {
                let fault = FileFault::new(accounts.active.span.clone(), "a folder has no disabled accounts");
                reader.fault(fault.help("leave `active` out; `users` of the source says who is in scope"));
            }
        }
        for span in self.r#match.get().map(Match::by_key).unwrap_or_default() {
            let fault = FileFault::new(span, "the files of a folder have names and no keys");
            reader.fault(fault.help("write `account: username`: the file is named after what `person` says"));
        }
    }
}

impl TargetSettings for FolderTarget {
    /// By its text; what links make of it is known when the pipeline runs (`run::folders`).
    fn server(&self) -> Option<(String, &Span)> {
        let (plain, span) = self.folder()?;
        Some((format!("the folder {}", plain.display()), span))
    }

    fn folder(&self) -> Option<(PathBuf, &Span)> {
        Some((self.path.get()?.plain(), &self.path.span))
    }

    fn product(&self, reader: &mut Reader<'_>, _: Option<Address>) -> Option<TargetKind> {
        self.refuse_what_a_folder_has_not(reader);
        Some(TargetKind::Folder(settings::FolderTarget { path: self.path.get()?.0.clone() }))
    }
}
