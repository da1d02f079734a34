//! How an element is declared: one table from which its reading, its defaults and its schema come.
//!
//! Owns: `element!`, `taken!`, `kinds!`, `words!`, and the shape of the schema. Leaves to others: reading (`read`), the keys that
//! are settings as they stand there (`settings::declare`).
//! A newcomer gets wrong: the doc comment of a key is what an editor shows, through the schema; write it for the
//! administrator.

use schemars::Schema;

use super::read::{Lack, prose};

/// One property of an element's schema.
pub(super) fn property(schema: &mut Schema, key: &str, mut value: Schema, docs: &[&str], lack: Lack) {
    value.insert("description".to_owned(), prose(docs).into());
    if let Lack::Else(text) = lack
        && let Ok(default) = serde_yaml::from_str::<serde_json::Value>(text)
    {
        value.insert("default".to_owned(), default);
    }
    let object = schema.ensure_object();
    if let Some(properties) = object.get_mut("properties").and_then(|properties| properties.as_object_mut()) {
        properties.insert(key.to_owned(), value.to_value());
    }
    if let (Lack::Required, Some(required)) = (lack, object.get_mut("required").and_then(|list| list.as_array_mut())) {
        required.push(key.into());
    }
}

/// Groups of keys of which exactly one stands there as a whole, and no key of another.
pub(super) fn one_of(schema: &mut Schema, groups: &[&[&str]]) {
    let group = |group: &&[&str]| {
        let others = groups.iter().flat_map(|other| other.iter()).filter(|key| !group.contains(key));
        let refused: serde_json::Map<_, _> = others.map(|key| ((*key).to_owned(), false.into())).collect();
        serde_json::json!({ "required": group, "properties": refused })
    };
    schema.insert("oneOf".to_owned(), groups.iter().map(group).collect());
}

