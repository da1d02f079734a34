//! Files and folders that only their owner may read.
//!
//! Owns: mode, place and moment of what a run writes for people: 0600 whatever the umask, written beside and renamed,
//! through no link. Leaves to others: what stands in them.
//! A newcomer gets wrong: an existing file keeps neither its mode nor its bytes; a reader sees the old one or the new one.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Writes a file whole or not at all.
pub(crate) fn write_private(path: &Path, write: impl FnOnce(&mut fs::File) -> io::Result<()>) -> io::Result<()> {
    refuse_what_is_no_file(path)?;
    let mut file = beside(path)?;
    write(file.as_file_mut())?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Tries whether [`write_private`] can work, and leaves nothing behind.
pub(crate) fn try_private(path: &Path) -> io::Result<()> {
    refuse_what_is_no_file(path)?;
    beside(path)?.close()
}

fn beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mode = fs::Permissions::from_mode(0o600);
    tempfile::Builder::new().prefix(".avatarpipe-").permissions(mode).tempfile_in(folder)
}

/// A rename would put a file in the place of a device or a pipe that somebody reads from.
fn refuse_what_is_no_file(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_file() || there.is_symlink() => Ok(()),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is something that is no file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes a folder that only its owner may enter; a link in its place is refused.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    if !fs::symlink_metadata(path)?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "it is a link or a file, and no folder"));
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

/// Makes a folder for what a command writes for people, and those above it, for their owner alone. One that is there may be
/// anything, such as the working folder: it stays as it is.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Removes what earlier versions kept beside the state and this one keeps in the cache: pictures, names and addresses.
pub(super) fn remove_former(state: &Path) -> io::Result<()> {
    let facts = state.with_extension("facts.db");
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = facts.clone().into_os_string();
        name.push(suffix);
        absent(fs::remove_file(PathBuf::from(name)))?;
    }
    remove_folder(&state.with_extension("spool"))
}

/// Removes a folder that may not be there. Through a link somebody else's files would go.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => absent(fs::remove_dir_all(path)),
        _ => Ok(()),
    }
}

/// What was to go may be gone already.
pub(super) fn absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_whole_private_and_never_written_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("run.json"), folder.path().join("other"));
        fs::write(&other, "somebody's").unwrap();
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let write = |text: &'static str| move |file: &mut fs::File| file.write_all(text.as_bytes());
        let failed = write_private(&path, |file| file.write_all(b"half").and(Err(io::Error::other("full"))));
        assert!(failed.is_err());
        assert_eq!(
            (fs::read_to_string(&path).unwrap(), fs::read_dir(folder.path()).unwrap().count()),
            ("old".into(), 2)
        );
        write_private(&path, write("new")).unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap(), mode(&path)), ("new".into(), 0o600));
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        try_private(&path).unwrap();
        write_private(&path, write("new")).unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "somebody's");
        assert!(!fs::symlink_metadata(&path).unwrap().is_symlink());
        assert!(write_private(folder.path(), write("x")).is_err(), "a folder in its place");
        assert!(try_private(&folder.path().join("nowhere/run.json")).is_err());
    }

    #[test]
    fn a_folder_is_private_and_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("x.cache"), folder.path().join("other"));
        fs::create_dir(&other).unwrap();
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        private_folder(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        make_folder(&path.join("a/report")).unwrap();
        assert_eq!((mode(&path), mode(&path.join("a")), mode(&path.join("a/report"))), (0o755, 0o700, 0o700));
        fs::remove_dir_all(&path).unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(private_folder(&path).is_err());
    }

    #[test]
    fn what_earlier_versions_left_is_removed_and_a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (state, other) = (folder.path().join("x.db"), folder.path().join("other"));
        fs::create_dir(&other).unwrap();
        fs::write(other.join("keep"), "somebody's").unwrap();
        for name in ["x.db", "x.facts.db", "x.facts.db-wal"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        fs::create_dir(folder.path().join("x.spool")).unwrap();
        fs::write(folder.path().join("x.spool/face"), "x").unwrap();
        remove_former(&state).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["other", "x.db"]);
        std::os::unix::fs::symlink(&other, folder.path().join("x.spool")).unwrap();
        remove_former(&state).unwrap();
        assert!(other.join("keep").exists());
    }
}
