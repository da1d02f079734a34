//! `transform`: how a photo becomes a picture, and what stands in its place if it does not.
//!
//! Owns: how the words of `hash` and `resize` are read and checked. Leaves to others: `fallback` (its own file), the work (`transform`, `plan`).
//! A newcomer gets wrong: `size`, `crop`, `format` and `background` are the recipe, so changing one plans a change for
//! everybody; `smallest` and the keys of `hash` are not.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::declare::{element, taken, words};
use super::fallback::Fallback;
use super::fault::FileFault;
use super::read::{At, List, Reader, Setting};
use super::scalar::*;
use super::settle::{Settle, settled_as_written};
use super::tree::Id;
use crate::model::Place;
use crate::settings::{self, Crop, Format, Rgb};

element! {
    /// How a photo becomes a picture, and what stands in its place if it does not.
    Transform {
        /// What is told by the digest of a photo's bytes (BLAKE3).
        hash: Hash = Else("{}"),
        /// The picture that is uploaded.
        resize: Resize = Else("{}"),
        /// What happens instead of a replacement.
        fallback: Fallback = Else("{}"),
    }
}

settings::hash!(taken);
settings::resize!(taken);

words! {
    /// Which part of a photo is shown.
    Crop {
        /// The largest square in the middle.
        "center" => Center,
    }
}

words! {
    /// What is uploaded.
    Format {
        /// Without loss.
        "png" => Png,
        /// Smaller files.
        "jpeg" => Jpeg,
    }
}

/// A number, or `none`.
#[derive(Clone, Copy, Debug)]
pub(super) struct SamePicture(Option<u32>);

impl Setting for SamePicture {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        match reader.raw(id) {
            Some("none") => Some(Self(None)),
            _ => Within::<1, 1_000_000>::read(reader, id).map(|number| Self(Some(number.0))),
        }
    }
}

settled_as_written!(SamePicture => Option<u32>);

impl JsonSchema for SamePicture {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SamePicture".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "const": "none" }, generator.subschema_for::<Within<1, 1_000_000>>()] })
    }
}

impl Transform {
    pub(super) fn settle(&self, reader: &mut Reader<'_>, place: &Place) -> Option<settings::Transform> {
        // Everything is judged before anything is asked for, so that no fault hides another.
        if let Some(resize) = self.resize.get() {
            resize.judge(reader);
        }
        let hash = Hash::settle(&self.hash, reader);
        let resize = Resize::settle(&self.resize, reader);
        let fallback = Fallback::settle(&self.fallback, reader);
        Some(settings::Transform { resize: resize?, hash: hash?, fallback: fallback?, place: place.clone() })
    }
}

impl Resize {
    fn judge(&self, reader: &mut Reader<'_>) {
        let (Some(size), Some(smallest)) = (self.size.get(), self.smallest.get()) else { return };
        if smallest.0 <= size.0 {
            return;
        }
        let related = |at: &At<_>| (at.written).then(|| at.span.clone());
        let at = if self.smallest.written { &self.smallest.span } else { &self.size.span };
        let message = format!("`smallest` ({}) is more than `size` ({})", smallest.0, size.0);
        let mut fault =
            FileFault::new(at.clone(), message).help("photos down to `smallest` are taken; write less than `size`");
        if let Some(size) = related(&self.size).filter(|span| span != at) {
            fault = fault.related(size, "`size` is here");
        }
        reader.fault(fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tests::{judged, refused};

    fn settle(at: &At<Transform>, reader: &mut Reader<'_>) -> Option<settings::Transform> {
        at.get()?.settle(reader, &at.place)
    }

    #[test]
    fn every_setting_arrives() {
        let digest = crate::model::Digest::of(b"placeholder");
        let text = format!(
            "{{ hash: {{ placeholders: ['{digest}'], same_picture: none }}, \
             resize: {{ size: 128, format: jpeg, background: '#102030', smallest: 64 }} }}"
        );
        let transform = judged(&text, settle).unwrap();
        assert_eq!(
            (transform.hash.placeholders.as_slice(), transform.hash.same_picture.value),
            ([digest].as_slice(), None)
        );
        let (crop, format, background) = (settings::Crop::Center, settings::Format::Jpeg, settings::Rgb([16, 32, 48]));
        assert_eq!(transform.resize, settings::Resize { size: 128, crop, format, background, smallest: 64 });
        let left_out = judged("{}", settle).unwrap();
        assert_eq!((left_out.resize, left_out.hash.same_picture.value), (settings::Resize::default(), Some(5)));
    }

    #[test]
    fn what_makes_no_picture_is_refused() {
        refused(
            &[
                ("{ resize: { size: 0 } }", "from 16 to 2048"),
                ("{ resize: { size: 64, smallest: 65 } }", "more than `size` (64)"),
                ("{ resize: { size: 32 } }", "`smallest` (48) is more than `size` (32)"),
                ("{ resize: { crop: face } }", "`face` is not a value of this key"),
                ("{ hash: { same_picture: 0 } }", "from 1 to"),
                ("{ hash: { placeholders: ['sha256:00'] } }", "is not a digest"),
            ],
            settle,
        );
    }
}
