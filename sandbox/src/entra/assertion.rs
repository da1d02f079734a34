//! Signing in without a secret: with a certificate, or with the token of a CI platform
//! (docs/wire/microsoft-graph.md §1.2, §1.3).
//!
//! Owns: judging a `client_assertion`.
//! Leaves to others: the rest of the token request (`sign_in`), the platform's tokens (`super::super::ci`).
//! A newcomer gets wrong: who signed is told by `iss`. The client's own id means a certificate, anything else a platform.

use std::sync::Arc;

use jsonwebtoken::Algorithm;

use super::directory::Directory;
use super::switches;
use super::token_error::{TokenError, refuse};
use super::world::Federated;
use crate::ci::Issuer;
use crate::context::Context;
use crate::jwt::{Parsed, seconds};

pub(super) struct AssertionCheck<'a> {
    pub(super) context: &'a Context,
    pub(super) directory: &'a Directory,
    pub(super) issuers: &'a [Arc<Issuer>],
    /// The tenant as the request named it.
    pub(super) tenant: &'a str,
}

impl AssertionCheck<'_> {
    pub(super) fn judge(&self, assertion: &str) -> Result<(), TokenError> {
        let Some(token) = Parsed::read(assertion) else {
            return refuse("invalid_request", 50_027, "JWT token is invalid or malformed.");
        };
        let client = &self.directory.tenant.app.client_id;
        if token.claim("iss").is_some_and(|iss| iss.eq_ignore_ascii_case(client)) {
            self.certificate(&token)
        } else {
            self.federated(&token)
        }
    }

    fn certificate(&self, token: &Parsed) -> Result<(), TokenError> {
        let app = &self.directory.tenant.app;
        // Some libraries pad the thumbprint (§9b).
        let named = |name: &str| token.header[name].as_str().map(|print| print.trim_end_matches('='));
        let (new, old) = (named("x5t#S256"), named("x5t"));
        let mut known = self.directory.certificates.iter();
        let found = known.find(|(own, _)| new == Some(&own.x5t_s256) || (new.is_none() && old == Some(&own.x5t)));
        let Some((_, key)) = found else {
            let print = new.or(old).unwrap_or_default();
            let message = format!(
                "The certificate with identifier used to sign the client assertion is not registered on application. \
                 [Reason - The key was not found., Thumbprint of key used by client: '{print}']"
            );
            return refuse("invalid_client", 700_027, message);
        };
        let algorithms: &[Algorithm] = if self.context.is(&switches::RS256, "refused") {
            &[Algorithm::PS256]
        } else {
            &[Algorithm::PS256, Algorithm::RS256]
        };
        if !key.verifies(token, algorithms) {
            return refuse("invalid_client", 50_012, "Client assertion contains an invalid signature.");
        }
        if token.claim("sub").is_none_or(|sub| !sub.eq_ignore_ascii_case(&app.client_id)) {
            let message = "Client assertion application identifier doesn't match 'client_id' parameter.";
            return refuse("invalid_client", 700_021, message);
        }
        let endpoint = format!("{}/{}/oauth2/v2.0/token", self.context.base(), self.tenant);
        // The audience is the cloud's own endpoint, wherever the simulator listens (§1.2).
        let of_the_cloud = format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", self.tenant);
        if !token.is_for(&of_the_cloud) && !token.is_for(&endpoint) {
            let message = format!(
                "Client assertion audience claim does not match Realm issuer. Review the documentation. Expected: \
                 '{endpoint}'."
            );
            return refuse("invalid_client", 700_023, message);
        }
        self.times(token)
    }

    fn federated(&self, token: &Parsed) -> Result<(), TokenError> {
        let [issuer, subject] = ["iss", "sub"].map(|name| token.claim(name).unwrap_or_default());
        let audience = &token.claims["aud"];
        let none = |code: u32| {
            let message = format!(
                "No matching federated identity record found for presented assertion. Assertion Issuer: '{issuer}'. \
                 Assertion Subject: '{subject}'. Assertion Audience: {audience}. Check your federated identity \
                 credential Subject, Audience and Issuer against the presented assertion."
            );
            refuse("invalid_client", code, message)
        };
        let fits = |one: &&Federated| one.issuer == issuer && token.is_for(&one.audience);
        let mut matching = self.directory.tenant.app.federated.iter().filter(fits).peekable();
        if matching.peek().is_none() {
            return none(70_021);
        }
        if !matching.any(|one| one.subject == subject) {
            return none(if self.context.is(&switches::FEDERATION_CODE, "70021") { 70_021 } else { 700_213 });
        }
        let known = self.issuers.iter().find(|known| known.platform.issuer == issuer);
        if !known.is_some_and(|known| known.signed(token)) {
            return refuse("invalid_client", 50_012, "Client assertion contains an invalid signature.");
        }
        self.times(token)
    }

    fn times(&self, token: &Parsed) -> Result<(), TokenError> {
        let (now, skew) = (seconds(self.context.now()), self.context.number(&switches::SKEW).cast_signed());
        let begun = token.time("nbf").is_none_or(|nbf| nbf <= now + skew);
        if begun && token.time("exp").is_some_and(|exp| now < exp + skew) {
            return Ok(());
        }
        let message = format!(
            "Client assertion is not within its valid time range. Current time: {now}, expiry time of assertion {}.",
            token.claims["exp"]
        );
        refuse("invalid_client", 700_024, message)
    }
}
