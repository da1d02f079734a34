//! From the bytes of a photo to renditions in the spool, on the rayon pool.
//!
//! Owns: the bridge between async and the pool, and the budget of memory that all decoders share.
//! Leaves to others: pixels (`transform`), which photos (`fetch`).
//! A newcomer gets wrong: the memory is charged from the photo's header before anything is decoded, so that a handful
//! of giants cannot add up (docs/decisions/pictures.md).

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{Semaphore, oneshot};

use super::spool::Spool;
use crate::error::Trouble;
use crate::model::{Digest, Fault, PhotoFact, Recipe, Remembered};
use crate::settings::Resize;
use crate::transform::{self, DecodeLimits, Refusal};

/// What all decoders together may hold, in KiB.
const MEMORY_KIB: u32 = 512 * 1024;

/// A size that some target takes, with the recipe that stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureSize {
    /// The recipe, its size included: what placements remember.
    pub recipe: Recipe,
    /// The longest side that the target takes; `None`: as the file says.
    pub side: Option<u32>,
}

/// What came of a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rendering {
    /// For this run.
    pub fact: PhotoFact,
    /// For the next one; nothing where the bytes say nothing about the photo.
    pub remembered: Option<Remembered>,
}

/// Renders photos.
pub(super) struct Renderer {
    resize: Resize,
    limits: DecodeLimits,
    sizes: Vec<PictureSize>,
    placeholders: Vec<Digest>,
    spool: Spool,
    memory: Semaphore,
}

impl Renderer {
    /// For these sizes; each once.
    pub(super) fn new(
        resize: Resize,
        mut sizes: Vec<PictureSize>,
        placeholders: Vec<Digest>,
        spool: Spool,
    ) -> Arc<Self> {
        sizes.sort_by(|a, b| a.recipe.cmp(&b.recipe));
        sizes.dedup();
        let memory = Semaphore::new(MEMORY_KIB as usize);
        Arc::new(Self { resize, limits: DecodeLimits::default(), sizes, placeholders, spool, memory })
    }

    /// The size for a target that takes pictures up to this side.
    pub(super) fn size(resize: &Resize, side: Option<u32>) -> PictureSize {
        let side = side.filter(|side| *side < resize.size);
        let recipe = Recipe::new(format!("{}@{}", resize.recipe(), side.unwrap_or(resize.size)));
        PictureSize { recipe, side }
    }

    /// Whether a photo's digest is under `placeholders`.
    pub(super) fn is_placeholder(&self, photo: &Digest) -> bool {
        self.placeholders.contains(photo)
    }

    /// The photo's smaller side is at least this, in pixels.
    pub(super) fn smallest(&self) -> u32 {
        self.resize.smallest
    }

    /// Renders a photo for every size and keeps the renditions.
    pub(super) async fn render(self: &Arc<Self>, photo: Bytes) -> Result<Rendering, Trouble> {
        let digest = Digest::of(&photo);
        if self.is_placeholder(&digest) {
            let fact = PhotoFact::Absent(crate::model::Absence::Placeholder);
            return Ok(Rendering { fact, remembered: Some(Remembered::Present(digest)) });
        }
        let needed = match transform::memory_needed(&photo, &self.limits) {
            Ok(bytes) => u32::try_from(bytes.div_ceil(1024)).unwrap_or(MEMORY_KIB).clamp(1, MEMORY_KIB),
            Err(refusal) => return Ok(refused(&refusal, digest)),
        };
        let permit = self.memory.acquire_many(needed).await.map_err(|_| Trouble::Own("the renderer closed".into()))?;
        let (send, receive) = oneshot::channel();
        let renderer = Arc::clone(self);
        let (whose, render) = (tracing::Span::current(), tracing::trace_span!("render"));
        let work = move || whose.in_scope(|| render.in_scope(|| renderer.render_here(&photo, digest)));
        rayon::spawn(move || _ = send.send(work()));
        let rendering = receive.await.map_err(|_| Trouble::Own("the picture pool lost a photo".into()))?;
        drop(permit);
        rendering
    }

    fn render_here(&self, photo: &[u8], digest: Digest) -> Result<Rendering, Trouble> {
        let sides: Vec<_> = self.sizes.iter().map(|size| size.side).collect();
        match transform::render_sizes(photo, &self.resize, &sides, &self.limits) {
            Ok(renditions) => {
                for (size, rendered) in self.sizes.iter().zip(&renditions) {
                    self.spool
                        .put(&digest, &size.recipe, rendered)
                        .map_err(Trouble::file("keep a picture in the cache"))?;
                }
                Ok(Rendering { fact: PhotoFact::Present { digest }, remembered: Some(Remembered::Present(digest)) })
            }
            Err(refusal) => Ok(refused(&refusal, digest)),
        }
    }
}

fn refused(refusal: &Refusal, digest: Digest) -> Rendering {
    match *refusal {
        Refusal::TooSmall { width, height, .. } => Rendering {
            fact: PhotoFact::TooSmall { width, height },
            remembered: Some(Remembered::TooSmall { digest, width, height }),
        },
        _ => {
            let fault = Fault::new(refusal.code(), refusal.to_string());
            let fact = unreadable(fault.clone());
            // What says nothing about the photo must be asked again, though the marker stays the same.
            let says_nothing = matches!(fact, PhotoFact::Unknown(_));
            Rendering { fact, remembered: (!says_nothing).then_some(Remembered::Unreadable(fault)) }
        }
    }
}

/// What follows from a photo that could not be rendered. Bytes that are no picture at all, such as a login page, say
/// nothing about the person's photo: that is unknown and changes nothing, whatever `fallback.unreadable` says (P2).
pub(super) fn unreadable(fault: Fault) -> PhotoFact {
    match fault.code.as_str() {
        "empty" | "not_a_picture" => PhotoFact::Unknown(fault),
        _ => PhotoFact::Unreadable(fault),
    }
}

/// What pictures look like, by the same code that renders them.
pub(super) struct PictureFingerprinter;

impl crate::load::Fingerprinter for PictureFingerprinter {
    fn luma(&self, picture: &[u8]) -> Option<crate::model::Luma> {
        transform::luma(picture, &DecodeLimits::default())
    }
}
