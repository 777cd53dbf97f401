//! From their records to our words.
//!
//! Promises: every member may be missing (source: facts 3.1); what has no word of ours survives in `raw`.

use psa_host_api::model::{Author, AuthorKind, Known, Reference, StatusRef};
use serde_json::{Map, Value};

/// A record that is being read: what is taken is no longer in what is left.
pub(crate) struct Record(Map<String, Value>);

impl Record {
    pub(crate) fn new(record: Map<String, Value>) -> Record {
        Record(record)
    }

    /// A number as text, which is how ids travel here.
    pub(crate) fn id(&mut self, name: &str) -> Option<String> {
        match self.0.remove(name)? {
            Value::Number(number) => Some(number.to_string()),
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        match self.0.remove(name)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The same, which stays in what is left.
    pub(crate) fn peek(&self, name: &str) -> Option<String> {
        self.0.get(name)?.as_str().map(str::to_owned)
    }

    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        self.0.remove(name)?.as_bool()
    }

    pub(crate) fn number(&mut self, name: &str) -> Option<i64> {
        self.0.remove(name)?.as_i64()
    }

    pub(crate) fn float(&mut self, name: &str) -> Option<f64> {
        self.0.remove(name)?.as_f64()
    }

    /// Who is shown as the author; `otherwise` names somebody if it is neither a member nor a contact. Source: facts 7.3.
    pub(crate) fn author(&mut self, otherwise: impl FnOnce(&mut Record) -> Option<String>) -> Author {
        match (self.reference("member"), self.reference("contact")) {
            (Some(member), _) => Author { kind: AuthorKind::Member, id: Some(member.id), name: member.name },
            (None, Some(contact)) => Author { kind: AuthorKind::Contact, id: Some(contact.id), name: contact.name },
            (None, None) => Author { kind: AuthorKind::Unknown, id: None, name: otherwise(self) },
        }
    }

    /// An object `{id, name, …}`; the empty stub that ConnectWise sometimes sends is none. Source: facts 7.3.
    pub(crate) fn reference(&mut self, name: &str) -> Option<Reference> {
        let Value::Object(object) = self.0.remove(name)? else { return None };
        let mut object = Record(object);
        Some(Reference { id: object.id("id")?, name: object.text("name") })
    }

    pub(crate) fn status(&mut self, name: &str) -> Option<StatusRef> {
        self.reference(name).map(|status| StatusRef { id: status.id, name: status.name })
    }

    pub(crate) fn known(&mut self, name: &str) -> Known {
        self.flag(name).into()
    }

    /// A member of `_info`, which stays in what is left.
    pub(crate) fn info(&self, name: &str) -> Option<String> {
        self.0.get("_info")?.get(name)?.as_str().map(str::to_owned)
    }

    /// The numbers of an array, as ids.
    pub(crate) fn ids(&mut self, name: &str) -> Vec<String> {
        let Some(Value::Array(ids)) = self.0.remove(name) else { return Vec::new() };
        ids.iter().filter_map(Value::as_u64).map(|id| id.to_string()).collect()
    }

    /// The records of an array, which stay in what is left. `None`: the answer has no such member.
    pub(crate) fn children(&self, name: &str) -> Option<Vec<&Map<String, Value>>> {
        Some(self.0.get(name)?.as_array()?.iter().filter_map(Value::as_object).collect())
    }

    /// What nobody took. Null and absent mean the same. Source: facts 3.1.
    pub(crate) fn rest(mut self) -> Map<String, Value> {
        self.0.retain(|_, value| !value.is_null());
        self.0
    }
}
