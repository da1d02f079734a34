//! `load: - bitbucket`: Bitbucket Data Center.
//!
//! Owns: what `check` says of a token. Leaves to others: the keys, which are those of every server (`target`), the wire
//! (`load`).
//! A newcomer gets wrong: HTTP access tokens cannot carry the administrator's rights that other people's pictures need;
//! a name and a password are the way (docs/wire/atlassian.md §13).

use crate::pipeline::read::Reader;
use crate::pipeline::target::{Address, TargetSettings, server};
use crate::settings::{self, TargetKind};

/// What `check` says of a token (§13).
pub(in crate::pipeline) const BY_TOKEN: &str = "an HTTP access token of Bitbucket cannot carry the global permission ADMIN, so it \
    sets no other person's picture and the target stops; and it may be served the default picture for everybody: \
    write `credential: { username: …, password: … }`";

server! {
    /// Bitbucket Data Center.
    Bitbucket = "bitbucket" {
        /// Where Bitbucket answers, with its context path if it has one.
        base_url,
        /// Which account belongs to which person.
        r#match,
    }
}

impl TargetSettings for Bitbucket {
    fn product(&self, _: &mut Reader<'_>, address: Option<Address>) -> Option<TargetKind> {
        let Address { base_url, credential } = address?;
        Some(TargetKind::Bitbucket(settings::Bitbucket { base_url, credential }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::read::At;
    use crate::pipeline::source::DeclaredNames;
    use crate::pipeline::tests::judged;

    #[test]
    fn what_cannot_be_reached_or_has_no_meaning_is_refused() {
        let names = DeclaredNames { rates: vec!["default".to_owned()], http: vec!["default".to_owned()] };
        for (keys, words) in [
            ("base_url: 'http://git.example.com', match: [email]", "in clear"),
            ("base_url: 'https://git', match: [email], upload: auto", "unknown key `upload`"),
            ("base_url: 'https://git', match: [slug]", "`slug` is not a key to match by"),
            ("base_url: 'https://git'", "`match` is missing"),
            ("match: [email]", "`base_url` is missing"),
        ] {
            let text = format!("{{ credential: {{ token: '${{T}}' }}, {keys} }}");
            let settle =
                |at: &At<Bitbucket>, reader: &mut Reader<'_>| at.get()?.settle(reader, &names, at.place.clone());
            let faults = judged(&text, settle).expect_err(&text);
            assert!(faults.len() == 1 && faults[0].contains(words), "{text}: {faults:?}");
        }
    }
}