/// An element: for each key its meaning, its type, and what happens when it is left out. After it may stand which keys
/// go together, for the schema: `one of [token], [username, password]` is either the first or both others.
macro_rules! element {
    ($(#[doc = $doc:literal])+ $name:ident {
        $($(#[doc = $key_doc:literal])+ $key:ident: $type:ty = $lack:expr,)+
    } $(one of $([$($together:ident),+]),+)?) => {
        $(#[doc = $doc])+
        #[derive(Debug)]
        pub(in crate::pipeline) struct $name {
            $($(#[doc = $key_doc])+ pub(in crate::pipeline) $key: $crate::pipeline::read::At<$type>,)+
        }

        impl $crate::pipeline::read::Setting for $name {
            fn read(
                reader: &mut $crate::pipeline::read::Reader<'_>,
                id: $crate::pipeline::tree::Id,
            ) -> Option<Self> {
                #[allow(unused_imports, reason = "not every element has every kind of lack")]
                use $crate::pipeline::read::Lack::{Else, Optional, Required};
                let keys = reader.keys(id, &[$(stringify!($key).trim_start_matches("r#")),+])?;
                $(let $key = reader.key(&keys, stringify!($key).trim_start_matches("r#"), $lack, &[$($key_doc),+]);)+
                Some(Self { $($key),+ })
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                #[allow(unused_imports, reason = "not every element has every kind of lack")]
                use $crate::pipeline::read::Lack::{Else, Optional, Required};
                let mut schema = schemars::json_schema!({
                    "type": "object",
                    "description": $crate::pipeline::read::prose(&[$($doc),+]),
                    "properties": {},
                    "required": [],
                    "additionalProperties": false,
                });
                $($crate::pipeline::declare::property(
                    &mut schema,
                    stringify!($key).trim_start_matches("r#"),
                    generator.subschema_for::<$type>(),
                    &[$($key_doc),+],
                    $lack,
                );)+
                $($crate::pipeline::declare::one_of(
                    &mut schema,
                    &[$(&[$(stringify!($together)),+]),+],
                );)?
                schema
            }
        }
    };
}

/// An element whose keys are settings as they stand there, from the list that `settings` has of them.
macro_rules! taken {
    ($(#[doc = $doc:literal])+ $name:ident {
        $($(#[doc = $key_doc:literal])+ $key:ident: $type:ty = $lack:expr,)+
    }) => {
        $crate::pipeline::declare::element! {
            $(#[doc = $doc])+
            $name { $($(#[doc = $key_doc])+ $key: $type = $lack,)+ }
        }

        impl $name {
            pub(in crate::pipeline) fn settled(
                &self,
                reader: &mut $crate::pipeline::read::Reader<'_>,
            ) -> Option<$crate::settings::$name> {
                // Everything is judged before anything is asked for, so that no fault hides another.
                $(let $key = $crate::pipeline::settle::Settle::settle(&self.$key, reader);)+
                Some($crate::settings::$name { $($key: $key?),+ })
            }
        }

        impl $crate::pipeline::settle::Settle<$crate::settings::$name> for $name {
            fn settle(
                at: &$crate::pipeline::read::At<Self>,
                reader: &mut $crate::pipeline::read::Reader<'_>,
            ) -> Option<$crate::settings::$name> {
                at.get()?.settled(reader)
            }
        }
    };
}

/// A mapping with one key, which says the kind (docs/decisions/pipeline-file.md, "Kinds are keys").
macro_rules! kinds {
    ($(#[doc = $doc:literal])+ $name:ident as $trait:ident {
        $($(#[doc = $kind_doc:literal])+ $word:literal => $kind:ident($type:ty),)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Debug)]
        #[allow(clippy::large_enum_variant, reason = "a file has a handful of them")]
        pub(in crate::pipeline) enum $name {
            $($(#[doc = $kind_doc])+ $kind($type),)+
        }

        impl $name {
            /// What stands below the kind.
            pub(in crate::pipeline) fn settings(&self) -> &dyn $trait {
                match self { $(Self::$kind(settings) => settings,)+ }
            }
        }

        impl $crate::pipeline::read::Setting for $name {
            fn read(
                reader: &mut $crate::pipeline::read::Reader<'_>,
                id: $crate::pipeline::tree::Id,
            ) -> Option<Self> {
                let (word, below) = reader.kind(id, &[$($word),+])?;
                $(if word == $word {
                    return reader.below::<$type>(&word, below).map(Self::$kind);
                })+
                None
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": $crate::pipeline::read::prose(&[$($doc),+]),
                    "oneOf": [$({
                        "type": "object",
                        "description": $crate::pipeline::read::prose(&[$($kind_doc),+]),
                        "properties": { $word: generator.subschema_for::<$type>() },
                        "required": [$word],
                        "additionalProperties": false,
                    }),+],
                })
            }
        }
    };
}

/// Words of which one is chosen; with `=`, those of a type whose schema is another already.
macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $word_doc:literal])+ $word:literal => $value:ident,)+ }) => {
        $crate::pipeline::settle::settled_as_written!($name);

        $crate::pipeline::declare::words! {
            @read $(#[doc = $doc])+ $name { $($(#[doc = $word_doc])+ $word => Self::$value,)+ }
        }
    };
    ($(#[doc = $doc:literal])+ $name:ident = $resolved:ident { $($(#[doc = $word_doc:literal])+ $word:literal => $value:ident,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug)]
        pub(in crate::pipeline) struct $name(pub(in crate::pipeline) $resolved);

        $crate::pipeline::declare::words! {
            @read $(#[doc = $doc])+ $name { $($(#[doc = $word_doc])+ $word => Self($resolved::$value),)+ }
        }
    };
    (@read $(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $word_doc:literal])+ $word:literal => $value:expr,)+ }) => {

        impl $crate::pipeline::read::Setting for $name {
            fn read(
                reader: &mut $crate::pipeline::read::Reader<'_>,
                id: $crate::pipeline::tree::Id,
            ) -> Option<Self> {
                let word = reader.word(id, &[$($word),+])?;
                $(if word == $word {
                    return Some($value);
                })+
                None
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": $crate::pipeline::read::prose(&[$($doc),+]),
                    "anyOf": [
                        $({ "const": $word, "description": $crate::pipeline::read::prose(&[$($word_doc),+]) },)+
                        { "type": "string", "pattern": "\\$\\{" },
                    ],
                })
            }
        }
    };
}

pub(super) use {element, kinds, taken, words};
