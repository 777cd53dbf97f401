//! The first look at what a provider has: so that its lists are here when somebody maps them.

use super::{Outcome, Step, Teller};
use crate::core::Core;
use crate::lists;
use crate::mappings::{Choice, scopes, suggested, table};
use crate::plugin::CallContext;
use crate::store::{Mapped, MappingWay, Place};
use psa_host_api::manifest::StatusScope;
use psa_host_api::model::CatalogKind;

/// Reads members, boards and the statuses of each board, as far as the plugin offers them. How many agents could be mapped by
/// their address.
pub(crate) async fn import(core: &Core, place: &Place, context: &CallContext, teller: &Teller) -> Outcome {
    let plugin = core.connections.plugin(&core.connections.stored(place)?.plugin)?;
    let offers = |name: &str| plugin.operations().any(|known| known == name);
    let members = match offers("list_members") {
        true => lists::members_told(core, place, context, &|read| teller.tell(Step::Members, read, None)).await?,
        false => Vec::new(),
    };
    if offers("list_catalog") {
        let kind = match plugin.manifest.capabilities.status_scope {
            StatusScope::Connection => None,
            StatusScope::Type => Some(CatalogKind::Types),
            StatusScope::Board => Some(CatalogKind::Boards),
        };
        teller.tell(Step::Boards, 0, None);
        let all: Vec<Option<String>> = match kind {
            None => vec![None],
            Some(kind) => scopes(core, place, kind, context)
                .await?
                .into_iter()
                .filter(Choice::is_offered)
                .map(|one| Some(one.id))
                .collect(),
        };
        for (number, scope) in all.iter().enumerate() {
            teller.tell(Step::Statuses, number as u64, Some(all.len() as u64));
            lists::whole_catalog(core, place, CatalogKind::Statuses, scope.as_deref(), context).await?;
        }
    }
    let lines = table(core, place, &Mapped::Members)?;
    let alike = suggested(&lines, &members).iter().filter(|one| one.by == MappingWay::Email).count();
    Ok(alike as u64)
}
