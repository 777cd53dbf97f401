//! All connections, what needs somebody, and what else could be connected.

use super::frame::{initials, plugin_name};
use super::standing::standing;
use crate::store::{ConnectionState, StopReason, Summary, ValueKind, Which};
use crate::web::ask::{Ask, Reply, cursor, key_of, query, segment};
use crate::web::moment::Moment;
use crate::web::permission::Permission;
use crate::web::view::{Action, Body, Chip, Crumb, Link, Look, Pager, PluginName, Tone, View};
use psa_host_api::Error;
use serde::{Deserialize, Serialize};

/// Connections on a page.
const PAGE: usize = 25;
/// From so many on there is a field to find one by.
const FIND_FROM: u64 = 8;
/// What needs somebody, at most.
const NEEDS_MAX: usize = 20;

/// The page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Index {
    /// The worst first.
    pub(crate) attention: Vec<Attention>,
    /// What is looked for; none if there are too few to look for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) find: Option<String>,
    pub(crate) connections: Vec<Row>,
    pub(crate) pager: Pager,
    pub(crate) plugins: Vec<Tile>,
    /// Nothing is connected yet.
    pub(crate) empty: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) help: Option<Link>,
}

/// Something that needs somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attention {
    pub(crate) connection: String,
    pub(crate) name: String,
    pub(crate) tone: Tone,
    pub(crate) text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<Link>,
}

/// A connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) connection: String,
    pub(crate) name: String,
    pub(crate) href: String,
    /// Where it leads, or which plugin it is of.
    pub(crate) place: String,
    pub(crate) chip: Chip,
    pub(crate) text: String,
    pub(crate) links: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) synced: Option<Moment>,
    pub(crate) action: Action,
}

/// A plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tile {
    pub(crate) plugin: PluginName,
    pub(crate) chip: Chip,
    pub(crate) text: String,
    pub(crate) about: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) action: Option<Action>,
}

pub(crate) async fn show(ask: &Ask<'_>) -> Result<Reply, Error> {
    let tenant = &ask.who.tenant;
    let find = ask.query.filled("find").unwrap_or_default().to_owned();
    let all = ask.core.store.count_named(tenant, "")?;
    let matching = if find.is_empty() { all } else { ask.core.store.count_named(tenant, &find)? };
    let after = ask.query.get("after").and_then(key_of::<(String, String)>).unwrap_or_default();
    let which = Which::Named { part: &find, after: (&after.0, &after.1) };
    let mut found = ask.core.store.summaries(tenant, which, PAGE + 1)?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let agents = ask.core.store.count_values(tenant, ValueKind::Agent)?;
    let pager = pager(ask, &find, &found, more, matching, after.0.is_empty() && after.1.is_empty());
    let body = Index {
        attention: attention(ask, agents)?,
        find: (all >= FIND_FROM).then_some(find),
        connections: found.iter().map(|summary| row(ask, summary, agents)).collect(),
        pager,
        plugins: tiles(ask)?,
        empty: all == 0,
        help: ask.who.help_url.clone().map(|href| Link { label: ask.words.say("index.guide"), href }),
    };
    let title = ask.words.say("index.title");
    let crumbs = vec![Crumb { label: title.clone(), href: None }];
    ask.page(View { title, crumbs, frame: None, notices: Vec::new(), body: Body::Index(body) })
}

fn attention(ask: &Ask<'_>, agents: u64) -> Result<Vec<Attention>, Error> {
    let troubled = ask.core.store.summaries(&ask.who.tenant, Which::Troubled, NEEDS_MAX)?;
    let mut found: Vec<Attention> = troubled
        .iter()
        .flat_map(|summary| {
            let needs = standing(ask, summary, agents).needs;
            needs.into_iter().filter(|need| need.tone >= Tone::Warn).map(|need| Attention {
                connection: summary.connection.place.connection.clone(),
                name: summary.connection.name.clone(),
                tone: need.tone,
                text: need.text,
                link: need.link,
            })
        })
        .collect();
    found.sort_by_key(|need| std::cmp::Reverse(need.tone));
    Ok(found)
}

