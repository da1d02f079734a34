//! `load: - jira`: Jira Data Center.
//!
//! Owns: the keys. Leaves to others: the wire (`load`).
//! A newcomer gets wrong: `base_url` has the context path (`https://example.com/jira`), if the server has one.

use super::credential::AtlassianCredential;
use super::declare::{element, words};
use super::fault::Span;
use super::matching::Match;
use super::read::{At, Reader};
use super::scalar::{Flag, Name, Time};
use super::source::Names;
use super::target::{Accounts, Ownership, TargetSettings, server_at};
use super::web::BaseUrl;
use crate::model::{Place, TargetId};
use crate::settings::{self, TargetKind};

element! {
    /// Jira Data Center.
    Jira {
        /// The name of the element, unique among the targets.
        id: Name = Else("jira"),
        /// Where Jira answers, with its context path if it has one.
        base_url: BaseUrl = Required,
        /// How the service account signs in.
        credential: AtlassianCredential = Required,
        /// Which account belongs to which person.
        r#match: Match = Required,
        /// Which accounts are looked at.
        accounts: Accounts = Else("{}"),
        /// Whose pictures are replaced.
        ownership: Ownership = Else("provider"),
        /// Which way pictures go there.
        upload: Upload = Else("auto"),
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

words! {
    /// Which way pictures go to Jira.
    Upload = settings::JiraUpload {
        /// What was learnt of the server.
        "auto" => Auto,
        /// In three steps, inside of a web session.
        "session" => Session,
        /// In one request; Jira cuts the picture to 48 pixels.
        "one_step" => OneStep,
    }
}

impl TargetSettings for Jira {
    fn id(&self) -> &At<Name> {
        &self.id
    }

    fn server(&self) -> Option<(String, &Span)> {
        server_at("jira", &self.base_url)
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
            kind: TargetKind::Jira(settings::Jira {
                base_url: self.base_url.get()?.0.clone(),
                credential: credential?,
                upload: self.upload.get()?.0,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tests::judged;

    #[test]
    fn what_cannot_be_reached_is_refused() {
        let names = Names { rates: vec!["default".to_owned()], http: vec!["default".to_owned()] };
        let jira = |rest: &str| format!("{{ credential: {{ token: '${{T}}' }}, match: [email], {rest} }}");
        for (text, words) in [
            (jira("base_url: 'http://jira.example.com'"), "in clear"),
            (jira("base_url: jira.example.com"), "is not a URL"),
            (jira("base_url: 'https://me@jira.example.com'"), "name or password stands in the URL"),
            (jira("base_url: 'https://j', upload: xmlrpc"), "`xmlrpc` has no meaning here"),
            (jira("base_url: 'https://j', ownership: theirs"), "`theirs` has no meaning here"),
            (jira("base_url: 'https://j', quiet: 120"), "is not a time"),
            (jira("base_url: 'https://j', http: intranet"), "not defined under `http`"),
            (jira("baseurl: 'https://j'"), "unknown key `baseurl`"),
        ] {
            let settle = |at: &At<Jira>, reader: &mut Reader<'_>| at.get()?.settle(reader, &names, at.place.clone());
            let faults = judged(&text, settle).expect_err(&text);
            assert!(faults.len() == 1 && faults[0].contains(words), "{text}: {faults:?}");
        }
    }
}
