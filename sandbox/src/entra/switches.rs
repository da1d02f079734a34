//! What docs/wire/microsoft-graph.md leaves open about the sign-in.
//!
//! Owns: the switches and their defaults, the best guess of docs/wire/microsoft-graph.md.
//! Leaves to others: acting on them.
//! A newcomer gets wrong: the defaults are what most sources saw, not what is easiest for a client.

use crate::switches::Values::{Number, OneOf};
use crate::switches::switches;

switches! {
    INVALID_CLIENT_STATUS = "invalid_client_status", OneOf(&["401", "400"]), "401", "HTTP status of invalid_client (§1.6)";
    TOKEN_SECONDS = "token_seconds", Number, "0", "how long a token lasts; 0: 60 to 90 minutes (§1.5)";
    EXT_EXPIRES_IN = "ext_expires_in", OneOf(&["present", "absent"]), "present", "whether the answer holds ext_expires_in (§1.1)";
    TRANSIENT_STATUS = "transient_status", OneOf(&["503", "400"]), "503",
        "HTTP status of the codes that pass by themselves (§1.6; documented is 400 for all)";
    RS256 = "rs256_assertions", OneOf(&["accepted", "refused"]), "accepted", "whether RS256 with x5t is still taken (§1.2)";
    SKEW = "assertion_skew_seconds", Number, "300", "how far the clock of an assertion may be off; not documented (§1.6, 700024)";
    FEDERATION_CODE = "federation_code", OneOf(&["by_member", "70021"]), "by_member",
        "700213 for a subject that does not match and 70021 for the rest, or 70021 for all (§1.3, §1.6)";
}
