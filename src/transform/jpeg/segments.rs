//! The segments of a JPEG, as libjpeg finds them.
//!
//! Owns: stray bytes, padding and markers without a length (ITU-T T.81, B.1.1.2). Leaves to others: what they say.
//! A newcomer gets wrong: a length below 2 stands for 2, and `ff 00` between segments is stray: libjpeg goes on in both
//! cases, so cameras and editors that write such files never notice.

pub(super) const START_OF_IMAGE: u8 = 0xd8;
pub(super) const END_OF_IMAGE: u8 = 0xd9;
pub(super) const START_OF_SCAN: u8 = 0xda;

/// A segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    pub marker: u8,
    /// What follows the length.
    pub body: &'a [u8],
    /// Where the next one may begin.
    pub end: usize,
}

/// The first segment at or behind a place; `None` where the file ends before it does.
pub(super) fn next(photo: &[u8], mut at: usize) -> Option<Segment<'_>> {
    loop {
        at += photo.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        at += photo.get(at..)?.iter().position(|byte| *byte != 0xff)?;
        let marker = *photo.get(at)?;
        at += 1;
        match marker {
            // Stuffing, TEM and the markers that restart a scan stand for nothing here.
            0 | 1 | 0xd0..=0xd7 | START_OF_IMAGE => {}
            END_OF_IMAGE => return Some(Segment { marker, body: &[], end: at }),
            _ => {
                let length = u16::from_be_bytes([*photo.get(at)?, *photo.get(at + 1)?]);
                let end = at + usize::from(length.max(2));
                return Some(Segment { marker, body: photo.get(at + 2..end)?, end });
            }
        }
    }
}

/// Where the coded data ends that begins at a place: at the first marker that is not part of it.
pub(super) fn end_of_data(photo: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += photo.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        match *photo.get(at + 1)? {
            0 | 0xd0..=0xd7 => at += 2,
            0xff => at += 1,
            _ => return Some(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marker and end of the first scan's header.
    fn first_scan(photo: &[u8]) -> Option<usize> {
        let mut at = 2;
        loop {
            let segment = next(photo, at)?;
            if segment.marker == START_OF_SCAN {
                return Some(segment.end);
            }
            at = segment.end;
        }
    }

    #[test]
    fn the_first_scan_is_found_behind_all_segments() {
        for (photo, wanted) in [
            (&b"\xff\xd8\xff\xe0\0\x04ab\xff\xda\0\x02"[..], Some(12)),
            (b"\xff\xd8\xff\xff\xff\xfe\0\x02..\xff\xda\0\0", Some(14)),
            (b"\xff\xd8\xff\xe0\0\x09\xff\xda\xff\xda...\xff\xda\0\0", Some(17)),
            (b"\xff\xd8\xff\xda\0\x02\xff\xda\0\x02", Some(6)),
            (b"\xff\xd8.....\xff\xda\0\x02", Some(11)),
            (b"\xff\xd8\xff\0\xff\x01\xff\xd3\xff\xd8\xff\xda\0\x02", Some(14)),
            (b"\xff\xd8\xff\xee\0\0\xff\xda\0\x02", Some(10)),
            (b"\xff\xd8\xff\xda", None),
            (b"\xff\xd8\xff\xda\0\x08..", None),
            (b"\xff\xd8\xff\xe0\xff\xff", None),
            (b"\xff\xd8", None),
            (b"", None),
        ] {
            assert_eq!(first_scan(photo), wanted, "{photo:02x?}");
        }
    }

    #[test]
    fn coded_data_ends_at_the_first_marker_that_is_none_of_its_own() {
        for (photo, wanted) in [
            (&b"ab\xff\0c\xff\xd7d\xff\xd9"[..], Some(8)),
            (b"\xff\xff\xff\xc4", Some(2)),
            (b"ab\xff\0", None),
            (b"ab\xff", None),
            (b"", None),
        ] {
            assert_eq!(end_of_data(photo, 0), wanted, "{photo:02x?}");
        }
    }
}
