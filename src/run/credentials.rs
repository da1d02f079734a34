//! When what we sign in with ends, as far as our own files say it: certificates of app registrations, client certificates.
//!
//! Owns: whose they are, and the word of warning. Leaves to others: reading a certificate (`http`), how it is told (`report`).
//! A newcomer gets wrong: nobody is asked. The end of a client secret stands in Microsoft's portal, that of an access token in
//! the account's profile.

use crate::http::certificate_ends;
use crate::model::rfc3339;
use crate::report::CredentialLine;
use crate::settings::{Certificate, Pipeline, Source, SourceKind, Target, TargetKind};

/// Each credential whose end can be read, in the order of the file.
pub(super) fn lines(pipeline: &Pipeline, now: u64) -> Vec<CredentialLine> {
    let line = |of: &str, what: &str, certificate: &Certificate| {
        let ends = certificate_ends(certificate)?;
        let days = ends.saturating_sub(now) / DAY;
        let ended = ends < now;
        Some(CredentialLine { of: of.to_owned(), what: what.to_owned(), ends: rfc3339(ends), days, ended })
    };
    let apps = pipeline.sources.iter().filter_map(|source| {
        let SourceKind::Entra(entra) = &source.provider.as_ref()?.kind else { return None };
        line(source.id.as_str(), "certificate", entra.credential.certificate()?)
    });
    let sources = pipeline
        .sources
        .iter()
        .filter_map(|source| line(source.id.as_str(), CLIENT, shown_by_source(pipeline, source)?));
    let targets = pipeline
        .targets
        .iter()
        .filter_map(|target| line(target.id.as_str(), CLIENT, shown_by_target(pipeline, target)?));
    apps.chain(sources).chain(targets).collect()
}

/// The client certificate that a source is shown.
fn shown_by_source<'a>(pipeline: &'a Pipeline, source: &Source) -> Option<&'a Certificate> {
    let asks = !matches!(source.provider.as_ref()?.kind, SourceKind::Folder(_));
    pipeline.http.get(&source.http).filter(|_| asks)?.client_cert.as_ref()
}

/// The client certificate that a target is shown.
fn shown_by_target<'a>(pipeline: &'a Pipeline, target: &Target) -> Option<&'a Certificate> {
    let asks = !matches!(target.kind, TargetKind::Folder(_) | TargetKind::FolderInBucket(_));
    pipeline.http.get(&target.http).filter(|_| asks)?.client_cert.as_ref()
}

/// When the client certificate of each element ends, as `auth` tells it: of the sources, of the targets.
pub(super) fn client_certificates(pipeline: &Pipeline) -> [Vec<Option<(String, u64)>>; 2] {
    let ends = |certificate: Option<&Certificate>| Some((CLIENT.to_owned(), certificate_ends(certificate?)?));
    [
        pipeline.sources.iter().map(|source| ends(shown_by_source(pipeline, source))).collect(),
        pipeline.targets.iter().map(|target| ends(shown_by_target(pipeline, target))).collect(),
    ]
}

const CLIENT: &str = "client certificate";
const DAY: u64 = 24 * 3600;
