//! Which status stands for which of the product's, board by board.
//!
//! Promises: only the statuses of the board that is shown are read, offered and taken.

use super::{Known, Mapping, Pick, Scopes, Sheet, Subject, Unsaved, copy};
use crate::mappings::{Choice, choices, scopes, table};
use crate::store::{Mapped, ValueKind};
use crate::web::ask::{Ask, Reply};
use crate::web::pages::frame::{Framed, framed};
use crate::web::permission::Permission;
use crate::web::view::{Action, Body};
use psa_host_api::Error;
use psa_host_api::manifest::{BoardKind, StatusScope};
use psa_host_api::model::CatalogKind;

pub(crate) async fn show(ask: &Ask<'_>) -> Result<Reply, Error> {
    let framed = framed(ask)?;
    let body = page(ask, &framed, &Unsaved::new()).await?;
    ask.page(framed.view(ask, "statuses", Body::Mapping(Box::new(body))))
}

pub(super) async fn page(ask: &Ask<'_>, framed: &Framed, unsaved: &Unsaved) -> Result<Mapping, Error> {
    let place = ask.place();
    let boards = Boards::read(ask, framed).await?;
    let chosen = boards.as_ref().map(|boards| boards.view(ask));
    let scope = chosen.as_ref().map(|scopes| scopes.chosen.clone()).unwrap_or_default();
    let which = Mapped::Statuses { scope };
    let nothing_chosen = chosen.as_ref().is_some_and(|scopes| scopes.chosen.is_empty());
    let (lines, choices) = match nothing_chosen {
        true => (Vec::new(), Ok(Vec::new())),
        false => (table(ask.core, &place, &which)?, choices(ask.core, &place, &which, ask.context).await),
    };
    let known = Known::of(&lines, &choices);
    let sheet = Sheet { subject: Subject::Statuses, which, lines, choices, suggested: Vec::new(), unsaved, known };
    let mut page = sheet.page(ask, framed);
    if nothing_chosen {
        page.empty = Some(ask.words.say("map.empty.scope"));
    }
    page.copy = boards.and_then(|boards| boards.copy(ask, &chosen.as_ref()?.chosen));
    page.scopes = chosen;
    Ok(page)
}

/// What statuses belong to, and what is mapped of each.
pub(super) struct Boards {
    /// What they are: the end of the key of its words.
    kind: &'static str,
    pub(super) listed: Vec<Choice>,
    mapped: Vec<(String, u64)>,
    /// How many values the product has.
    pub(super) all: u64,
}

impl Boards {
    /// None where statuses belong to the whole connection.
    pub(super) async fn read(ask: &Ask<'_>, framed: &Framed) -> Result<Option<Boards>, Error> {
        let place = ask.place();
        let mapped = ask.core.store.mapped_scopes(&place)?;
        let (catalog, kind) = match ask.core.connections.plugin(&framed.summary.connection.plugin) {
            Ok(plugin) => match (plugin.manifest.capabilities.status_scope, plugin.manifest.capabilities.board_kind) {
                (StatusScope::Connection, _) => return Ok(None),
                (StatusScope::Type, _) => (CatalogKind::Types, "type"),
                (StatusScope::Board, BoardKind::Team) => (CatalogKind::Boards, "team"),
                (StatusScope::Board, BoardKind::Queue) => (CatalogKind::Boards, "queue"),
                (StatusScope::Board, BoardKind::Board | BoardKind::None) => (CatalogKind::Boards, "board"),
            },
            // Without its plugin only what is kept says what statuses belong to.
            Err(_) if mapped.iter().all(|(scope, _)| scope.is_empty()) => return Ok(None),
            Err(_) => (CatalogKind::Boards, "board"),
        };
        let all = ask.core.store.count_values(&place.tenant, ValueKind::Status)?;
        let there = scopes(ask.core, &place, catalog, ask.context).await.unwrap_or_default();
        let mut boards = Boards { kind, listed: Vec::new(), mapped, all };
        // One that is not offered any more, or cannot be asked for, still has what is kept of it.
        let kept = boards.mapped.iter().filter(|(id, _)| !id.is_empty() && !there.iter().any(|scope| scope.id == *id));
        let kept = kept.map(|(id, _)| Choice {
            id: id.clone(),
            name: String::new(),
            mark: id.clone(),
            inactive: false,
            program: false,
        });
        let offered = there.iter().filter(|scope| !scope.inactive || boards.count(&scope.id) > 0).cloned();
        boards.listed = offered.chain(kept).collect();
        Ok(Some(boards))
    }

    /// How many statuses of one are mapped.
    pub(super) fn count(&self, id: &str) -> u64 {
        self.mapped.iter().find(|(scope, _)| scope == id).map_or(0, |(_, n)| *n)
    }

    /// What can be copied to from one.
    pub(super) fn others(&self, from: &str) -> impl Iterator<Item = &Choice> {
        self.listed.iter().filter(move |board| board.id != from && !board.inactive)
    }

    /// The one that is wanted, else one that has something, else the first one.
    pub(super) fn chosen(&self, ask: &Ask<'_>) -> Option<&Choice> {
        let wanted = ask.query.filled("scope");
        let wanted = wanted.and_then(|wanted| self.listed.iter().find(|scope| scope.id == wanted));
        wanted.or_else(|| self.listed.iter().find(|scope| self.count(&scope.id) > 0)).or(self.listed.first())
    }

    /// "Help Desk (1), 0 of 2".
    pub(super) fn label(&self, ask: &Ask<'_>, scope: &Choice) -> String {
        let done = self.count(&scope.id);
        let values = [
            ("name", scope.label()),
            ("done", ask.words.number(done.min(self.all))),
            ("all", ask.words.number(self.all)),
        ];
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let key = if self.all > 0 && done >= self.all { "map.scope.complete" } else { "map.scope.some" };
        ask.words.fill(key, &values)
    }

    fn view(&self, ask: &Ask<'_>) -> Scopes {
        let chosen = self.chosen(ask);
        let option = |scope: &Choice| Pick { value: scope.id.clone(), label: self.label(ask, scope) };
        Scopes {
            label: ask.words.say(&format!("map.scope.{}", self.kind)),
            options: self.listed.iter().map(option).collect(),
            chosen: chosen.map(|scope| scope.id.clone()).unwrap_or_default(),
            name: chosen.map(Choice::label).unwrap_or_default(),
        }
    }

    /// "Copy to other boards by name".
    pub(super) fn copying(&self, ask: &Ask<'_>) -> String {
        ask.words.say(&format!("map.copy.title.{}", self.kind))
    }

    /// Where what is mapped of a board can be copied to others; none: there is nothing to copy, or nowhere to.
    fn copy(&self, ask: &Ask<'_>, scope: &str) -> Option<Action> {
        if self.count(scope) == 0 || self.listed.len() < 2 {
            return None;
        }
        let needs = [Permission::View, Permission::Map];
        ask.allowed(vec![Action::get("copy", self.copying(ask), copy::href(ask, scope), &needs)]).pop()
    }
}

pub(crate) async fn save(ask: &Ask<'_>) -> Result<Reply, Error> {
    let scope = ask.query.filled("scope").unwrap_or_default().to_owned();
    super::save::save(ask, Subject::Statuses, Mapped::Statuses { scope }).await
}
