//! From their records to our words.
//!
//! Promises: every member may be missing (source: facts 3.1); what has no word of ours survives in `raw`; a list is read
//! once, and what is only handed on stays as it was written.

use crate::client::record;
use psa_host_api::Error;
use psa_host_api::json::Key;
use psa_host_api::model::{Author, AuthorKind, Known, Raw, Reference, StatusRef};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// A record that is being read: what is taken is no longer in what is left.
pub(crate) struct Record<'a>(Vec<Member<'a>>);

struct Member<'a> {
    name: Cow<'a, str>,
    /// `None`: taken.
    value: Option<Cow<'a, RawValue>>,
}

impl<'a> Record<'a> {
    /// A record of an answer; an error if it is none.
    pub(crate) fn of(value: Value) -> Result<Record<'static>, Error> {
        record(value).map(Record::new)
    }

    pub(crate) fn new(record: Map<String, Value>) -> Record<'static> {
        let member = |(name, value): (String, Value)| {
            // A value is JSON, so it can be written.
            let value = to_raw_value(&value).ok().map(Cow::Owned);
            Member { name: Cow::Owned(name), value }
        };
        Record(record.into_iter().map(member).collect())
    }

    fn take(&mut self, name: &str) -> Option<Cow<'a, RawValue>> {
        self.0.iter_mut().find(|member| member.name == name)?.value.take()
    }

    fn see(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|member| member.name == name)?.value.as_deref()?;
        Some(value.get())
    }

    /// A number as text, which is how ids travel here.
    pub(crate) fn id(&mut self, name: &str) -> Option<String> {
        id_of(self.take(name)?.get())
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        text_of(self.take(name)?.get())
    }

    /// The same, which stays in what is left.
    pub(crate) fn peek(&self, name: &str) -> Option<String> {
        text_of(self.see(name)?)
    }

    /// A member that may be of any type.
    pub(crate) fn value(&mut self, name: &str) -> Option<Value> {
        read(self.take(name)?.get())
    }

    /// An id, which stays in what is left.
    pub(crate) fn peek_id(&self, name: &str) -> Option<String> {
        id_of(self.see(name)?)
    }

    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        read(self.take(name)?.get())
    }

    pub(crate) fn number(&mut self, name: &str) -> Option<i64> {
        read(self.take(name)?.get())
    }

    pub(crate) fn float(&mut self, name: &str) -> Option<f64> {
        read(self.take(name)?.get())
    }

    /// Who is shown as the author; `otherwise` names somebody if it is neither a member nor a contact. Source: facts 7.3.
    pub(crate) fn author(&mut self, otherwise: impl FnOnce(&mut Self) -> Option<String>) -> Author {
        match (self.reference("member"), self.reference("contact")) {
            (Some(member), _) => Author { kind: AuthorKind::Member, id: Some(member.id), name: member.name },
            (None, Some(contact)) => Author { kind: AuthorKind::Contact, id: Some(contact.id), name: contact.name },
            (None, None) => Author { kind: AuthorKind::Unknown, id: None, name: otherwise(self) },
        }
    }

    /// An object `{id, name, …}`; the empty stub that ConnectWise sometimes sends is none. Source: facts 7.3.
    pub(crate) fn reference(&mut self, name: &str) -> Option<Reference> {
        let object = self.take(name)?;
        let object: Named<'_> = read(object.get()).filter(|_| object.get().starts_with('{'))?;
        Some(Reference { id: id_of(object.id?.get())?, name: object.name.and_then(|name| text_of(name.get())) })
    }

    pub(crate) fn status(&mut self, name: &str) -> Option<StatusRef> {
        self.reference(name).map(|status| StatusRef { id: status.id, name: status.name })
    }

    pub(crate) fn known(&mut self, name: &str) -> Known {
        self.flag(name).into()
    }

    /// A member of `_info`, which stays in what is left.
    pub(crate) fn info(&self, name: &str) -> Option<String> {
        let [text] = self.infos([name]);
        text
    }

    /// Several of them.
    pub(crate) fn infos<const N: usize>(&self, names: [&str; N]) -> [Option<String>; N] {
        let info: Option<Record<'_>> = self.see("_info").and_then(read);
        names.map(|name| info.as_ref()?.peek(name))
    }

    /// The numbers of an array, as ids.
    pub(crate) fn ids(&mut self, name: &str) -> Vec<String> {
        let ids: Option<Vec<Value>> = self.take(name).and_then(|ids| read(ids.get()));
        ids.iter().flatten().filter_map(Value::as_u64).map(|id| id.to_string()).collect()
    }

    /// The records of an array, which stay in what is left. `None`: the answer has no such member.
    pub(crate) fn children(&self, name: &str) -> Option<Vec<Record<'_>>> {
        let items: Vec<&RawValue> = read(self.see(name)?)?;
        Some(items.into_iter().filter_map(|item| read(item.get())).collect())
    }

    /// What nobody took. Null and absent mean the same. Source: facts 3.1.
    pub(crate) fn rest(self) -> Raw {
        let left = self.0.iter().filter_map(|member| Some((&*member.name, member.value.as_deref()?)));
        Raw::of(left.filter(|(_, value)| value.get() != "null"))
    }
}

