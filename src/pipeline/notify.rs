//! `notify`: who is told how a run ended.
//!
//! Owns: the keys, and that an address with a secret in it stands outside of the file. Leaves to others: telling (`run`).
//! A newcomer gets wrong: an address that is empty is none, so that `${NAME:-}` tells nobody where nobody set it.

use super::declare::{element, words};
use super::fault::FileFault;
use super::read::{At, List, Reader, Setting};
use super::scalar::{Name, scalar_schema};
use super::source::DeclaredNames;
use super::tree::Id;
use super::web::{BaseUrl, is_written_out, web_url};
use crate::secret::Secret;
use crate::settings::{self, Occasion};

element! {
    /// Who is told how a run ended. An address that is empty is none: `${NAME:-}` tells nobody where nobody set it.
    Notify {
        /// Gets a GET after each whole run that ended in 0, and nothing else: whoever watches there calls when it stays
        /// out.
        heartbeat: NotifyAddress = Optional,
        /// Gets a POST of a small JSON after a run: how it ended, counts, no names and no pictures.
        webhook: Webhook = Optional,
        /// A name under `http`: its proxy, `ca_file` and `timeout`. Its headers and certificate are not sent there.
        http: Name = Else("default"),
    }
}

element! {
    /// Where a message about a run goes.
    Webhook {
        /// The address, from outside of the file: `${NAME}`.
        url: NotifyAddress = Required,
        /// Any of these sends it.
        on: List<Occasion> = Else("[failed, limit]"),
    }
}

words! {
    /// What a message is sent for.
    Occasion {
        /// The exit code is none of 0, 4 and 8, or a change failed.
        "failed" => Failed,
        /// A limit stopped a source or target.
        "limit" => Limit,
        /// A signal or the time budget stopped the run: exit code 8.
        "stopped" => Stopped,
        /// A picture was replaced, taken off or mended.
        "changed" => Changed,
        /// A run ended, however.
        "always" => Always,
    }
}

/// An address that is secret as a whole; `None`: it is empty.
#[derive(Debug)]
pub(super) struct NotifyAddress(Option<settings::SecretUrl>);

impl Setting for NotifyAddress {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        if is_written_out(reader, id) {
            let fault = FileFault::new(reader.spot(id), "an address that whoever knows it may use is written out");
            reader.fault(fault.help("write `${NAME}` or `${file:path}` and keep the address outside of the file"));
            return None;
        }
        let value = reader.scalar(id, "an address: `${NAME}` or `${file:path}`")?;
        let text = Secret::new(value.text.trim());
        if text.expose().is_empty() {
            return Some(Self(None));
        }
        let Some(url) = web_url(text.expose()) else {
            let fault = FileFault::new(reader.spot(id), format!("{} is no URL", value.shown));
            reader.fault(fault.help("an address begins with `https://`"));
            return None;
        };
        if !url.username().is_empty() || url.password().is_some() {
            let fault =
                FileFault::new(reader.spot(id), format!("{} has a name or password before its host", value.shown));
            reader.fault(fault.help("take an address whose secret is in its path or behind its `?`"));
            return None;
        }
        let span = reader.spot(id);
        let faults = reader.faults.len();
        BaseUrl(url.clone()).refuse_clear(reader, &span);
        (reader.faults.len() == faults).then(|| Self(Some(settings::SecretUrl::new(url))))
    }
}

scalar_schema!(NotifyAddress, "Address", { "type": "string", "pattern": "^\\$\\{[^}]+\\}$" });

fn address(at: &At<NotifyAddress>) -> Option<Option<settings::SecretUrl>> {
    Some(at.optional()?.and_then(|address| address.0.clone()))
}

impl Notify {
    pub(super) fn settle(&self, reader: &mut Reader<'_>, names: &DeclaredNames) -> Option<settings::Notify> {
        let http = names.http(reader, Some(&self.http));
        let webhook = match self.webhook.optional() {
            Some(Some(webhook)) => webhook.settle(reader),
            Some(None) => Some(None),
            None => None,
        };
        Some(settings::Notify { heartbeat: address(&self.heartbeat)?, webhook: webhook?, http: http? })
    }
}

impl Webhook {
    fn settle(&self, reader: &mut Reader<'_>) -> Option<Option<settings::Webhook>> {
        let on: Vec<_> = self.on.get()?.values()?.into_iter().copied().collect();
        if on.is_empty() {
            let fault = FileFault::new(self.on.span.clone(), "nothing sends this message");
            reader.fault(fault.help("write what does, such as `on: [failed, limit]`, or leave out `webhook`"));
            return None;
        }
        Some(address(&self.url)?.map(|url| settings::Webhook { url, on }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tests::{judged, refused};

    fn names() -> DeclaredNames {
        DeclaredNames { rates: vec!["default".to_owned()], http: vec!["default".to_owned()] }
    }

    fn settle(at: &At<Notify>, reader: &mut Reader<'_>) -> Option<settings::Notify> {
        at.get()?.settle(reader, &names())
    }

    #[test]
    fn nobody_is_told_unless_somebody_is_named() {
        let nobody = judged("{}", settle).unwrap();
        assert!(nobody.heartbeat.is_none() && nobody.webhook.is_none());
    }

    #[test]
    fn an_address_stands_outside_of_the_file() {
        refused(
            &[
                ("{ heartbeat: 'https://hook.example/x' }", "is written out"),
                ("{ heartbeat: '${URL:-https://hook.example/x}' }", "is written out"),
                ("{ webhook: {} }", "`url` is missing"),
                ("{ webhook: { url: '${URL}', on: [] } }", "nothing sends this message"),
                ("{ webhook: { url: '${URL}', on: [success] } }", "success"),
                ("{ http: elsewhere }", "is not defined under `http`"),
            ],
            settle,
        );
    }
}
