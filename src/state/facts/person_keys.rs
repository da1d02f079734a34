//! The keys of a person as a column has them: JSON, `{key: [value, …], …}`.
//!
//! Owns: that form. Leaves to others: folding keys (`model`), looking people up by them (`people`).
//! A newcomer gets wrong: the lookup of one key is made by SQLite, which finds the list of that key without the others.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::PersonKey;

/// To be written down: the values of one key stand beside each other.
pub(super) struct KeysOf<'a>(pub &'a [(PersonKey, String)]);

impl Serialize for KeysOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let by_key = self.0.chunk_by(|(one, _), (next, _)| one == next);
        serializer.collect_map(by_key.map(|values| (values[0].0, Values(values))))
    }
}

struct Values<'a>(&'a [(PersonKey, String)]);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(_, value)| value))
    }
}

/// As read: by hand, because a derived map of lists would be made and taken apart again for each person.
pub(super) struct Keys(pub Vec<(PersonKey, String)>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ByKey)
    }
}

struct ByKey;

impl<'de> Visitor<'de> for ByKey {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the keys of a person")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
        let mut keys = Vec::with_capacity(8);
        while let Some((key, values)) = map.next_entry::<PersonKey, Vec<String>>()? {
            keys.extend(values.into_iter().map(|value| (key, value)));
        }
        Ok(Keys(keys))
    }
}
