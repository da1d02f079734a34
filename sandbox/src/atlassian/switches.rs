//! The switches that all Atlassian products have, and how a product adds its own.
//!
//! Owns: the shared switches and their defaults (the best guess of docs/wire/atlassian.md).
//! Leaves to others: acting on them (`login`, `filters`), the switches of one product.
//! A newcomer gets wrong: `version` is not "off"; it is what the played release does.

use crate::switches::Values::{self, Number, OneOf};
use crate::switches::switches;

pub(crate) const BY_VERSION: Values = OneOf(&["version", "on", "off"]);
pub(crate) const ON_OFF: Values = OneOf(&["on", "off"]);
/// What an unknown caller gets.
pub(crate) const STRANGERS: Values = OneOf(&["refused", "anonymous"]);

switches! {
    TOKENS = "tokens", BY_VERSION, "version", "Whether tokens are understood; by version from Jira 8.14, Confluence 7.9 (§2.1).";
    TOKEN_SESSION = "token_session", OneOf(&["ends", "stays"]), "ends",
        "Whether a token's session ends with its request (§1.1).";
    DEAD_COOKIE = "dead_cookie", OneOf(&["refused", "ignored"]), "refused",
        "A cookie of a session that is gone, sent with a token: 401, or the token decides (§2.1).";
    BASIC_AUTH = "basic_auth", BY_VERSION, "version",
        "Whether basic logins are allowed; by version below Jira 11.0 and Confluence 10.0 (§1.3, §12).";
    BAD_PASSWORD = "bad_password", STRANGERS, "refused", "A wrong password on an endpoint open to anonymous (§2.2).";
    BAD_TOKEN = "bad_token", STRANGERS, "anonymous", "A dead token on an endpoint open to anonymous (§2.2, measured).";
    CAPTCHA_AFTER = "captcha_after", Number, "3", "Failed logins until the CAPTCHA; 0 for never (§2.2).";
    CAPTCHA_STATUS = "captcha_status", OneOf(&["401", "403"]), "403", "Status of a login that the CAPTCHA stops (§2.2, §12).";
    BROWSER_CHECK = "browser_check", ON_OFF, "on", "Whether a browser's User-Agent must come with an Origin or Referer (§2.3).";
    RATE_LIMIT = "rate_limit", Number, "0", "Bucket size of rate limiting per user and node; 0 for off (§2.4).";
    RATE_FILL = "rate_fill", Number, "5", "Tokens that come back in each interval (§2.4).";
    RATE_INTERVAL = "rate_interval", Number, "1", "Seconds of an interval (§2.4).";
    NODES = "nodes", Number, "1", "Nodes behind the load balancer; sessions and temporary files live on one (§2.1).";
}
