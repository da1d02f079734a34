//! A segment: what one commit changed, with who wrote it.
//!
//! Owns: its form: a line of JSON, then the pages, packed. Leaves to others: what the pages are (`state`).
//! A newcomer gets wrong: there is one name for each number: whoever lost the lease finds the next one taken.

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::{Deserialize, Serialize};

use crate::model::Digest;

/// The format that this program writes and reads.
const FORMAT: u32 = 1;

/// A commit never comes near it.
const LARGEST: u64 = 1 << 30;

/// The object of a number.
pub(super) fn name(number: u64) -> String {
    format!("log/{number:012}")
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: u32,
    /// As in the name: one under another's name is found.
    number: u64,
    /// Of the lease under which it was written.
    fence: u64,
    run: String,
    /// Of what is packed.
    digest: String,
    nonce: String,
}

/// A segment as it was read.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) fence: u64,
    pub(super) run: String,
    /// Empty: it only keeps the number from whoever had the lease before.
    pub(super) commit: Vec<u8>,
}

/// Packs a commit.
pub(super) fn pack(number: u64, fence: u64, run: &str, commit: &[u8]) -> std::io::Result<Bytes> {
    let head = Head {
        format: FORMAT,
        number,
        fence,
        run: run.to_owned(),
        digest: Digest::of(commit).to_string(),
        nonce: uuid::Uuid::new_v4().simple().to_string(),
    };
    let mut bytes = serde_json::to_vec(&head)?;
    bytes.push(b'\n');
    let mut packed = ZlibEncoder::new(bytes, Compression::default());
    packed.write_all(commit)?;
    Ok(packed.finish()?.into())
}

/// Unpacks one; what is wrong with it, in words.
pub(super) fn unpack(bytes: &[u8]) -> Result<Segment, String> {
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or("it has no head")?;
    let (head, packed) = (&bytes[..end], &bytes[end + 1..]);
    let head: Head = serde_json::from_slice(head).map_err(|_| "its head cannot be read")?;
    if head.format != FORMAT {
        return Err(format!("its format is {}, this program knows {FORMAT}", head.format));
    }
    let mut commit = Vec::new();
    let mut unpacked = ZlibDecoder::new(packed).take(LARGEST);
    unpacked.read_to_end(&mut commit).map_err(|_| "it cannot be unpacked")?;
    if Digest::of(&commit).to_string() != head.digest {
        return Err("its digest is another".to_owned());
    }
    Ok(Segment { number: head.number, fence: head.fence, run: head.run, commit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_unpacked_and_a_changed_byte_is_found() {
        let packed = pack(3, 7, "run-1", b"pages").unwrap();
        let segment = unpack(&packed).unwrap();
        assert_eq!((segment.number, segment.fence, segment.run.as_str()), (3, 7, "run-1"));
        assert_eq!(segment.commit, b"pages");
        for at in 0..packed.len() {
            let mut changed = packed.to_vec();
            changed[at] ^= 1;
            if let Ok(segment) = unpack(&changed) {
                // What names the writer is not under the digest; what it wrote is.
                assert_eq!(segment.commit, b"pages", "byte {at}");
            }
            assert!(unpack(&packed[..at]).is_err(), "cut at {at}");
        }
    }
}
