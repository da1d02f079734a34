//! The endpoints of a customer.

use std::sync::Arc;

use super::directory::Directory;
use super::iam::IamCredentials;
use super::sts::Sts;
use super::token::TokenEndpoint;
use super::workspace::Workspace;
use super::world::Customer;
use crate::ci::Issuer;
use crate::context::Context;
use crate::pictures::Pictures;
use crate::simulator::Simulator;

/// The endpoints of a customer, which share what it is.
pub(crate) fn simulators(
    customer: &Customer,
    pictures: &Pictures,
    issuers: &[Arc<Issuer>],
    context: impl Fn(&str) -> Context,
) -> Vec<Arc<dyn Simulator>> {
    let workspace = Arc::new(Workspace::new(customer, pictures, issuers.to_vec()));
    let endpoint = |of: &str| (context(&customer.endpoint(of)), Arc::clone(&workspace));
    let (token, sts, iam, directory) =
        (endpoint("token"), endpoint("sts"), endpoint("iamcredentials"), endpoint("directory"));
    vec![
        Arc::new(TokenEndpoint::new(token.0, token.1)),
        Arc::new(Sts::new(sts.0, sts.1)),
        Arc::new(IamCredentials::new(iam.0, iam.1)),
        Arc::new(Directory::new(directory.0, directory.1)),
    ]
}
