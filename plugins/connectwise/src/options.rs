//! What can be chosen in the fields of the form.
//!
//! Promises: ids are texts, as everywhere; what is inactive is marked, not left out; words are looked for by ConnectWise
//! itself, so that a long list is never read to its end for one name.

use crate::client::{Client, number};
use crate::{catalog, companies, members};
use psa_host_api::Error;
use psa_host_api::model::{CatalogEntry, CatalogKind, Company, FormOption, Known, Member, MemberKind, Page};
use psa_host_api::ops::{FormOptionsRequest, ListCatalogRequest, ListMembersRequest, SearchCompaniesRequest};
use psa_host_api::sdk::Cx;
use serde_json::Value;

pub(crate) async fn list(client: &Client, cx: &Cx, request: FormOptionsRequest) -> Result<Page<FormOption>, Error> {
    let FormOptionsRequest { source, args, query, page } = request;
    match source.as_str() {
        "boards" => catalogue(client, cx, ListCatalogRequest { kind: CatalogKind::Boards, scope: None, page }).await,
        "priorities" => {
            catalogue(client, cx, ListCatalogRequest { kind: CatalogKind::Priorities, scope: None, page }).await
        }
        "statuses" => {
            let scope = Some(board(args.get("board"))?);
            catalogue(client, cx, ListCatalogRequest { kind: CatalogKind::Statuses, scope, page }).await
        }
        "members" => {
            let found = members::search(client, cx, query.as_deref(), ListMembersRequest { page }).await?;
            Ok(options(found, member_option))
        }
        "companies" => {
            let found = companies::search(client, cx, SearchCompaniesRequest { text: query, page }).await?;
            Ok(options(found, company_option))
        }
        _ => {
            let message = format!("the form has no source \"{source}\"");
            Err(Error::invalid(message.clone()).field("/source", "option", message))
        }
    }
}

async fn catalogue(client: &Client, cx: &Cx, request: ListCatalogRequest) -> Result<Page<FormOption>, Error> {
    let found = catalog::list(client, cx, request).await?;
    let items = found.items.into_iter().filter_map(entry_option).collect();
    Ok(Page { items, next: found.next })
}

fn options<T>(page: Page<T>, option: fn(T) -> FormOption) -> Page<FormOption> {
    Page { items: page.items.into_iter().map(option).collect(), next: page.next }
}

/// The board whose statuses are asked for. It may have been typed in, as a number or with blanks around it.
fn board(argument: Option<&Value>) -> Result<String, Error> {
    let text = match argument {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Number(id)) => id.to_string(),
        _ => {
            let message = "statuses belong to a board: choose it first";
            return Err(Error::invalid(message).field("/args/board", "required", message));
        }
    };
    number(&text, "board")?;
    Ok(text)
}

fn entry_option(entry: CatalogEntry) -> Option<FormOption> {
    match entry {
        CatalogEntry::Board(board) => {
            // New tickets are service tickets, and statuses are mapped for both kinds.
            let group = (board.kind.as_deref() == Some("project")).then(|| "Project boards".to_owned());
            Some(FormOption { inactive: board.inactive, group, ..FormOption::new(board.id, board.name) })
        }
        CatalogEntry::Status(status) => {
            let help = (status.closed == Known::Yes).then(|| "Closes the ticket".to_owned());
            Some(FormOption { inactive: status.inactive, help, ..FormOption::new(status.id, status.name) })
        }
        CatalogEntry::Priority(priority) => Some(FormOption::new(priority.id, priority.name)),
        _ => None,
    }
}

fn member_option(member: Member) -> FormOption {
    let api = member.member_kind == MemberKind::Api;
    let address = member.emails.into_iter().next();
    let help = address.or_else(|| Some(member.identifier).filter(|identifier| !identifier.is_empty()));
    FormOption {
        inactive: member.inactive,
        group: api.then(|| "API members".to_owned()),
        help,
        ..FormOption::new(member.id, member.name)
    }
}

fn company_option(company: Company) -> FormOption {
    let help = company.identifier.filter(|identifier| *identifier != company.name);
    FormOption { inactive: company.inactive, help, ..FormOption::new(company.id, company.name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_board_may_have_been_typed_in() {
        for (argument, found) in [
            (Some(json!("12")), Some("12")),
            (Some(json!(" 12 ")), Some("12")),
            (Some(json!(12)), Some("12")),
            (Some(json!("Help Desk")), None),
            (Some(json!("1/../2")), None),
            (Some(json!(null)), None),
            (None, None),
        ] {
            assert_eq!(board(argument.as_ref()).ok().as_deref(), found, "{argument:?}");
        }
    }
}
