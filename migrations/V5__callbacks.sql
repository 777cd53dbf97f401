-- What is registered at the PSA, what arrived from it, and how far the reconciler has come.

CREATE TABLE subscriptions (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    subscription TEXT NOT NULL,
    remote TEXT,
    kind TEXT NOT NULL,
    level TEXT NOT NULL,
    object TEXT NOT NULL,
    token_hash BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('wanted', 'active', 'replaced', 'flapping', 'removed')),
    changed INTEGER NOT NULL,
    PRIMARY KEY (tenant, connection, subscription),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, connection) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX subscriptions_token ON subscriptions (token_hash);

CREATE TABLE callbacks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    subscription TEXT NOT NULL,
    received INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('received', 'verified', 'unverified', 'refused')),
    key TEXT NOT NULL,
    sealed TEXT NOT NULL,
    FOREIGN KEY (tenant, connection, subscription) REFERENCES subscriptions (tenant, connection, subscription)
        ON DELETE CASCADE
) STRICT;

CREATE INDEX callbacks_state ON callbacks (state, id);
CREATE INDEX callbacks_subscription ON callbacks (tenant, connection, subscription, id);

CREATE TABLE dirty (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    kind TEXT NOT NULL,
    entity TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (tenant, connection, kind, entity),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, connection) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE cursors (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (tenant, connection, name),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, connection) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
