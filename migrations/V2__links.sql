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
