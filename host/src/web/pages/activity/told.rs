//! One entry of the activity.

use super::{act, allowed, by, chip, request_of, said, sentence, target, tone};
use crate::connections::connection_missing;
use crate::store::StoredEntry;
use crate::web::ask::{Ask, Reply};
use crate::web::pages::frame::framed;
use crate::web::permission::Permission;
use crate::web::view::{Body, Chip, Crumb, Fact, Link};
use psa_host_api::Error;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) seq: i64,
    pub(crate) chip: Chip,
    pub(crate) text: String,
    pub(crate) facts: Vec<Fact>,
    /// What its detail says.
    pub(crate) fields: Vec<Fact>,
    /// Its detail was erased.
    pub(crate) erased: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<Link>,
}

pub(crate) async fn entry(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let place = ask.place();
    let seq = ask.segment("seq").parse().map_err(|_| connection_missing(&place))?;
    let found = ask.core.store.entry(&place, seq)?;
    // Who may not see what people did is not told that they did something.
    let found = found.filter(|entry| entry.actor == crate::activity::HOST || ask.may(Permission::Audit));
    let entry = found.ok_or_else(|| connection_missing(&place))?;
    let fields = allowed(&entry);
    let text = sentence(ask, &entry, &fields);
    let body = Entry {
        seq,
        chip: chip(ask, tone(act(&entry.action), &fields)),
        text: text.clone(),
        facts: facts(ask, &entry),
        fields: fields.iter().flat_map(|(name, value)| of_field(ask, name, value)).collect(),
        erased: entry.detail.is_none(),
        to: target(ask, &place, &entry).map(|href| Link { label: ask.words.say("activity.to"), href }),
    };
    let mut view = framed.view(ask, "activity", Body::Entry(body));
    if let Some(list) = view.crumbs.last_mut() {
        list.href = Some(ask.of_connection(&place.connection, "/activity"));
    }
    view.crumbs.push(Crumb { label: ask.words.fill("activity.number", &[("n", &seq.to_string())]), href: None });
    ask.page(view)
}

fn facts(ask: &Ask<'_>, entry: &StoredEntry) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut say = |key: &str, value: String, mono: bool| {
        if !value.is_empty() {
            facts.push(Fact { name: ask.words.say(&format!("activity.fact.{key}")), value, mono, when: None });
        }
    };
    say("when", ask.words.exact(entry.at), false);
    say("by", by(ask, &entry.actor), false);
    say("action", entry.action.clone(), true);
    say("subject", entry.subject.clone().unwrap_or_default(), true);
    let request = request_of(entry);
    say("request", request.get("id").map(said).unwrap_or_default(), true);
    say("remote_addr", request.get("remote_addr").map(said).unwrap_or_default(), true);
    facts
}

/// A field; of several settings each is one.
fn of_field(ask: &Ask<'_>, name: &str, value: &Value) -> Vec<Fact> {
    let known = ask.words.find(&format!("activity.field.{name}")).unwrap_or_else(|| name.to_owned());
    let fact = |name: String, value: String| Fact { name, value, mono: false, when: None };
    match value {
        Value::Object(map) if matches!(name, "settings" | "fingerprints" | "dependents") => {
            map.iter().map(|(key, value)| fact(format!("{known}: {key}"), said(value))).collect()
        }
        _ => vec![fact(known, said(value))],
    }
}
