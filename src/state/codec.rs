//! How the words of the model stand in columns.
//!
//! Owns: ids and words as text, digests as 32 bytes, whole numbers, and JSON for what is never searched.
//! Leaves to others: which column holds what.
//! A newcomer gets wrong: a value that does not read back is a damaged file, never a default.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;
use serde::de::value::{Error as WordError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::model::{Digest, Fingerprint, KeysDigest, Luma};

/// A text id as read from a column.
pub(super) struct TextId<T>(pub T);

impl<T: for<'a> From<&'a str>> FromSql for TextId<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str().map(|text| Self(T::from(text)))
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
        let reader: StrDeserializer<'_, WordError> = value.as_str()?.into_deserializer();
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
