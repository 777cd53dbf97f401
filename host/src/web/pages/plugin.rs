//! About a plugin: who made it, what it may reach, what it can do, who uses it; or why it is not here.
//!
//! Promises: what a plugin may reach is what its form says, in the form's own templates; a refused file has a page too.

use super::frame::{initials, plugin_name};
use super::problem::{self, Trouble};
use crate::plugin::{Plugin, Refusal};
use crate::web::ask::{Ask, Reply, segment};
use crate::web::permission::Permission;
use crate::web::view::{Action, Body, Chip, Crumb, Fact, Link, Look, PluginName, Tone, View};
use psa_host_api::Error;
use psa_host_api::abi::PSA_OP_WRITE;
use psa_host_api::manifest::{BoardKind, StatusScope};
use serde::{Deserialize, Serialize};

/// Connections that are named, at most.
const USED_MAX: usize = 50;

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) plugin: PluginName,
    pub(crate) chip: Chip,
    /// Why it is not here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<Action>,
    pub(crate) facts: Vec<Fact>,
    pub(crate) homepage: Option<Link>,
    /// Address templates that its secrets may be sent to.
    pub(crate) reaches: Vec<String>,
    pub(crate) can: Vec<String>,
    pub(crate) reads: Vec<String>,
    pub(crate) writes: Vec<String>,
    pub(crate) used: Vec<Link>,
    /// More than are named.
    pub(crate) more: Option<String>,
}

pub(crate) async fn show(ask: &Ask<'_>) -> Result<Reply, Error> {
    let id = ask.segment("plugin").to_owned();
    let body = match ask.core.connections.plugin(&id) {
        Ok(plugin) => of_plugin(ask, &plugin)?,
        Err(_) => match refusals(ask).into_iter().find(|(known, _)| *known == id) {
            Some((id, refusal)) => of_refusal(ask, &id, &refusal),
            None => return Ok(problem::reply(ask.who, ask.words, &Trouble::NotFound)),
        },
    };
    let title = body.plugin.name.clone();
    let crumbs = vec![
        Crumb { label: ask.words.say("index.title"), href: Some(ask.href("/")) },
        Crumb { label: title.clone(), href: None },
    ];
    ask.page(View { title, crumbs, frame: None, notices: Vec::new(), body: Body::Plugin(Box::new(body)) })
}

/// The picture of a plugin.
pub(crate) async fn icon(ask: &Ask<'_>) -> Result<Reply, Error> {
    let plugin = ask.core.connections.plugin(ask.segment("plugin")).ok();
    Ok(match plugin.and_then(|plugin| plugin.manifest.picture().ok().flatten()) {
        Some(icon) => {
            Reply::Bytes { content_type: icon.kind.content_type(), body: icon.bytes, for_ever: false, name: None }
        }
        None => problem::reply(ask.who, ask.words, &Trouble::NotFound),
    })
}

/// Files that were not loaded, under names that a path can hold.
pub(crate) fn refusals(ask: &Ask<'_>) -> Vec<(String, Refusal)> {
    let all = ask.core.connections.with_registry(|registry| registry.refused().to_vec());
    let named = |refusal: Refusal| {
        let stem = refusal.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let stem = stem.strip_prefix("lib").unwrap_or(stem);
        // A loaded plugin may have the same name, so the file's name it is.
        (stem.to_owned(), refusal)
    };
    all.into_iter().map(named).filter(|(id, _)| !id.is_empty()).collect()
}

fn of_refusal(ask: &Ask<'_>, id: &str, refusal: &Refusal) -> About {
    let path = refusal.path.display().to_string();
    About {
        plugin: PluginName {
            id: id.to_owned(),
            initials: initials(id),
            name: id.to_owned(),
            version: None,
            icon: None,
        },
        chip: Chip { tone: Tone::Bad, label: ask.words.say("plugin.refused") },
        refused: Some(refusal.why.to_string()),
        action: None,
        facts: vec![
            fact(ask, "plugin.path", path, true),
            fact(ask, "plugin.reason", refusal.why.reason().to_owned(), true),
        ],
        homepage: None,
        reaches: Vec::new(),
        can: Vec::new(),
        reads: Vec::new(),
        writes: Vec::new(),
        used: Vec::new(),
        more: None,
    }
}

fn fact(ask: &Ask<'_>, key: &str, value: String, mono: bool) -> Fact {
    Fact { name: ask.words.say(key), value, mono, when: None }
}

