//! JSON that cannot take more memory than an honest answer does.
//!
//! Owns: lists of which only so many entries are read, and values of which only so many parts are kept.
//! Leaves to others: how many bytes come at all (`Request::cap`).
//! A newcomer gets wrong: a cap on bytes is none on memory. `[],` has three bytes on the wire and 32 in a
//! `serde_json::Value`; an empty user has three, too, and some hundred as a person.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// Entries of one page. The largest that any of these interfaces documents is 1000.
const ENTRIES: usize = 5000;

/// Parts of a value: members, entries, texts. Errors and metadata have some dozen.
const PARTS: usize = 1000;

/// Bytes of a record that may have as many parts as it likes: a list in it takes some ten times as much memory at most.
const SHORT: usize = 16 << 10;

/// A page's entries; for `deserialize_with`. More than any page has are refused.
pub(crate) fn entries<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(Entries(PhantomData))
}

/// What can be read of a record though some of its fields are not as documented.
pub(crate) trait Salvage: DeserializeOwned + Default {
    /// This field is odd, and was left out.
    fn leave_out(&mut self, field: &str);
}

/// As [`entries`], for records of which one may be odd: what of it can be read is kept, since ambiguity is judged over
/// everybody, and the rest is told to the record. Whatever is no object is an empty record.
pub(crate) fn records<'de, D: Deserializer<'de>, T: Salvage>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let records: Vec<Record<T>> = entries(deserializer)?;
    Ok(records.into_iter().map(|Record(record)| record).collect())
}

struct Record<T>(T);

impl<'de, T: Salvage> Deserialize<'de> for Record<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        // A list would be read as the fields in their order.
        if text.starts_with('{')
            && text.len() <= SHORT
            && let Ok(record) = serde_json::from_str(text)
        {
            return Ok(Self(record));
        }
        let Sparse(value) = serde_json::from_str(text).map_err(D::Error::custom)?;
        Ok(Self(salvaged(value)))
    }
}

fn salvaged<T: Salvage>(value: Value) -> T {
    if value.is_object()
        && let Ok(record) = T::deserialize(&value)
    {
        return record;
    }
    let Value::Object(fields) = value else { return T::default() };
    let (mut kept, mut odd) = (serde_json::Map::new(), Vec::new());
    for (name, value) in fields {
        let alone = Value::from(serde_json::Map::from_iter([(name.clone(), value.clone())]));
        match T::deserialize(&alone) {
            Ok(_) => _ = kept.insert(name, value),
            Err(_) => odd.push(name),
        }
    }
    let mut record = T::deserialize(&Value::from(kept)).unwrap_or_default();
    odd.iter().for_each(|field| record.leave_out(field));
    record
}

struct Entries<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {ENTRIES}")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = list.next_element()? {
            if entries.len() == ENTRIES {
                return Err(A::Error::invalid_length(ENTRIES + 1, &self));
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// A value of which only the first parts are kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sparse(pub Value);

impl<'de> Deserialize<'de> for Sparse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut left = PARTS;
        deserializer.deserialize_any(PartsKept(&mut left)).map(Self)
    }
}

impl Sparse {
    /// The list that begins here.
    pub(crate) fn of_list<'de, A: SeqAccess<'de>>(list: A) -> Result<Self, A::Error> {
        PartsKept(&mut PARTS.clone()).visit_seq(list).map(Self)
    }

    /// The object that begins here.
    pub(crate) fn of_object<'de, A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        PartsKept(&mut PARTS.clone()).visit_map(object).map(Self)
    }
}

/// Keeps so many parts more.
struct PartsKept<'k>(&'k mut usize);

impl<'de> serde::de::DeserializeSeed<'de> for PartsKept<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PartsKept<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(left) = self.0.checked_sub(1) {
            *self.0 = left;
            match list.next_element_seed(PartsKept(self.0))? {
                Some(value) => kept.push(value),
                None => return Ok(Value::Array(kept)),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut kept = serde_json::Map::new();
        while let Some(left) = self.0.checked_sub(1) {
            *self.0 = left;
            match object.next_key::<String>()? {
                Some(name) => _ = kept.insert(name, object.next_value_seed(PartsKept(self.0))?),
                None => return Ok(Value::Object(kept)),
            }
        }
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Object(kept))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_honest_is_kept_as_it_is() {
        for value in
            [json!(null), json!(-7), json!(1.5), json!("é"), json!([[], {}, [true]]), json!({ "a": { "b": [1] } })]
        {
            assert_eq!(serde_json::from_str::<Sparse>(&value.to_string()).unwrap().0, value);
        }
    }

