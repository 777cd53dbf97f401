-- Ticket links: one product ticket tied to one PSA ticket. A link is also the lane of its operations.

CREATE TABLE ticket_links (
    tenant TEXT NOT NULL,
    link TEXT NOT NULL CHECK (length(link) BETWEEN 1 AND 64),
    connection TEXT NOT NULL,
    -- The product's id of its ticket.
    product_ticket TEXT NOT NULL CHECK (length(product_ticket) BETWEEN 1 AND 256),
    -- The provider's id; there is none while the ticket is being created.
    ticket TEXT,
    state TEXT NOT NULL CHECK (state IN ('creating', 'linked', 'failed', 'unlinked')),
    -- A random token that a created ticket carries at the PSA, where it has a place for it.
    reference TEXT NOT NULL,
    -- What the PSA showed of the ticket when it was read last, JSON, and when that was; 0: never.
    seen TEXT CHECK (seen IS NULL OR json_valid(seen)),
    seen_at INTEGER NOT NULL DEFAULT 0,
    -- How often it was read; the last transition of an operation that was over when the last reading began, and the last
    -- callback that had come, and settled, by then.
    readings INTEGER NOT NULL DEFAULT 0,
    read_after INTEGER NOT NULL DEFAULT 0,
    read_heard INTEGER NOT NULL DEFAULT 0,
    -- When the ticket turned out not to be there any more.
    gone_at INTEGER,
    -- Notes up to this one, and when they were known: they are not read again. Null: none was looked for yet. Empty:
    -- there was none. Then the last one of a later look, and when that was.
    note_fence TEXT,
    note_fence_at INTEGER NOT NULL DEFAULT 0,
    note_last TEXT,
    note_last_at INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (tenant, link),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, connection) ON DELETE CASCADE,
    CHECK (state <> 'linked' OR ticket IS NOT NULL),
    CHECK (state NOT IN ('creating', 'failed') OR ticket IS NULL)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX ticket_links_product ON ticket_links (tenant, connection, product_ticket)
    WHERE state IN ('creating', 'linked');
CREATE UNIQUE INDEX ticket_links_ticket ON ticket_links (tenant, connection, ticket) WHERE state = 'linked';
CREATE INDEX ticket_links_connection ON ticket_links (tenant, connection, link);
CREATE INDEX ticket_links_listed ON ticket_links (tenant, connection, created, link);
CREATE INDEX ticket_links_apart ON ticket_links (tenant, connection, created, link) WHERE state IN ('failed', 'unlinked');
CREATE INDEX ticket_links_by_product ON ticket_links (tenant, connection, product_ticket);
CREATE INDEX ticket_links_by_ticket ON ticket_links (tenant, connection, ticket) WHERE ticket IS NOT NULL;
CREATE INDEX ticket_links_seen ON ticket_links (tenant, connection, seen_at) WHERE state = 'linked';
CREATE INDEX ticket_links_gone ON ticket_links (tenant, connection, gone_at) WHERE gone_at IS NOT NULL;

CREATE TRIGGER ticket_links_come AFTER INSERT ON ticket_links BEGIN
    UPDATE connections SET links = links + 1 WHERE tenant = NEW.tenant AND connection = NEW.connection;
END;

CREATE TRIGGER ticket_links_go AFTER DELETE ON ticket_links BEGIN
    UPDATE connections SET links = links - 1 WHERE tenant = OLD.tenant AND connection = OLD.connection;
END;
