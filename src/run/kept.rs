//! Pictures that runs replaced, kept for undoing those runs: encrypted, beside the state, for as long as the file says
//! (docs/decisions/state.md, "Replaced pictures").
//!
//! Owns: the folder `NAME.kept/`, the form of its files, and when they go.
//! Leaves to others: which pictures are kept (`apply`), which come back (`undo_planner`).
//! A newcomer gets wrong: the key is a secret of the pipeline file, and nothing that lies here or in the state can open a
//! file. Since when one is kept stands at its head in clear, so that what is too old goes without the key.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use bytes::Bytes;

use super::private::{absent, private_folder, write_private};
use crate::input;
use crate::model::{AccountId, Rendition, RunId, StateKey, TargetId};
use crate::settings::KeepReplaced;
use crate::transform::{self, DecodeLimits};

/// What every file begins with; then follow eight bytes of Unix seconds, the nonce and what is encrypted.
const MAGIC: &[u8; 8] = b"AVPkept1";
const HEAD: usize = MAGIC.len() + 8;
/// How far the clocks of two runners may lie apart, in seconds.
const CLOCKS_DIFFER: u64 = 86_400;
/// No product takes a picture of this size.
const LARGEST: u64 = 64 << 20;
/// What the key of the file is turned into a key of this use by.
const USE: &str = "avatarpipe 2026-11 state.keep_replaced AES-256-GCM";
/// Of the digest of a run's id in the name of a file.
const RUN_DIGITS: usize = 16;

/// The folder, and what opens its files.
pub struct Kept {
    folder: PathBuf,
    names: StateKey,
    how: KeepReplaced,
    cipher: RandomizedNonceKey,
}

/// What there is of an account and a run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// As it was kept.
    Picture(Rendition),
    /// Another key has encrypted it, it is damaged, or it cannot be read.
    Locked,
    /// It lies there, but for longer than the file has it kept: until then, in Unix seconds.
    Over(u64),
    /// Nothing, or nothing any more.
    Nothing,
}

impl Kept {
    /// Beside a state whose key hides whose picture a file is.
    pub fn beside(state: &Path, names: StateKey, how: KeepReplaced) -> io::Result<Self> {
        let key = blake3::derive_key(USE, how.key.expose().as_bytes());
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(io::Error::other)?;
        Ok(Self { folder: folder(state), names, how, cipher })
    }

    /// Keeps what an account shows before a run's first write to it; of a later one nothing is kept.
    pub(super) fn put(
        &self,
        target: &TargetId,
        account: &AccountId,
        run: &RunId,
        picture: &[u8],
        now: u64,
    ) -> io::Result<()> {
        private_folder(&self.folder)?;
        let path = self.path(target, account, run);
        if path.exists() {
            return Ok(());
        }
        let head = [MAGIC.as_slice(), &now.to_be_bytes()].concat();
        let mut sealed = picture.to_vec();
        let nonce = self
            .cipher
            .seal_in_place_append_tag(Aad::from(self.bound_to(&head, target, account, run)), &mut sealed)
            .map_err(io::Error::other)?;
        write_private(&path, |file| {
            file.write_all(&head)?;
            file.write_all(nonce.as_ref())?;
            file.write_all(&sealed)
        })
    }

    /// What was kept, unless it is too old by now.
    pub(super) fn get(&self, target: &TargetId, account: &AccountId, run: &RunId, now: u64) -> Found {
        match fs::symlink_metadata(&self.folder) {
            Ok(there) if there.is_dir() => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Nothing,
            // A link, or what nobody may look at: what lies there is not known.
            _ => return Found::Locked,
        }
        let read = input::open_itself(&self.path(target, account, run)).and_then(|file| input::up_to(file, LARGEST));
        let mut bytes = match read {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Nothing,
            Err(_) => return Found::Locked,
        };
        let Some((head, rest)) = bytes.split_at_mut_checked(HEAD) else { return Found::Locked };
        match since(head) {
            None => return Found::Locked,
            Some(since) if is_over(since, &self.how, now) => return Found::Over(self.until(since)),
            Some(_) => {}
        }
        let bound_to = self.bound_to(head, target, account, run);
        let opened = rest.split_at_mut_checked(NONCE_LEN).and_then(|(nonce, sealed)| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let picture = self.cipher.open_in_place(nonce, Aad::from(bound_to), sealed).ok()?;
            as_rendition(Bytes::copy_from_slice(picture))
        });
        opened.map_or(Found::Locked, Found::Picture)
    }

    /// Until when what is kept from then on is kept, in Unix seconds.
    pub(super) fn until(&self, since: u64) -> u64 {
        since.saturating_add(self.how.time.as_secs())
    }

    /// The folder, for a message.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes it away: the write that it was kept for did not happen.
    pub(super) fn remove(&self, target: &TargetId, account: &AccountId, run: &RunId) -> io::Result<()> {
        absent(fs::remove_file(self.path(target, account, run)))
    }

    /// A file moved to another name does not open (promise P1).
    fn bound_to(&self, head: &[u8], target: &TargetId, account: &AccountId, run: &RunId) -> Vec<u8> {
        let whose = self.names.digest("kept of", &[target.as_str(), account.as_str(), run.as_str()]);
        [head, whose.as_bytes()].concat()
    }

    fn path(&self, target: &TargetId, account: &AccountId, run: &RunId) -> PathBuf {
        let run = self.names.digest("kept by", &[run.as_str()]).hex();
        let account = of_account(&self.names, target, account);
        self.folder.join(format!("{account}.{}", run.get(..RUN_DIGITS).unwrap_or(&run)))
    }
}

