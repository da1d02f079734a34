//! `load: - jira`: Jira Data Center.
//!
//! Owns: the keys that it has alone. Leaves to others: those of every server (`target`), the wire (`load`).
//! A newcomer gets wrong: `base_url` has the context path (`https://example.com/jira`), if the server has one.

use crate::pipeline::declare::words;
use crate::pipeline::read::Reader;
use crate::pipeline::target::{Address, TargetSettings, server};
use crate::settings::{self, JiraUpload, TargetKind};

server! {
    /// Jira Data Center.
    Jira = "jira" {
        /// Where Jira answers, with its context path if it has one.
        base_url,
        /// Which account belongs to which person.
        r#match,
        /// Which way pictures go there.
        upload: JiraUpload = Else("auto"),
    }
}

words! {
    /// Which way pictures go to Jira.
    JiraUpload {
        /// What was learnt of the server.
        "auto" => Auto,
        /// In three steps, inside of a web session.
        "session" => Session,
        /// In one request; Jira cuts the picture to 48 pixels.
        "one_step" => OneStep,
    }
}

impl TargetSettings for Jira {
    fn product(&self, _: &mut Reader<'_>, address: Option<Address>) -> Option<TargetKind> {
        let Address { base_url, credential } = address?;
        Some(TargetKind::Jira(settings::Jira { base_url, credential, upload: *self.upload.get()? }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::read::At;
    use crate::pipeline::source::DeclaredNames;
    use crate::pipeline::tests::judged;

    #[test]
    fn what_cannot_be_reached_is_refused() {
        let names = DeclaredNames { rates: vec!["default".to_owned()], http: vec!["default".to_owned()] };
        let jira = |rest: &str| format!("{{ credential: {{ token: '${{T}}' }}, match: [email], {rest} }}");
        for (text, words) in [
            (jira("base_url: 'http://jira.example.com'"), "in clear"),
            (jira("base_url: jira.example.com"), "is not a URL"),
            (jira("base_url: 'https://me@jira.example.com'"), "name or password stands in the URL"),
            (jira("base_url: 'https://j', upload: xmlrpc"), "`xmlrpc` is not a value of this key"),
            (jira("base_url: 'https://j', ownership: theirs"), "`theirs` is not a value of this key"),
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