    #[test]
    fn of_a_bomb_only_the_beginning_is_kept() {
        let wide = format!("{{\"code\":\"x\",\"more\":[{}1],\"last\":2}}", "[],".repeat(100_000));
        let Sparse(value) = serde_json::from_str(&wide).unwrap();
        assert_eq!(value["code"], "x");
        assert!(value["more"].as_array().unwrap().len() < PARTS && value.get("last").is_none());
        let object: String = (0..5000).map(|nth| format!("\"{nth}\":1,")).collect();
        let Sparse(value) = serde_json::from_str(&format!("{{{object}\"z\":0}}")).unwrap();
        assert!(value.as_object().unwrap().len() < PARTS + 1);
        assert!(
            serde_json::from_str::<Sparse>("[1,").is_err()
                && serde_json::from_str::<Sparse>(&"[".repeat(9999)).is_err()
        );
    }

    #[test]
    fn of_an_odd_record_the_rest_is_kept_and_told() {
        #[derive(Debug, Default, Deserialize)]
        #[serde(default)]
        struct User {
            id: Option<u64>,
            name: Option<String>,
            #[serde(skip)]
            odd: Vec<String>,
        }
        impl Salvage for User {
            fn leave_out(&mut self, field: &str) {
                self.odd.push(field.to_owned());
            }
        }
        #[derive(Deserialize)]
        struct Page(#[serde(deserialize_with = "records")] Vec<User>);
        let page = r#"[{"id":1,"name":"ada"},{"id":2,"name":7,"more":[]},{"id":"x","name":[]},null,7,"x",[1],{"id":3,"name":null}]"#;
        let Page(users) = serde_json::from_str(page).unwrap();
        let told: Vec<_> = users.iter().map(|user| (user.id, user.name.as_deref(), user.odd.len())).collect();
        let nothing = (None, None, 0);
        let wanted = [
            (Some(1), Some("ada"), 0),
            (Some(2), None, 1),
            (None, None, 2),
            nothing,
            nothing,
            nothing,
            nothing,
            (Some(3), None, 0),
        ];
        assert_eq!(told, wanted);
        assert_eq!(users[1].odd, ["name"]);

        // Of a record that is named twice over the last counts, and of a long one as much is kept as of any value.
        let (short, long) = (",\"x\":[[{}]]".repeat(100), ",\"x\":[[{}]]".repeat(2 * SHORT / 11));
        for (more, name) in [("", Some("bob")), (&*short, Some("bob")), (&*long, None)] {
            let page = format!(r#"[{{"id":1,"name":"ada"{more},"name":"bob"}},[4],{{"id":5}}]"#);
            let Page(users) = serde_json::from_str(&page).unwrap();
            let told: Vec<_> = users.iter().map(|user| (user.id, user.odd.len())).collect();
            assert_eq!(told, [(Some(1), 0), (None, 0), (Some(5), 0)]);
            assert!(name.is_none_or(|name| users[0].name.as_deref() == Some(name)), "{:?}", users[0]);
        }
        assert!(serde_json::from_str::<Page>(r#"[{"id":1},{"id":2"#).is_err());
    }

    #[test]
    fn a_page_of_too_many_is_no_page() {
        #[derive(Deserialize)]
        struct Page {
            #[serde(deserialize_with = "entries")]
            value: Vec<u8>,
        }
        let page = |count: usize| serde_json::from_str::<Page>(&json!({ "value": vec![1; count] }).to_string());
        assert_eq!(page(ENTRIES).unwrap().value.len(), ENTRIES);
        assert!(page(ENTRIES + 1).is_err() && page(0).unwrap().value.is_empty());
    }
}
