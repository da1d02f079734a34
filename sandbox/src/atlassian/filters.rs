//! What stands between the login and the endpoints: rate limiting and the check against forged requests.
//!
//! Owns: the token bucket of a user on a node (docs/wire/atlassian.md §2.4), the XSRF rules (§2.3).
//! Leaves to others: who asks (`login`).
//! A newcomer gets wrong: a browser's `User-Agent` fails the check even with the `X-Atlassian-Token` header.

use axum::http::{HeaderName, header};
use url::Url;

use super::auth::{AccountStore, AuthPolicy, Bucket};
use super::caller::Caller;
use super::reply::Reply;
use super::request::Request;
use super::switches;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const INTERVAL: HeaderName = HeaderName::from_static("x-ratelimit-interval-seconds");
const FILL_RATE: HeaderName = HeaderName::from_static("x-ratelimit-fillrate");

/// How the bucket stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateLimit {
    limit: u64,
    remaining: u64,
    interval: u64,
    fill: u64,
    retry_after: u64,
    pub over: bool,
}

impl RateLimit {
    pub(crate) fn sign(self, reply: Reply) -> Reply {
        reply
            .with(LIMIT, self.limit.to_string())
            .with(REMAINING, self.remaining.to_string())
            .with(INTERVAL, self.interval.to_string())
            .with(FILL_RATE, self.fill.to_string())
            .with(header::RETRY_AFTER, self.retry_after.to_string())
    }

    pub(crate) fn refusal(request: &Request) -> Reply {
        match request.header("accept").is_some_and(|accept| accept.contains("application/json")) {
            true => Reply::message(429, "Rate limit exceeded."),
            false => Reply::page(429, "Rate limit exceeded", "You have sent too many requests."),
        }
    }
}

/// Takes a token for the caller; none for anonymous and when the feature is off.
pub(crate) fn rate_limit<P: AuthPolicy>(policy: &P, store: &mut P::Store, caller: &Caller) -> Option<RateLimit> {
    let key = caller.key.as_ref()?;
    let (limit, fill) = (policy.context().number(&switches::RATE_LIMIT), policy.context().number(&switches::RATE_FILL));
    let interval = policy.context().number(&switches::RATE_INTERVAL).max(1);
    if store.keyed(key).is_some_and(|account| account.blocked) {
        store.auth_state_mut().counters.refused_by_rate += 1;
        let retry_after = i64::MAX.unsigned_abs();
        return Some(RateLimit { limit: 0, remaining: 0, interval, fill: 0, retry_after, over: true });
    }
    if limit == 0 {
        return None;
    }
    let now = policy.context().now();
    let full = Bucket { tokens: limit, filled: now };
    let bucket = store.auth_state_mut().buckets.entry((key.clone(), caller.node)).or_insert(full);
    let waited = now.duration_since(bucket.filled).unwrap_or_default().as_secs() / interval;
    if waited > 0 {
        bucket.tokens = limit.min(bucket.tokens.saturating_add(waited.saturating_mul(fill)));
        bucket.filled += std::time::Duration::from_secs(waited * interval);
    }
    let over = bucket.tokens == 0;
    bucket.tokens = bucket.tokens.saturating_sub(1);
    let since = now.duration_since(bucket.filled).unwrap_or_default().as_secs();
    let retry_after = if bucket.tokens > 0 { 0 } else { interval.saturating_sub(since).max(1) };
    let rate_limit = RateLimit { limit, remaining: bucket.tokens, interval, fill, retry_after, over };
    store.auth_state_mut().counters.refused_by_rate += u64::from(over);
    Some(rate_limit)
}

/// The check against forged requests; `strict` endpoints want the header whatever the body's type.
pub(crate) fn check_forgery<P: AuthPolicy>(policy: &P, request: &Request, strict: bool) -> Result<(), Reply> {
    if !request.is_mutating() {
        return Ok(());
    }
    // The old value passes with a warning (§2.3).
    let vouched = request.header("x-atlassian-token").is_some_and(|value| matches!(value, "no-check" | "nocheck"));
    let forgeable = match request.mime().as_deref() {
        None => true,
        Some("text/plain" | "application/x-www-form-urlencoded") => true,
        Some(mime) => mime.starts_with("multipart/"),
    };
    let foreign =
        policy.context().is(&switches::BROWSER_CHECK, "on") && is_browser(request) && !is_own_page(policy, request);
    match foreign || (!vouched && (strict || forgeable)) {
        true => Err(Reply::typed(403, "text/plain;charset=UTF-8", b"XSRF check failed".to_vec())),
        false => Ok(()),
    }
}

fn is_own_page<P: AuthPolicy>(policy: &P, request: &Request) -> bool {
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
    let page = request.header("origin").or_else(|| request.header("referer")).and_then(origin);
    page.is_some() && page == origin(policy.base())
}

fn is_browser(request: &Request) -> bool {
    let agent = request.header("user-agent").unwrap_or_default();
    ["Mozilla/", "Opera/", "Safari/", "Chrome/"].iter().any(|word| agent.contains(word))
}
