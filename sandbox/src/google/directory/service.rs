//! The Directory API of one customer, and how it refuses.

use std::sync::Arc;

use super::call::{Call, Reply};
use super::quota::Quota;
use crate::context::Context;
use crate::google::errors::{self, Envelope};
use crate::google::switches::ENVELOPE;
use crate::google::workspace::Workspace;

pub(crate) struct Directory {
    pub(super) context: Context,
    pub(super) workspace: Arc<Workspace>,
    pub(super) quota: Quota,
}

impl Directory {
    pub(crate) fn new(context: Context, workspace: Arc<Workspace>) -> Self {
        Self { context, workspace, quota: Quota::default() }
    }

    /// A refusal by a row of the table, with the row's own message or a more precise one.
    pub(super) fn refuse(&self, call: &Call, name: &str, message: Option<&str>) -> Reply {
        // A name that nobody knows can only come from a fault that was dialled in wrong: it shows as such.
        let Some(row) = errors::row(name) else {
            return Reply::text(500, format!("no row is named {name}; there are: {}", errors::names()));
        };
        match row.shape {
            errors::Shape::Text => Reply::text(row.status, row.message.to_owned()),
            errors::Shape::Html => Reply::html(row.status, row.page()),
            errors::Shape::Api => {
                let envelope = match (call.get("$.xgafv"), self.context.switch(&ENVELOPE).as_str()) {
                    (Some("2"), _) | (None, "rpc") => Envelope::Rpc,
                    (None, "both") => Envelope::Both,
                    _ => Envelope::V1,
                };
                Reply { status: row.status, ..Reply::json(row.body(envelope, message)) }
            }
        }
    }
}
