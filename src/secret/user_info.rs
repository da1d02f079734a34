//! The name and password in a URL, such as a proxy's.
//!
//! Owns: the forms in which they are sent. Leaves to others: which URLs may hold any (`pipeline`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Secret;
use super::spellings::decoded;

/// Has what is secret in a proxy's URL covered from now on: as it is, as the URL spells it, and in the header that is sent.
/// A proxy that opens TLS may answer in the place of any server, and quote it.
pub(crate) fn cover_user_info(url: &str) {
    let Some((user, password)) = user_info(url) else { return };
    let (user, encoded) = (decoded(user), password);
    let password = decoded(encoded);
    let pair = STANDARD.encode(format!("{user}:{password}"));
    // A name without a password is a token.
    let token = if password.is_empty() { user } else { String::new() };
    for secret in [encoded, &password, &pair, &token] {
        _ = Secret::new(secret);
    }
}

/// Name and password as a proxy's URL spells them. In the environment its scheme may be missing, and what should have
/// been encoded may stand there as it is.
fn user_info(url: &str) -> Option<(&str, &str)> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (user_info, _) = rest.rsplit_once('@')?;
    Some(user_info.split_once(':').unwrap_or((user_info, "")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{REDACTED, redact};

    #[test]
    fn a_proxy_s_credential_is_known_in_every_spelling() {
        for (url, quoted) in [
            ("http://svc:hunter%2B2%20x@proxy:3128", "hunter+2 x, hunter%2B2%20x, c3ZjOmh1bnRlcisyIHg="),
            ("svc:bare+word@proxy:3128", "bare+word, c3ZjOmJhcmUrd29yZA=="),
            ("http://svc:half&p@ss@proxy", "half&p@ss"),
            ("http://lonely-token@proxy:3128", "lonely-token, bG9uZWx5LXRva2VuOg=="),
        ] {
            cover_user_info(url);
            let clean = redact(quoted);
            assert!(clean.split(", ").all(|word| word == REDACTED), "{url}: {clean}");
        }
    }
}
