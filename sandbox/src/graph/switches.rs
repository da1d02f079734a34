//! What docs/wire/microsoft-graph.md leaves open about Graph.
//!
//! Owns: the switches and their defaults, the best guess of docs/wire/microsoft-graph.md.
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

pub(super) const PAGE_SIZE: Switch = number("page_size", "999", "pages are cut to this, whatever $top asks for (§7)");
pub(super) const EMPTY_PAGES: Switch =
    choice("empty_pages", &["no", "yes"], "no", "an empty page with a next link between two pages (§2.2)");
pub(super) const USER_ORDER: Switch =
    choice("user_order", &["stable", "shuffled"], "stable", "order of the listing; none is guaranteed (§2.1)");
pub(super) const MEDIA_ETAG: Switch = choice(
    "media_etag",
    &["weak", "strong", "empty", "null", "absent"],
    "weak",
    "form of @odata.mediaEtag in metadata (§3.6)",
);
pub(super) const VALUE_ETAG: Switch = choice(
    "value_etag",
    &["same", "weak", "strong", "absent", "other"],
    "same",
    "the ETag header beside the bytes against @odata.mediaEtag (§3.6, §10.2)",
);
pub(super) const IF_NONE_MATCH: Switch =
    choice("if_none_match", &["ignored", "honoured"], "ignored", "whether photos answer 304 (§3.6, §10.1)");
pub(super) const SIZE_ID: Switch =
    choice("size_id", &["lower", "upper"], "lower", "648x648 or 648X648 in photo ids (§3.1)");
pub(super) const MISSING_SIZE: Switch =
    choice("missing_size", &["not_found", "one_pixel"], "not_found", "the answer for a size that there is not (§3.5)");
pub(super) const NO_PHOTO: Switch = choice(
    "no_photo",
    &["as_declared", "image_not_found", "item_not_found", "entity_not_found", "one_pixel"],
    "as_declared",
    "the shape of every proven absence (§3.5, §10.3)",
);
pub(super) const NO_MAILBOX_STATUS: Switch =
    number("no_mailbox_status", "404", "status of ErrorNonExistentMailbox (§3.5)");
pub(super) const NOT_HOSTED_STATUS: Switch =
    number("not_hosted_status", "404", "status of MailboxNotHostedInExchangeOnline, not recorded (§3.5)");
pub(super) const UNKNOWN_ERROR_STATUS: Switch =
    number("unknown_error_status", "404", "status of UnknownError, not recorded (§3.5)");
pub(super) const EXTENSION_ERROR_STATUS: Switch =
    number("extension_error_status", "500", "status of extensionError, not recorded (§3.5)");
pub(super) const BATCH_LIMIT: Switch = number("batch_limit", "20", "most parts of a batch; 15 was reported (§4)");
pub(super) const BATCH_BASE64: Switch =
    choice("batch_base64", &["standard", "url", "wrapped"], "standard", "alphabet of binary parts (§4)");
pub(super) const BATCH_ORDER: Switch =
    choice("batch_order", &["shuffled", "asked", "reversed"], "shuffled", "order of the responses, which is free (§4)");
pub(super) const BATCH_HEADERS: Switch = choice(
    "batch_headers",
    &["canonical", "lower", "upper"],
    "canonical",
    "spelling of header names inside parts (§4)",
);
pub(super) const BATCH_THROTTLED: Switch =
    choice("batch_throttled_status", &["200", "424"], "200", "outer status of a batch with a throttled part (§4)");
pub(super) const BATCH_ABSOLUTE: Switch =
    choice("batch_absolute_url_status", &["400", "500"], "400", "status for an absolute URL in a batch (§9b)");
pub(super) const PHOTO_UNITS: Switch =
    choice("photo_units", &["absent", "present"], "absent", "x-ms-resource-unit on photo answers (§10.4)");
pub(super) const INNER_ERROR: Switch =
    choice("inner_error", &["innerError", "innererror"], "innerError", "spelling of the inner error (§6)");
pub(super) const QUOTA: Switch =
    number("quota_units_per_10s", "0", "resource units in 10 s before 429; 0: no quota (§5)");
pub(super) const RETRY_AFTER: Switch = choice(
    "retry_after",
    &["seconds", "decimal", "one", "absent"],
    "seconds",
    "the Retry-After of a throttled call (§5)",
);
pub(super) const THROTTLE_PERCENTAGE: Switch =
    choice("throttle_percentage", &["present", "absent"], "present", "x-ms-throttle-limit-percentage from 0.8 on (§5)");

pub(super) static ALL: [Switch; 24] = [
    PAGE_SIZE,
    EMPTY_PAGES,
    USER_ORDER,
    MEDIA_ETAG,
    VALUE_ETAG,
    IF_NONE_MATCH,
    SIZE_ID,
    MISSING_SIZE,
    NO_PHOTO,
    NO_MAILBOX_STATUS,
    NOT_HOSTED_STATUS,
    UNKNOWN_ERROR_STATUS,
    EXTENSION_ERROR_STATUS,
    BATCH_LIMIT,
    BATCH_BASE64,
    BATCH_ORDER,
    BATCH_HEADERS,
    BATCH_THROTTLED,
    BATCH_ABSOLUTE,
    PHOTO_UNITS,
    INNER_ERROR,
    QUOTA,
    RETRY_AFTER,
    THROTTLE_PERCENTAGE,
];
