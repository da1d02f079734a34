//! `load: - confluence`: Confluence Data Center.
//!
//! Owns: the keys, and where the endpoint of ours is by default. Leaves to others: the wire (`load`).
//! A newcomer gets wrong: only newer releases list e-mail addresses; whether this one does is seen in a run, not here.

use super::credential::AtlassianCredential;
use super::declare::{element, words};
use super::fault::{Fault, Span};
use super::matching::Match;
use super::read::{At, Reader, Setting};
use super::scalar::{Flag, Name, Time, scalar_schema};
use super::source::Names;
use super::target::{Accounts, Ownership, TargetSettings, server_at};
use super::tree::Id;
use super::web::BaseUrl;
use crate::model::{Place, TargetId};
use crate::settings::{self, TargetKind};

element! {
    /// Confluence Data Center.
    Confluence {
        /// The name of the element, unique among the targets.
        id: Name = Else("confluence"),
        /// Where Confluence answers, with its context path if it has one.
        base_url: BaseUrl = Required,
        /// How the service account signs in.
        credential: AtlassianCredential = Required,
        /// Which account belongs to which person. Confluence lists e-mail addresses from 9.3 on.
        r#match: Match = Required,
        /// Which accounts are looked at.
        accounts: Accounts = Else("{}"),
        /// Whose pictures are replaced.
        ownership: Ownership = Else("provider"),
        /// Which way pictures go there.
        upload: Upload = Else("xmlrpc"),
        /// With `upload: endpoint`: its path below `base_url`.
        endpoint: EndpointPath = Else("/rest/scriptrunner/latest/custom/avatarpipe"),
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Xmlrpc,
    Endpoint,
}

words! {
    /// Which way pictures go to Confluence.
    Upload = Way {
        /// The remote API, which an administrator switches on under Further configuration.
        "xmlrpc" => Xmlrpc,
        /// The ScriptRunner endpoint that comes with avatarpipe, for sites without the remote API.
        "endpoint" => Endpoint,
    }
}

/// A path below the base URL.
#[derive(Clone, Debug)]
pub(super) struct EndpointPath(String);

impl Setting for EndpointPath {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        let inside = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
        let is_one = |text: &str| {
            text.starts_with('/')
                && text.chars().all(inside)
                && text.split('/').skip(1).all(|part| !part.is_empty() && part != "." && part != "..")
        };
        let parse = |text: &str| is_one(text).then(|| Self(text.to_owned()));
        reader.parsed(id, "a path below `base_url` that begins with `/`", parse)
    }
}

scalar_schema!(EndpointPath, "EndpointPath", { "type": "string", "pattern": "^(/[A-Za-z0-9._~-]+)+$|\\$\\{" });

impl Confluence {
    fn upload(&self, reader: &mut Reader<'_>) -> Option<settings::ConfluenceUpload> {
        match self.upload.get()?.0 {
            Way::Xmlrpc if self.endpoint.written => {
                let message = "`endpoint` has a meaning with `upload: endpoint` only";
                let fault = Fault::new(self.endpoint.span.clone(), message);
                reader.fault(fault.help("leave it out, or write `upload: endpoint`"));
                None
            }
            Way::Xmlrpc => Some(settings::ConfluenceUpload::Xmlrpc),
            Way::Endpoint => Some(settings::ConfluenceUpload::Endpoint { path: self.endpoint.get()?.0.clone() }),
        }
    }
}

impl TargetSettings for Confluence {
    fn id(&self) -> &At<Name> {
        &self.id
    }

    fn server(&self) -> Option<(String, &Span)> {
        server_at("confluence", &self.base_url)
    }

    fn matching(&self) -> &At<Match> {
        &self.r#match
    }

    fn settle(&self, reader: &mut Reader<'_>, names: &Names, place: Place) -> Option<settings::Target> {
        // Everything is judged before anything is asked for, so that no fault hides another.
        let matching = Match::settle(&self.r#match, reader);
        let credential = AtlassianCredential::settle(&self.credential, reader);
        let upload = self.upload(reader);
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
            kind: TargetKind::Confluence(settings::Confluence {
                base_url: self.base_url.get()?.0.clone(),
                credential: credential?,
                upload: upload?,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tests::judged;

    fn settled(keys: &str) -> Result<settings::Target, Vec<String>> {
        let names = Names { rates: vec!["default".to_owned()], http: vec!["default".to_owned()] };
        let text = format!("{{ base_url: 'https://wiki.example.com', credential: {{ token: '${{T}}' }}, {keys} }}");
        judged(&text, |at: &At<Confluence>, reader: &mut Reader<'_>| at.get()?.settle(reader, &names, at.place.clone()))
    }

    #[test]
    fn the_way_and_its_path_go_together() {
        let upload = |keys: &str| {
            let text =
                format!("{{ base_url: 'https://w', credential: {{ token: '${{T}}' }}, match: [username], {keys} }}");
            judged(&text, |at: &At<Confluence>, reader: &mut Reader<'_>| at.get()?.upload(reader))
        };
        assert_eq!(upload(""), Ok(settings::ConfluenceUpload::Xmlrpc));
        for (keys, path) in [
            ("upload: endpoint", "/rest/scriptrunner/latest/custom/avatarpipe"),
            ("upload: endpoint, endpoint: /rest/avatars/1.0/set", "/rest/avatars/1.0/set"),
        ] {
            assert_eq!(upload(keys), Ok(settings::ConfluenceUpload::Endpoint { path: path.to_owned() }), "{keys}");
        }
    }

    #[test]
    fn addresses_may_be_asked_for() {
        for keys in ["match: [username, email]", "match: [{ person: upn, account: email }]"] {
            // Whether this release lists them is seen in a run.
            assert_eq!(settled(keys).err().unwrap_or_default(), Vec::<String>::new(), "{keys}");
        }
    }

    #[test]
    fn what_confluence_cannot_do_is_refused() {
        for (keys, words) in [
            ("match: [username], endpoint: /rest/x", "with `upload: endpoint` only"),
            ("match: [username], upload: endpoint, endpoint: rest/x", "a path below `base_url`"),
            ("match: [username], upload: endpoint, endpoint: '/rest/../x'", "a path below `base_url`"),
            ("match: [username], upload: endpoint, endpoint: '/rest?x'", "a path below `base_url`"),
            ("match: [username], upload: session", "`session` has no meaning here"),
            ("upload: xmlrpc", "`match` is missing"),
        ] {
            let faults = settled(keys).expect_err(keys);
            assert!(faults.len() == 1 && faults[0].contains(words), "{keys}: {faults:?}");
        }
    }
}
