//! The quota of resource units (docs/wire/microsoft-graph.md §5).
//!
//! Owns: what a call costs, the refusal and the headers that go with it.
//! Leaves to others: the token bucket (`quota`), throttling of one person's photo (`photos`), dialled-in refusals (`faults`).
//! A newcomer gets wrong: parts of a batch are counted one by one, and a refused call takes its units all the same,
//! so whoever comes back too early waits longer.

use super::query::Query;
use super::quota::{Exceeded, Measure};
use super::service::Graph;
use super::switches::{PHOTO_UNITS, RETRY_AFTER, THROTTLE_PERCENTAGE};
use super::wire::{Call, Reply};

/// What a call costs.
pub(super) fn cost(segments: &[&str], query: &Query) -> u64 {
    let base: i64 = match segments {
        ["users"] => 2,
        ["groups", _, "members", ..] => 3,
        ["groups", _, "transitiveMembers", ..] => 5,
        _ => 1,
    };
    let mut cost = base;
    cost -= i64::from(query.get("$select").is_some());
    cost += i64::from(query.get("$expand").is_some());
    cost -= i64::from(query.get("$top").and_then(|t| t.parse::<u64>().ok()).is_some_and(|top| top < 20));
    cost.max(1).unsigned_abs()
}

impl Measure {
    /// The headers that identity answers carry.
    pub(super) fn mark(self, graph: &Graph, segments: &[&str], reply: Reply) -> Reply {
        let photo = segments.iter().any(|s| s.starts_with("photo"));
        let mut reply = reply;
        if !photo || graph.context.is(&PHOTO_UNITS, "present") {
            reply = reply.with("x-ms-resource-unit", self.cost.to_string());
        }
        if self.used >= 0.8 && graph.context.is(&THROTTLE_PERCENTAGE, "present") {
            reply = reply.with("x-ms-throttle-limit-percentage", format!("{:.2}", self.used.min(1.8)));
        }
        reply
    }
}

impl Exceeded {
    pub(super) fn reply(self, graph: &Graph, call: &Call) -> Reply {
        let tenant = &graph.directory.tenant;
        let scope = format!("Tenant_Application/ReadWrite/{}/{}", tenant.app.client_id, tenant.tenant);
        let reply = too_many(graph, call)
            .with("x-ms-throttle-scope", scope)
            .with("x-ms-throttle-information", "ResourceUnitLimitExceeded");
        let reply = match graph.context.switch(&RETRY_AFTER).as_str() {
            "seconds" => reply.with("Retry-After", format!("{}", self.wait.ceil().max(1.0))),
            "decimal" => reply.with("Retry-After", format!("{:.3}", self.wait.max(0.001))),
            "one" => reply.with("Retry-After", "1"),
            _ => reply,
        };
        Measure { used: self.used, cost: 0 }.mark(graph, &["photo"], reply)
    }
}

/// A 429 as Graph words it, without `Retry-After`.
pub(super) fn too_many(graph: &Graph, call: &Call) -> Reply {
    let mut reply = graph.error(call, 429, "TooManyRequests", "Please retry again later.");
    if let super::wire::Content::Json(body) = &mut reply.content {
        let spelling = graph.context.switch(&super::switches::INNER_ERROR);
        let inner = &mut body["error"][spelling];
        inner["code"] = "429".into();
        inner["message"] = "Please retry after".into();
        inner["status"] = "429".into();
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_those_of_the_reference() {
        for (path, query, wanted) in [
            ("users", "$select=id&$top=999", 1),
            ("users", "$top=999", 2),
            ("users", "$top=5", 1),
            ("groups/g/transitiveMembers/microsoft.graph.user", "$select=id", 4),
            ("groups/g/members", "$expand=x", 4),
            ("users/u/photo/$value", "", 1),
        ] {
            let segments: Vec<&str> = path.split('/').collect();
            assert_eq!(cost(&segments, &Query::parse(query)), wanted, "{path}?{query}");
        }
    }
}
