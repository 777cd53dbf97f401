//! Methods of companies and contacts.

use crate::core::Core;
use crate::plugin::CallContext;
use crate::store::Place;
use psa_host_api::Error;
use psa_host_api::model::{Company, Contact, Page, PageRequest};
use psa_host_api::ops;
use schemars::JsonSchema;
use serde::Deserialize;

/// Parameters of companies.search.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchCompanies {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// Words of the name.
    #[serde(default)]
    text: Option<String>,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
}

pub(crate) async fn search(
    core: &Core,
    params: SearchCompanies,
    context: &CallContext,
) -> Result<Page<Company>, Error> {
    let SearchCompanies { tenant, connection, text, page } = params;
    let request = ops::SearchCompaniesRequest { text, page };
    core.connections.run::<ops::SearchCompanies>(&Place { tenant, connection }, &request, context).await
}

/// Parameters of contacts.search.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchContacts {
    /// Whose.
    tenant: String,
    /// Through which connection.
    connection: String,
    /// Words of the name.
    #[serde(default)]
    text: Option<String>,
    /// Exactly this address.
    #[serde(default)]
    email: Option<String>,
    /// Of this company.
    #[serde(default)]
    company: Option<String>,
    /// Which page.
    #[serde(default)]
    page: PageRequest,
}

pub(crate) async fn contacts(
    core: &Core,
    params: SearchContacts,
    context: &CallContext,
) -> Result<Page<Contact>, Error> {
    let SearchContacts { tenant, connection, text, email, company, page } = params;
    let request = ops::SearchContactsRequest { text, email, company, page };
    core.connections.run::<ops::SearchContacts>(&Place { tenant, connection }, &request, context).await
}
