//! Where companies are, and what they have that is looked after.

use crate::client::{Client, Query, number};
use crate::map::Record;
use crate::paging::{self, Order};
use crate::{conditions, tickets};
use psa_host_api::Error;
use psa_host_api::error::SpeaksOf;
use psa_host_api::model::{Configuration, Page, Site};
use psa_host_api::ops::{ListConfigurationsRequest, ListSitesRequest};
use psa_host_api::sdk::Cx;

pub(crate) async fn sites(client: &Client, cx: &Cx, request: ListSitesRequest) -> Result<Page<Site>, Error> {
    let path = format!("company/companies/{}/sites", number(&request.company, "company")?);
    let read = |record: Record<'_>| Ok(site_from(record));
    paging::list_by(Order::OldestNumbered, client, cx, &path, Query::new(), &request.page, read).await
}

/// A site of theirs in our words. Source: facts 9; older models write the state as text.
fn site_from(mut record: Record<'_>) -> Site {
    let said = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let state = record.reference("stateReference").and_then(|state| state.name).or_else(|| record.text("state"));
    let town = [record.text("city"), state, record.text("zip")].map(said).into_iter().flatten().collect::<Vec<_>>();
    let lines = [
        record.text("addressLine1"),
        record.text("addressLine2"),
        Some(town.join(" ")),
        record.reference("country").and_then(|country| country.name),
    ];
    let address = lines.map(said).into_iter().flatten().collect::<Vec<_>>().join(", ");
    Site {
        id: record.id("id").unwrap_or_default(),
        name: record.text("name").unwrap_or_default(),
        company: record.reference("company"),
        address: Some(address).filter(|address| !address.is_empty()),
        is_primary: record.flag("primaryAddressFlag").unwrap_or(false),
        inactive: record.flag("inactiveFlag").unwrap_or(false),
        raw: record.rest(),
    }
}

pub(crate) async fn configurations(
    client: &Client,
    cx: &Cx,
    request: ListConfigurationsRequest,
) -> Result<Page<Configuration>, Error> {
    let conditions = conditions::of_configurations(&request)?;
    let read = |record: Record<'_>| Ok(configuration_from(record));
    let Some(ticket) = &request.ticket else {
        let query = if conditions.is_empty() { Query::new() } else { vec![("conditions", conditions)] };
        let path = "company/configurations";
        return paging::list_by(Order::OldestNumbered, client, cx, path, query, &request.page, read).await;
    };
    if !conditions.is_empty() {
        // What is tied to a ticket is told by references, which hold neither. Source: the OpenAPI subset.
        let message = "text and company cannot be asked for together with a ticket";
        let at = if request.text.is_some() { "/text" } else { "/company" };
        return Err(Error::invalid(message).field(at, "ticket", message));
    }
    let ticket = number(ticket, "ticket")?;
    let kind = tickets::kind_of(client, cx, ticket).await?;
    if kind == tickets::Kind::Project {
        let message = "ConnectWise ties configurations to service tickets only";
        return Err(Error::invalid(message).of(SpeaksOf::Operation).field("/ticket", "kind", message));
    }
    let path = format!("{}/configurations", kind.path(ticket));
    paging::list_by(Order::OldestNumbered, client, cx, &path, Query::new(), &request.page, read).await
}

/// A configuration of theirs in our words, or a ticket's reference to one, which has no name. Source: facts 9.
fn configuration_from(mut record: Record<'_>) -> Configuration {
    let device = record.peek("deviceIdentifier").filter(|device| !device.is_empty());
    let name = record.text("name").filter(|name| !name.is_empty());
    Configuration {
        id: record.id("id").unwrap_or_default(),
        name: name.or(device).unwrap_or_default(),
        kind: record.reference("type"),
        company: record.reference("company"),
        contact: record.reference("contact"),
        serial_number: record.text("serialNumber").filter(|number| !number.is_empty()),
        inactive: record.flag("activeFlag").is_some_and(|active| !active),
        raw: record.rest(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_site_has_its_address_on_one_line() {
        let site = |value| site_from(Record::of(value).unwrap());
        let whole = site(json!({"id": 9, "name": "Main", "addressLine1": "2 Example Street", "addressLine2": "",
            "city": "Atlanta", "stateReference": {"id": 1, "identifier": "GA", "name": "Georgia"}, "zip": "30303",
            "country": {"id": 1, "name": "United States"}, "primaryAddressFlag": true, "inactiveFlag": false,
            "company": {"id": 2, "name": "Northwind Dental"}, "phoneNumber": "555"}));
        assert_eq!(whole.address.as_deref(), Some("2 Example Street, Atlanta Georgia 30303, United States"));
        assert_eq!((whole.is_primary, whole.inactive, whole.company.unwrap().id.as_str()), (true, false, "2"));
        assert_eq!(whole.raw.get("phoneNumber"), Some(json!("555")));
        assert_eq!(site(json!({"id": 9, "state": "GA"})).address.as_deref(), Some("GA"));
        assert_eq!(site(json!({"id": 9, "inactiveFlag": true})).address, None);
    }

    #[test]
    fn a_configuration_is_active_unless_it_says_otherwise() {
        let read = |value| configuration_from(Record::of(value).unwrap());
        let whole = read(json!({"id": 7, "name": "PRN-3", "type": {"id": 1, "name": "Printer"}, "serialNumber": "X1",
            "company": {"id": 2}, "activeFlag": false, "deviceIdentifier": "ABC"}));
        assert_eq!((whole.name.as_str(), whole.inactive, whole.serial_number.as_deref()), ("PRN-3", true, Some("X1")));
        assert_eq!(
            (whole.kind.unwrap().name.as_deref(), whole.raw.get("deviceIdentifier")),
            (Some("Printer"), Some(json!("ABC")))
        );
        let reference = read(json!({"id": 7, "deviceIdentifier": "ABC", "_info": {}}));
        assert_eq!((reference.id.as_str(), reference.name.as_str(), reference.inactive), ("7", "ABC", false));
    }
}
