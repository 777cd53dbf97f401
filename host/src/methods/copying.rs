//! Copying what is mapped on one board to others.
//!
//! Promises: one board that cannot be read or written does not keep the others from it, and hides nothing of what they have got;
//! a call that is cancelled ends, and what it has copied by then stays.

use crate::core::Core;
use crate::mappings::copy;
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::{Code, Error};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters of statuses.copy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CopyStatuses {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// The board, team or queue whose mappings are copied.
    scope: String,
    /// Where to: others of the same kind.
    to: Vec<String>,
    /// Says what would be done, and does nothing.
    #[serde(default)]
    preview: bool,
    /// Who does it; for the activity.
    #[serde(default = "super::product")]
    by: String,
}

/// Result of statuses.copy.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Copied {
    /// In the order of `to`.
    items: Vec<CopiedTo>,
}

/// What became of a copy on one board.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CopiedTo {
    /// The board, team or queue.
    scope: String,
    /// Why nothing was copied to this one; `fits` is what is left to do, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error>,
    #[serde(flatten)]
    board: copy::OnBoard,
}

pub(crate) async fn copy_statuses(core: &Core, params: CopyStatuses, context: &CallContext) -> Result<Copied, Error> {
    let CopyStatuses { tenant, connection, scope, to, preview, by } = params;
    copy::check(&scope, &to)?;
    let place = Place { tenant, connection };
    core.connections.exists(&place)?;
    let source = copy::Source::read(core, &place, &scope, context).await?;
    let mut items = Vec::new();
    for scope in to {
        let planned = source.plan(core, &place, &scope, context).await;
        let copied = match &planned {
            Ok(plan) if !preview => copy::copy(core, &place, &scope, plan.clone(), &by, context).await,
            planned => planned.clone(),
        };
        items.push(match copied {
            Ok(board) => CopiedTo { scope, error: None, board },
            // That is about the call, and no board's fault.
            Err(error) if matches!(error.code, Code::Cancelled | Code::Closed) => return Err(error),
            Err(error) => CopiedTo { scope, error: Some(error), board: planned.unwrap_or_default() },
        });
    }
    Ok(Copied { items })
}
