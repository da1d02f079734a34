//! Whether a store keeps what it was sent.
//!
//! Owns: what this run put there, held against what the listing tells of it, which of it is looked at, and what is known to be
//! spoilt.
//! Leaves to others: the listing (`shared.rs`), and looking (`looks.rs`).
//! A newcomer gets wrong: what a listing tells may be another thing than it seems: an `ETag` is an MD5 in some buckets alone. So
//! it is a reason to look, and the bytes decide.

use std::collections::BTreeMap;

use crate::load::Learnt;
use crate::load::folder::naming::md5_of;
use crate::model::{Digest, PictureRef};

/// The key under which a later run knows it: the objects, each with the `ETag` under which it is spoilt.
const SPOILT: &str = "spoilt";

/// Of so many that are put one is looked at, whatever a listing tells: the first, and each after so many.
const SAMPLED: u64 = 50;

/// A picture as it was put there.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) mark: PictureRef,
    bytes: u64,
    md5: String,
    is_sample: bool,
}

/// Why an object is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Nothing speaks against it: it stands for those of which that is true, too.
    Sample,
    /// It is longer or shorter than what was sent.
    Length,
    /// Its `ETag` may be the MD5 of other bytes.
    Tag,
}

impl Sent {
    /// The `nth` that was put.
    pub(super) fn new(mark: PictureRef, bytes: &[u8], nth: u64) -> Self {
        Self { mark, bytes: bytes.len() as u64, md5: md5_of(bytes), is_sample: nth.is_multiple_of(SAMPLED) }
    }

    /// What speaks against it in a listing. A picture under another mark is another one, which is seen without it.
    pub(super) fn doubt(&self, mark: &PictureRef, bytes: u64) -> Option<Doubt> {
        match self.mark == *mark {
            true if bytes != self.bytes => Some(Doubt::Length),
            true if self.is_sample => Some(Doubt::Sample),
            true if self.has_odd_tag() => Some(Doubt::Tag),
            _ => None,
        }
    }

    /// Whether its `ETag` is no MD5 of these bytes, though it may be one.
    pub(super) fn has_odd_tag(&self) -> bool {
        let tag = self.mark.as_str();
        let may_be_md5 = tag.len() == 32 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
        may_be_md5 && !tag.eq_ignore_ascii_case(&self.md5)
    }

    /// Whether these are the bytes.
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        self.md5 == md5_of(bytes)
    }
}

/// Of so many that are put, how many are looked at.
pub(super) fn samples(put: u64) -> u64 {
    put.div_ceil(SAMPLED)
}

/// The mark of an object that does not hold what was put there.
pub(super) fn spoilt(mark: &PictureRef) -> PictureRef {
    PictureRef::spoilt(&Digest::of(mark.as_str().as_bytes()))
}

/// What earlier runs found spoilt.
pub(super) fn recall(learnt: &Learnt) -> BTreeMap<String, PictureRef> {
    let known = learnt.get(SPOILT).map_or("", String::as_str);
    let known = known.lines().filter_map(|line| line.split_once(' '));
    known.map(|(account, mark)| (account.to_owned(), PictureRef::new(mark))).collect()
}

/// Keeps it for the next one.
pub(super) fn learn(learnt: &mut Learnt, spoilt: &BTreeMap<String, PictureRef>) {
    let words: Vec<_> = spoilt.iter().map(|(account, mark)| format!("{account} {mark}")).collect();
    match words.is_empty() {
        true => learnt.remove(SPOILT),
        false => learnt.insert(SPOILT.to_owned(), words.join("\n")),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_listing_tells_is_a_reason_to_look() {
        const MD5: &str = "9f9d51bc70ef21ca5c14f307980a29d8";
        let other = "0".repeat(32);
        for (sent, told, bytes, doubt) in [
            (MD5, MD5, 3, None),
            (MD5, MD5, 2, Some(Doubt::Length)),
            (other.as_str(), other.as_str(), 3, Some(Doubt::Tag)),
            (&MD5.to_uppercase(), &MD5.to_uppercase(), 3, None),
            // Of parts, of Azure, of another picture.
            ("0-2", "0-2", 3, None),
            ("0x8D4BCC2E4835CD0", "0x8D4BCC2E4835CD0", 3, None),
            (MD5, other.as_str(), 2, None),
        ] {
            let sent = Sent::new(PictureRef::new(sent), b"bob", 1);
            assert!(sent.is(b"bob") && !sent.is(b"bo"));
            assert_eq!(sent.doubt(&PictureRef::new(told), bytes), doubt, "{told}");
        }
        let mark = PictureRef::new(MD5);
        let looked_at = |put| (0..put).filter(|nth| Sent::new(mark.clone(), b"bob", *nth).doubt(&mark, 3).is_some());
        for put in [0, 1, 50, 51, 120] {
            assert_eq!(looked_at(put).count() as u64, samples(put), "of {put}");
        }
    }

    #[test]
    fn what_is_spoilt_is_known_until_it_is_no_more() {
        let mut learnt = Learnt::new();
        let spoilt: BTreeMap<_, _> =
            [("a", "e1"), ("b", "e 2")].map(|(a, e)| (a.to_owned(), PictureRef::new(e))).into();
        learn(&mut learnt, &spoilt);
        assert_eq!(recall(&learnt), spoilt);
        learn(&mut learnt, &BTreeMap::new());
        assert!(learnt.is_empty() && recall(&learnt).is_empty());
    }
}
