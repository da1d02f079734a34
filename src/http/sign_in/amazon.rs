//! Amazon: a CI token becomes a key that ends
//! (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>).
//!
//! Owns: the one request, and the key as one token. Leaves to others: the CI token (`ci_token`), signing with the key
//! (`bucket`).
//! A newcomer gets wrong: nobody is signed in yet, so this request bears no signature; the token in it is all the proof.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::{Grant, Granted, ci_token, clock};
use crate::http::{Client, Counts, Failure, FailureKind, Request, Response};
use crate::secret::{Secret, server_message};
use crate::settings::AmazonFederated;

/// What GitHub makes its token for, as Amazon's own action asks for it.
const AUDIENCE: &str = "sts.amazonaws.com";

/// Becomes a role of Amazon's.
#[derive(Debug)]
pub(crate) struct AmazonSignIn {
    /// To the security token service.
    pub sts: Client,
    /// By which token, and which role.
    pub federated: AmazonFederated,
}

/// A key that ends, as [`AmazonSignIn`] gives it.
#[derive(Debug)]
pub(crate) struct SessionKey {
    /// Its id.
    pub id: String,
    /// The key itself.
    pub secret: Secret,
    /// What goes with it.
    pub token: Secret,
}

impl SessionKey {
    /// In one text: none of the three has a space.
    fn joined(&self) -> Secret {
        Secret::new(format!("{} {} {}", self.id, self.secret.expose(), self.token.expose()))
    }

    /// Of the token that [`AmazonSignIn`] gave.
    pub(crate) fn of(granted: &Secret) -> Option<Self> {
        let mut words = granted.expose().splitn(3, ' ');
        let (id, secret, token) = (words.next()?, words.next()?, words.next()?);
        Some(Self { id: id.to_owned(), secret: Secret::new(secret), token: Secret::new(token) })
    }
}

#[async_trait]
impl Grant for AmazonSignIn {
    async fn ask(&self) -> Result<Granted, Failure> {
        let AmazonFederated { from, role } = &self.federated;
        let token = ci_token::token(from, &self.sts, AUDIENCE).await?;
        let request = Request::post(self.sts.url("")).returns_secrets().accept("application/xml").form(&[
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", role),
            ("RoleSessionName", "avatarpipe"),
        ]);
        let response = self.sts.read(request.secret_form(&[("WebIdentityToken", &token)])).await?;
        if response.status == 200 { granted(&response) } else { Err(refused(&response, role)) }
    }

    fn who(&self) -> Option<String> {
        Some(self.federated.role.clone())
    }

    fn counts(&self) -> Counts {
        self.sts.counts()
    }
}

fn granted(response: &Response) -> Result<Granted, Failure> {
    let text = String::from_utf8_lossy(&response.body);
    let odd = |name: &str| response.failure(FailureKind::Odd, format!("a key without `{name}`"));
    let word = |name: &'static str| element(&text, name).ok_or_else(|| odd(name));
    let key = SessionKey {
        id: word("AccessKeyId")?.to_owned(),
        secret: Secret::new(word("SecretAccessKey")?),
        token: Secret::new(word("SessionToken")?),
    };
    let until = humantime::parse_rfc3339_weak(word("Expiration")?).map_err(|_| odd("Expiration"))?;
    let now = clock::of_server(response).unwrap_or_else(SystemTime::now);
    Ok(Granted { token: key.joined(), expires_in: until.duration_since(now).unwrap_or(Duration::ZERO) })
}

/// What stands in the first element of that name, if it is one word.
fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (word, _) = rest.split_once(&format!("</{name}>"))?;
    let word = word.trim();
    (!word.is_empty() && word.chars().all(|c| c.is_ascii_graphic() && c != '<' && c != '&')).then_some(word)
}

fn refused(response: &Response, role: &str) -> Failure {
    let text = String::from_utf8_lossy(&response.body);
    let code = element(&text, "Code").unwrap_or_default();
    let words = text.split_once("<Message>").and_then(|(_, rest)| rest.split_once("</Message>"));
    let found = format!("{} {code}: {}", response.status, words.map_or("", |(words, _)| words));
    let kind = match (response.status, code) {
        (429, _) | (_, "Throttling" | "IDPCommunicationError") => FailureKind::Unreachable,
        (400..=499, _) => FailureKind::Refused,
        _ => FailureKind::Unreachable,
    };
    let hint = match code {
        "AccessDenied" => {
            format!("the trust policy of {role} must name the provider of the token, with `sub` and `aud` of this job")
        }
        "InvalidIdentityToken" => {
            "the account needs an identity provider for who issued the token, with its audience".to_owned()
        }
        "ExpiredTokenException" => {
            "the token has run out: let the job take it later, or `from` hand out a new one".to_owned()
        }
        _ => format!("is {role} the role, and the region right?"),
    };
    response.failure(kind, server_message(&found)).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::loopback::{Loopback, reply};
    use crate::settings::TokenFrom;

    const ROLE: &str = "arn:aws:iam::123456789012:role/avatars";

    async fn asked(status: u16, body: &'static str) -> (Result<Granted, Failure>, String) {
        let server = Loopback::start(move |_, _| reply(status, &[], body)).await;
        let from = TokenFrom::Env { name: "TOKEN".to_owned(), token: Secret::new("of-the-platform") };
        let federated = AmazonFederated { from, role: ROLE.to_owned() };
        let granted = AmazonSignIn { sts: server.client().0, federated }.ask().await;
        let body = String::from_utf8_lossy(&server.asked()[0].body).into_owned();
        (granted, body)
    }

    #[tokio::test]
    async fn a_ci_token_becomes_a_key_that_ends() {
        let (granted, sent) = asked(
            200,
            "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA1</AccessKeyId>\
             <SecretAccessKey>s3cr+t/of=it</SecretAccessKey><SessionToken>FwoGZXIvYXdz//=</SessionToken>\
             <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
             </AssumeRoleWithWebIdentityResponse>",
        )
        .await;
        let granted = granted.unwrap();
        let key = SessionKey::of(&granted.token).unwrap();
        let words = (key.id.as_str(), key.secret.expose(), key.token.expose());
        assert_eq!(words, ("ASIA1", "s3cr+t/of=it", "FwoGZXIvYXdz//="));
        assert!(granted.expires_in > Duration::from_secs(3600));
        assert!(
            sent.starts_with("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam"),
            "{sent}"
        );
        assert!(sent.ends_with("&WebIdentityToken=of-the-platform"), "{sent}");
    }

    #[tokio::test]
    async fn what_is_refused_is_told_by_its_kind() {
        for (status, body, kind, words) in [
            (
                403,
                "<Error><Code>AccessDenied</Code><Message>Not authorized</Message></Error>",
                FailureKind::Refused,
                "trust policy",
            ),
            (400, "<Error><Code>InvalidIdentityToken</Code></Error>", FailureKind::Refused, "identity provider"),
            (400, "<Error><Code>IDPCommunicationError</Code></Error>", FailureKind::Unreachable, "400"),
            (200, "<Credentials><AccessKeyId>A</AccessKeyId></Credentials>", FailureKind::Odd, "SecretAccessKey"),
        ] {
            let failure = asked(status, body).await.0.unwrap_err();
            assert_eq!(failure.kind, kind, "{failure}");
            assert!(failure.to_string().contains(words), "{failure}");
        }
    }
}
