//! Which picture an account shows: read off the path of its profile picture.
//!
//! Owns: the classification table of docs/wire/atlassian.md §4.1, and the names of our own files.
//! Leaves to others: whether a picture is ours (`model::Picture`).
//! A newcomer gets wrong: the path has no version, so a person's own upload keeps its mark when its bytes change. Ours
//! carries the rendition's digest in its name.

use url::Url;

use crate::model::{Digest, Intent, PictureRef, Rendition, Shown};

/// What every file of ours begins with; the endpoint refuses any other.
pub(super) const PREFIX: &str = "avatarpipe-";
/// Under it lie the default and the pictures that people choose from.
pub(super) const STOCK: &str = "/images/icons/profilepics/";
const ATTACHMENTS: &str = "/download/attachments/";

/// What a path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConfluencePicture {
    pub shown: Shown,
    /// The content id of the personal information, if an attachment is shown.
    pub content: Option<String>,
    /// The path that stands for the default, without the context path, if it is shown.
    pub default: Option<String>,
}

impl ConfluencePicture {
    pub(super) fn unknown(why: impl Into<String>) -> Self {
        Self { shown: Shown::Unknown(why.into()), content: None, default: None }
    }

    /// This file of that personal information.
    pub(super) fn of_file(content: &str, file: &PictureRef) -> Self {
        Self { shown: Shown::Custom(file.clone()), content: Some(content.to_owned()), default: None }
    }

    /// The file that is shown.
    pub(super) fn file(&self) -> Option<&PictureRef> {
        match &self.shown {
            Shown::Custom(file) => Some(file),
            _ => None,
        }
    }

    /// Whether it is what the plan saw on the account of this write, path and all.
    pub(super) fn is_as_planned(&self, draft: &Intent) -> bool {
        let elsewhere = matches!((&self.content, &draft.handle), (Some(now), Some(then)) if now != then);
        self.shown == draft.stood && !elsewhere
    }

    /// Its path, for comparing on the server; only where it is sure how the server spells it.
    pub(super) fn plain_path(&self) -> Option<String> {
        let plain = |name: &PictureRef| name.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        match (&self.shown, &self.content) {
            (Shown::Custom(name), Some(content)) if plain(name) => Some(format!("{ATTACHMENTS}{content}/{name}")),
            (Shown::System(name), _) if plain(name) => Some(format!("{STOCK}{name}")),
            (Shown::Default, _) => self.default.clone(),
            _ => None,
        }
    }
}

/// Reads a path of `profilePicture`, with or without host, context path and query.
pub(super) fn read(path: &str, is_default: Option<bool>, base: &Url) -> ConfluencePicture {
    let Ok(url) = base.join(path) else { return ConfluencePicture::unknown("its picture's path cannot be read") };
    let path = url.path();
    if let Some((_, file)) = path.split_once(STOCK) {
        let stem = file.split('.').next().unwrap_or(file);
        return match stem {
            "anonymous" => ConfluencePicture::unknown("the server does not know the user"),
            _ if is_default == Some(true) || stem == "default" => {
                ConfluencePicture { shown: Shown::Default, content: None, default: Some(format!("{STOCK}{file}")) }
            }
            _ => ConfluencePicture { shown: Shown::System(PictureRef::new(file)), content: None, default: None },
        };
    }
    let attachment = path.split_once(ATTACHMENTS).and_then(|(_, rest)| rest.split_once('/'));
    match attachment {
        Some((content, file)) if is_id(content) && !file.is_empty() && !file.contains('/') => {
            let Some(name) = decoded(file) else {
                return ConfluencePicture::unknown("its picture's name is not UTF-8");
            };
            ConfluencePicture {
                shown: Shown::Custom(PictureRef::new(name)),
                content: Some(content.to_owned()),
                default: None,
            }
        }
        _ => ConfluencePicture::unknown(format!("its picture's path leads to {path}")),
    }
}

pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Percent-decoded; a `+` in a path is a plus.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        let hex = |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        bytes.push(if byte == b'%' { hex(rest.next())? << 4 | hex(rest.next())? } else { byte });
    }
    String::from_utf8(bytes).ok()
}

/// The name of the file for a rendition. `theirs` is shown and not ours: a new version would lie over what the person
/// stored, so a file of that name gets another one.
pub(super) fn file_name(digest: &Digest, rendition: &Rendition, theirs: Option<&Shown>) -> PictureRef {
    let ending = rendition.media_type.ending();
    let [first, second] = stems(digest).map(|stem| PictureRef::new(format!("{PREFIX}{stem}.{ending}")));
    if matches!(theirs, Some(Shown::Custom(shown)) if *shown == first) { second } else { first }
}

/// Whether the name of a file of ours stands for this digest.
pub(super) fn names(file: &PictureRef, digest: &Digest) -> bool {
    let stem = file.as_str().strip_prefix(PREFIX).and_then(|rest| rest.split('.').next());
    stem.is_some_and(|stem| stems(digest).iter().any(|known| known == stem))
}

/// 16 of its hexadecimal digits, and the 16 after them.
fn stems(digest: &Digest) -> [String; 2] {
    let hex = digest.hex();
    [0, 16].map(|at| hex.chars().skip(at).take(16).collect())
}

