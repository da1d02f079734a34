//! How the words of the model stand in columns.
//!
//! Owns: ids and words as text, digests as 32 bytes, whole numbers, and JSON for what is never searched.
//! Leaves to others: which column holds what.
//! A newcomer gets wrong: a value that does not read back is a damaged file, never a default.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;
use serde::de::value::{Error as WordError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use uuid::Uuid;

use crate::model::{Digest, Fingerprint, KeysDigest, Luma};

/// A text id as read from a column, which may hold it [`Packed`].
pub(super) struct TextId<T>(pub T);

impl<T: for<'a> From<&'a str>> FromSql for TextId<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let ValueRef::Blob(packed) = value else { return value.as_str().map(|text| Self(T::from(text))) };
        match packed {
            [UUID, rest @ ..] => {
                let uuid = Uuid::from_slice(rest).map_err(FromSqlError::other)?;
                Ok(Self(T::from(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()))))
            }
            [HEX, rest @ ..] => {
                let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
                let digits = rest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
                Ok(Self(T::from(&digits.collect::<String>())))
            }
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The first byte of a packed id.
const UUID: u8 = 1;
const HEX: u8 = 2;

/// Fewer digits stay text.
const HEX_FROM: usize = 16;

/// An id or a change marker, of which there are as many as people: what is a UUID or hexadecimal digits stands as its bytes,
/// anything else as text.
#[derive(Clone, Copy)]
pub(super) struct Packed<'a>(pub &'a str);

impl ToSql for Packed<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = self.0;
        // Only what reads back as it was.
        let digits = match Uuid::try_parse(text) {
            Ok(uuid) if uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text => {
                return Ok([&[UUID][..], uuid.as_bytes()].concat().into());
            }
            _ => text.as_bytes(),
        };
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let bytes = digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?));
        match std::iter::once(Some(HEX)).chain(bytes).collect::<Option<Vec<u8>>>() {
            Some(packed) if digits.len() >= HEX_FROM && digits.len() % 2 == 0 => Ok(packed.into()),
            _ => Ok(text.into()),
        }
    }
}

/// What a picture is called in a report: a digest stands as its bytes, anything else as text.
pub(super) struct Label(pub String);

impl ToSql for Label {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0.parse::<Digest>() {
            // Only what reads back as it was.
            Ok(digest) if digest.to_string() == self.0 => Ok(digest.as_bytes().to_vec().into()),
            _ => Ok(self.0.as_str().into()),
        }
    }
}

impl FromSql for Label {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Blob(_) => Bytes::column_result(value).map(|digest| Self(digest.0.to_string())),
            _ => value.as_str().map(|text| Self(text.to_owned())),
        }
    }
}

/// An enum without fields, by its stable word.
pub(super) struct EnumWord<T>(pub T);

impl<T: Serialize> ToSql for EnumWord<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        EnumWord::text(&self.0).map(Into::into)
    }
}

impl<T: Serialize> EnumWord<T> {
    /// The word itself.
    pub(super) fn text(value: T) -> Result<String, rusqlite::Error> {
        match serde_json::to_value(value) {
            Ok(serde_json::Value::String(word)) => Ok(word),
            Ok(other) => Err(refused(format!("`{other}` is not a word"))),
            Err(error) => Err(refused(error.to_string())),
        }
    }
}

impl<T: DeserializeOwned> FromSql for EnumWord<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::of(value.as_str()?)
    }
}

impl<T: DeserializeOwned> EnumWord<T> {
    /// What the word stands for.
    pub(super) fn of(word: &str) -> FromSqlResult<Self> {
        let reader: StrDeserializer<'_, WordError> = word.into_deserializer();
        T::deserialize(reader).map(Self).map_err(FromSqlError::other)
    }
}

/// A value as JSON text.
pub(super) struct Json<T>(pub T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(&self.0).map(Into::into).map_err(|error| refused(error.to_string()))
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

/// A digest as 32 bytes.
pub(super) struct Bytes(pub Digest);

impl ToSql for Bytes {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_bytes().as_slice().into())
    }
}

impl FromSql for Bytes {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let blob = value.as_blob()?;
        let bytes =
            blob.try_into().map_err(|_| FromSqlError::InvalidBlobSize { expected_size: 32, blob_size: blob.len() })?;
        Ok(Self(Digest::from_bytes(bytes)))
    }
}

/// What is kept of a picture's looks or of matched keys, as 8 bytes.
pub(super) struct Short<T>(pub T);

impl ToSql for Short<Fingerprint> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.to_bytes().to_vec().into())
    }
}

impl FromSql for Short<Fingerprint> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        eight(value).map(|bytes| Self(Fingerprint::from_bytes(bytes)))
    }
}

impl ToSql for Short<KeysDigest> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.to_bytes().to_vec().into())
    }
}

impl FromSql for Short<KeysDigest> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        eight(value).map(|bytes| Self(KeysDigest::from_bytes(bytes)))
    }
}

fn eight(value: ValueRef<'_>) -> FromSqlResult<[u8; 8]> {
    let blob = value.as_blob()?;
    blob.try_into().map_err(|_| FromSqlError::InvalidBlobSize { expected_size: 8, blob_size: blob.len() })
}

/// A look as 256 bytes.
pub(super) struct Grey(pub Luma);

impl FromSql for Grey {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let blob = value.as_blob()?;
        let expected_size = Luma::SIDE * Luma::SIDE;
        Luma::from_values(blob.to_vec())
            .map(Self)
            .ok_or(FromSqlError::InvalidBlobSize { expected_size, blob_size: blob.len() })
    }
}

/// A count, a size or a time; SQLite's integers are signed.
pub(super) struct Whole(pub u64);

impl ToSql for Whole {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        i64::try_from(self.0).map(Into::into).map_err(|error| refused(error.to_string()))
    }
}

impl FromSql for Whole {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        u64::try_from(number).map(Self).map_err(|_| FromSqlError::OutOfRange(number))
    }
}

fn refused(why: String) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(why.into())
}

/// A page size for `LIMIT`.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Version;

    #[test]
    fn what_is_packed_reads_back_as_it_was() {
        for (text, length) in [
            ("b1f0c5a2-0d6e-4a3b-8a51-6f2d9a7c1e01", 17),
            ("8a8a8a8a5c1b2d3e015c1b2d3e4f0001", 17),
            ("c2b26b7351f906858f8ee1210d921ff3625c1eb945d4a85c7167c90da7c4de72", 33),
            ("B1F0C5A2-0D6E-4A3B-8A51-6F2D9A7C1E01", 36),
            ("{b1f0c5a2-0d6e-4a3b-8a51-6f2d9a7c1e01}", 38),
            ("8a8a8a8a5c1b2d3", 15),
            ("8a8a8a8a5c1b2d3e0", 17),
            ("8A8A8A8A5C1B2D3E", 16),
            ("10746", 5),
            ("", 0),
            ("ünïcode ünïcode!", 20),
        ] {
            let stored = Packed(text);
            let stored = stored.to_sql().unwrap();
            let stored = match &stored {
                ToSqlOutput::Borrowed(value) => *value,
                ToSqlOutput::Owned(value) => value.into(),
                _ => panic!("another form"),
            };
            assert_eq!(stored.as_bytes().unwrap().len(), length, "{text}");
            assert_eq!(TextId::<Version>::column_result(stored).unwrap().0.as_str(), text);
        }
        assert!(TextId::<Version>::column_result(ValueRef::Blob(&[9, 9])).is_err());
    }
}
