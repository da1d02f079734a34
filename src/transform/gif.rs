//! The screen of a GIF, made as large as its first frame.
//!
//! Owns: the walk to the first frame (GIF89a, sections 18 to 20). Leaves to others: decoding it.
//! A newcomer gets wrong: the frame is the picture. Screens of 0 x 0, or smaller than the frame, are common, and viewers
//! show the whole frame.

use std::borrow::Cow;

use crate::settings::Rgb;

/// Where the header ends.
const HEADER: usize = 13;

/// The file with a screen that holds its first frame.
pub(super) fn whole(photo: &[u8]) -> Cow<'_, [u8]> {
    let widened = |FirstFrame { reach: [width, height], .. }| {
        let screen = [word(photo, 6)?, word(photo, 8)?];
        let wanted = [screen[0].max(width), screen[1].max(height)];
        (wanted != screen).then(|| {
            let mut photo = photo.to_vec();
            photo[6..10].copy_from_slice(&wanted.map(u16::to_le_bytes).concat());
            photo
        })
    };
    first_frame(photo).and_then(widened).map_or(Cow::Borrowed(photo), Cow::Owned)
}

/// What shows where the first frame does not reach: nothing, or its first colour if it knows nothing of transparency.
pub(super) fn under(photo: &[u8]) -> Option<Rgb> {
    first_frame(photo)?.under
}

/// What is known of the first frame.
struct FirstFrame {
    /// How far it reaches, across and down; at most as far as a screen can.
    reach: [u16; 2],
    under: Option<Rgb>,
}

fn first_frame(photo: &[u8]) -> Option<FirstFrame> {
    let colours = colours(*photo.get(10)?);
    let (mut at, mut is_transparent) = (HEADER + colours, false);
    loop {
        match *photo.get(at)? {
            b',' => {
                let reach = |from: usize| Some(word(photo, at + from)?.saturating_add(word(photo, at + from + 4)?));
                // A frame's own colours follow it.
                let table = match (colours_of(photo, at + 9), colours) {
                    (Some(1..), _) => Some(at + 10),
                    (_, 1..) => Some(HEADER),
                    _ => None,
                };
                let first = |at: usize| Some(Rgb(photo.get(at..at + 3)?.try_into().ok()?));
                let under = table.and_then(first).filter(|_| !is_transparent);
                return Some(FirstFrame { reach: [reach(1)?, reach(3)?], under });
            }
            // An extension: its label and blocks, of which the last is empty. The one that tells what is transparent has
            // the label f9.
            b'!' => {
                is_transparent |= *photo.get(at + 1)? == 0xf9 && photo.get(at + 3)? & 1 == 1;
                at += 2;
                while *photo.get(at)? != 0 {
                    at += 1 + usize::from(photo[at]);
                }
                at += 1;
            }
            _ => return None,
        }
    }
}

/// Bytes of a table of colours.
fn colours(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

fn colours_of(photo: &[u8], flags: usize) -> Option<usize> {
    photo.get(flags).map(|flags| colours(*flags))
}

fn word(photo: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes([*photo.get(at)?, *photo.get(at + 1)?]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(screen: [u8; 2], between: &[u8], frame: [u8; 4]) -> Vec<u8> {
        let [left, top, width, height] = frame;
        let head = [&b"GIF89a"[..], &[screen[0], 0, screen[1], 0, 0x80, 0, 0], &[7; 6]].concat();
        [&head[..], between, b",", &[left, 0, top, 0, width, 0, height, 0, 0], b"..."].concat()
    }

    #[test]
    fn the_screen_holds_the_first_frame() {
        for (screen, between, frame, wanted) in [
            ([9, 9], &b""[..], [0, 0, 9, 9], [9, 9]),
            ([9, 9], b"", [0, 0, 3, 3], [9, 9]),
            ([0, 0], b"", [0, 0, 5, 6], [5, 6]),
            ([9, 9], b"", [0, 0, 10, 4], [10, 9]),
            ([9, 9], b"", [5, 8, 6, 7], [11, 15]),
            ([1, 1], b"!\xf9\x04....\0!\xfe\x03abc\x01d\0", [0, 0, 5, 6], [5, 6]),
            ([1, 1], b"?", [0, 0, 5, 6], [1, 1]),
        ] {
            let found = whole(&file(screen, between, frame)).into_owned();
            assert_eq!([found[6], found[8]], wanted, "{screen:?} {between:?} {frame:?}");
            assert_eq!(found[10..], file(screen, between, frame)[10..]);
        }
    }

    #[test]
    fn what_shows_below_the_frame() {
        for (between, wanted) in
            [(&b""[..], Some(Rgb([7; 3]))), (b"!\xf9\x04\0...\0", Some(Rgb([7; 3]))), (b"!\xf9\x04\x01...\0", None)]
        {
            assert_eq!(under(&file([9, 9], between, [0, 0, 5, 5])), wanted, "{between:?}");
        }
    }

    #[test]
    fn what_is_cut_off_or_reaches_beyond_every_screen_is_survived() {
        let mut far = file([9, 9], b"!\xfe\x01x\0", [0, 0, 1, 1]);
        for cut in 0..far.len() {
            whole(&far[..cut]);
        }
        let frame = far.len() - 12;
        far[frame..frame + 8].fill(0xff);
        assert_eq!(whole(&far)[6..10], [0xff; 4]);
    }
}
