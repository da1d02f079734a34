//! The values of cookies that a session holds and sends: whoever has one is that session.
//!
//! Owns: which values give anything away, and that no server fills the memory with them. Leaves to others: holding them
//! (`http`).
//! A newcomer gets wrong: no answer is held against them, as it is against a secret of the file. Servers name a session in
//! ordinary answers, such as those of Jira's `/rest/auth/1/session`; only what is told is covered.

use std::collections::VecDeque;
use std::sync::{PoisonError, RwLock};

use secrecy::{ExposeSecret as _, SecretString};

use super::spellings::{decoded, spellings};
use super::windows::Marks;

/// So many values are covered of those that stand for a login, and so many of the others, the latest: a balancer gives
/// another one with every answer.
const MOST: [usize; 2] = [512, 32];

/// What the names of cookies hold that stand for a login or guard one: `JSESSIONID`, `BITBUCKETSESSIONID`,
/// `seraph.rememberme.cookie`, `_atl_bitbucket_remember_me`, `atlassian.xsrf.token`, `crowd.token_key`.
const LOGINS: [&str; 5] = ["session", "remember", "token", "auth", "sso"];

/// A shorter value under such a name is a word or a number.
const SHORTEST_LOGIN: usize = 8;

/// A shorter value under another name is a setting: a language, a time, a node.
const SHORTEST: usize = 20;

/// A piece of a value that servers name by itself: the session without its node, a token without its number.
const PIECE: usize = 16;

static HELD: RwLock<[Held; 2]> = RwLock::new([Held::new(), Held::new()]);

/// Values with their spellings, the oldest first.
struct Held {
    values: VecDeque<(SecretString, Vec<SecretString>)>,
    beginnings: Marks,
}

impl Held {
    const fn new() -> Self {
        Self { values: VecDeque::new(), beginnings: Marks::none() }
    }

    fn has(&self, value: &str) -> bool {
        self.values.iter().any(|(held, _)| held.expose_secret() == value)
    }

    fn add(&mut self, value: &str, most: usize) {
        let mut forms: Vec<String> = pieces(value).iter().flat_map(|piece| spellings(piece)).collect();
        forms.sort_unstable();
        forms.dedup();
        self.values.push_back((value.into(), forms.into_iter().map(SecretString::from).collect()));
        if self.values.len() > most {
            self.values.pop_front();
            self.beginnings = Marks::none();
        }
        let new = if self.beginnings.is_empty() { 0 } else { self.values.len() - 1 };
        for (_, forms) in self.values.range(new..) {
            forms.iter().for_each(|form| self.beginnings.add_beginning(form.expose_secret()));
        }
    }
}

/// Has the value of a cookie that a session keeps covered from now on, if it gives anything away.
pub(crate) fn cover_cookie(name: &str, value: &str) {
    let value = value.trim_matches('"');
    let name = name.to_ascii_lowercase();
    let is_login = LOGINS.iter().any(|login| name.contains(login));
    if !(if is_login { names_a_login(value) } else { is_drawn(value) }) {
        return;
    }
    let nth = usize::from(!is_login);
    if HELD.read().unwrap_or_else(PoisonError::into_inner)[nth].has(value) {
        return;
    }
    let mut held = HELD.write().unwrap_or_else(PoisonError::into_inner);
    if !held[nth].has(value) {
        held[nth].add(value, MOST[nth]);
    }
}

/// Hands over each spelling that may stand in this text.
pub(super) fn each_in(text: &str, mut found: impl FnMut(&str)) {
    let held = HELD.read().unwrap_or_else(PoisonError::into_inner);
    for held in held.iter().filter(|held| held.beginnings.may_be_in(text)) {
        held.values.iter().flat_map(|(_, forms)| forms).for_each(|form| found(form.expose_secret()));
    }
}

