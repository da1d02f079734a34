//! Refusals of Google's token endpoints that no request brings about.

use crate::oauth::Refusal;

/// The rows of docs/wire/google-directory.md §1.3 that no assertion brings about, by the name of a dialled-in fault.
pub(super) fn dialled(word: &str) -> Option<Refusal> {
    Some(match word {
        "access_denied" => Refusal::new(403, word, "Account restricted."),
        "invalid_account" => Refusal::new(400, word, "Unusable account."),
        "disabled_client" => Refusal::new(401, word, "The OAuth client was disabled."),
        "deleted_client" => Refusal::new(401, word, "The OAuth client was deleted."),
        "internal_failure" => Refusal::new(500, word, "Internal failure."),
        "server_error" => Refusal::new(500, word, "Server error."),
        "temporarily_unavailable" => Refusal::new(503, word, "Try again later."),
        _ => return None,
    })
}
