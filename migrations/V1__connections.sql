-- Connections and their secrets. Times are milliseconds since 1970 UTC; sealed values are Fernet tokens that carry
-- their place.

CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A process whose own number is smaller writes nothing any more.
INSERT INTO meta (name, value) VALUES ('min_writer', '1');

CREATE TABLE connections (
    tenant TEXT NOT NULL CHECK (length(CAST(tenant AS BLOB)) BETWEEN 1 AND 256),
    connection TEXT NOT NULL CHECK (length(connection) BETWEEN 1 AND 64),
    plugin TEXT NOT NULL,
    name TEXT NOT NULL,
    settings TEXT NOT NULL CHECK (json_valid(settings)),
    -- Counts changes of the settings: an opened plugin with another number is opened anew.
    settings_version INTEGER NOT NULL CHECK (settings_version >= 1),
    -- Counts changes of the credentials: a refusal counts only against the ones it was about.
    credential_version INTEGER NOT NULL CHECK (credential_version >= 1),
    -- The version of the form that the settings are of, and the plugin that kept them.
    form_version INTEGER NOT NULL CHECK (form_version >= 0),
    plugin_version TEXT NOT NULL,
    -- Who we are there, once signed in: the key against connecting the same account twice.
    account TEXT,
    -- What the provider writes as the creator of what we make.
    identity TEXT,
    state TEXT NOT NULL CHECK (state IN ('setup', 'active', 'stopped')),
    reason TEXT CHECK (reason IN ('paused', 'sign_in', 'unreadable', 'visibility', 'environment', 'plugin_missing',
        'plugin_stalled', 'settings', 'disabled')),
    -- For people: what was found when it stopped.
    detail TEXT,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    -- How many ticket links and operations it has: triggers count, for who is told what would go with it.
    links INTEGER NOT NULL DEFAULT 0,
    operations INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, connection),
    CHECK ((state = 'stopped') = (reason IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX connections_account ON connections (tenant, plugin, account) WHERE account IS NOT NULL;
CREATE INDEX connections_name ON connections (tenant, name COLLATE NOCASE, connection);
CREATE INDEX connections_stopped ON connections (tenant, reason) WHERE state = 'stopped';

CREATE TABLE secrets (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    -- Digest of the settings that decide where the secret is sent; it is not used under others.
    bound TEXT NOT NULL,
    key TEXT NOT NULL,
    sealed TEXT NOT NULL,
    -- When it was entered and by whom, and what tells it from another one without telling it.
    set_at INTEGER NOT NULL,
    set_by TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (tenant, connection, name),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, connection) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX secrets_key ON secrets (key);
