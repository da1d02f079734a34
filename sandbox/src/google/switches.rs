//! What docs/wire/google-directory.md leaves open about Google's directory.
//!
//! Owns: the switches and their defaults, the best guess of docs/wire/google-directory.md.
//! Leaves to others: acting on them.
//! A newcomer gets wrong: the defaults are what most sources saw, not what is easiest for a client.

use crate::switches::{Switch, Values};

const fn choice(
    name: &'static str,
    words: &'static [&'static str],
    default: &'static str,
    about: &'static str,
) -> Switch {
    Switch { name, values: Values::OneOf(words), default, about }
}

const fn number(name: &'static str, default: &'static str, about: &'static str) -> Switch {
    Switch { name, values: Values::Number, default, about }
}

pub(super) const PAGE_SIZE: Switch =
    number("page_size", "500", "pages are cut to this, whatever maxResults asks for; a maximum is no promise (§2)");
pub(super) const EMPTY_PAGES: Switch = choice(
    "empty_pages",
    &["none", "between", "trailing"],
    "none",
    "an empty page with a token between two pages, or as the last one after a full page (§2.1)",
);
pub(super) const EMPTY_USERS: Switch =
    choice("empty_users", &["absent", "list"], "absent", "whether an empty page has `users` (§2.1)");
pub(super) const TOKEN_PARAMETERS: Switch = choice(
    "page_token_parameters",
    &["identical", "free"],
    "identical",
    "whether a page token is refused with other parameters than those it was made for (§2)",
);
pub(super) const FALSE_FLAGS: Switch =
    choice("false_flags", &["present", "absent"], "present", "suspended and archived where they are false (§2.1)");
pub(super) const PUBLIC_PHOTOS: Switch =
    choice("public_view_photos", &["present", "absent"], "present", "photo fields under domain_public (§2)");
pub(super) const SEARCH_LAG: Switch =
    number("search_lag_seconds", "3600", "how long `query` sees a user as before the last change (§2.2)");
pub(super) const PHOTO_ETAG: Switch =
    choice("photo_etag", &["same", "other"], "same", "UserPhoto.etag against thumbnailPhotoEtag (§3.1)");
pub(super) const IF_NONE_MATCH: Switch =
    choice("if_none_match", &["ignored", "honoured"], "ignored", "whether photos answer 304 (§3.1)");
pub(super) const PADDING: Switch =
    choice("photo_padding", &["equals", "none", "dot", "star", "pipe"], "equals", "how photoData is padded (§3.1)");
pub(super) const MIME_TYPE: Switch = choice(
    "photo_mime",
    &["image/jpeg", "image/png", "absent"],
    "image/jpeg",
    "what mimeType says; the bytes are JPEG (§3.1)",
);
pub(super) const SUSPENDED_PHOTOS: Switch =
    choice("suspended_photos", &["served", "not_found"], "served", "photos of suspended users (§3.1)");
pub(super) const BATCH_ORDER: Switch =
    choice("batch_order", &["asked", "shuffled", "reversed"], "asked", "order of the parts in the answer (§4)");
pub(super) const BATCH_LIMIT: Switch = number("batch_limit", "1000", "most parts of a batch (§4)");
pub(super) const BATCH_ABSOLUTE: Switch = choice(
    "batch_absolute_url",
    &["batch", "part"],
    "batch",
    "an absolute URL in a part fails the whole batch, or the part (§4: path only)",
);
pub(super) const QUOTA: Switch = number("quota_per_minute", "2400", "units a minute for one user; 0: no quota (§5)");
pub(super) const QUOTA_ROW: Switch = choice(
    "quota_row",
    &[
        "userRateLimitExceeded",
        "rateLimitExceeded",
        "quotaExceeded",
        "tooManyRequests",
        "resourceExhausted",
        "quotaText",
        "requestRateText",
        "quotaCurrentText",
    ],
    "userRateLimitExceeded",
    "which row a call beyond the quota gets (§5)",
);
pub(super) const RETRY_AFTER: Switch =
    choice("retry_after", &["absent", "seconds"], "absent", "Retry-After beyond the quota; nothing documents it (§5)");
pub(super) const ENVELOPE: Switch =
    choice("error_envelope", &["v1", "both", "rpc"], "v1", "the shape of errors without $.xgafv (§5)");
pub(super) const API: Switch = choice(
    "api",
    &["enabled", "accessNotConfigured", "domainCannotUseApis"],
    "enabled",
    "whether the API is switched on in project and domain (§5)",
);
pub(super) const BARE_ACCOUNT: Switch = choice(
    "bare_account",
    &["forbidden", "backendError"],
    "forbidden",
    "a service account without subject and role: 403, or 503 for ever (§5)",
);
pub(super) const SCOPE_ROW: Switch = choice(
    "scope_row",
    &["insufficientPermissions", "insufficientScopes"],
    "insufficientPermissions",
    "the words of a missing scope (§5)",
);

pub(super) static ALL: [Switch; 22] = [
    PAGE_SIZE,
    EMPTY_PAGES,
    EMPTY_USERS,
    TOKEN_PARAMETERS,
    FALSE_FLAGS,
    PUBLIC_PHOTOS,
    SEARCH_LAG,
    PHOTO_ETAG,
    IF_NONE_MATCH,
    PADDING,
    MIME_TYPE,
    SUSPENDED_PHOTOS,
    BATCH_ORDER,
    BATCH_LIMIT,
    BATCH_ABSOLUTE,
    QUOTA,
    QUOTA_ROW,
    RETRY_AFTER,
    ENVELOPE,
    API,
    BARE_ACCOUNT,
    SCOPE_ROW,
];
