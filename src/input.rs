//! Files that others put there or name: opened without waiting for anybody, and read up to a limit.
//!
//! Owns: what counts as a file. Leaves to others: what stands in it, and the words around a failure.
//! A newcomer gets wrong: opening a pipe waits until somebody writes to it, for ever if nobody does; and opening a device
//! may do something. So what is no file is not opened, and a pipe that takes the file's place meanwhile does not wait.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Opens a file for reading. A link to one is one.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    is_file(&std::fs::metadata(path)?)?;
    opened(path, 0)
}

/// Opens a file for reading that must stand there itself: a link is none.
pub(crate) fn open_itself(path: &Path) -> io::Result<File> {
    is_file(&std::fs::symlink_metadata(path)?)?;
    opened(path, libc::O_NOFOLLOW)
}

fn opened(path: &Path, flags: i32) -> io::Result<File> {
    let flags = flags | libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    is_file(&file.metadata()?)?;
    Ok(file)
}

/// Opens a file to write at its end; one that is not there is made.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        found => is_file(&found?)?,
    }
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = OpenOptions::new().append(true).create(true).custom_flags(flags).open(path)?;
    is_file(&file.metadata()?)?;
    Ok(file)
}

/// The bytes of a file that has at most so many.
pub(crate) fn bytes(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    up_to(open(path)?, largest)
}

/// The text of a file that has at most so many bytes.
pub(crate) fn text(path: &Path, largest: u64) -> io::Result<String> {
    let bytes = bytes(path, largest)?;
    let utf_16 = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]);
    let found = if utf_16 { "it is UTF-16: save it as UTF-8" } else { "it is not UTF-8 text: save it as UTF-8" };
    String::from_utf8(bytes).map_err(|_| io::Error::new(ErrorKind::InvalidData, found))
}

/// What is left of an open file, if that is at most so many bytes.
pub(crate) fn up_to(file: File, largest: u64) -> io::Result<Vec<u8>> {
    // In one piece, where the file is as large as it says.
    let room = file.metadata()?.len().min(largest);
    let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or_default() + 1);
    // One byte more than allowed tells a file that is too large, also one that grows while it is read.
    file.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("it is larger than {} MiB", largest >> 20)));
    }
    Ok(bytes)
}

/// What to do about a failure that is this machine's own, a permission or a disk: no server refused anything, and no file is
/// missing. `None`: it is another.
pub(crate) fn of_this_machine(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        ErrorKind::PermissionDenied => {
            "the user that this program runs as may not do that: change the owner or the mode"
        }
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only: mount it for writing, or name another place",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "the disk is full, or the quota is used up: make room",
        _ => return None,
    })
}

fn is_file(metadata: &std::fs::Metadata) -> io::Result<()> {
    let kind = metadata.file_type();
    let found = match kind {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_dir() => "a folder",
        kind if kind.is_symlink() => "a link",
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    };
    Err(io::Error::new(ErrorKind::InvalidInput, format!("it is {found}, and no file")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn what_is_no_file_is_said_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        std::os::unix::fs::symlink(path("pipe"), path("link")).unwrap();
        for (name, found) in [
            ("pipe", "a pipe"),
            ("link", "a pipe"),
            ("socket", "a socket"),
            ("", "a folder"),
            ("/dev/null", "a device"),
        ] {
            let error = bytes(&path(name), 9).unwrap_err();
            assert_eq!(error.to_string(), format!("it is {found}, and no file"), "{name}");
            assert_eq!(append(&path(name)).unwrap_err().to_string(), error.to_string(), "{name}");
        }
        for _ in 0..2 {
            std::io::Write::write_all(&mut append(&path("page")).unwrap(), b"ab").unwrap();
        }
        assert_eq!(bytes(&path("page"), 4).unwrap(), b"abab");
        assert_eq!(open(&path("none")).unwrap_err().kind(), ErrorKind::NotFound);
        // A pipe that came between looking and opening.
        assert!(opened(&path("pipe"), 0).unwrap_err().to_string().contains("a pipe"));
    }

    #[test]
    fn a_link_is_no_file_itself() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, "text").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(bytes(&link, 4).unwrap(), b"text");
        assert!(bytes(&link, 3).unwrap_err().to_string().contains("larger than"));
        assert!(open_itself(&file).is_ok());
        assert!(open_itself(&link).unwrap_err().to_string().contains("a link"));
        assert!(opened(&link, libc::O_NOFOLLOW).is_err());
    }

    #[test]
    fn text_is_utf_8() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (bytes, found) in [(&b"\xFF\xFEa\0"[..], "UTF-16"), (b"Ad\xE4", "not UTF-8")] {
            std::fs::write(&path, bytes).unwrap();
            assert!(text(&path, 9).unwrap_err().to_string().contains(found));
        }
    }
}
