//! The pages of a listing (docs/wire/google-directory.md §2).
//!
//! Owns: page tokens, and cutting the page that is asked for.
//! Leaves to others: what is listed (`users`, `members`).
//! A newcomer gets wrong: a page token is good for three days and for the very request that it came from.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;

use super::call::{Call, Reply};
use super::service::Directory;
use crate::google::live::short;
use crate::google::switches::{EMPTY_PAGES, PAGE_SIZE, TOKEN_PARAMETERS};
use crate::jwt::seconds;

/// How long a page token is good (§2).
const TOKEN_LASTS: i64 = 3 * 24 * 3600;

struct PageToken {
    /// How many users came before.
    offset: usize,
    /// Whether the next page is an empty one.
    hollow: bool,
    issued: i64,
    /// Of the parameters it belongs to.
    digest: String,
}

impl PageToken {
    fn write(&self) -> String {
        let text = format!("{}.{}.{}.{}", self.offset, u8::from(self.hollow), self.issued, self.digest);
        let seal = blake3::hash(text.as_bytes()).to_hex();
        BASE64URL.encode(format!("{text}.{}", &seal[..16]))
    }

    fn read(text: &str) -> Option<Self> {
        let text = String::from_utf8(BASE64URL.decode(text).ok()?).ok()?;
        let (content, seal) = text.rsplit_once('.')?;
        let mut parts = content.split('.');
        let [offset, hollow, issued, digest] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let sealed = blake3::hash(content.as_bytes()).to_hex()[..16] == *seal;
        let (offset, issued) = (offset.parse().ok()?, issued.parse().ok()?);
        sealed.then(|| Self { offset, hollow: hollow == "1", issued, digest: digest.to_owned() })
    }
}

pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

impl Directory {
    pub(super) fn page<T>(&self, call: &Call, all: Vec<T>, most: usize, usual: usize) -> Result<Page<T>, Reply> {
        let invalid = |says: &str| self.refuse(call, "invalid", Some(says));
        let asked = match call.get("maxResults").map(str::parse::<usize>) {
            None => usual,
            Some(Ok(number)) if (1..=most).contains(&number) => number,
            Some(_) => {
                let says = format!("Invalid value for: maxResults. Values must be within the range: [1, {most}]");
                return Err(invalid(&says));
            }
        };
        let size = asked.min(usize::try_from(self.context.number(&PAGE_SIZE)).unwrap_or(most).max(1));
        let now = seconds(self.context.now());
        let digest = parameters(call);
        let token = match call.get("pageToken") {
            None => PageToken { offset: 0, hollow: false, issued: now, digest: digest.clone() },
            Some(text) => PageToken::read(text).ok_or_else(|| invalid("Invalid Input: pageToken"))?,
        };
        let foreign = token.digest != digest && self.context.is(&TOKEN_PARAMETERS, "identical");
        if foreign || now - token.issued > TOKEN_LASTS {
            return Err(invalid("Invalid Input: pageToken"));
        }
        let next = |offset, hollow| Some(PageToken { offset, hollow, issued: now, digest: digest.clone() }.write());
        if token.hollow {
            let next = if token.offset < all.len() { next(token.offset, false) } else { None };
            return Ok(Page { items: Vec::new(), next });
        }
        let total = all.len();
        let items: Vec<T> = all.into_iter().skip(call.drift.before(token.offset)).take(size).collect();
        let end = token.offset + items.len();
        let empty = self.context.switch(&EMPTY_PAGES);
        let next = match (end < total, empty.as_str()) {
            (true, "between") => next(end, true),
            (true, _) => next(end, false),
            (false, "trailing") if items.len() == size => next(end, true),
            (false, _) => None,
        };
        Ok(Page { items, next })
    }
}

/// What a page token belongs to: every parameter but the token itself and those that only shape the answer.
fn parameters(call: &Call) -> String {
    let free = ["pageToken", "prettyPrint", "quotaUser", "alt", "key", "$.xgafv"];
    let mut kept: Vec<_> = call.parameters.iter().filter(|(name, _)| !free.contains(&name.as_str())).collect();
    kept.sort();
    digest(&format!("{:?}{kept:?}", call.segments))
}

/// A short word for a text, the same for the same text.
pub(super) fn digest(text: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(text.as_bytes());
    short(hasher)
}
