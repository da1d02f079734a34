//! Inventing inputs: a seed of the corpus, changed a few times.
//!
//! Owns: a generator that gives the same on every machine, and the changes. Leaves to others: what they are for.
//! A newcomer gets wrong: without coverage, the words of a format are what gets through its first line.

/// Larger inputs find nothing that smaller ones do not, and take longer.
const LARGEST: usize = 32 << 10;

/// Bytes at which lengths and signs turn over.
const EDGES: [u8; 8] = [0, 1, 0x7f, 0x80, 0xfe, 0xff, b'\n', b'"'];

/// xorshift64*: small, and the same everywhere.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end.max(1)
    }

    pub(super) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// One of the pool, changed up to eight times.
pub(super) fn invent(dice: &mut Dice, pool: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut bytes = dice.one(pool).clone();
    for _ in 0..=dice.below(8) {
        change(dice, &mut bytes, pool, words);
    }
    bytes.truncate(LARGEST);
    bytes
}

fn change(dice: &mut Dice, bytes: &mut Vec<u8>, pool: &[Vec<u8>], words: &[&str]) {
    let (at, end) = {
        let (a, b) = (dice.below(bytes.len() + 1), dice.below(bytes.len() + 1));
        (a.min(b), a.max(b))
    };
    match dice.below(10) {
        0 => bytes.truncate(end),
        1 => _ = bytes.drain(at..end.min(at + 64)),
        2 => {
            let part = bytes[at..end.min(at + 256)].to_vec();
            let times = 1 << dice.below(6);
            bytes.splice(end..end, part.repeat(times));
        }
        3 => {
            let other = dice.one(pool);
            let from = dice.below(other.len() + 1);
            bytes.splice(at..end, other[from..].iter().copied());
        }
        4 | 5 => {
            let word = dice.one(words).as_bytes();
            bytes.splice(at..at, word.iter().copied());
        }
        6 => {
            let word = dice.one(words).as_bytes();
            bytes.splice(at..end.min(at + word.len()), word.iter().copied());
        }
        7 => bytes.insert(at, *dice.one(&EDGES)),
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = if dice.below(2) == 0 { *dice.one(&EDGES) } else { *byte ^ 1 << dice.below(8) };
            }
        }
    }
}
