//! `credential` of an Atlassian product: a token, or a name and a password.
//!
//! Owns: the keys. Leaves to others: signing in (`load`, `http`).
//! A newcomer gets wrong: the service account needs its own name; whoever owns the token appears in the audit log.

use super::declare::element;
use super::fault::FileFault;
use super::read::{At, Reader};
use super::scalar::Word;
use super::web::SecretValue;
use crate::settings;

element! {
    /// How the service account signs in: `token` alone, or `username` and `password`.
    AtlassianCredential {
        /// A personal access token.
        token: SecretValue = Optional,
        /// The account's name.
        username: Word = Optional,
        /// Its password.
        password: SecretValue = Optional,
    } one of [token], [username, password]
}

impl AtlassianCredential {
    /// Judges what stands there and gives the credential, once it is known.
    pub(super) fn settle(at: &At<Self>, reader: &mut Reader<'_>) -> Option<settings::AtlassianCredential> {
        let keys = at.get()?;
        let help = "write `token: ${NAME}`, or `username: …` and `password: ${NAME}`";
        match (keys.token.written, keys.username.written, keys.password.written) {
            (true, false, false) => Some(settings::AtlassianCredential::Token(keys.token.get()?.0.clone())),
            (false, true, true) => Some(settings::AtlassianCredential::Password {
                username: keys.username.get()?.0.clone(),
                password: keys.password.get()?.0.clone(),
            }),
            (true, ..) => {
                reader.fault(FileFault::new(at.span.clone(), "a token stands beside a name or password").help(help));
                None
            }
            (false, false, false) => {
                reader.fault(FileFault::new(at.span.clone(), "there is neither a token nor a password").help(help));
                None
            }
            (false, username, _) => {
                let missing = if username { "password" } else { "username" };
                reader.fault(FileFault::new(at.span.clone(), format!("the key `{missing}` is missing")).help(help));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tests::{judged, refused};

    #[test]
    fn a_token_or_a_name_and_a_password() {
        refused(
            &[
                ("{}", "neither a token nor a password"),
                ("{ username: svc }", "`password` is missing"),
                ("{ password: '${P}' }", "`username` is missing"),
                ("{ token: '${T}', username: svc }", "stands beside"),
                ("{ token: secret }", "a secret is written out"),
                ("{ token: '${T:-secret}' }", "a secret is written out"),
                ("{ token: 'x${T}' }", "a secret is written out"),
                ("{ token: '' }", "a secret is written out"),
                ("{ token: }", "found nothing"),
                ("{ token: [] }", "found a list"),
            ],
            AtlassianCredential::settle,
        );
    }

    #[test]
    fn a_secret_from_outside_is_no_fault_and_not_known_yet() {
        for text in ["{ token: '${T}' }", "{ token: '${file:t}' }", "{ username: svc, password: '${P:?ask}' }"] {
            assert_eq!(judged(text, AtlassianCredential::settle).unwrap_err(), [""; 0], "{text}");
        }
    }
}
