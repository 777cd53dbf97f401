//! Reading parameters.

use crate::json::pointer_part;
use psa_host_api::Error;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads JSON into a type; what does not fit is named by its place. `what` begins the sentence.
pub(crate) fn typed<T: DeserializeOwned>(value: Value, what: &str) -> Result<T, Error> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let words = error.inner().to_string();
        let mut at = pointer(error.path());
        let (reason, named) = if words.starts_with("unknown field") {
            ("unknown_field", true)
        } else if words.starts_with("missing field") {
            ("missing_field", true)
        } else {
            ("wrong_type", false)
        };
        // Of these two the parser knows the object; the field is in its words.
        let field = words.split('`').nth(1).filter(|_| named);
        if let Some(field) = field
            && !at.ends_with(&format!("/{field}"))
        {
            at = format!("{at}/{field}");
        }
        let place = if at.is_empty() { String::new() } else { format!(" {at}:") };
        let words: String = words.chars().take(300).collect();
        Error::invalid(format!("{what}:{place} {words}")).because(reason).field(at, reason, words)
    })
}

/// A path as a JSON pointer.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{}", pointer_part(key)),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}