fn row(ask: &Ask<'_>, summary: &Summary, agents: u64) -> Row {
    let connection = &summary.connection;
    let id = &connection.place.connection;
    let standing = standing(ask, summary, agents);
    let href = ask.of_connection(id, "");
    let action = match (connection.state, connection.reason) {
        (_, Some(StopReason::SignIn | StopReason::Unreadable | StopReason::Settings))
            if ask.may(Permission::Secrets) =>
        {
            let label = ask.words.say("standing.credentials.link");
            Action::get("reauth", label, ask.of_connection(id, "/reauth"), &[Permission::Secrets])
        }
        (ConnectionState::Setup, _) if ask.may(Permission::Configure) => {
            let label = ask.words.say("standing.setup.link");
            Action::get("finish", label, ask.of_connection(id, "/settings"), &[Permission::Configure])
        }
        _ => Action::get("open", ask.words.say("index.open"), href.clone(), &[Permission::View]),
    };
    Row {
        connection: id.clone(),
        name: connection.name.clone(),
        href,
        place: place(ask, summary),
        chip: standing.chip,
        text: standing.needs.into_iter().map(|need| need.text).collect::<Vec<_>>().join(" "),
        links: ask.words.links(summary.links),
        synced: summary.synced.map(|at| ask.words.moment(at)),
        action: action.look(Look::Small).of(&connection.name),
    }
}

/// The host name that the connection's secrets go to: what people know it by.
fn place(ask: &Ask<'_>, summary: &Summary) -> String {
    let connection = &summary.connection;
    let Ok(plugin) = ask.core.connections.plugin(&connection.plugin) else { return connection.plugin.clone() };
    let address =
        plugin.form.secrets().find_map(|key| plugin.form.send_to(key, &connection.settings).into_iter().next());
    address.map_or_else(|| plugin.manifest.name.clone(), |address| address.host_name())
}

fn tiles(ask: &Ask<'_>) -> Result<Vec<Tile>, Error> {
    let used = ask.core.store.count_by_plugin(&ask.who.tenant)?;
    let ids: Vec<String> = ask
        .core
        .connections
        .with_registry(|registry| registry.plugins().map(|plugin| plugin.manifest.id.clone()).collect());
    let tile = |id: String| {
        let n = used.iter().find(|(plugin, _)| *plugin == id).map_or(0, |(_, n)| *n);
        let plugin = plugin_name(ask, &id);
        let (tone, label, add) = match n {
            0 => (Tone::Idle, ask.words.say("index.plugin.none"), "index.plugin.connect"),
            n => (Tone::Ok, ask.words.count("index.plugin.some", n), "index.plugin.another"),
        };
        let needs = [Permission::Configure, Permission::Secrets];
        let action = Action::get("connect", ask.words.say(add), ask.href(&format!("/new/{}", segment(&id))), &needs);
        let vendor = ask.core.connections.plugin(&id).ok().map(|plugin| plugin.manifest.vendor.name.clone());
        Tile {
            chip: Chip { tone, label },
            text: ask.words.fill("index.plugin.by", &[("vendor", vendor.as_deref().unwrap_or_default())]),
            about: ask.href(&format!("/plugins/{}", segment(&id))),
            action: ask.allowed(vec![action.look(Look::Small).of(&plugin.name)]).pop(),
            plugin,
        }
    };
    let refused = super::plugin::refusals(ask).into_iter().map(|(id, _)| {
        let about = ask.href(&format!("/plugins/{}", segment(&id)));
        let why = Action::get("why", ask.words.say("index.plugin.why"), about.clone(), &[Permission::View]);
        let label = ask.words.say("plugin.refused");
        Tile {
            chip: Chip { tone: Tone::Idle, label },
            text: ask.words.say("index.plugin.refused"),
            about,
            action: Some(why.look(Look::Small).of(&id)),
            plugin: PluginName { initials: initials(&id), name: id.clone(), id, version: None, icon: None },
        }
    });
    Ok(ids.into_iter().map(tile).chain(refused).collect())
}

fn pager(ask: &Ask<'_>, find: &str, found: &[Summary], more: bool, all: u64, first: bool) -> Pager {
    let place = |after: &str| {
        let find = if find.is_empty() { String::new() } else { format!("find={}&", query(find)) };
        ask.href(&format!("/?{find}after={after}"))
    };
    let last = found.last().filter(|_| more).map(|summary| {
        place(&cursor(&serde_json::json!([summary.connection.name, summary.connection.place.connection])))
    });
    let shown = ask.words.count_fill("pager.of", all, &[("shown", &ask.words.number(found.len() as u64))]);
    Pager { shown, first: (!first).then(|| place("")), next: last }
}
