//! Which status stands for which of the product's, board by board.
//!
//! Promises: only the statuses of the board that is shown are read, offered and taken.

use super::{Known, Mapping, Pick, Scopes, Sheet, Subject, Unsaved};
use crate::mappings::{Choice, choices, scopes, table};
use crate::store::{Mapped, ValueKind};
use crate::web::ask::{Ask, Reply};
use crate::web::pages::frame::{Framed, framed};
use crate::web::view::Body;
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
    let chosen = chosen(ask, framed).await?;
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
    page.scopes = chosen;
    Ok(page)
}

/// Which board is shown, and which there are; none where statuses belong to the whole connection.
async fn chosen(ask: &Ask<'_>, framed: &Framed) -> Result<Option<Scopes>, Error> {
    let place = ask.place();
    let mapped = ask.core.store.mapped_scopes(&place)?;
    let (kind, key) = match ask.core.connections.plugin(&framed.summary.connection.plugin) {
        Ok(plugin) => match (plugin.manifest.capabilities.status_scope, plugin.manifest.capabilities.board_kind) {
            (StatusScope::Connection, _) => return Ok(None),
            (StatusScope::Type, _) => (CatalogKind::Types, "map.scope.type"),
            (StatusScope::Board, BoardKind::Team) => (CatalogKind::Boards, "map.scope.team"),
            (StatusScope::Board, BoardKind::Queue) => (CatalogKind::Boards, "map.scope.queue"),
            (StatusScope::Board, BoardKind::Board | BoardKind::None) => (CatalogKind::Boards, "map.scope.board"),
        },
        // Without its plugin only what is kept says what statuses belong to.
        Err(_) if mapped.iter().all(|(scope, _)| scope.is_empty()) => return Ok(None),
        Err(_) => (CatalogKind::Boards, "map.scope.board"),
    };
    let all = ask.core.store.count_values(&place.tenant, ValueKind::Status)?;
    let there = scopes(ask.core, &place, kind, ask.context).await.unwrap_or_default();
    let count = |id: &str| mapped.iter().find(|(scope, _)| scope == id).map_or(0, |(_, n)| *n);
    let is_known = |id: &str| there.iter().any(|scope| scope.id == id);
    // One that is not offered any more, or cannot be asked for, still has what is kept of it.
    let kept = mapped.iter().filter(|(id, _)| !id.is_empty() && !is_known(id)).map(|(id, _)| Choice {
        id: id.clone(),
        name: String::new(),
        mark: id.clone(),
        inactive: false,
        program: false,
    });
    let offered = there.iter().filter(|scope| !scope.inactive || count(&scope.id) > 0).cloned();
    let listed: Vec<Choice> = offered.chain(kept).collect();
    let wanted = ask.query.filled("scope").filter(|wanted| listed.iter().any(|scope| scope.id == *wanted));
    let first = listed.iter().find(|scope| count(&scope.id) > 0).or(listed.first());
    let chosen = wanted.map(str::to_owned).or(first.map(|scope| scope.id.clone())).unwrap_or_default();
    let name = listed.iter().find(|scope| scope.id == chosen).map(Choice::label).unwrap_or_default();
    let option = |scope: &Choice| {
        let values = [
            ("name", scope.label()),
            ("done", ask.words.number(count(&scope.id).min(all))),
            ("all", ask.words.number(all)),
        ];
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let key = if all > 0 && count(&scope.id) >= all { "map.scope.complete" } else { "map.scope.some" };
        Pick { value: scope.id.clone(), label: ask.words.fill(key, &values) }
    };
    let options = listed.iter().map(option).collect();
    Ok(Some(Scopes { label: ask.words.say(key), options, chosen, name }))
}

pub(crate) async fn save(ask: &Ask<'_>) -> Result<Reply, Error> {
    let scope = ask.query.filled("scope").unwrap_or_default().to_owned();
    super::save::save(ask, Subject::Statuses, Mapped::Statuses { scope }).await
}
