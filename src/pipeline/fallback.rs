//! `transform: fallback`: what happens instead of a replacement.
//!
//! Owns: reading an image or a word where a rule stands. Leaves to others: when each applies (`plan`).
//! A newcomer gets wrong: there is no key for "unknown": what is not known changes nothing (promise P2).

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::declare::{element, taken};
use super::read::{Reader, Setting};
use super::scalar::FilePath;
use super::settle::settled_as_written;
use super::tree::{Id, Kind};
use crate::settings::{self, Action};

settings::fallback!(taken);

element! {
    /// A picture for all whom the rule meets.
    Image {
        /// The file; it is cropped and shrunk like a photo.
        image: FilePath = Required,
    }
}

settled_as_written!(Action);

/// `default`, `keep`, or `{ image: path }`.
impl Setting for Action {
    fn read(reader: &mut Reader<'_>, id: Id) -> Option<Self> {
        match reader.tree.node(id).kind {
            Kind::Map(_) => {
                let image = Image::read(reader, id)?;
                Some(Self::Image(image.image.get()?.0.clone()))
            }
            Kind::List(_) => {
                reader.expected(id, "`default`, `keep` or `{ image: … }`");
                None
            }
            Kind::Scalar(_) => match reader.word_or(id, &["default", "keep"], "{ image: FILE }")?.as_str() {
                "default" => Some(Self::Default),
                _ => Some(Self::Keep),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::read::At;
    use crate::pipeline::settle::Settle;
    use crate::pipeline::tests::{judged, refused};

    fn settle(at: &At<Fallback>, reader: &mut Reader<'_>) -> Option<settings::Fallback> {
        Fallback::settle(at, reader)
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