/// A picture that can be uploaded as it is, with what has to be known of it; `None`: it is none.
pub(super) fn as_rendition(picture: Bytes) -> Option<Rendition> {
    transform::as_it_is(picture, &DecodeLimits::default())
}

fn of_account(names: &StateKey, target: &TargetId, account: &AccountId) -> String {
    names.digest("kept at", &[target.as_str(), account.as_str()]).hex()
}

fn since(head: &[u8]) -> Option<u64> {
    head.strip_prefix(MAGIC).and_then(|time| time.try_into().ok()).map(u64::from_be_bytes)
}

fn is_over(since: u64, how: &KeepReplaced, now: u64) -> bool {
    // The time stands in clear: one that is still to come would never be over.
    since > now.saturating_add(CLOCKS_DIFFER) || since.saturating_add(how.time.as_secs()) <= now
}

fn folder(state: &Path) -> PathBuf {
    state.with_extension("kept")
}

/// The files of our form there. A folder that is a link is refused: else pictures would stay that were to go.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::symlink_metadata(folder) {
        Ok(there) if there.is_dir() => {}
        Ok(_) => {
            let found = format!("{} is not a folder of its own, but a link or a file", folder.display());
            return Err(io::Error::new(io::ErrorKind::NotADirectory, found));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    }
    let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.file_name().and_then(OsStr::to_str).is_some_and(is_ours)).collect())
}

/// A picture, or what a kill left half written of one.
fn is_ours(name: &str) -> bool {
    is_picture(name) || name.starts_with(".avatarpipe-")
}

fn is_picture(name: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    name.split_once('.')
        .is_some_and(|(account, run)| (account.len(), run.len()) == (64, RUN_DIGITS) && is_hex(account) && is_hex(run))
}

/// How many are kept beside a state, and their bytes.
pub(crate) fn count(state: &Path) -> (u64, u64) {
    let sizes = files(&folder(state)).unwrap_or_default().into_iter().filter_map(|path| fs::metadata(path).ok());
    sizes.fold((0, 0), |(count, bytes), file| (count + 1, bytes + file.len()))
}

/// Copies all of it to a folder that is called as the copy of the state is, with `.kept` behind, and says how many pictures
/// that were. Of an earlier copy nothing stays that is not kept any more.
pub(crate) fn copy(state: &Path, to: &Path) -> io::Result<usize> {
    let from = files(&folder(state))?;
    let mut copies = to.as_os_str().to_owned();
    copies.push(".kept");
    let copies = PathBuf::from(copies);
    let mut former = files(&copies)?;
    let pictures = from.iter().filter_map(|path| Some((path, path.file_name()?)));
    let pictures: Vec<_> = pictures.filter(|(_, name)| name.to_str().is_some_and(is_picture)).collect();
    if !pictures.is_empty() {
        private_folder(&copies)?;
    }
    let mut copied = 0;
    for (path, name) in pictures {
        // A run that is alive may have taken it away by now.
        let bytes = match input::open_itself(path).and_then(|file| input::up_to(file, LARGEST)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            read => read?,
        };
        let copy = copies.join(name);
        write_private(&copy, |file| file.write_all(&bytes))?;
        former.retain(|path| *path != copy);
        copied += 1;
    }
    former.iter().try_for_each(|path| absent(fs::remove_file(path)))?;
    Ok(copied)
}

/// Takes away what is too old.
pub(super) fn expire(state: &Path, how: &KeepReplaced, now: u64) -> io::Result<()> {
    for path in files(&folder(state))? {
        let mut head = [0; HEAD];
        let read = input::open_itself(&path).and_then(|mut file| file.read_exact(&mut head));
        if read.is_err() || since(&head).is_none_or(|since| is_over(since, how, now)) {
            absent(fs::remove_file(&path))?;
        }
    }
    Ok(())
}

/// Takes away what is kept of these accounts, and says how many pictures that were.
pub(crate) fn forget(state: &Path, names: &StateKey, accounts: &BTreeSet<(TargetId, AccountId)>) -> io::Result<usize> {
    let digests: BTreeSet<_> = accounts.iter().map(|(target, account)| of_account(names, target, account)).collect();
    let mut gone = 0;
    for path in files(&folder(state))? {
        let account = path.file_stem().and_then(OsStr::to_str);
        if account.is_some_and(|account| digests.contains(account)) {
            absent(fs::remove_file(&path))?;
            gone += 1;
        }
    }
    Ok(gone)
}

