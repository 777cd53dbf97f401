//! Companies and their people.
//!
//! Promises: a contact found by its address has that address, as far as the answer shows addresses.

use crate::client::{Client, Query};
use crate::conditions;
use crate::map::Record;
use crate::paging::{self, Order};
use psa_host_api::Error;
use psa_host_api::model::{Company, Contact, Page};
use psa_host_api::ops::{SearchCompaniesRequest, SearchContactsRequest};
use psa_host_api::sdk::Cx;

pub(crate) async fn search(client: &Client, cx: &Cx, request: SearchCompaniesRequest) -> Result<Page<Company>, Error> {
    let query = said([("conditions", conditions::of_companies(&request)?)]);
    let read = |record: Record<'_>| Ok(company_from(record));
    paging::list_by(Order::OldestNumbered, client, cx, "company/companies", query, &request.page, read).await
}

pub(crate) async fn search_contacts(
    client: &Client,
    cx: &Cx,
    request: SearchContactsRequest,
) -> Result<Page<Contact>, Error> {
    let (conditions, children) = conditions::of_contacts(&request)?;
    let query = said([("conditions", conditions), ("childConditions", children)]);
    let read = |record: Record<'_>| Ok(contact_from(record));
    let mut page =
        paging::list_by(Order::OldestNumbered, client, cx, "company/contacts", query, &request.page, read).await?;
    page.items.retain(|contact| request.email.as_ref().is_none_or(|email| has_address(contact, email)));
    Ok(page)
}

/// What is said of a query; an empty condition is not sent. Source: facts 3.3, "pass nothing you do not need".
fn said<const N: usize>(parts: [(&'static str, String); N]) -> Query {
    parts.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// Two child conditions may be met by two items, a phone and another address. Source: facts 3.4. Lists may lack the items;
/// then their word is all there is. Source: facts 9.
fn has_address(contact: &Contact, email: &str) -> bool {
    let shown = contact.raw.get("communicationItems").is_some();
    !shown || contact.emails.iter().any(|found| found.eq_ignore_ascii_case(email))
}

/// A company of theirs in our words. Source: facts 9; deleted ones remain readable.
fn company_from(mut record: Record<'_>) -> Company {
    let identifier = record.text("identifier").filter(|text| !text.is_empty());
    let name = record.text("name").filter(|text| !text.is_empty());
    Company {
        id: record.id("id").unwrap_or_default(),
        name: name.or_else(|| identifier.clone()).unwrap_or_default(),
        identifier,
        inactive: record.flag("deletedFlag").unwrap_or(false),
        raw: record.rest(),
    }
}

/// A contact of theirs in our words. Source: facts 9.
fn contact_from(mut record: Record<'_>) -> Contact {
    let (first, last) = (record.text("firstName").unwrap_or_default(), record.text("lastName").unwrap_or_default());
    let emails = emails(&record);
    Contact {
        id: record.id("id").unwrap_or_default(),
        name: format!("{} {}", first.trim(), last.trim()).trim().to_owned(),
        emails,
        company: record.reference("company"),
        inactive: record.flag("inactiveFlag").unwrap_or(false),
        raw: record.rest(),
    }
}

/// The contact's main address first. The items themselves stay in `raw`: they hold the phones too.
fn emails(record: &Record<'_>) -> Vec<String> {
    let items = record.children("communicationItems").unwrap_or_default();
    let is_email = |item: &Record<'_>| item.peek("communicationType").as_deref() == Some("Email");
    let listed = items.into_iter().filter(is_email).map(|mut item| (item.flag("defaultFlag"), item.text("value")));
    let (first, rest): (Vec<_>, Vec<_>) = listed.partition(|(main, _)| *main == Some(true));
    let mut emails: Vec<String> = Vec::new();
    for email in first.into_iter().chain(rest).filter_map(|(_, email)| email) {
        if !email.is_empty() && !emails.iter().any(|there| there.eq_ignore_ascii_case(&email)) {
            emails.push(email);
        }
    }
    emails
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn companies_are_read_with_what_little_they_have() {
        let company = |value| company_from(Record::of(value).unwrap());
        let whole =
            company(json!({"id": 2, "identifier": "Northwind", "name": "Northwind Dental", "deletedFlag": true,
                                   "website": "x"}));
        assert_eq!((whole.id.as_str(), whole.name.as_str(), whole.inactive), ("2", "Northwind Dental", true));
        assert_eq!((whole.identifier.as_deref(), whole.raw.get("website")), (Some("Northwind"), Some(json!("x"))));
        assert_eq!(company(json!({"id": 2, "identifier": "Northwind"})).name, "Northwind");
        assert!(!company(json!({"id": 2, "name": "x", "deletedFlag": null})).inactive);
    }

    #[test]
    fn the_main_address_of_a_contact_comes_first() {
        let contact = contact_from(
            Record::of(json!({"id": 2, "firstName": "Alex", "company": {"id": 2, "name": "Northwind Dental"},
                "communicationItems": [
                    {"communicationType": "Phone", "value": "555", "defaultFlag": true},
                    {"communicationType": "Email", "value": "old@example.com", "defaultFlag": false},
                    {"communicationType": "Email", "value": "Alex@example.com", "defaultFlag": true},
                    {"communicationType": "Email", "value": "alex@example.com"}]}))
            .unwrap(),
        );
        assert_eq!((contact.name.as_str(), contact.inactive), ("Alex", false));
        assert_eq!(contact.emails, ["Alex@example.com", "old@example.com"]);
        assert_eq!(contact.company.as_ref().unwrap().id, "2");
        assert!(has_address(&contact, "ALEX@example.com") && !has_address(&contact, "555"));
        // A list that shows no items is believed.
        let bare = contact_from(Record::of(json!({"id": 3, "firstName": "Bo", "lastName": "Ek"})).unwrap());
        assert!(bare.name == "Bo Ek" && bare.emails.is_empty() && has_address(&bare, "bo@example.com"));
    }
}
