//! `load: - confluence`: Confluence Data Center.
//!
//! Owns: the keys that it has alone, and where the endpoint of ours is by default.
//! Leaves to others: the keys of every server (`target`), the wire (`load`).
//! A newcomer gets wrong: only newer releases list e-mail addresses; whether this one does is seen in a run, not here.

use crate::pipeline::declare::words;
use crate::pipeline::fault::FileFault;
use crate::pipeline::read::{Reader, Setting};
use crate::pipeline::scalar::scalar_schema;
use crate::pipeline::target::{Address, TargetSettings, server};
use crate::pipeline::tree::Id;
use crate::settings::{self, TargetKind};

server! {
    /// Confluence Data Center.
    Confluence = "confluence" {
        /// Where Confluence answers, with its context path if it has one.
        base_url,
        /// Which account belongs to which person. Confluence lists e-mail addresses from 9.3 on.
        r#match,
        /// Which way pictures go there.
        upload: UploadRoute = Else("xmlrpc"),
        /// With `upload: endpoint`: its path below `base_url`.
        endpoint: EndpointPath = Else("/rest/scriptrunner/latest/custom/avatarpipe"),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pipeline) enum UploadRoute {
    Xmlrpc,
    Endpoint,
}

words! {
    /// Which way pictures go to Confluence.
    UploadRoute {
        /// The remote API, which an administrator switches on under Further configuration.
        "xmlrpc" => Xmlrpc,
        /// The ScriptRunner endpoint that comes with avatarpipe, for sites without the remote API.
        "endpoint" => Endpoint,
    }
}

/// A path below the base URL.
#[derive(Clone, Debug)]
pub(in crate::pipeline) struct EndpointPath(String);

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
        match self.upload.get()? {
            UploadRoute::Xmlrpc if self.endpoint.written => {
                let message = "`endpoint` has a meaning with `upload: endpoint` only";
                let fault = FileFault::new(self.endpoint.span.clone(), message);
                reader.fault(fault.help("leave it out, or write `upload: endpoint`"));
                None
            }
            UploadRoute::Xmlrpc => Some(settings::ConfluenceUpload::Xmlrpc),
            UploadRoute::Endpoint => {
                Some(settings::ConfluenceUpload::Endpoint { path: self.endpoint.get()?.0.clone() })
            }
        }
    }
}

impl TargetSettings for Confluence {
    fn product(&self, reader: &mut Reader<'_>, address: Option<Address>) -> Option<TargetKind> {
        let upload = self.upload(reader);
        let Address { base_url, credential } = address?;
        Some(TargetKind::Confluence(settings::Confluence { base_url, credential, upload: upload? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::read::At;
    use crate::pipeline::source::DeclaredNames;
    use crate::pipeline::tests::judged;

    fn settled(keys: &str) -> Result<settings::Target, Vec<String>> {
        let names = DeclaredNames { rates: vec!["default".to_owned()], http: vec!["default".to_owned()] };
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
            ("match: [username], upload: session", "`session` is not a value of this key"),
            ("upload: xmlrpc", "`match` is missing"),
        ] {
            let faults = settled(keys).expect_err(keys);
            assert!(faults.len() == 1 && faults[0].contains(words), "{keys}: {faults:?}");
        }
    }
}
