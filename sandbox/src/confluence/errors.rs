//! Refusals in the shape of Confluence's REST API.

use serde_json::json;

use crate::atlassian::reply::Reply;

pub(super) fn error(status: u16, message: &str) -> Reply {
    let data = json!({"authorized": status != 403, "valid": true, "errors": [], "successful": false});
    Reply::json(status, &json!({"statusCode": status, "data": data, "message": message}))
}