/// The picture of ours that is to go once `shown` is there; only a file that can be ours (promise P1).
pub(super) fn old(intent: &Intent, shown: Option<&PictureRef>) -> Option<PictureRef> {
    intent.old.clone().filter(|old| Some(old) != shown && old.as_str().starts_with(PREFIX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MediaType;

    #[test]
    fn a_path_says_what_is_shown() {
        let base = Url::parse("https://wiki.ex.org/confluence/").unwrap();
        let custom = |name: &str| Shown::Custom(name.into());
        let table = [
            ("/images/icons/profilepics/default.svg", Some(true), Shown::Default, None),
            ("/confluence/images/icons/profilepics/default.png", None, Shown::Default, None),
            ("https://wiki.ex.org/images/icons/profilepics/default.svg?x=1", Some(false), Shown::Default, None),
            ("/images/icons/profilepics/Avatar-5.png", Some(false), Shown::System("Avatar-5.png".into()), None),
            ("/images/icons/profilepics/add_profile_pic.svg", Some(true), Shown::Default, None),
            ("/download/attachments/1114116/user-avatar", Some(false), custom("user-avatar"), Some("1114116")),
            (
                "/confluence/download/attachments/7/avatarpipe-ab.png?version=2&api=v2",
                None,
                custom("avatarpipe-ab.png"),
                Some("7"),
            ),
            ("/download/attachments/7/my%20face%2B.png", None, custom("my face+.png"), Some("7")),
            ("/download/attachments/7/a+b.png", None, custom("a+b.png"), Some("7")),
        ];
        for (path, default, shown, content) in table {
            let picture = read(path, default, &base);
            assert_eq!((picture.shown, picture.content.as_deref()), (shown, content), "{path}");
        }
        for path in [
            "/images/icons/profilepics/anonymous.svg",
            "/download/attachments/x7/a.png",
            "/download/attachments/7/",
            "/download/attachments/7/a/b.png",
            "/download/attachments/7/%FF.png",
            "/login.action",
            "",
            "http://[",
        ] {
            assert!(matches!(read(path, None, &base).shown, Shown::Unknown(_)), "{path}");
        }
    }

    #[test]
    fn the_default_is_kept_as_the_server_spells_it() {
        let base = Url::parse("https://wiki.ex.org/c/").unwrap();
        let found = read("/c/images/icons/profilepics/default.png", Some(true), &base);
        assert_eq!(found.default.as_deref(), Some("/images/icons/profilepics/default.png"));
    }

    #[test]
    fn a_path_is_compared_whole() {
        let base = Url::parse("https://wiki.ex.org/c/").unwrap();
        let table = [
            ("/c/images/icons/profilepics/default.png", Some("/images/icons/profilepics/default.png")),
            ("/c/images/icons/profilepics/Avatar-5.png", Some("/images/icons/profilepics/Avatar-5.png")),
            ("/c/download/attachments/7/user-avatar", Some("/download/attachments/7/user-avatar")),
            // How the server spells it is not sure.
            ("/c/download/attachments/7/my%20face.png", None),
            ("/c/images/icons/profilepics/anonymous.svg", None),
        ];
        let mut draft = crate::load::jira::tests::intent(crate::model::IntentKind::Replace);
        for (path, plain) in table {
            let picture = read(path, None, &base);
            assert_eq!(picture.plain_path().as_deref(), plain, "{path}");
            (draft.stood, draft.handle) = (picture.shown.clone(), picture.content.clone());
            assert!(picture.is_as_planned(&draft), "{path}");
        }
        draft.stood = Shown::Custom("user-avatar".into());
        for (content, planned) in [(Some("7"), true), (None, true), (Some("8"), false)] {
            draft.handle = content.map(str::to_owned);
            let picture = ConfluencePicture::of_file("7", &"user-avatar".into());
            assert_eq!(picture.is_as_planned(&draft), planned, "{content:?}");
        }
    }

    #[test]
    fn our_files_carry_the_digest_and_only_they_go() {
        let digest = Digest::of(b"x");
        let rendition = |media_type| Rendition::new(bytes::Bytes::new(), media_type, 1, None);
        let name = file_name(&digest, &rendition(MediaType::Jpeg), None);
        assert_eq!(name.as_str(), format!("avatarpipe-{}.jpg", &digest.hex()[..16]));
        assert!(file_name(&digest, &rendition(MediaType::Png), None).as_str().ends_with(".png"));
        let theirs = Shown::Custom(name.clone());
        let other = file_name(&digest, &rendition(MediaType::Jpeg), Some(&theirs));
        assert_eq!(other.as_str(), format!("avatarpipe-{}.jpg", &digest.hex()[16..32]));
        for (file, is_named) in [(&name, true), (&other, true), (&"avatarpipe-1.png".into(), false)] {
            assert_eq!(names(file, &digest), is_named, "{file}");
        }
        let mut intent = crate::load::jira::tests::intent(crate::model::IntentKind::Replace);
        for (mark, shown, expected) in [
            (Some("avatarpipe-1.png"), "avatarpipe-2.png", Some("avatarpipe-1.png")),
            (Some("avatarpipe-2.png"), "avatarpipe-2.png", None),
            (Some("user-avatar"), "avatarpipe-2.png", None),
            (None, "avatarpipe-2.png", None),
        ] {
            intent.old = mark.map(PictureRef::from);
            assert_eq!(old(&intent, Some(&shown.into())), expected.map(PictureRef::from), "{mark:?}");
        }
    }
}
