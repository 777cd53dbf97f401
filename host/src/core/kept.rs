//! An answer as it is kept.
//!
//! Holds: [`Kept`].
//! Promises: what is only handed on is not read and written again.

use bytes::Bytes;
use psa_host_api::Error;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::marker::PhantomData;

/// The JSON of a `T`.
pub(crate) struct Kept<T> {
    json: Bytes,
    of: PhantomData<fn() -> T>,
}

impl<T> Kept<T> {
    /// `json` was made by [`Kept::of`].
    pub(crate) fn new(json: Bytes) -> Kept<T> {
        Kept { json, of: PhantomData }
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.json
    }

    /// The JSON as text, with room for a NUL behind it.
    pub(crate) fn into_text(self) -> Result<String, Error> {
        let mut text = Vec::with_capacity(self.json.len() + 1);
        text.extend_from_slice(&self.json);
        String::from_utf8(text).map_err(|error| Error::internal(error.to_string()))
    }
}

impl<T: Serialize> Kept<T> {
    pub(crate) fn of(answer: &T) -> Result<Kept<T>, Error> {
        let json = serde_json::to_vec(answer).map_err(|error| Error::internal(error.to_string()))?;
        Ok(Kept::new(json.into()))
    }
}

impl<T: DeserializeOwned> Kept<T> {
    /// The answer, for who looks into it.
    pub(crate) fn read(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.json).map_err(|error| Error::internal(error.to_string()))
    }
}

impl<T> Serialize for Kept<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json: &RawValue = serde_json::from_slice(&self.json).map_err(serde::ser::Error::custom)?;
        json.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for Kept<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
