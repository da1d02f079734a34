//! What docs/wire/google-directory.md leaves open about Google's directory.
//!
//! Owns: the switches and their defaults, the best guess of docs/wire/google-directory.md.
//! Leaves to others: acting on them.
//! A newcomer gets wrong: the defaults are what most sources saw, not what is easiest for a client.

use crate::switches::Values::{Number, OneOf};
use crate::switches::switches;

switches! {
    PAGE_SIZE = "page_size", Number, "500", "pages are cut to this, whatever maxResults asks for; a maximum is no promise (§2)";
    EMPTY_PAGES = "empty_pages", OneOf(&["none", "between", "trailing"]), "none",
        "an empty page with a token between two pages, or as the last one after a full page (§2.1)";
    EMPTY_USERS = "empty_users", OneOf(&["absent", "list"]), "absent", "whether an empty page has `users` (§2.1)";
    TOKEN_PARAMETERS = "page_token_parameters", OneOf(&["identical", "free"]), "identical",
        "whether a page token is refused with other parameters than those it was made for (§2)";
    FALSE_FLAGS = "false_flags", OneOf(&["present", "absent"]), "present", "suspended and archived where they are false (§2.1)";
    PUBLIC_PHOTOS = "public_view_photos", OneOf(&["present", "absent"]), "present", "photo fields under domain_public (§2)";
    SEARCH_LAG = "search_lag_seconds", Number, "3600", "how long `query` sees a user as before the last change (§2.2)";
    PHOTO_ETAG = "photo_etag", OneOf(&["same", "other"]), "same", "UserPhoto.etag against thumbnailPhotoEtag (§3.1)";
    IF_NONE_MATCH = "if_none_match", OneOf(&["ignored", "honoured"]), "ignored", "whether photos answer 304 (§3.1)";
    PADDING = "photo_padding", OneOf(&["equals", "none", "dot", "star", "pipe"]), "equals", "how photoData is padded (§3.1)";
    MIME_TYPE = "photo_mime", OneOf(&["image/jpeg", "image/png", "absent"]), "image/jpeg",
        "what mimeType says; the bytes are JPEG (§3.1)";
    SUSPENDED_PHOTOS = "suspended_photos", OneOf(&["served", "not_found"]), "served", "photos of suspended users (§3.1)";
    BATCH_ORDER = "batch_order", OneOf(&["asked", "shuffled", "reversed"]), "asked", "order of the parts in the answer (§4)";
    BATCH_LIMIT = "batch_limit", Number, "1000", "most parts of a batch (§4)";
    BATCH_ABSOLUTE = "batch_absolute_url", OneOf(&["batch", "part"]), "batch",
        "an absolute URL in a part fails the whole batch, or the part (§4: path only)";
    QUOTA = "quota_per_minute", Number, "2400", "units a minute for one user; 0: no quota (§5)";
    QUOTA_ROW = "quota_row",
        OneOf(&["userRateLimitExceeded", "rateLimitExceeded", "quotaExceeded", "tooManyRequests", "resourceExhausted",
            "quotaText", "requestRateText", "quotaCurrentText"]),
        "userRateLimitExceeded", "which row a call beyond the quota gets (§5)";
    RETRY_AFTER = "retry_after", OneOf(&["absent", "seconds"]), "absent",
        "Retry-After beyond the quota; nothing documents it (§5)";
    ENVELOPE = "error_envelope", OneOf(&["v1", "both", "rpc"]), "v1", "the shape of errors without $.xgafv (§5)";
    API = "api", OneOf(&["enabled", "accessNotConfigured", "domainCannotUseApis"]), "enabled",
        "whether the API is switched on in project and domain (§5)";
    BARE_ACCOUNT = "bare_account", OneOf(&["forbidden", "backendError"]), "forbidden",
        "a service account without subject and role: 403, or 503 for ever (§5)";
    SCOPE_ROW = "scope_row", OneOf(&["insufficientPermissions", "insufficientScopes"]), "insufficientPermissions",
        "the words of a missing scope (§5)";
}
