//! Four bytes at once, in letters of any case: the quick no to whether a text stands in another.
//!
//! Owns: their hash, and which of them texts begin with. Leaves to others: comparing the text itself (`echoes`, `redact`).
//! A newcomer gets wrong: a yes says nothing. Nearly every text that is told holds no secret, so nearly every answer is no.

/// Bytes that are looked up at once.
pub(super) const WINDOW: usize = 4;

/// The bits of a hash: the marks fit into the nearest cache.
const BITS: u32 = 18;

/// A bit for each of some windows, by its hash.
#[derive(Debug, Default)]
pub(super) struct Marks(Vec<u64>);

impl Marks {
    /// None at all.
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    /// Whether none is marked.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Marks a window.
    pub(super) fn add(&mut self, window: u32) {
        self.0.resize(1 << (BITS - u64::BITS.ilog2()), 0);
        let (word, bit) = mark(window);
        self.0[word] |= bit;
    }

    /// Whether it may be one of those.
    pub(super) fn may_have(&self, window: u32) -> bool {
        let (word, bit) = mark(window);
        self.0.get(word).is_some_and(|marks| marks & bit != 0)
    }

    /// Marks what a text begins with, which is no shorter than a window.
    pub(super) fn add_beginning(&mut self, text: &str) {
        self.add(folded(&text.as_bytes()[..WINDOW]));
    }

    /// Whether a text that was marked may stand in this one.
    pub(super) fn may_be_in(&self, text: &str) -> bool {
        text.as_bytes().windows(WINDOW).any(|window| self.may_have(folded(window)))
    }
}

/// A window in small letters. Other signs fall together with some, too: whoever finds one compares the text itself.
pub(super) fn folded(window: &[u8]) -> u32 {
    window.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes) | 0x2020_2020)
}

/// Which bit of which word stands for a window (multiplicative hashing by the golden ratio).
fn mark(window: u32) -> (usize, u64) {
    let hash = window.wrapping_mul(0x9e37_79b1) >> (u32::BITS - BITS);
    ((hash / u64::BITS) as usize, 1 << (hash % u64::BITS))
}
