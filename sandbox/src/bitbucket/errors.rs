//! Refusals in Bitbucket's shape.

use serde_json::json;

use crate::atlassian::reply::Reply;

/// Bitbucket's usual error (docs/wire/atlassian.md §10).
pub(super) fn error(status: u16, message: &str, exception: &str) -> Reply {
    Reply::json(status, &json!({"errors": [{"context": null, "message": message, "exceptionName": exception}]}))
}

/// 401 of a login that works.
pub(super) fn not_permitted() -> Reply {
    error(401, "You are not permitted to access this resource", "com.atlassian.bitbucket.AuthorisationException")
}
