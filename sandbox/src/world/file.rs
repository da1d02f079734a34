//! `world.yaml` and the files beside it.
//!
//! Owns: reading them, and what does not fit together.
//! Leaves to others: what stands in them (`kinds`, `world` of each product).
//! A newcomer gets wrong: a fault carries the line where it stands, also that of a file that is not there.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use include_dir::{Dir, include_dir};

use super::error::WorldError;
use super::kinds::World;
use super::part::Part;
use crate::pictures::Pictures;

/// The compiler does not see what `include_dir` reads; of these files it notices a change.
const _: [&[u8]; 2] = [
    include_bytes!("../../../fixtures/worlds/corporate/world.yaml"),
    include_bytes!("../../../fixtures/worlds/tiny/world.yaml"),
];
static BUNDLED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../fixtures/worlds");

impl World {
    /// A world that is part of the program.
    pub fn bundled(name: &str) -> Result<Self, WorldError> {
        let folder = BUNDLED.get_dir(name).filter(|_| !name.is_empty());
        let Some(folder) = folder else {
            return Err(WorldError::Unknown { name: name.to_owned(), known: Self::bundled_names().join(", ") });
        };
        let mut files = BTreeMap::new();
        collect_bundled(folder, folder.path(), &mut files);
        Self::from_files(name, &format!("fixtures/worlds/{name}"), files)
    }

    /// The names of the worlds that are part of the program.
    pub fn bundled_names() -> Vec<&'static str> {
        BUNDLED.dirs().filter_map(|d| d.path().to_str()).collect()
    }

    /// A world in a folder.
    pub fn from_dir(path: &Path) -> Result<Self, WorldError> {
        let mut files = BTreeMap::new();
        collect_folder(path, "", &mut files)?;
        let name = path.file_name().map_or_else(|| "world".into(), |n| n.to_string_lossy());
        Self::from_files(&name, &path.display().to_string(), files)
    }

    fn from_files(name: &str, origin: &str, mut files: BTreeMap<String, Bytes>) -> Result<Self, WorldError> {
        let path = format!("{origin}/world.yaml");
        let digest = digest_of(&files);
        let Some(text) = files.remove("world.yaml") else {
            return Err(WorldError::Read { path, source: std::io::ErrorKind::NotFound.into() });
        };
        let fail = |place: String, fault: String| WorldError::File { path: path.clone(), place, fault };
        let text = std::str::from_utf8(&text).map_err(|e| fail("1".into(), e.to_string()))?;
        let world: Self = serde_yaml::from_str(text).map_err(|e| {
            let place = e.location().map_or_else(|| "1".into(), |l| format!("{}:{}", l.line(), l.column()));
            fail(place, e.to_string())
        })?;
        let world = Self { name: name.to_owned(), digest, pictures: Pictures::new(files, None), ..world };
        world.check().map_err(|(line, fault)| fail(line.map_or_else(|| "1".into(), |l| l.to_string()), fault))?;
        Ok(world)
    }

    /// What does not fit together, with the line where it stands, if it stands in a file.
    pub(super) fn check(&self) -> Result<(), (Option<u64>, String)> {
        for file in self.parts().flat_map(Part::files) {
            if self.pictures.get(&file.name).is_none() {
                return Err((file.line, format!("no picture file {}; put it beside world.yaml", file.name)));
            }
        }
        self.parts().try_for_each(|part| part.check(&self.pictures)).map_err(|fault| (None, fault))
    }
}

pub(super) fn digest_of(files: &BTreeMap<String, Bytes>) -> String {
    let mut hasher = blake3::Hasher::new();
    for (name, bytes) in files {
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
        hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    }
    hasher.finalize().to_hex().to_string()
}

fn collect_bundled(folder: &Dir<'static>, root: &Path, into: &mut BTreeMap<String, Bytes>) {
    for file in folder.files() {
        if let Some(name) = file.path().strip_prefix(root).ok().and_then(Path::to_str) {
            into.insert(name.to_owned(), Bytes::from_static(file.contents()));
        }
    }
    folder.dirs().for_each(|inner| collect_bundled(inner, root, into));
}

fn collect_folder(folder: &Path, prefix: &str, into: &mut BTreeMap<String, Bytes>) -> Result<(), WorldError> {
    let fail = |path: &Path, source| WorldError::Read { path: path.display().to_string(), source };
    for entry in std::fs::read_dir(folder).map_err(|e| fail(folder, e))? {
        let entry = entry.map_err(|e| fail(folder, e))?;
        let path = entry.path();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if path.is_dir() {
            collect_folder(&path, &format!("{name}/"), into)?;
        } else {
            into.insert(name, std::fs::read(&path).map_err(|e| fail(&path, e))?.into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<World, WorldError> {
        let files = [("world.yaml", yaml), ("ada.jpg", "x")].map(|(n, t)| (n.to_owned(), Bytes::from(t.to_owned())));
        World::from_files("w", "w", files.into())
    }

    #[test]
    fn every_bundled_world_is_whole() {
        let names = World::bundled_names();
        assert!(names.contains(&"corporate") && names.contains(&"tiny"), "{names:?}");
        for name in names {
            let bundled = World::bundled(name).unwrap_or_else(|e| panic!("{e}"));
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/worlds").join(name);
            let read = World::from_dir(&folder).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(bundled.digest, read.digest, "{name} changed after the program was built: touch {}", file!());
        }
    }

    #[test]
    fn faults_of_a_world_carry_their_place() {
        let person = "entra:\n  - tenant: 8f3c0f9e-5f5b-4a38-9d53-0d1f6a0b7c11\n    domain: contoso.example\n    app: { client_id: 3b6c1d52-7e1f-4a0e-9a53-2c0f4d7f8e90, client_secret: s }\n    people:\n      - id: b1f0c5a2-0d6e-4a3b-8a51-6f2d9a7c1e01\n        name: Ada\n        upn: ada@contoso.example\n";
        for (yaml, place, says) in [
            ("about: x\nentro: []\n".to_owned(), "w/world.yaml:2:1:", "entro"),
            (
                format!("about: x\n{person}        photo: {{ file: eda.jpg }}\n"),
                "w/world.yaml:10:",
                "no picture file eda.jpg",
            ),
            (format!("about: x\n{person}        photo: {{ none: nix }}\n"), "w/world.yaml:10:", "nix"),
        ] {
            let error = read(&yaml).unwrap_err().to_string();
            assert!(error.starts_with(place) && error.contains(says), "{error}");
        }
        read(&format!("about: x\n{person}        photo: {{ file: ada.jpg }}\n")).unwrap();
    }

    #[test]
    fn the_example_of_the_fixtures_readme_is_read() {
        let readme = include_str!("../../../fixtures/README.md");
        let example = readme.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let world = read(&format!("about: x\n{example}")).unwrap();
        assert_eq!((world.faults.len(), world.switches["graph"]["page_size"].as_str()), (2, "20"));
    }

    #[test]
    fn an_unknown_world_is_told_what_there_is() {
        let error = World::bundled("corporat").unwrap_err().to_string();
        assert!(error.contains("corporate"), "{error}");
    }
}
