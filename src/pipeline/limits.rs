//! `limits`: what stops a run before it writes.
//!
//! Owns: how a limit is written. Leaves to others: which there are (`settings`), counting and refusing (`run`, `plan`).
//! A newcomer gets wrong: a limit that is written replaces the default as a whole; `{ count: 10 }` has no share.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::declare::element;
use super::fault::FileFault;
use super::read::{At, Reader, Setting};
use super::scalar::{Count, Percent};
use super::tree::{Id, Kind};
use crate::settings::{self, Placed, limits};

macro_rules! written {
    ($($(#[doc = $doc:literal])+ $key:ident $name:ident $default:literal => $($counts:literal)+;)+) => {
        element! {
            /// What stops a run before it writes; counted in `plan` and in `run`. A target's limit stops that target, a source's
            /// what it feeds.
            Limits {
                $($(#[doc = $doc])+ $key: Limit = Else($default),)+
                /// Shares count only where the whole is at least this.
                shares_from: Count = Else("100"),
            }
        }

        impl Limits {
            pub(super) fn settle(&self, reader: &mut Reader<'_>) -> Option<settings::Limits> {
                // Everything is judged before anything is asked for, so that no fault hides another.
                $(let $key = Limit::settle(&self.$key, reader);)+
                Some(settings::Limits { $($key: $key?,)+ shares_from: self.shares_from.get()?.0 })
            }
        }
    };
}

limits!(written);

/// What stands behind the key of a limit.
#[derive(Debug)]
pub(in crate::pipeline) struct Limit(LimitKeys);

impl Setting for Limit {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        if let Kind::Scalar(scalar) = &reader.tree.node(id).kind
            && let Some(help) = meant(scalar.text.raw())
        {
            let fault = FileFault::new(reader.spot(id), "a limit has a `count`, a `share` or both");
            reader.fault(fault.help(format!("write `{help}`")));
            return None;
        }
        LimitKeys::read(reader, id).map(Self)
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        LimitKeys::json_schema(generator)
    }
}

/// What a number alone was meant to be.
fn meant(text: &str) -> Option<String> {
    let (number, key) = text.trim().strip_suffix('%').map_or((text.trim(), "count"), |number| (number, "share"));
    let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    is_number.then(|| format!("{{ {key}: {} }}", text.trim()))
}

element! {
    /// A count, a share, or both; either breaks the limit.
    LimitKeys {
        /// The most that may happen.
        count: Count = Optional,
        /// The most that may happen, of the whole.
        share: Percent = Optional,
    }
}

impl Limit {
    fn settle(at: &At<Self>, reader: &mut Reader<'_>) -> Option<Placed<settings::Limit>> {
        let limit = &at.get()?.0;
        if !limit.count.written && !limit.share.written {
            let fault = FileFault::new(at.span.clone(), "a limit has a `count`, a `share` or both");
            reader.fault(fault.help("`{ share: 100% }` lets everything pass"));
            return None;
        }
        at.placed(|Self(limit)| {
            Some(settings::Limit {
                count: limit.count.optional()?.map(|count| count.0),
                share: limit.share.optional()?.map(|share| share.0),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tests::{judged, refused};

    fn settle(at: &At<Limits>, reader: &mut Reader<'_>) -> Option<settings::Limits> {
        at.get()?.settle(reader)
    }

    #[test]
    fn a_number_alone_is_told_what_it_was_meant_to_be() {
        for (text, told) in [
            ("5", Some("{ count: 5 }")),
            ("5%", Some("{ share: 5% }")),
            (" 5 % ", None),
            ("many", None),
            ("", None),
            ("%", None),
        ] {
            assert_eq!(meant(text).as_deref(), told, "{text}");
        }
    }

    #[test]
    fn a_limit_that_is_written_replaces_the_default_as_a_whole() {
        let limits = judged("{ reverts: { count: 10 }, shares_from: 0 }", settle).unwrap();
        assert_eq!((limits.reverts.value.count, limits.reverts.value.share), (Some(10), None));
        assert_eq!((limits.reassigned.value.count, limits.reassigned.value.share), (Some(5), None));
        assert_eq!(
            (limits.unknown.value.count, limits.unknown.value.share.map(settings::Share::hundredths)),
            (None, Some(1000))
        );
        assert_eq!(limits.shares_from, 0);
    }

    #[test]
    fn a_limit_limits_something() {
        refused(
            &[
                ("{ reverts: {} }", "a `count`, a `share` or both"),
                ("{ reverts: 5% }", "a `count`, a `share` or both"),
                ("{ reverts: many }", "expected keys and values"),
                ("{ reverts: { share: 100.5% } }", "from `0%` to `100%`"),
                ("{ reverts: { count: '5' } }", "found text"),
                ("{ revert: { count: 5 } }", "unknown key `revert`"),
            ],
            settle,
        );
    }
}
