//! What stands above all pages of a connection: its name, how it stands, the tabs.

use super::standing::{Standing, standing};
use crate::callbacks::{CallbackState, state_of};
use crate::connections::connection_missing;
use crate::store::{ConnectionState, StopReason, Summary, ValueKind, Which};
use crate::web::ask::{Ask, segment};
use crate::web::permission::Permission;
use crate::web::view::{Action, Body, Count, Crumb, Frame, PluginName, Tab, Tone, View};
use psa_host_api::Error;

/// A connection with what its pages have in common.
pub(crate) struct Framed {
    pub(crate) summary: Summary,
    pub(crate) standing: Standing,
    /// How many agents the product has.
    pub(crate) agents: u64,
}

/// Reads the connection of the path.
pub(crate) fn framed(ask: &Ask<'_>) -> Result<Framed, Error> {
    let place = ask.place();
    let summary = ask.core.store.summaries(&place.tenant, Which::One(&place.connection), 1)?.pop();
    let summary = summary.ok_or_else(|| connection_missing(&place))?;
    let agents = ask.core.store.count_values(&place.tenant, ValueKind::Agent)?;
    let standing = standing(ask, &summary, agents);
    Ok(Framed { summary, standing, agents })
}

impl Framed {
    /// A page of this connection. `tab`: the key of its tab, "settings"; also the key of its title.
    pub(crate) fn view(&self, ask: &Ask<'_>, tab: &str, body: Body) -> View {
        let name = self.summary.connection.name.clone();
        let id = &self.summary.connection.place.connection;
        let title = ask.words.say(&format!("tab.{tab}"));
        let mut crumbs = vec![Crumb { label: ask.words.say("index.title"), href: Some(ask.href("/")) }];
        let mine = tab == "overview";
        crumbs.push(Crumb { label: name.clone(), href: (!mine).then(|| ask.of_connection(id, "")) });
        if !mine {
            crumbs.push(Crumb { label: title.clone(), href: None });
        }
        let title = format!("{title} - {name}");
        View { title, crumbs, frame: Some(self.frame(ask, tab)), notices: Vec::new(), body }
    }

    fn frame(&self, ask: &Ask<'_>, tab: &str) -> Frame {
        let connection = &self.summary.connection;
        Frame {
            connection: connection.place.connection.clone(),
            name: connection.name.clone(),
            chip: self.standing.chip.clone(),
            plugin: plugin_name(ask, &connection.plugin),
            account: connection.identity.clone(),
            tabs: self.tabs(ask, tab),
            actions: ask.allowed(self.actions(ask)),
        }
    }

    fn tabs(&self, ask: &Ask<'_>, current: &str) -> Vec<Tab> {
        let id = &self.summary.connection.place.connection;
        let unmapped = self.agents.saturating_sub(self.summary.agents_settled);
        let callbacks = state_of(&self.summary.inbound, ask.words.now());
        let failing = matches!(callbacks, CallbackState::Silent | CallbackState::Flapping | CallbackState::Failing);
        let count = |n: u64, words: &str, tone: Tone| {
            let words = format!(" {}", ask.words.count(words, n));
            (n > 0).then(|| Count { n, shown: ask.words.links(n), words, tone })
        };
        let tabs = [
            ("overview", "", None),
            ("settings", "/settings", None),
            ("members", "/map/members", count(unmapped, "tab.members.count", Tone::Bad)),
            ("statuses", "/map/statuses", None),
            ("priorities", "/map/priorities", None),
            ("tickets", "/tickets", count(self.summary.links, "tab.tickets.count", Tone::Idle)),
            ("callbacks", "/callbacks", count(u64::from(failing), "tab.callbacks.count", Tone::Bad)),
            ("activity", "/activity", None),
        ];
        let tab = |(key, path, count): (&str, &str, Option<Count>)| Tab {
            label: ask.words.say(&format!("tab.{key}")),
            href: ask.of_connection(id, path),
            current: key == current,
            count,
        };
        tabs.into_iter().map(tab).collect()
    }

    fn actions(&self, ask: &Ask<'_>) -> Vec<Action> {
        let connection = &self.summary.connection;
        let id = &connection.place.connection;
        let may = [Permission::View, Permission::Configure];
        match (connection.state, connection.reason) {
            (ConnectionState::Stopped, Some(StopReason::Paused | StopReason::Visibility)) => {
                vec![Action::post("resume", ask.words.say("frame.resume"), ask.of_connection(id, "/resume"), &may)]
            }
            (ConnectionState::Stopped, _) => Vec::new(),
            _ => vec![Action::post("pause", ask.words.say("frame.pause"), ask.of_connection(id, "/pause"), &may)],
        }
    }
}

/// A plugin as it is named on a page; also one that is not here.
pub(crate) fn plugin_name(ask: &Ask<'_>, id: &str) -> PluginName {
    let known = ask.core.connections.plugin(id).ok();
    let name = known.as_ref().map_or_else(|| id.to_owned(), |plugin| plugin.manifest.name.clone());
    let icon = known.as_ref().filter(|plugin| plugin.manifest.icon.is_some());
    let icon = icon.map(|_| ask.href(&format!("/-/icon/{}", segment(id))));
    let version = known.map(|plugin| plugin.manifest.version.clone());
    PluginName { id: id.to_owned(), initials: initials(&name), name, version, icon }
}

/// Two letters: of a name in one word the capitals, "AcmeDesk" is AD; of several words their first letters.
pub(crate) fn initials(name: &str) -> String {
    let first = name.split_whitespace().next().unwrap_or_default();
    let capitals: String = first.chars().filter(|letter| letter.is_uppercase()).take(2).collect();
    let letters = if capitals.chars().count() == 2 {
        capitals
    } else {
        name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect()
    };
    letters.to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_stand_for_names() {
        for (name, letters) in [
            ("AcmeDesk PSA", "AD"),
            ("Acme Desk", "AD"),
            ("AcmePSA", "AP"),
            ("acme", "A"),
            ("", ""),
            ("日本 語", "日語"),
        ] {
            assert_eq!(initials(name), letters, "{name}");
        }
    }
}
