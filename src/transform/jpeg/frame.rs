//! What the segments before the pixels of a JPEG say.
//!
//! Owns: frame, colour model, orientation and profile. Leaves to others: the pixels.
//! A newcomer gets wrong: decoders decide about colours each in its own way; here libjpeg's order is the only one: JFIF,
//! then Adobe, then the components' names (`jdapimin.c`, `default_decompress_parms`).

use image::metadata::Orientation;

use super::super::Refusal;
use super::super::exif;
use super::segments::{self, END_OF_IMAGE, START_OF_SCAN};

/// A colour component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Component {
    /// Its name in the file.
    pub id: u8,
    /// How often it is sampled, across (high half) and down.
    pub sampling: u8,
}

/// How the components are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    Grey,
    YCbCr,
    Rgb,
    Cmyk,
    Ycck,
}

/// Everything before the pixels.
#[derive(Debug)]
pub(super) struct Frame {
    pub width: u16,
    pub height: u16,
    pub is_progressive: bool,
    pub components: Vec<Component>,
    /// Components in the first scan.
    pub in_first_scan: u8,
    pub model: Model,
    pub orientation: Orientation,
    pub profile: Option<Vec<u8>>,
}

/// What is gathered on the way to the first scan.
#[derive(Default)]
struct Gathered<'a> {
    frame: Option<(u8, &'a [u8])>,
    is_jfif: bool,
    adobe: Option<u8>,
    orientation: Option<Orientation>,
    profile: Vec<&'a [u8]>,
}

const EXIF: &[u8] = b"Exif\0\0";
const ICC: &[u8] = b"ICC_PROFILE\0";

impl Frame {
    pub(super) fn read(photo: &[u8]) -> Result<Self, Refusal> {
        let mut gathered = Gathered::default();
        let mut at = 2;
        let scan = loop {
            let segment = segments::next(photo, at).ok_or(Refusal::Truncated)?;
            at = segment.end;
            match segment.marker {
                START_OF_SCAN => break segment.body,
                END_OF_IMAGE => return Err(Refusal::Truncated),
                marker => gathered.take(marker, segment.body)?,
            }
        };
        gathered.frame(*scan.first().ok_or_else(|| damaged("a scan without components"))?)
    }

    /// Whether the first scan holds everything: nothing is kept until later scans bring the rest.
    pub(super) fn is_one_scan(&self) -> bool {
        !self.is_progressive && usize::from(self.in_first_scan) == self.components.len()
    }
}

impl<'a> Gathered<'a> {
    fn take(&mut self, marker: u8, body: &'a [u8]) -> Result<(), Refusal> {
        match marker {
            0xc0..=0xc2 if self.frame.is_some() => return Err(damaged("two frames")),
            0xc0..=0xc2 => self.frame = Some((marker, body)),
            // The ways of coding that no decoder here knows, which take them for damage (ITU-T T.81, table B.1).
            0xc3 => return Err(unsupported("lossless")),
            0xc5..=0xc7 => return Err(unsupported("hierarchical")),
            0xc9..=0xcb | 0xcd..=0xcf => return Err(unsupported("arithmetic coding")),
            // Shorter ones are no markers of their kind (`jdmarker.c`, `examine_app0` and `examine_app14`).
            0xe0 if body.len() >= 14 && body.starts_with(b"JFIF\0") => self.is_jfif = true,
            0xee if body.len() >= 12 && body.starts_with(b"Adobe") => self.adobe = body.get(11).copied(),
            // Editors put theirs before the camera's, often without an orientation.
            0xe1 if body.starts_with(EXIF) && self.orientation.is_none() => self.orientation = exif::orientation(body),
            0xe2 if body.len() > ICC.len() + 2 && body.starts_with(ICC) => self.profile.push(&body[ICC.len()..]),
            _ => {}
        }
        Ok(())
    }

    fn frame(self, in_first_scan: u8) -> Result<Frame, Refusal> {
        let (marker, body) = self.frame.ok_or_else(|| damaged("a scan without a frame"))?;
        let [bits, high, low, left, right, count, components @ ..] = body else { return Err(damaged("a short frame")) };
        if *bits != 8 {
            return Err(unsupported(format_args!("{bits} bits")));
        }
        if !matches!(count, 1 | 3 | 4) {
            return Err(unsupported(format_args!("{count} components")));
        }
        if components.len() != 3 * usize::from(*count) {
            return Err(damaged("a frame of the wrong length"));
        }
        let components: Vec<_> =
            components.chunks_exact(3).map(|each| Component { id: each[0], sampling: each[1] }).collect();
        Ok(Frame {
            width: u16::from_be_bytes([*left, *right]),
            height: u16::from_be_bytes([*high, *low]),
            is_progressive: marker == 0xc2,
            in_first_scan,
            model: self.model(&components),
            orientation: self.orientation.unwrap_or(Orientation::NoTransforms),
            profile: profile(&self.profile),
            components,
        })
    }

    fn model(&self, components: &[Component]) -> Model {
        let ids = components.iter().map(|component| component.id);
        match (components.len(), self.is_jfif, self.adobe) {
            (1, ..) => Model::Grey,
            (3, true, _) => Model::YCbCr,
            (3, false, Some(0)) => Model::Rgb,
            (3, false, None) if ids.eq(*b"RGB") => Model::Rgb,
            (3, ..) => Model::YCbCr,
            (_, _, None | Some(0)) => Model::Cmyk,
            _ => Model::Ycck,
        }
    }
}

/// The parts of a profile in their order; `None` unless each is there once (ICC.1:2022, B.4).
fn profile(parts: &[&[u8]]) -> Option<Vec<u8>> {
    let count = u8::try_from(parts.len()).ok().filter(|count| (1..255).contains(count))?;
    let mut ordered = parts.to_vec();
    ordered.sort_by_key(|part| part.first());
    let in_order = (1..=count).zip(&ordered).all(|(nth, part)| part.starts_with(&[nth, count]));
    in_order.then(|| ordered.iter().flat_map(|part| &part[2..]).copied().collect())
}

pub(super) fn damaged(what: &str) -> Refusal {
    Refusal::Damaged(format!("it has {what}"))
}

pub(super) fn unsupported(format: impl std::fmt::Display) -> Refusal {
    Refusal::UnsupportedFormat { format: format!("JPEG ({format})") }
}
