//! What the providers behind HTTP have in common.
//!
//! Owns: an id as a segment of a path, records of which a field is odd. Leaves to others: every wire format.
//! A newcomer gets wrong: ids come from outside; none may leave its segment. And one person's odd record is that person's
//! matter: it must not cost the page (promise P8).

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::http::Sparse;
use crate::model::{Fault, Person, PhotoHint, Standing, counted};

/// An id as one segment of a path.
pub(super) fn segment(id: &str) -> String {
    id.bytes().fold(String::with_capacity(id.len()), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
        path
    })
}

/// A record of a listing; `None` where something that is no object stands in its place.
#[derive(Debug)]
pub(super) struct Record<T>(pub(super) Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Record<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyRecord(std::marker::PhantomData))
    }
}

struct AnyRecord<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AnyRecord<T> {
    type Value = Record<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(|record| Record(Some(record)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Record(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Record(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Record(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Record(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Record(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Record(None))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Record(None))
    }
}

/// A field that may be left out, told apart from one that is `null`; for `deserialize_with` beside `default`.
pub(super) fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Sparse>, D::Error> {
    Sparse::deserialize(deserializer).map(Some)
}

/// Reads the fields of one record, and remembers what is not as documented. `null` is nothing.
#[derive(Debug, Default)]
pub(super) struct Fields(Option<String>);

impl Fields {
    /// A text; nothing where it is none.
    pub(super) fn text(&mut self, name: &str, Sparse(value): Sparse) -> String {
        match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            _ => self.is_odd(format!("`{name}` is not a text")),
        }
    }

    /// The texts of a list; nothing where it is none.
    pub(super) fn texts(&mut self, name: &str, Sparse(value): Sparse) -> Vec<String> {
        match value {
            Value::Array(list) => list.into_iter().map(|entry| self.text(name, Sparse(entry))).collect(),
            Value::Null => Vec::new(),
            _ => self.is_odd(format!("`{name}` is not a list")),
        }
    }

    /// A yes or no.
    pub(super) fn flag(&mut self, name: &str, Sparse(value): &Sparse) -> Option<bool> {
        match value {
            Value::Bool(told) => Some(*told),
            Value::Null => None,
            _ => self.is_odd(format!("`{name}` is neither `true` nor `false`")),
        }
    }

    /// Says what is odd; the first counts.
    pub(super) fn is_odd<T: Default>(&mut self, what: String) -> T {
        self.0.get_or_insert(what);
        T::default()
    }

    /// Of a person whose record is odd nothing is known: rules that take a picture away must not go by half a record, and a
    /// key that could not be read must not put a face anywhere. A wish to show no photo holds all the same, and so does a freeze.
    pub(super) fn mark(self, person: &mut Person) {
        let Some(odd) = self.0 else { return };
        person.hint = PhotoHint::Odd(odd);
        if !matches!(person.standing, Standing::OptedOut | Standing::Frozen) {
            person.standing = Standing::InScope;
        }
    }
}

/// A page for people in a photo's place: whatever stands before the provider answers. It must not be remembered as a photo
/// that cannot be read, or nobody would ask again once the provider answers itself.
pub(super) fn is_page(bytes: &[u8]) -> Option<Fault> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    let begins = |with: &[u8]| bytes.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
    let page = begins(b"<!doctype html") || begins(b"<html");
    page.then(|| Fault::new("sign_in_page", "a web page where a photo was expected: a sign-in page or a gateway?"))
}

/// A note of records that name nobody, if there were any.
pub(super) fn note_of_nameless(count: u64) -> Option<String> {
    (count > 0).then(|| {
        let records = counted(count, "listed record has", "listed records have");
        format!("{records} no id; left out, and nobody is taken to have left the source for that")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_in_its_segment() {
        for (id, path) in [("105", "105"), ("a@b.example", "a%40b.example"), ("../x?y", "..%2Fx%3Fy"), ("é", "%C3%A9")]
        {
            assert_eq!(segment(id), path);
        }
    }

    #[test]
    fn whatever_stands_in_a_record_s_place_the_others_are_read() {
        #[derive(Debug, Deserialize)]
        struct Wire {
            #[serde(default)]
            a: Sparse,
        }
        let page = r#"[{"a":"x","b":[{}]}, null, 7, -7, 1.5, "x", true, [[1]], {}, {"a":"y"}]"#;
        let records: Vec<Record<Wire>> = serde_json::from_str(page).unwrap();
        let read: Vec<Option<Value>> = records.into_iter().map(|Record(wire)| wire.map(|wire| wire.a.0)).collect();
        assert_eq!(read.len(), 10);
        let told: Vec<Value> = read.into_iter().flatten().collect();
        assert_eq!(told, [Value::from("x"), Value::Null, Value::from("y")]);
    }

    #[test]
    fn a_field_is_odd_where_it_is_neither_as_documented_nor_null() {
        use serde_json::json;
        for (value, text, texts, flag) in [
            (json!("x"), None, Some("list"), Some("neither")),
            (json!(null), None, None, None),
            (json!(7), Some("text"), Some("list"), Some("neither")),
            (json!(true), Some("text"), Some("list"), None),
            (json!({}), Some("text"), Some("list"), Some("neither")),
            (json!(["x", null]), Some("text"), None, Some("neither")),
            (json!(["x", 7]), Some("text"), Some("not a text"), Some("neither")),
        ] {
            let odd = |read: &dyn Fn(&mut Fields)| {
                let mut fields = Fields::default();
                read(&mut fields);
                fields.0
            };
            let value = Sparse(value);
            for (found, words) in [
                (odd(&|fields| _ = fields.text("f", value.clone())), text),
                (odd(&|fields| _ = fields.texts("f", value.clone())), texts),
                (odd(&|fields| _ = fields.flag("f", &value)), flag),
            ] {
                assert_eq!(found.is_some(), words.is_some(), "{value:?}: {found:?}");
                assert!(words.is_none_or(|words| found.is_some_and(|found| found.contains(words))), "{value:?}");
            }
        }
    }

    #[test]
    fn of_an_odd_record_nothing_follows_but_a_wish_to_show_no_photo() {
        for (standing, after) in [
            (Standing::InScope, Standing::InScope),
            (Standing::Inactive, Standing::InScope),
            (Standing::OutOfScope, Standing::InScope),
            (Standing::OptedOut, Standing::OptedOut),
            (Standing::Frozen, Standing::Frozen),
        ] {
            let mut person = Person::new("ada".into(), "Ada", standing);
            Fields::default().mark(&mut person);
            assert_eq!((person.standing, &person.hint), (standing, &PhotoHint::Silent));
            let mut fields = Fields::default();
            fields.is_odd::<()>("odd".to_owned());
            fields.mark(&mut person);
            assert_eq!((person.standing, person.hint), (after, PhotoHint::Odd("odd".to_owned())));
        }
    }
}
