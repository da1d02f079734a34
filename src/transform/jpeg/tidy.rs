//! A JPEG said again in the plainest way: what decoders need, and nothing that they read in ways of their own.
//!
//! Owns: the copy. Leaves to others: decoding it.
//! A newcomer gets wrong: both decoders decide about colours by what they find beside the pixels; so the components get
//! the names, and the file the one marker, that leave them no choice.

use super::super::Refusal;
use super::frame::{Component, Frame, Model, damaged};
use super::segments::{self, END_OF_IMAGE, START_OF_IMAGE, START_OF_SCAN};

/// `Adobe`, versions and flags; the components are YCC and K.
const YCCK: &[u8] = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\x02";

/// The same picture without stray bytes, metadata and ambiguities. Refuses what has no end.
pub(super) fn tidy(photo: &[u8], frame: &Frame) -> Result<Vec<u8>, Refusal> {
    let mut copy = Vec::with_capacity(photo.len());
    copy.extend([0xff, START_OF_IMAGE]);
    if frame.model == Model::Ycck {
        copy.extend(YCCK);
    }
    let mut at = 2;
    loop {
        let segment = segments::next(photo, at).ok_or(Refusal::Truncated)?;
        at = segment.end;
        match segment.marker {
            END_OF_IMAGE => {
                copy.extend([0xff, END_OF_IMAGE]);
                return Ok(copy);
            }
            START_OF_SCAN => {
                put(&mut copy, START_OF_SCAN, &scan(segment.body, frame)?);
                let end = segments::end_of_data(photo, at).ok_or(Refusal::Truncated)?;
                copy.extend(&photo[at..end]);
                at = end;
            }
            0xc0..=0xc2 => put(&mut copy, segment.marker, &named(segment.body, frame)),
            // Tables of quantisation, codes and restarts.
            0xc4 | 0xdb | 0xdd => put(&mut copy, segment.marker, segment.body),
            _ => {}
        }
    }
}

fn put(copy: &mut Vec<u8>, marker: u8, body: &[u8]) {
    // It was a segment's body before, so it fits.
    let length = u16::try_from(body.len() + 2).unwrap_or(u16::MAX);
    copy.extend([0xff, marker]);
    copy.extend(length.to_be_bytes());
    copy.extend(body);
}

/// The name of a component in the copy.
fn name(model: Model, nth: usize) -> u8 {
    match model {
        Model::Rgb => b"RGB".get(nth).copied().unwrap_or_default(),
        _ => nth as u8 + 1,
    }
}

/// The frame with these names. A single component is sampled as often as itself, whatever it says (T.81, A.2.2).
fn named(body: &[u8], frame: &Frame) -> Vec<u8> {
    let mut body = body.to_vec();
    let alone = frame.components.len() == 1;
    for (nth, component) in body.get_mut(6..).unwrap_or_default().chunks_exact_mut(3).enumerate() {
        component[0] = name(frame.model, nth);
        if alone {
            component[1] = 0x11;
        }
    }
    body
}

/// The header of a scan with these names. Of several components with one name each is meant once, in their order
/// (`jdmarker.c`, `get_sos`).
fn scan(body: &[u8], frame: &Frame) -> Result<Vec<u8>, Refusal> {
    let mut body = body.to_vec();
    let count = body.first().copied().map_or(0, usize::from);
    if !(1..=4).contains(&count) || body.len() != 4 + 2 * count {
        return Err(damaged("a scan of the wrong length"));
    }
    let mut meant = [false; 4];
    for chosen in body[1..=2 * count].chunks_exact_mut(2) {
        let is_it = |(nth, component): &(usize, &Component)| component.id == chosen[0] && !meant[*nth];
        let found = frame.components.iter().enumerate().find(is_it);
        let (nth, _) = found.ok_or_else(|| damaged("a scan of a component that the frame has not"))?;
        meant[nth] = true;
        chosen[0] = name(frame.model, nth);
    }
    Ok(body)
}
