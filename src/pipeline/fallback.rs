//! `transform: fallback`: what happens instead of a replacement.
//!
//! Owns: the keys and the safe defaults. Leaves to others: when each applies (`plan`).
//! A newcomer gets wrong: there is no key for "unknown": what is not known changes nothing (promise P2).

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::declare::element;
use super::read::{At, Reader, Setting};
use super::scalar::FilePath;
use super::tree::{Id, Kind};
use crate::settings;

element! {
    /// What happens instead of a replacement: `default` shows the default again, `keep` leaves the account as it is,
    /// `{ image: path }` shows that file.
    Fallback {
        /// The person provably has no photo.
        absent: Action = Else("default"),
        /// No picture can be made of the photo.
        unreadable: Action = Else("keep"),
        /// The photo is smaller than `resize.smallest`.
        too_small: Action = Else("keep"),
        /// The person is disabled at the provider.
        inactive: Action = Else("keep"),
        /// The person is not selected by `users`.
        out_of_scope: Action = Else("keep"),
        /// The person is named under `opted_out`; a picture that is not ours stays in any case.
        opted_out: Action = Else("default"),
        /// The person is listed by no source any more.
        gone: Action = Else("keep"),
    }
}

element! {
    /// A picture for all whom the rule meets.
    Image {
        /// The file; it is cropped and shrunk like a photo.
        image: FilePath = Required,
    }
}

/// `default`, `keep`, or `{ image: path }`.
#[derive(Clone, Debug)]
pub(super) struct Action(settings::Action);

impl Setting for Action {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        match reader.tree.node(id).kind {
            Kind::Map(_) => {
                let image = Image::read(reader, id)?;
                Some(Self(settings::Action::Image(image.image.get()?.0.clone())))
            }
            Kind::List(_) => {
                reader.expected(id, "`default`, `keep` or `{ image: … }`");
                None
            }
            Kind::Scalar(_) => match reader.word(id, &["default", "keep"])?.as_str() {
                "default" => Some(Self(settings::Action::Default)),
                _ => Some(Self(settings::Action::Keep)),
            },
        }
    }
}

impl JsonSchema for Action {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Action".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "const": "default", "description": "The default is shown again." },
            { "const": "keep", "description": "The account stays as it is." },
            { "type": "string", "pattern": "\\$\\{" },
            generator.subschema_for::<Image>(),
        ] })
    }
}

impl Fallback {
    pub(super) fn settle(&self) -> Option<settings::Fallback> {
        let rule = |at: &At<Action>| at.placed(|action| Some(action.0.clone()));
        Some(settings::Fallback {
            absent: rule(&self.absent)?,
            unreadable: rule(&self.unreadable)?,
            too_small: rule(&self.too_small)?,
            inactive: rule(&self.inactive)?,
            out_of_scope: rule(&self.out_of_scope)?,
            opted_out: rule(&self.opted_out)?,
            gone: rule(&self.gone)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::tests::{judged, refused};

    fn settle(at: &At<Fallback>, _: &mut Reader<'_>) -> Option<settings::Fallback> {
        at.get()?.settle()
    }

    #[test]
    fn the_forms_of_a_rule() {
        let fallback = judged("{ absent: keep, gone: default, inactive: { image: left.png } }", settle).unwrap();
        assert_eq!(fallback.absent.value, settings::Action::Keep);
        assert_eq!(fallback.gone.value, settings::Action::Default);
        assert_eq!(fallback.inactive.value, settings::Action::Image("left.png".into()));
        assert_eq!(fallback.opted_out.value, settings::Action::Default);
    }

    #[test]
    fn nothing_else_is_a_rule() {
        refused(
            &[
                ("{ absent: remove }", "`remove` is not a value of this key"),
                ("{ absent: [keep] }", "expected `default`, `keep` or"),
                ("{ absent: { image: '' } }", "is not a path"),
                ("{ unknown: default }", "unknown key `unknown`"),
            ],
            settle,
        );
    }
}