/// No word, and no number such as a time.
fn names_a_login(value: &str) -> bool {
    value.len() >= SHORTEST_LOGIN
        && value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Whether it looks drawn by lot: long, of one piece, with letters of both cases and digits, or all hexadecimal.
fn is_drawn(value: &str) -> bool {
    let has = |is: fn(&u8) -> bool| value.as_bytes().iter().any(is);
    let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    let (hex, all) = (value.bytes().filter(u8::is_ascii_hexdigit).count(), value.len());
    let mut signs: Vec<u8> = value.bytes().collect();
    signs.sort_unstable();
    signs.dedup();
    let of_one_piece = !["://", "%3A%2F", "@", "%40", " ", "%20"].iter().any(|sign| value.contains(sign));
    all >= SHORTEST && of_one_piece && signs.len() >= 10 && (mixed || (has(u8::is_ascii_alphabetic) && hex == all))
}

/// As it is, as it means, and the pieces of it that mean something by themselves.
fn pieces(value: &str) -> Vec<String> {
    let plain = decoded(value);
    let long = |piece: &&str| piece.len() >= PIECE && names_a_login(piece);
    let mut all: Vec<String> = plain.split([':', '.', '_', '|', '!']).filter(long).map(str::to_owned).collect();
    all.extend([value.to_owned(), plain]);
    all
}

#[cfg(test)]
mod tests {
    use super::super::{holds_secret, redact};
    use super::*;

    #[test]
    fn what_stands_for_a_session_is_covered_and_no_answer_is_refused_for_it() {
        for (name, value, told, clean) in [
            ("JSESSIONID", "9F1C0AB27D3E4856.node1", "no 9F1C0AB27D3E4856.node1", "no ***"),
            (
                "JSESSIONID",
                "8E1C0AB27D3E48569F1C0AB27D3E4856.node1",
                "8E1C0AB27D3E48569F1C0AB27D3E4856 is over",
                "*** is over",
            ),
            (
                "seraph.rememberme.cookie",
                "10502%3A5b4c2f71e09ad8b3c6f0a1d2e3f40516",
                "10502:5b4c2f71e09ad8b3c6f0a1d2e3f40516, 10502%3a5b4c2f71e09ad8b3c6f0a1d2e3f40516, 5b4c2f71e09ad8b3c6f0a1d2e3f40516",
                "***, ***, ***",
            ),
            ("BITBUCKETSESSIONID", "\"c0ffee00a1b2c3d4\"", "<c0ffee00a1b2c3d4>", "<***>"),
            ("ROUTE", "Zk3/9dQp+7xLw0Vb1nTe", r"Zk3\/9dQp+7xLw0Vb1nTe Zk3%2F9dQp%2B7xLw0Vb1nTe", "*** ***"),
            ("AWSALB", "0123456789abcdef0123abcd", "0123456789abcdef0123abcd", "***"),
        ] {
            cover_cookie(name, value);
            assert_eq!(redact(told), clean, "{name}");
            assert!(!holds_secret([told.as_bytes()]), "{name}: an ordinary answer would not be kept");
        }
    }

    #[test]
    fn settings_and_words_stay_as_they_are() {
        for (name, value) in [
            ("JSESSIONID", ""),
            ("JSESSIONID", "1"),
            ("JSESSIONID", "maintenance"),
            ("JSESSIONID", "20261130080000"),
            ("atlassian.xsrf.token", "true"),
            ("language", "en_US"),
            ("node", "jira-node-1.corp.example.org"),
            ("since", "2026-11-30T08:00:00.000Z"),
            ("back", "https://Jira1.ex.org/secure/Dashboard.jspa"),
            ("who", "Ada.Lovelace1815@example.org"),
            ("bar", "00000000000000000000000000000000"),
        ] {
            cover_cookie(name, value);
            let told = format!("it says {value} here");
            assert_eq!(redact(&told), told, "{name}");
        }
    }

    #[test]
    fn of_cookies_that_change_with_every_answer_the_latest_are_kept() {
        let mut held = Held::new();
        let value = |nth: u32| format!("drawn-{nth:06}-by-lot");
        (0..50).for_each(|nth| held.add(&value(nth), 8));
        assert_eq!(held.values.len(), 8);
        assert!(held.has(&value(49)) && held.has(&value(42)) && !held.has(&value(41)));
        assert!(held.beginnings.may_be_in(&value(42)));
    }
}
