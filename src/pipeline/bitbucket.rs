//! `load: - bitbucket`: Bitbucket Data Center.
//!
//! Owns: the keys. Leaves to others: the wire (`load`).
//! A newcomer gets wrong: HTTP access tokens cannot carry the administrator's rights that other people's pictures need;
//! a name and a password are the way (docs/wire/atlassian.md §13).

use super::credential::AtlassianCredential;
use super::declare::element;
use super::fault::Span;
use super::matching::Match;
use super::read::{At, Reader};
use super::scalar::{Flag, Name, Time};
use super::source::Names;
use super::target::{Accounts, Ownership, TargetSettings, server_at};
use super::web::BaseUrl;
use crate::model::{Place, TargetId};
use crate::settings::{self, TargetKind};

/// What `check` says of a token (§13).
pub(super) const BY_TOKEN: &str = "an HTTP access token of Bitbucket cannot carry the global permission ADMIN, so the first \
    picture of somebody else is refused and the target stops; and it may be served the default picture for everybody: \
    write `credential: { username: …, password: … }`";

element! {
    /// Bitbucket Data Center.
    Bitbucket {
        /// The name of the element, unique among the targets.
        id: Name = Else("bitbucket"),
        /// Where Bitbucket answers, with its context path if it has one.
        base_url: BaseUrl = Required,
        /// How the service account signs in.
        credential: AtlassianCredential = Required,
        /// Which account belongs to which person.
        r#match: Match = Required,
        /// Which accounts are looked at.
        accounts: Accounts = Else("{}"),
        /// Whose pictures are replaced.
        ownership: Ownership = Else("provider"),
        /// `true`: the plan is made, and nothing is written there.
        dry_run: Flag = Else("false"),
        /// A write of which the end is not known is judged no sooner than this: a slow server may still be at it.
        quiet: Time = Else("2m"),
        /// A name under `rates`.
        rate: Name = Else("default"),
        /// A name under `http`.
        http: Name = Else("default"),
    }
}

impl TargetSettings for Bitbucket {
    fn id(&self) -> &At<Name> {
        &self.id
    }

    fn server(&self) -> Option<(String, &Span)> {
        server_at("bitbucket", &self.base_url)
    }

    fn matching(&self) -> &At<Match> {
        &self.r#match
    }

    fn settle(&self, reader: &mut Reader<'_>, names: &Names, place: Place) -> Option<settings::Target> {
        // Everything is judged before anything is asked for, so that no fault hides another.
        let matching = Match::settle(&self.r#match, reader);
        let credential = AtlassianCredential::settle(&self.credential, reader);
        let rate = names.rate(reader, &self.rate);
        let http = names.http(reader, &self.http);
        if let Some(url) = self.base_url.get() {
            url.refuse_clear(reader, &self.base_url.span);
        }
        Some(settings::Target {
            id: TargetId::new(self.id.get()?.0.clone()),
            place,
            matching: matching?,
            accounts: self.accounts.get()?.settle()?,
            ownership: self.ownership.placed(|word| Some(word.0))?,
            dry_run: self.dry_run.placed(|flag| Some(flag.0))?,
            rate: rate?,
            http: http?,
            quiet: self.quiet.get()?.0,
            kind: TargetKind::Bitbucket(settings::Bitbucket {
                base_url: self.base_url.get()?.0.clone(),
                credential: credential?,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tests::judged;

    #[test]
    fn what_cannot_be_reached_or_has_no_meaning_is_refused() {
        let names = Names { rates: vec!["default".to_owned()], http: vec!["default".to_owned()] };
        for (keys, words) in [
            ("base_url: 'http://git.example.com', match: [email]", "in clear"),
            ("base_url: 'https://git', match: [email], upload: auto", "unknown key `upload`"),
            ("base_url: 'https://git', match: [slug]", "`slug` has no meaning here"),
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