/// What a reference is made of; objects only, for an array would be read as its members in order.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
}

/// A value of a type; `None` if it is of another.
fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    serde_json::from_str(json).ok()
}

fn text_of(json: &str) -> Option<String> {
    read(json)
}

fn id_of(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'-' | b'0'..=b'9' => Some(json.to_owned()),
        _ => text_of(json),
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Record<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Record<'a>, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Record<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Record<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = entries.next_key_seed(Key)? {
            let value: &'de RawValue = entries.next_value()?;
            members.push(Member { name, value: Some(Cow::Borrowed(value)) });
        }
        Ok(Record(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TEXT: &str = r#"{"id":7,"\u0074ext":"a\"\u00e9","no":null,"flag":true,"float":1.50,"number":-3,"ids":[1,"2",3],
        "ref":{ "id":"x","name":"A\tB","more":1},"stub":{},"list":[],"pair":[1,"A"],"children":[{"a":1},2],
        "_info":{"lastUpdated":"t\u0031","n":1},"name":"n","left":{"b":1.0}}"#;

    /// Both ways to a record say the same.
    fn both<T: PartialEq + fmt::Debug>(take: impl Fn(&mut Record<'_>) -> T) -> T {
        let mut as_written: Record<'_> = serde_json::from_str(TEXT).unwrap();
        let taken = take(&mut as_written);
        let mut of_tree = Record::new(serde_json::from_str(TEXT).unwrap());
        assert_eq!(taken, take(&mut of_tree));
        assert_eq!(as_written.rest(), of_tree.rest());
        taken
    }

    #[test]
    fn members_are_read_if_they_are_what_is_expected() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(both(|it| [it.id("id"), it.text("text"), it.id("name")]), [text("7"), text("a\"é"), text("n")]);
        assert_eq!(
            both(|it| ["no", "flag", "ref", "list", "other"].map(|name| it.id(name).or(it.text(name)))),
            [const { None }; 5]
        );
        assert_eq!(both(|it| (it.flag("flag"), it.flag("no"), it.flag("name"))), (Some(true), None, None));
        assert_eq!(both(|it| (it.number("number"), it.number("float"), it.float("id"))), (Some(-3), None, Some(7.0)));
        assert_eq!(both(|it| (it.ids("ids"), it.ids("name"))), (vec!["1".to_owned(), "3".to_owned()], vec![]));
        let reference = Reference { id: "x".to_owned(), name: text("A\tB") };
        assert_eq!(
            both(|it| ["ref", "stub", "list", "pair"].map(|name| it.reference(name))),
            [Some(reference), None, None, None]
        );
        assert_eq!(both(|it| it.infos(["lastUpdated", "n", "x"])), [text("t1"), None, None]);
        let children = |it: &Record<'_>, name: &str| -> Option<Vec<Raw>> {
            it.children(name).map(|children| children.into_iter().map(Record::rest).collect())
        };
        let child: Raw = serde_json::from_value(json!({"a": 1})).unwrap();
        assert_eq!(both(|it| children(it, "children")), Some(vec![child]));
        assert_eq!(both(|it| (children(it, "list"), children(it, "name"))), (Some(vec![]), None));
        assert_eq!(both(|it| [it.value("ids"), it.value("gone")]), [Some(json!([1, "2", 3])), None]);
    }

    #[test]
    fn what_is_taken_is_gone_and_what_is_seen_stays() {
        let left = both(|it| {
            let seen =
                (it.peek("name"), it.info("lastUpdated"), it.children("children").map(|children| children.len()));
            let taken = (it.text("name"), it.text("name"));
            assert_eq!((seen.0.as_deref(), &taken.0, &taken.1), (Some("n"), &seen.0, &None));
            std::mem::replace(it, Record(Vec::new())).rest()
        });
        assert!(left.get("name").is_none() && left.get("no").is_none());
        assert!(left.get("_info").is_some() && left.get("children").is_some());
        assert_eq!(left.get("left"), Some(json!({"b": 1.0})));
    }
}
