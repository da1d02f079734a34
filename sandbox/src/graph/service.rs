//! The Graph of one tenant.

use std::sync::Arc;

use super::quota::Quota;
use crate::context::Context;
use crate::entra::Directory;

/// The Graph of one tenant.
pub(crate) struct Graph {
    pub(super) context: Context,
    pub(super) directory: Arc<Directory>,
    pub(super) quota: Quota,
}

impl Graph {
    /// The Graph of this directory.
    pub(crate) fn new(context: Context, directory: Arc<Directory>) -> Self {
        Self { context, directory, quota: Quota::default() }
    }

    /// Whether the app has one of these application permissions.
    pub(super) fn may(&self, roles: &[&str]) -> bool {
        self.directory.tenant.app.roles.iter().any(|role| roles.contains(&role.as_str()))
    }
}
