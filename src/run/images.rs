//! The pictures that stand in for missing photos: `fallback: { absent: { image: path } }`.
//!
//! Owns: reading and rendering each once, before anything is decided.
//! Leaves to others: when one is shown (`plan`).
//! A newcomer gets wrong: an image that cannot be read or rendered stops the command; it is the file that is wrong, not
//! a person.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::renderer::Renderer;
use crate::error::Trouble;
use crate::model::{Digest, PhotoFact};
use crate::settings::{Action, Fallback};

/// Larger files are no portraits.
const LARGEST: u64 = 32 << 20;

/// Renders every fallback image of the file.
pub(super) async fn prepare(
    fallback: &Fallback,
    renderer: &Arc<Renderer>,
) -> Result<HashMap<PathBuf, Digest>, Trouble> {
    let Fallback { absent, unreadable, too_small, inactive, out_of_scope, opted_out, gone } = fallback;
    let mut images = HashMap::new();
    for rule in [absent, unreadable, too_small, inactive, out_of_scope, opted_out, gone] {
        let Action::Image(path) = &rule.value else { continue };
        if images.contains_key(path) {
            continue;
        }
        let wrong = |found: &str| Trouble::Usage(format!("{}: the image {}: {found}", rule.place, path.display()));
        let bytes = crate::input::bytes(path, LARGEST).map_err(|error| wrong(&error.to_string()))?;
        match renderer.render(bytes.into()).await?.fact {
            PhotoFact::Present { digest } => _ = images.insert(path.clone(), digest),
            PhotoFact::TooSmall { width, height } => return Err(wrong(&format!("{width} x {height} px is too small"))),
            PhotoFact::Unreadable(fault) | PhotoFact::Unknown(fault) => return Err(wrong(&fault.message)),
            PhotoFact::Absent(_) => return Err(wrong("its digest is under `placeholders`")),
        }
    }
    Ok(images)
}
