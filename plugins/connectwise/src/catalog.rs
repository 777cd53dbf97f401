//! Boards, statuses, priorities, types, and what else a ticket is made of.

use crate::client::{Client, Query, number};
use crate::map::Record;
use crate::paging;
use psa_host_api::Error;
use psa_host_api::model::{
    Board, CatalogEntry, CatalogItem, CatalogKind, Page, Priority, Reference, Status, TicketField, TicketType,
};
use psa_host_api::ops::ListCatalogRequest;
use psa_host_api::sdk::Cx;

pub(crate) async fn list(client: &Client, cx: &Cx, request: ListCatalogRequest) -> Result<Page<CatalogEntry>, Error> {
    let path = match request.kind {
        CatalogKind::Boards => "service/boards".to_owned(),
        CatalogKind::Priorities => "service/priorities".to_owned(),
        // There is no usable list over all boards. Source: facts 8.
        CatalogKind::Statuses => format!("service/boards/{}/statuses", board(&request)?),
        CatalogKind::Types => format!("service/boards/{}/types", board(&request)?),
        CatalogKind::Subtypes => format!("service/boards/{}/subtypes", board(&request)?),
        CatalogKind::Items => format!("service/boards/{}/items", board(&request)?),
        CatalogKind::Teams => format!("service/boards/{}/teams", board(&request)?),
        CatalogKind::Sources => "service/sources".to_owned(),
        CatalogKind::WorkTypes => "time/workTypes".to_owned(),
        CatalogKind::WorkRoles => "time/workRoles".to_owned(),
        // Source: facts 6.
        CatalogKind::TicketFields => "system/userDefinedFields".to_owned(),
    };
    let read = |record: Record<'_>| Ok(entry(request.kind, record));
    paging::list(client, cx, &path, Query::new(), &request.page, read).await
}

fn board(request: &ListCatalogRequest) -> Result<u64, Error> {
    let Some(scope) = &request.scope else {
        let message = "scope must name the board: statuses and types belong to one";
        return Err(Error::invalid(message).field("/scope", "required", message));
    };
    number(scope, "scope")
}

fn entry(kind: CatalogKind, mut record: Record<'_>) -> CatalogEntry {
    let id = record.id("id").unwrap_or_default();
    let name = record.text("name").unwrap_or_default();
    match kind {
        CatalogKind::Boards => {
            let kind = record.flag("projectFlag").map(|project| if project { "project" } else { "service" }.to_owned());
            let inactive = record.flag("inactiveFlag").unwrap_or(false);
            CatalogEntry::Board(Board { id, name, inactive, kind, raw: record.rest() })
        }
        // Not inactiveFlag and closedFlag here. Source: facts 8.
        CatalogKind::Statuses => CatalogEntry::Status(Status {
            id,
            name,
            scope: record.reference("board"),
            closed: record.known("closedStatus"),
            inactive: record.flag("inactive").unwrap_or(false),
            is_default: record.flag("defaultFlag").unwrap_or(false),
            sort: record.number("sortOrder"),
            raw: record.rest(),
        }),
        CatalogKind::Priorities => CatalogEntry::Priority(Priority {
            id,
            name,
            sort: record.number("sortOrder"),
            is_default: record.flag("defaultFlag").unwrap_or(false),
            raw: record.rest(),
        }),
        CatalogKind::Types => CatalogEntry::Type(TicketType {
            id,
            name,
            board: record.reference("board"),
            inactive: record.flag("inactiveFlag").unwrap_or(false),
            raw: record.rest(),
        }),
        CatalogKind::TicketFields => CatalogEntry::Field(TicketField {
            id,
            name: record.text("caption").unwrap_or_default(),
            holds: record.text("fieldTypeIdentifier").unwrap_or_default(),
            required: record.flag("requiredFlag").unwrap_or(false),
            read_only: record.flag("readOnlyFlag").unwrap_or(false),
            options: options(&record),
            raw: record.rest(),
        }),
        _ => CatalogEntry::Item(CatalogItem {
            id,
            name,
            board: record.reference("board").or_else(|| board_of(&mut record)),
            below: record.ids("typeAssociationIds"),
            inactive: record.flag("inactiveFlag").unwrap_or(false),
            is_default: record.flag("defaultFlag").unwrap_or(false),
            raw: record.rest(),
        }),
    }
}

/// Teams name their board by its id alone. Source: samples, board-teams.
fn board_of(record: &mut Record<'_>) -> Option<Reference> {
    Some(Reference { id: record.id("boardId")?, name: None })
}

/// What can be chosen for a field of the tenant's.
fn options(record: &Record) -> Vec<String> {
    let options = record.children("options").unwrap_or_default().into_iter();
    options.filter_map(|option| option.peek("optionValue")).collect()
}
