//! What docs/wire/microsoft-graph.md leaves open about Graph.
//!
//! Owns: the switches and their defaults, the best guess of docs/wire/microsoft-graph.md.
//! Leaves to others: acting on them.
//! A newcomer gets wrong: the defaults are what most sources saw, not what is easiest for a client.

use crate::switches::Values::{Number, OneOf};
use crate::switches::switches;

switches! {
    PAGE_SIZE = "page_size", Number, "999", "pages are cut to this, whatever $top asks for (§7)";
    EMPTY_PAGES = "empty_pages", OneOf(&["no", "yes"]), "no", "an empty page with a next link between two pages (§2.2)";
    USER_ORDER = "user_order", OneOf(&["stable", "shuffled"]), "stable", "order of the listing; none is guaranteed (§2.1)";
    MEDIA_ETAG = "media_etag", OneOf(&["weak", "strong", "empty", "null", "absent"]), "weak",
        "form of @odata.mediaEtag in metadata (§3.6)";
    VALUE_ETAG = "value_etag", OneOf(&["same", "weak", "strong", "absent", "other"]), "same",
        "the ETag header beside the bytes against @odata.mediaEtag (§3.6, §10.2)";
    IF_NONE_MATCH = "if_none_match", OneOf(&["ignored", "honoured"]), "ignored", "whether photos answer 304 (§3.6, §10.1)";
    SIZE_ID = "size_id", OneOf(&["lower", "upper"]), "lower", "648x648 or 648X648 in photo ids (§3.1)";
    MISSING_SIZE = "missing_size", OneOf(&["not_found", "one_pixel"]), "not_found",
        "the answer for a size that there is not (§3.5)";
    NO_PHOTO = "no_photo",
        OneOf(&["as_declared", "image_not_found", "item_not_found", "entity_not_found", "one_pixel"]), "as_declared",
        "the shape of every proven absence (§3.5, §10.3)";
    NO_MAILBOX_STATUS = "no_mailbox_status", Number, "404", "status of ErrorNonExistentMailbox (§3.5)";
    NOT_HOSTED_STATUS = "not_hosted_status", Number, "404", "status of MailboxNotHostedInExchangeOnline, not recorded (§3.5)";
    UNKNOWN_ERROR_STATUS = "unknown_error_status", Number, "404", "status of UnknownError, not recorded (§3.5)";
    EXTENSION_ERROR_STATUS = "extension_error_status", Number, "500", "status of extensionError, not recorded (§3.5)";
    BATCH_LIMIT = "batch_limit", Number, "20", "most parts of a batch; 15 was reported (§4)";
    BATCH_BASE64 = "batch_base64", OneOf(&["standard", "url", "wrapped"]), "standard", "alphabet of binary parts (§4)";
    BATCH_ORDER = "batch_order", OneOf(&["shuffled", "asked", "reversed"]), "shuffled",
        "order of the responses, which is free (§4)";
    BATCH_HEADERS = "batch_headers", OneOf(&["canonical", "lower", "upper"]), "canonical",
        "spelling of header names inside parts (§4)";
    BATCH_THROTTLED = "batch_throttled_status", OneOf(&["200", "424"]), "200",
        "outer status of a batch with a throttled part (§4)";
    BATCH_ABSOLUTE = "batch_absolute_url_status", OneOf(&["400", "500"]), "400", "status for an absolute URL in a batch (§9b)";
    PHOTO_UNITS = "photo_units", OneOf(&["absent", "present"]), "absent", "x-ms-resource-unit on photo answers (§10.4)";
    INNER_ERROR = "inner_error", OneOf(&["innerError", "innererror"]), "innerError", "spelling of the inner error (§6)";
    QUOTA = "quota_units_per_10s", Number, "0", "resource units in 10 s before 429; 0: no quota (§5)";
    RETRY_AFTER = "retry_after", OneOf(&["seconds", "decimal", "one", "absent"]), "seconds",
        "the Retry-After of a throttled call (§5)";
    THROTTLE_PERCENTAGE = "throttle_percentage", OneOf(&["present", "absent"]), "present",
        "x-ms-throttle-limit-percentage from 0.8 on (§5)";
}
