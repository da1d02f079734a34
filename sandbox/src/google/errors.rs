//! Every way in which the Directory API refuses (docs/wire/google-directory.md §5), by a name that worlds and faults
//! use.
//!
//! Owns: status, reason, message and shape of each row; the two envelopes of the API.
//! Leaves to others: when a row applies (`directory`), the OAuth envelope of the sign-ins (`token`, `sts`).
//! A newcomer gets wrong: the reason alone says little. `rateLimitExceeded` comes with 403 and with 429, `notFound` for
//! a photo and for a user; so rows have names of their own.

use serde_json::{Value, json};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The name in worlds and faults.
    pub(super) name: &'static str,
    pub(super) status: u16,
    pub(super) reason: &'static str,
    pub(super) message: &'static str,
    pub(super) shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Api,
    Html,
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Envelope {
    /// `errors[]`.
    V1,
    /// `errors[]`, and `status` and `details[]` beside it.
    Both,
    /// `status` and `details[]` alone, as with `$.xgafv=2`.
    Rpc,
}

const fn api(name: &'static str, status: u16, reason: &'static str, message: &'static str) -> Row {
    Row { name, status, reason, message, shape: Shape::Api }
}

const fn page(name: &'static str, status: u16, message: &'static str) -> Row {
    Row { name, status, reason: "", message, shape: Shape::Html }
}

const fn text(name: &'static str, status: u16, message: &'static str) -> Row {
    Row { name, status, reason: "", message, shape: Shape::Text }
}

const QUOTA: &str = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service \
                     'admin.googleapis.com' for consumer 'project_number:123456789012'.";

static ROWS: [Row; 37] = [
    api("authError", 401, "authError", "Invalid Credentials"),
    api("required", 401, "required", "Login Required."),
    api("forbidden", 403, "forbidden", "Not Authorized to access this resource/api"),
    api("insufficientPermissions", 403, "insufficientPermissions", "Insufficient Permission"),
    api("insufficientScopes", 403, "insufficientPermissions", "Request had insufficient authentication scopes."),
    api(
        "accessNotConfigured",
        403,
        "accessNotConfigured",
        "Admin SDK API has not been used in project 123456789012 before or it is disabled. Enable it by visiting \
         https://console.developers.google.com/apis/api/admin.googleapis.com/overview?project=123456789012 then retry.",
    ),
    api("domainCannotUseApis", 403, "domainCannotUseApis", "Domain cannot use apis."),
    api("userRateLimitExceeded", 403, "userRateLimitExceeded", "User Rate Limit Exceeded"),
    api("rateLimitExceeded", 403, "rateLimitExceeded", QUOTA),
    api("quotaExceeded", 403, "quotaExceeded", "Quota exceeded for the current request."),
    api("sharingRateLimitExceeded", 403, "sharingRateLimitExceeded", "Sharing Rate Limit Exceeded"),
    api("dailyLimitExceeded", 403, "dailyLimitExceeded", "Daily Limit Exceeded"),
    text("requestRateText", 403, "Request rate higher than configured."),
    api("tooManyRequests", 429, "rateLimitExceeded", "Too many concurrent requests for this account."),
    api("resourceExhausted", 429, "RESOURCE_EXHAUSTED", QUOTA),
    text("quotaText", 429, QUOTA),
    api("photoNotFound", 404, "notFound", "Resource Not Found: photo"),
    api("userNotFound", 404, "notFound", "Resource Not Found: userKey"),
    api("groupNotFound", 404, "notFound", "Resource Not Found: groupKey"),
    api("domainNotFound", 404, "notFound", "Domain not found."),
    page("notFoundPage", 404, "The requested URL was not found on this server. That&rsquo;s all we know."),
    api("invalid", 400, "invalid", "Invalid Input"),
    api("badRequest", 400, "badRequest", "Bad Request"),
    api("invalidParameter", 400, "invalidParameter", "Invalid field selection"),
    api("failedPrecondition", 400, "failedPrecondition", "Precondition check failed."),
    api("conditionNotMet", 412, "conditionNotMet", "Precondition Failed"),
    api("internalError", 500, "internalError", "Internal error encountered."),
    api("backendError500", 500, "backendError", "Backend Error"),
    api("unknownError", 500, "unknownError", "Unknown Error"),
    api("badGateway", 502, "badGateway", "Bad Gateway"),
    page("badGatewayPage", 502, "The server encountered a temporary error and could not complete your request."),
    api("backendError", 503, "backendError", "Service unavailable. Please try again"),
    api("serviceNotAvailable", 503, "serviceNotAvailable", "Service unavailable."),
    api("transientError", 503, "transientError", "Transient error."),
    text("quotaCurrentText", 503, "Quota exceeded for the current request"),
    api("gatewayTimeout", 504, "gatewayTimeout", "Gateway Timeout"),
    page("gatewayTimeoutPage", 504, "The server didn&rsquo;t respond in time."),
];

pub(super) fn row(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

pub(super) fn names() -> String {
    ROWS.iter().map(|row| row.name).collect::<Vec<_>>().join(", ")
}

impl Row {
    fn domain(&self) -> &'static str {
        match self.reason {
            "userRateLimitExceeded"
            | "rateLimitExceeded"
            | "quotaExceeded"
            | "dailyLimitExceeded"
            | "sharingRateLimitExceeded"
            | "accessNotConfigured" => "usageLimits",
            _ => "global",
        }
    }

    /// `google.rpc.Code` of the same fault.
    fn rpc(&self) -> &'static str {
        match self.status {
            400 | 412 => "INVALID_ARGUMENT",
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            429 => "RESOURCE_EXHAUSTED",
            503 => "UNAVAILABLE",
            504 => "DEADLINE_EXCEEDED",
            _ => "INTERNAL",
        }
    }

    /// The body in this envelope, with the row's own message or a more precise one.
    pub(super) fn body(&self, envelope: Envelope, message: Option<&str>) -> Value {
        let message = message.unwrap_or(self.message);
        let mut error = json!({ "code": self.status, "message": message });
        if envelope != Envelope::Rpc {
            let mut one = json!({ "message": message, "domain": self.domain(), "reason": self.reason });
            if self.status == 401 {
                one["location"] = "Authorization".into();
                one["locationType"] = "header".into();
            }
            error["errors"] = json!([one]);
        }
        if envelope != Envelope::V1 {
            error["status"] = self.rpc().into();
            error["details"] = json!([{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": self.reason, "domain": "googleapis.com",
            }]);
        }
        json!({ "error": error })
    }

    pub(super) fn page(&self) -> String {
        format!(
            "<!DOCTYPE html>\n<html lang=en>\n<title>Error {0}</title>\n<p><b>{0}.</b> <ins>That&rsquo;s an \
             error.</ins>\n<p>{1}\n",
            self.status, self.message
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_envelopes_hold_what_the_reference_says() {
        for (place, row) in ROWS.iter().enumerate() {
            assert!(ROWS[place + 1..].iter().all(|other| other.name != row.name), "{}", row.name);
        }
        let row = row("photoNotFound").unwrap();
        assert_eq!(
            row.body(Envelope::V1, None),
            json!({ "error": { "code": 404, "message": "Resource Not Found: photo",
                "errors": [{ "message": "Resource Not Found: photo", "domain": "global", "reason": "notFound" }] } })
        );
        let both = row.body(Envelope::Both, None);
        assert_eq!(
            (&both["error"]["status"], &both["error"]["errors"][0]["reason"]),
            (&"NOT_FOUND".into(), &"notFound".into())
        );
        assert!(row.body(Envelope::Rpc, None)["error"]["errors"].is_null());
    }
}