/// Takes all of it away; what is not ours stays, and the folder with it.
pub(crate) fn purge(state: &Path) -> io::Result<()> {
    let folder = folder(state);
    for path in files(&folder)? {
        absent(fs::remove_file(&path))?;
    }
    match fs::remove_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        removed => absent(removed),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use super::*;
    use crate::secret::Secret;

    const KEY: &str = "kept-test-key-0123456789abcdefgh";

    fn how(days: u64, key: &str) -> KeepReplaced {
        KeepReplaced { time: Duration::from_secs(days * 86_400), key: Secret::new(key) }
    }

    fn picture(grey: u8) -> Vec<u8> {
        let mut bytes = io::Cursor::new(Vec::new());
        image::GrayImage::from_pixel(9, 9, image::Luma([grey])).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_picture_is_encrypted_bound_to_its_account_and_run_and_goes_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("x.db");
        let with = |key: &str| Kept::beside(&state, StateKey::new([7; 32]), how(30, key)).unwrap();
        let (kept, git, [ada, grace]) = (with(KEY), TargetId::new("git"), ["ada", "grace"].map(AccountId::new));
        let (one, other, day) = (RunId::new("one"), RunId::new("other"), 86_400);
        assert_eq!(kept.get(&git, &ada, &one, day), Found::Nothing);
        let stood = picture(90);
        kept.put(&git, &ada, &one, &stood, day).unwrap();
        kept.put(&git, &ada, &one, &picture(3), 2 * day).unwrap();
        let Found::Picture(found) = kept.get(&git, &ada, &one, 30 * day) else { panic!("it is kept") };
        assert_eq!((found.bytes, found.side, found.luma.is_some()), (stood.clone().into(), 9, true), "the first");

        let path = kept.path(&git, &ada, &one);
        let bytes = fs::read(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!bytes.windows(16).any(|window| stood.windows(16).any(|part| part == window)), "nothing is in clear");
        assert_eq!(with("kept-test-key-another-9876543210").get(&git, &ada, &one, day), Found::Locked);
        for (account, run) in [(&grace, &one), (&ada, &other)] {
            fs::copy(&path, kept.path(&git, account, run)).unwrap();
            assert_eq!(kept.get(&git, account, run, day), Found::Locked, "the face of another account or run");
        }
        for at in [MAGIC.len() + 7, HEAD, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(&path, damaged).unwrap();
            assert_eq!(kept.get(&git, &ada, &one, day), Found::Locked, "{at}");
        }
        fs::write(&path, &bytes).unwrap();

        assert_eq!(count(&state).0, 3);
        let to = folder.path().join("backup.db");
        let names =
            |folder: &Path| files(folder).unwrap().iter().map(|path| path.file_name().unwrap().to_owned()).collect();
        for _ in 0..2 {
            assert_eq!(copy(&state, &to).unwrap(), 3);
            let copied: BTreeSet<_> = names(&folder.path().join("backup.db.kept"));
            assert_eq!(copied, names(&folder.path().join("x.kept")));
            fs::write(
                folder.path().join("backup.db.kept").join(format!("{}.{}", "a".repeat(64), "b".repeat(16))),
                "old",
            )
            .unwrap();
        }
        assert_eq!(forget(&state, &StateKey::new([7; 32]), &BTreeSet::from([(git.clone(), grace)])).unwrap(), 1);
        expire(&state, &how(30, KEY), 30 * day).unwrap();
        assert_eq!(count(&state).0, 2);
        let over = Found::Over(31 * day);
        assert_eq!(kept.get(&git, &ada, &one, 31 * day), over, "too old, also before a run takes it away");
        expire(&state, &how(30, KEY), 31 * day).unwrap();
        assert_eq!(count(&state), (0, 0));
        kept.put(&git, &ada, &one, &stood, day).unwrap();
        kept.remove(&git, &ada, &one).unwrap();
        kept.put(&git, &ada, &other, &stood, day).unwrap();
        kept.put(&git, &ada, &one, &stood, 9 * day).unwrap();
        assert_eq!(kept.get(&git, &ada, &one, day), Found::Over(39 * day), "of a time to come");
        fs::write(folder.path().join("x.kept/README"), "theirs").unwrap();
        purge(&state).unwrap();
        assert_eq!((count(&state), folder.path().join("x.kept/README").exists()), ((0, 0), true));
        fs::remove_file(folder.path().join("x.kept/README")).unwrap();
        purge(&state).unwrap();
        assert!(!folder.path().join("x.kept").exists(), "nothing is to be kept any more");

        std::os::unix::fs::symlink(folder.path(), folder.path().join("x.kept")).unwrap();
        assert!(purge(&state).is_err() && expire(&state, &how(30, KEY), day).is_err());
        assert!(forget(&state, &StateKey::new([7; 32]), &BTreeSet::new()).is_err());
        assert_eq!(kept.get(&git, &ada, &one, day), Found::Locked, "what lies behind a link is not known");
    }
}
