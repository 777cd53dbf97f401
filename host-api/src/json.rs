//! What JSON has to be beside well-formed, on both sides of the boundary.
//!
//! Promises: no name twice in an object, not nested too deep, every text Unicode, every number finite; nothing is built.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;

/// How deep arrays and objects may be nested. The host refuses a plugin's answer that is deeper.
pub const DEPTH_MAX: usize = 64;

/// Looks through one value.
///
/// # Errors
/// What is wrong, in the parser's words, and where.
pub fn look_through(text: &str) -> Result<(), serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    Shape { depth: 0, keys: &mut Vec::new() }.deserialize(&mut reader)?;
    reader.end()
}

/// Visits a value and keeps nothing of it.
struct Shape<'a, 'de> {
    depth: usize,
    /// Those of the objects around it: one place for all, because there are many objects and few keys in each.
    keys: &'a mut Vec<Cow<'de, str>>,
}

impl<'de> Shape<'_, 'de> {
    fn deeper<E: serde::de::Error>(&mut self) -> Result<Shape<'_, 'de>, E> {
        if self.depth == DEPTH_MAX {
            return Err(E::custom(format_args!("nested more than {DEPTH_MAX} deep")));
        }
        Ok(Shape { depth: self.depth + 1, keys: &mut *self.keys })
    }
}

impl<'de> DeserializeSeed<'de> for Shape<'_, 'de> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shape<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.deeper()?)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        let from = self.keys.len();
        while let Some(key) = entries.next_key_seed(Key)? {
            self.keys.push(key);
            entries.next_value_seed(self.deeper()?)?;
        }
        let keys = &mut self.keys[from..];
        keys.sort_unstable();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            let key: String = pair[0].chars().take(64).collect();
            return Err(A::Error::custom(format_args!("the key \"{key}\" is there twice")));
        }
        self.keys.truncate(from);
        Ok(())
    }
}

/// A key, borrowed where it has no escapes.
pub struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a key")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_refuses_is_found() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(look_through(r#" [{"a":[1,-2,2.5,null,true,"\ud83d\ude00"]},"x"] "#).is_ok());
        assert!(look_through(&deep(DEPTH_MAX)).is_ok());
        for (text, part) in [
            (r#"[{"a":1,"\u0061":2}]"#, "\"a\" is there twice"),
            (&deep(DEPTH_MAX + 1), "more than 64 deep"),
            (r#"["\ud800"]"#, "hex escape"),
            ("[1e999]", "out of range"),
            ("[] []", "trailing"),
            ("[1", "EOF"),
        ] {
            let error = look_through(text).unwrap_err().to_string();
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}
