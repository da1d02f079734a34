//! `extract: - folder`: people and pictures that lie on a disk.
//!
//! Owns: the keys. Leaves to others: reading the folder (`extract`).
//! A newcomer gets wrong: the path counts from the working directory, not from the pipeline file.

use super::declare::element;
use super::read::{At, Reader};
use super::scalar::{FilePath, Flag, Name};
use super::source::{Names, SourceSettings, Users};
use crate::model::{Place, SourceId};
use crate::settings::{self, Provider, SourceKind};

element! {
    /// A folder with `people.csv` and pictures.
    FolderSource {
        /// The name of the element, unique among the sources.
        id: Name = Else("folder"),
        /// `false`: its people are left alone, pictures of earlier runs included.
        enabled: Flag = Else("true"),
        /// The folder.
        path: FilePath = Required,
        /// Who is in scope.
        users: Users = Else("{}"),
    }
}

impl SourceSettings for FolderSource {
    fn id(&self) -> &At<Name> {
        &self.id
    }

    fn enabled(&self) -> &At<Flag> {
        &self.enabled
    }

    fn settle(&self, reader: &mut Reader<'_>, _: &Names, place: Place) -> Option<settings::Source> {
        let users = self.users.get().and_then(|users| {
            users.refuse_groups(reader, "a folder has no groups");
            users.refuse_types(reader, "a folder knows no kinds of user");
            users.settle(reader)
        });
        Some(settings::Source {
            id: SourceId::new(self.id.get()?.0.clone()),
            place,
            rate: "default".to_owned(),
            http: "default".to_owned(),
            provider: Some(Provider {
                users: users?,
                kind: SourceKind::Folder(settings::FolderSource { path: self.path.get()?.0.clone() }),
            }),
        })
    }
}
