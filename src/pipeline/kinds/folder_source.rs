//! `extract: - folder`: people and pictures that lie on a disk.
//!
//! Owns: the keys that it has alone. Leaves to others: those of every source (`source`), reading the folder (`extract`).
//! A newcomer gets wrong: the path counts from the working directory, not from the pipeline file.

use std::path::PathBuf;

use crate::pipeline::fault::Span;
use crate::pipeline::read::Reader;
use crate::pipeline::scalar::FilePath;
use crate::pipeline::source::{SourceSettings, Users, source};
use crate::settings::{self, Provider, SourceKind};

source! {
    /// A folder with `people.csv` and pictures.
    FolderSource = "folder" {
        /// The folder.
        path: FilePath = Required,
        /// Who is in scope.
        users: Users = Else("{}"),
    }
}

impl SourceSettings for FolderSource {
    fn folder(&self) -> Option<(PathBuf, &Span)> {
        Some((self.path.get()?.plain(), &self.path.span))
    }

    fn provider(&self, reader: &mut Reader<'_>) -> Option<Provider> {
        let users = self.users.get().and_then(|users| {
            users.refuse_groups(reader, "a folder has no groups");
            users.refuse_types(reader, "a folder knows no kinds of user");
            users.settle(reader)
        });
        let kind = SourceKind::Folder(settings::FolderSource { path: self.path.get()?.0.clone() });
        Some(Provider { users: users?, kind })
    }
}
