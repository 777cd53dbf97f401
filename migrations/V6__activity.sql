-- What happened, what the product is told, what plugins keep.

-- One chain per tenant: each entry's mac covers the one before. `detail` may be erased; its commitment stays.
CREATE TABLE activity (
    tenant TEXT NOT NULL,
    seq INTEGER NOT NULL CHECK (seq >= 1),
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    connection TEXT,
    subject TEXT,
    detail TEXT,
    salt BLOB,
    commitment BLOB NOT NULL,
    mac BLOB NOT NULL,
    PRIMARY KEY (tenant, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX activity_connection ON activity (tenant, connection, seq);

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body))
) STRICT;

CREATE INDEX events_tenant ON events (tenant, id);

CREATE TABLE consumers (
    name TEXT NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
    acked INTEGER NOT NULL,
    lease_owner TEXT,
    lease_until INTEGER
) STRICT, WITHOUT ROWID;

-- Values and tokens of plugins, sealed.
CREATE TABLE plugin_storage (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    space TEXT NOT NULL CHECK (space IN ('value', 'token')),
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    sealed TEXT NOT NULL,
    -- Of a token: JSON of the addresses it may be sent to.
    addresses TEXT,
    expires INTEGER,
    PRIMARY KEY (tenant, connection, space, name),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, connection) ON DELETE CASCADE,
    CHECK ((space = 'token') = (addresses IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX plugin_storage_key ON plugin_storage (key);
CREATE INDEX plugin_storage_expires ON plugin_storage (expires) WHERE expires IS NOT NULL;

-- What own writes have made old, for the caches of other processes.
CREATE TABLE stale (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    kind TEXT NOT NULL,
    entity TEXT NOT NULL
) STRICT;