fn of_plugin(ask: &Ask<'_>, plugin: &Plugin) -> Result<About, Error> {
    let manifest = &plugin.manifest;
    let used = ask.core.store.of_plugin(&ask.who.tenant, &manifest.id, USED_MAX + 1)?;
    let more = (used.len() > USED_MAX).then(|| ask.words.say("plugin.used.more"));
    let mut offered: Vec<&str> = plugin.operations().collect();
    // In the order of the contract, which begins with what is done most.
    offered.sort_by_key(|name| psa_host_api::ops::OPERATIONS.iter().position(|row| row.name == *name));
    let (writes, reads): (Vec<&str>, Vec<&str>) = offered.into_iter().partition(|name| is_write(name));
    let needs = [Permission::View, Permission::Configure, Permission::Secrets];
    let href = ask.href(&format!("/new/{}", segment(&manifest.id)));
    let connect = Action::get("connect", ask.words.say("index.plugin.connect"), href, &needs).look(Look::Primary);
    let link = |(id, name): &(String, String)| Link { label: name.clone(), href: ask.of_connection(id, "") };
    Ok(About {
        plugin: plugin_name(ask, &manifest.id),
        chip: Chip { tone: Tone::Ok, label: ask.words.say("plugin.installed") },
        refused: None,
        action: ask.allowed(vec![connect]).pop(),
        facts: facts(ask, plugin),
        homepage: homepage(plugin),
        reaches: reaches(plugin),
        can: can(ask, plugin),
        reads: operations(ask, &reads),
        writes: operations(ask, &writes),
        used: used.iter().take(USED_MAX).map(link).collect(),
        more,
    })
}

fn is_write(name: &str) -> bool {
    psa_host_api::ops::find(name).is_some_and(|row| row.flags & PSA_OP_WRITE != 0)
}

fn facts(ask: &Ask<'_>, plugin: &Plugin) -> Vec<Fact> {
    let manifest = &plugin.manifest;
    let mut facts = vec![fact(ask, "plugin.version", manifest.version.clone(), false)];
    let mut say = |key: &str, value: Option<String>, mono: bool| {
        facts.extend(value.filter(|value| !value.is_empty()).map(|value| fact(ask, key, value, mono)));
    };
    say("plugin.vendor", Some(manifest.vendor.name.clone()), false);
    say("plugin.support", manifest.vendor.support.clone(), false);
    say("plugin.licence", manifest.licence.clone(), false);
    say("plugin.sdk", manifest.sdk.clone(), true);
    let path = match &plugin.path {
        Some(path) => path.display().to_string(),
        None => ask.words.say("plugin.linked"),
    };
    say("plugin.path", Some(path), plugin.path.is_some());
    say("plugin.digest", plugin.sha256.clone(), true);
    facts
}

/// Only https: what a plugin says becomes a link nowhere else.
fn homepage(plugin: &Plugin) -> Option<Link> {
    let text = plugin.manifest.vendor.homepage.as_ref()?;
    let url = url::Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.username().is_empty())?;
    Some(Link { label: url.host_str()?.to_owned(), href: url.to_string() })
}

fn reaches(plugin: &Plugin) -> Vec<String> {
    let fields = plugin.form.definition().fields.iter().filter_map(|field| field.secret.as_ref());
    let mut all: Vec<String> =
        fields.flat_map(|secret| secret.send_to.iter().map(|to| to.template().to_owned())).collect();
    all.sort();
    all.dedup();
    all
}

fn can(ask: &Ask<'_>, plugin: &Plugin) -> Vec<String> {
    let capabilities = &plugin.manifest.capabilities;
    let mut keys = vec![match capabilities.status_scope {
        StatusScope::Board => "plugin.can.status.board",
        StatusScope::Type => "plugin.can.status.type",
        StatusScope::Connection => "plugin.can.status.connection",
    }];
    keys.extend(match capabilities.board_kind {
        BoardKind::Board => Some("plugin.can.boards"),
        BoardKind::Team => Some("plugin.can.teams"),
        BoardKind::Queue => Some("plugin.can.queues"),
        BoardKind::None => None,
    });
    keys.push(if capabilities.callbacks { "plugin.can.callbacks" } else { "plugin.can.no_callbacks" });
    keys.extend(capabilities.closed_known.then_some("plugin.can.closed"));
    let mut can: Vec<String> = keys.into_iter().map(|key| ask.words.say(key)).collect();
    if !capabilities.visibilities.is_empty() {
        let word = |visibility: &psa_host_api::model::Visibility| {
            let word = serde_json::to_value(visibility).ok().and_then(|value| value.as_str().map(str::to_owned));
            let word = word.unwrap_or_default();
            ask.words.find(&format!("plugin.visibility.{word}")).unwrap_or(word)
        };
        let list: Vec<String> = capabilities.visibilities.iter().map(word).collect();
        can.push(ask.words.fill("plugin.can.notes", &[("list", &list.join(", "))]));
    }
    can
}

/// In words; one of a newer contract under its own name.
fn operations(ask: &Ask<'_>, names: &[&str]) -> Vec<String> {
    names
        .iter()
        .map(|name| ask.words.find(&format!("operation.{name}")).unwrap_or_else(|| (*name).to_owned()))
        .collect()
}
