//! A person and a photo as the directory holds them now.
//!
//! Owns: from what a world says of them to what they are, and the change marker.
//! Leaves to others: what happens to them (`directory`).
//! A newcomer gets wrong: a photo's type is the one that its file is named for, whatever the bytes are.

use bytes::Bytes;

use super::world::{NoPhoto, Person, Photo, PhotoFailure};
use crate::pictures::Pictures;

#[derive(Clone, Debug)]
pub(crate) struct LivePerson {
    /// As the world describes them, apart from what follows.
    pub person: Person,
    /// `accountEnabled`.
    pub enabled: bool,
    pub photo: LivePhoto,
    /// How often the photo is still refused with 429.
    pub throttled: u32,
    pub(super) edition: u32,
    /// The sign-in name that came in place of the world's.
    pub(super) renamed: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum LivePhoto {
    Present(PhotoFile),
    Absent(NoPhoto),
    /// A failure that proves nothing.
    Failing(PhotoFailure),
}

#[derive(Clone, Debug)]
pub(crate) struct PhotoFile {
    pub(super) content: Content,
    /// The type that the answer names; by the file name, as uploads are believed, not by looking.
    pub content_type: &'static str,
    /// The change marker, without `W/` and quotes.
    pub etag: String,
    /// Width and height, 0 where the bytes tell none.
    pub size: (u32, u32),
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Kept(Bytes),
    /// The world makes it of this name.
    Made(Pictures, String),
}

impl LivePerson {
    pub(super) fn new(person: &Person, pictures: &Pictures) -> Self {
        let photo = match &person.photo {
            Photo::None(shape) => LivePhoto::Absent(*shape),
            Photo::Failure(shape) => LivePhoto::Failing(*shape),
            Photo::File(file) => {
                let bytes = pictures.get(&file.name).expect("a world is checked for missing picture files");
                let photo = PhotoFile::new(bytes, type_by_name(&file.name));
                let made = pictures.is_made(&file.name).then(|| Content::Made(pictures.clone(), file.name.clone()));
                LivePhoto::Present(PhotoFile { content: made.unwrap_or(photo.content), ..photo })
            }
        };
        let throttled = person.throttled.as_ref().map_or(0, |t| t.times);
        let enabled = person.enabled;
        let mut live = Self { person: person.clone(), enabled, photo, throttled, edition: 1, renamed: None };
        live.mark();
        live
    }

    pub(super) fn rename(&mut self, to: &str) {
        let person = &mut self.person;
        let old = std::mem::replace(&mut person.upn, to.to_owned());
        person.mail = Some(to.to_owned());
        person.proxy_addresses = vec![format!("SMTP:{to}"), format!("smtp:{old}")];
        person.sam = to.split('@').next().map(str::to_owned);
        self.renamed = Some(to.to_owned());
    }

    /// Gives the photo its change marker: the one of the world for the first edition, else one made from all that counts.
    pub(super) fn mark(&mut self) {
        let LivePhoto::Present(file) = &mut self.photo else { return };
        let given = self.person.etag.clone().filter(|_| self.edition == 1);
        file.etag = given.unwrap_or_else(|| {
            let mut hasher = blake3::Hasher::new();
            hasher.update(self.person.id.as_bytes()).update(&self.edition.to_le_bytes()).update(&file.bytes());
            hasher.finalize().to_hex().to_string()
        });
    }
}

impl PhotoFile {
    pub(super) fn new(bytes: Bytes, content_type: &'static str) -> Self {
        let reader = image::ImageReader::new(std::io::Cursor::new(&bytes)).with_guessed_format();
        let size = reader.ok().and_then(|r| r.into_dimensions().ok()).unwrap_or_default();
        Self { content: Content::Kept(bytes), content_type, etag: String::new(), size }
    }

    pub(crate) fn bytes(&self) -> Bytes {
        match &self.content {
            Content::Kept(bytes) => bytes.clone(),
            Content::Made(pictures, name) => pictures.get(name).expect("it was there when the world began"),
        }
    }
}

pub(super) fn type_by_name(name: &str) -> &'static str {
    type_named(match name.rsplit('.').next() {
        Some("png") => "image/png",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        _ => "image/jpeg",
    })
}

pub(super) fn type_named(name: &str) -> &'static str {
    ["image/png", "image/gif", "image/webp"].into_iter().find(|t| *t == name).unwrap_or("image/jpeg")
}
