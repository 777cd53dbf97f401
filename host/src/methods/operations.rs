//! Methods of operations.

use super::paging::{self, Paged};
use crate::core::Core;
use crate::outbox::{Explanation, OperationView};
use crate::plugin::CallContext;
use crate::store::{OperationFilter, Place, State, StoredOperation, Transition};
use psa_host_api::model::{Page, PageRequest};
use psa_host_api::{Code, Error};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Parameters that name an operation.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Of {
    /// Whose.
    tenant: String,
    /// Its id.
    operation: String,
}

/// Parameters of operations.list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    /// Whose.
    tenant: String,
    /// Only those of this connection.
    #[serde(default)]
    connection: Option<String>,
    /// Only those of this link.
    #[serde(default)]
    link: Option<String>,
    /// Only those in this state.
    #[serde(default)]
    state: Option<State>,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
}

/// Parameters of operations.lookup.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lookup {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// The key it was handed in with.
    client_key: String,
}

/// Parameters of a decision.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    /// Whose.
    tenant: String,
    /// Its id.
    operation: String,
    /// Who decides.
    by: String,
}

/// Parameters of operations.adopt.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Adopt {
    /// Whose.
    tenant: String,
    /// Its id.
    operation: String,
    /// The provider's id of what it is there.
    remote: String,
    /// Who decides.
    by: String,
}

/// An operation with its recorded changes.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WithTransitions {
    #[serde(flatten)]
    operation: OperationView,
    /// Every change of its state, in order.
    transitions: Vec<Transition>,
}

pub(crate) async fn get(core: &Core, params: Of, _: &CallContext) -> Result<WithTransitions, Error> {
    let row = core.outbox.operation_of(&params.tenant, &params.operation)?;
    let transitions = core.store.transitions(&params.tenant, &params.operation)?;
    Ok(WithTransitions { operation: (&row).into(), transitions })
}

pub(crate) async fn list(core: &Core, params: List, _: &CallContext) -> Result<Page<OperationView>, Error> {
    let List { tenant, connection, link, state, page } = params;
    let filter = OperationFilter { tenant, connection, link, state };
    let paged = Paged::of(&page)?;
    let found = core.store.list_operations(&filter, paged.after_number()?, paged.ask())?;
    Ok(paging::page(&paged, found, |row| row.seq.to_string(), |row| OperationView::from(&row)))
}

pub(crate) async fn lookup(core: &Core, params: Lookup, _: &CallContext) -> Result<OperationView, Error> {
    let Lookup { tenant, connection, client_key } = params;
    let key = core.vault.digest("client key", &[client_key.as_bytes()])?;
    let row = core.store.by_client_key(&Place { tenant, connection }, &key)?;
    row.as_ref().map(OperationView::from).ok_or_else(|| {
        let message = "nothing was accepted under this key; it is safe to hand it in";
        Error::new(Code::NotFound, message).because("operation_missing")
    })
}

pub(crate) async fn explain(core: &Core, params: Of, _: &CallContext) -> Result<Explanation, Error> {
    let row = core.outbox.operation_of(&params.tenant, &params.operation)?;
    core.outbox.explain(&row, core.environment.foreign())
}

pub(crate) async fn retry(core: &Core, params: Decision, _: &CallContext) -> Result<OperationView, Error> {
    named(&params.by)?;
    core.outbox.retry(&params.tenant, &params.operation, &params.by).await.map(view)
}

pub(crate) async fn adopt(core: &Core, params: Adopt, _: &CallContext) -> Result<OperationView, Error> {
    named(&params.by)?;
    super::check_word("remote", &params.remote)?;
    core.outbox.adopt(&params.tenant, &params.operation, &params.remote, &params.by).await.map(view)
}

pub(crate) async fn discard(core: &Core, params: Decision, _: &CallContext) -> Result<OperationView, Error> {
    named(&params.by)?;
    core.outbox.discard(&params.tenant, &params.operation, &params.by).await.map(view)
}

/// Takes back what has not begun.
pub(crate) async fn cancel(core: &Core, params: Of, _: &CallContext) -> Result<OperationView, Error> {
    let row = core.outbox.operation_of(&params.tenant, &params.operation)?;
    if row.state == State::Held {
        let message = "it is held: discard it, and say who does";
        return Err(Error::new(Code::Conflict, message).because("held"));
    }
    core.outbox.discard(&params.tenant, &params.operation, "product").await.map(view)
}

fn view(row: StoredOperation) -> OperationView {
    (&row).into()
}

fn named(by: &str) -> Result<(), Error> {
    super::check_word("by", by)
}
