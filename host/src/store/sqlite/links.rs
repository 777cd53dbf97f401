//! Ticket links.

use super::connections::{execute, word};
use super::statements::statements;
use super::{SqliteStore, events, mapped};
use crate::store::{Conflict, LinkFilter, LinkState, Links, Place, Record, Reply, StoreError, StoredLink};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

statements! {
    INSERT = "INSERT INTO ticket_links (tenant, link, connection, product_ticket, ticket, state, reference, created,
        changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    GET = "SELECT tenant, link, connection, product_ticket, ticket, state, reference, created, changed
        FROM ticket_links WHERE tenant = ?1 AND link = ?2";
    LIST = "SELECT tenant, link, connection, product_ticket, ticket, state, reference, created, changed
        FROM ticket_links WHERE tenant = ?1 AND link > ?2 ORDER BY link LIMIT ?3";
    LIST_OF_CONNECTION = "SELECT tenant, link, connection, product_ticket, ticket, state, reference, created, changed
        FROM ticket_links WHERE tenant = ?1 AND connection = ?4 AND link > ?2 ORDER BY link LIMIT ?3";
    LIST_OF_PRODUCT_TICKET = "SELECT l.tenant, l.link, l.connection, l.product_ticket, l.ticket, l.state, l.reference,
        l.created, l.changed FROM connections c CROSS JOIN ticket_links l ON l.tenant = c.tenant
        AND l.connection = c.connection AND l.product_ticket = ?4 AND l.state IN ('creating', 'linked')
        WHERE c.tenant = ?1 AND l.link > ?2 ORDER BY l.link LIMIT ?3";
    LIST_OF_TICKET = "SELECT l.tenant, l.link, l.connection, l.product_ticket, l.ticket, l.state, l.reference,
        l.created, l.changed FROM connections c CROSS JOIN ticket_links l ON l.tenant = c.tenant
        AND l.connection = c.connection AND l.ticket = ?4 AND l.state = 'linked'
        WHERE c.tenant = ?1 AND l.link > ?2 ORDER BY l.link LIMIT ?3";
    /// Only in the state it is thought to be in.
    SET_STATE = "UPDATE ticket_links SET state = ?3, ticket = coalesce(?4, ticket), changed = ?5
        WHERE tenant = ?1 AND link = ?2 AND state IN ('creating', 'linked')";
    WAITS = "SELECT 1 FROM operations WHERE tenant = ?1 AND link = ?2 AND state IN ('queued', 'in_doubt', 'held') LIMIT 1";
}

impl Links for SqliteStore {
    fn link(&self, link: StoredLink, record: Record) -> Reply<()> {
        self.write(move |db| {
            insert(db, &link)?;
            events::record(db, record)
        })
    }

    fn get_link(&self, tenant: &str, link: &str) -> Result<Option<StoredLink>, StoreError> {
        self.read(|db| db.prepare_cached(GET)?.query_row(params![tenant, link], link_of).optional())
    }

    fn list_links(&self, filter: &LinkFilter, after: &str, limit: usize) -> Result<Vec<StoredLink>, StoreError> {
        let limit = limit as i64;
        let tenant = &filter.tenant;
        let of_connection = |link: &StoredLink| {
            filter.connection.as_ref().is_none_or(|connection| *connection == link.place.connection)
        };
        self.read(|db| {
            let mut listed: Vec<StoredLink> = match (&filter.product_ticket, &filter.ticket, &filter.connection) {
                (Some(ticket), _, _) => db
                    .prepare_cached(LIST_OF_PRODUCT_TICKET)?
                    .query_map(params![tenant, after, limit, ticket], link_of)?
                    .collect::<rusqlite::Result<_>>()?,
                (None, Some(ticket), _) => db
                    .prepare_cached(LIST_OF_TICKET)?
                    .query_map(params![tenant, after, limit, ticket], link_of)?
                    .collect::<rusqlite::Result<_>>()?,
                (None, None, Some(connection)) => db
                    .prepare_cached(LIST_OF_CONNECTION)?
                    .query_map(params![tenant, after, limit, connection], link_of)?
                    .collect::<rusqlite::Result<_>>()?,
                (None, None, None) => db
                    .prepare_cached(LIST)?
                    .query_map(params![tenant, after, limit], link_of)?
                    .collect::<rusqlite::Result<_>>()?,
            };
            // One ticket has few links: what the other conditions leave of them is sorted out here.
            listed.retain(|link| {
                of_connection(link) && filter.ticket.as_ref().is_none_or(|ticket| link.ticket.as_ref() == Some(ticket))
            });
            Ok(listed)
        })
    }

    fn unlink(&self, tenant: &str, link: &str, now: i64, record: Record) -> Reply<bool> {
        let (tenant, link) = (tenant.to_owned(), link.to_owned());
        self.write(move |db| {
            let changed = set_state(db, &tenant, &link, LinkState::Unlinked, None, now)?;
            if changed {
                events::record(db, record)?;
            }
            Ok(changed)
        })
    }

    fn replace_link(&self, before: &str, link: StoredLink, record: Record) -> Reply<bool> {
        let before = before.to_owned();
        self.write(move |db| {
            let tenant = &link.place.tenant;
            let waits = db.prepare_cached(WAITS).map_err(mapped)?.exists(params![tenant, before]).map_err(mapped)?;
            if waits {
                return Err(StoreError::Conflict(Conflict::Waiting));
            }
            let apart = set_state(db, tenant, &before, LinkState::Unlinked, None, link.created)?;
            if apart {
                insert(db, &link)?;
                events::record(db, record)?;
            }
            Ok(apart)
        })
    }
}

pub(super) fn insert(db: &Connection, link: &StoredLink) -> Result<(), StoreError> {
    let StoredLink { place, link, product_ticket, ticket, state, reference, created, changed } = link;
    let Place { tenant, connection } = place;
    execute(
        db,
        INSERT,
        params![tenant, link, connection, product_ticket, ticket, state.word(), reference, created, changed],
    )
    .map(drop)
}

pub(super) fn set_state(
    db: &Connection,
    tenant: &str,
    link: &str,
    state: LinkState,
    ticket: Option<&str>,
    now: i64,
) -> Result<bool, StoreError> {
    Ok(execute(db, SET_STATE, params![tenant, link, state.word(), ticket, now])? > 0)
}

pub(super) fn link_of(row: &Row<'_>) -> rusqlite::Result<StoredLink> {
    Ok(StoredLink {
        place: Place { tenant: row.get(0)?, connection: row.get(2)? },
        link: row.get(1)?,
        product_ticket: row.get(3)?,
        ticket: row.get(4)?,
        state: word(row, 5, LinkState::of)?,
        reference: row.get(6)?,
        created: row.get(7)?,
        changed: row.get(8)?,
    })
}
