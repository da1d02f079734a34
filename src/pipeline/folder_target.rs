//! `load: - folder`: a static copy of the pictures.
//!
//! Owns: the keys. Leaves to others: writing files (`load`).
//! A newcomer gets wrong: files that avatarpipe did not write are never removed (write-protocols, Folder).

use std::time::Duration;

use super::declare::element;
use super::matching::Match;
use super::read::{At, Reader};
use super::resolved::{self, TargetKind};
use super::scalar::{FilePath, Flag, Name};
use super::source::Names;
use super::target::{Accounts, Ownership, TargetSettings};
use crate::model::{Place, TargetId};

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

impl TargetSettings for FolderTarget {
    fn id(&self) -> &At<Name> {
        &self.id
    }

    fn settle(&self, reader: &mut Reader<'_>, _: &Names, place: Place) -> Option<resolved::Target> {
        let matching = Match::settle(&self.r#match, reader);
        Some(resolved::Target {
            id: TargetId::new(self.id.get()?.0.clone()),
            place,
            matching: matching?,
            accounts: self.accounts.get()?.settle()?,
            ownership: self.ownership.get()?.0,
            ownership_place: self.ownership.place.clone(),
            dry_run: self.dry_run.get()?.0,
            dry_run_place: self.dry_run.place.clone(),
            rate: "default".to_owned(),
            http: "default".to_owned(),
            // What a rename did can be seen at once.
            quiet: Duration::ZERO,
            kind: TargetKind::Folder(resolved::FolderTarget { path: self.path.get()?.0.clone() }),
        })
    }
}
