-- What is registered at the PSA, what arrived from it, what it made old, and how far reading has come.

CREATE TABLE subscriptions (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    subscription TEXT NOT NULL CHECK (length(subscription) BETWEEN 1 AND 64),
    -- The provider's id; there is none before it was registered.
    remote TEXT,
    kind TEXT NOT NULL,
    level TEXT NOT NULL,
    object TEXT NOT NULL,
    -- SHA-256 of the token in its address; the token itself is at the PSA only.
    token_hash BLOB NOT NULL CHECK (length(token_hash) = 32),
    -- wanted: to be registered. active: registered. replaced: another one has taken its place, it still may deliver.
    -- flapping: the PSA disables it again and again, a person is needed.
    state TEXT NOT NULL CHECK (state IN ('wanted', 'active', 'replaced', 'flapping')),
    -- Times in milliseconds at which it was put to work again, JSON, the oldest first.
    revived TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(revived)),
    -- Who had disabled it last, and when a verified callback came through it last.
    disabled_by TEXT,
    heard INTEGER,
    -- How many of its deliveries are not judged: counted by triggers, because each delivery asks.
    waiting INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (tenant, connection, subscription),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, connection) ON DELETE CASCADE,
    CHECK (state = 'wanted' OR remote IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX subscriptions_state ON subscriptions (tenant, connection, state);
CREATE UNIQUE INDEX subscriptions_token ON subscriptions (token_hash);

-- Deliveries. The body is sealed, and gone once it was judged.
CREATE TABLE callbacks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    subscription TEXT NOT NULL,
    received INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('received', 'verified', 'unverified', 'refused')),
    -- Why it is not verified, or `repeat` for one that came before.
    reason TEXT,
    detail TEXT,
    -- The provider's id of the message, and what it was about, once verified.
    message TEXT,
    entity TEXT,
    remote TEXT,
    action TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL DEFAULT 0,
    key TEXT,
    sealed TEXT,
    FOREIGN KEY (tenant, connection, subscription) REFERENCES subscriptions (tenant, connection, subscription)
        ON DELETE CASCADE,
    CHECK ((state = 'received') = (sealed IS NOT NULL)),
    CHECK ((key IS NULL) = (sealed IS NULL))
) STRICT;

CREATE INDEX callbacks_waiting ON callbacks (tenant, connection, next_at, id) WHERE state = 'received';
CREATE INDEX callbacks_received ON callbacks (received) WHERE state <> 'received';
CREATE INDEX callbacks_times ON callbacks (tenant, connection, received, state);
CREATE INDEX callbacks_listed ON callbacks (tenant, connection, id);
CREATE INDEX callbacks_subscription ON callbacks (tenant, connection, subscription, id);
CREATE INDEX callbacks_message ON callbacks (tenant, connection, message) WHERE message IS NOT NULL;
CREATE INDEX callbacks_key ON callbacks (key) WHERE key IS NOT NULL;

CREATE TRIGGER callbacks_come AFTER INSERT ON callbacks WHEN NEW.state = 'received' BEGIN
    UPDATE subscriptions SET waiting = waiting + 1
    WHERE tenant = NEW.tenant AND connection = NEW.connection AND subscription = NEW.subscription;
END;

CREATE TRIGGER callbacks_judged AFTER UPDATE OF state ON callbacks WHEN OLD.state = 'received' AND NEW.state <> 'received' BEGIN
    UPDATE subscriptions SET waiting = waiting - 1
    WHERE tenant = OLD.tenant AND connection = OLD.connection AND subscription = OLD.subscription;
END;

CREATE TRIGGER callbacks_gone AFTER DELETE ON callbacks WHEN OLD.state = 'received' BEGIN
    UPDATE subscriptions SET waiting = waiting - 1
    WHERE tenant = OLD.tenant AND connection = OLD.connection AND subscription = OLD.subscription;
END;

-- What has to be read again: a row per entity, however often it was announced.
CREATE TABLE dirty (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    kind TEXT NOT NULL,
    entity TEXT NOT NULL,
    -- What came while it was read is not taken for done: the last callback that has announced it, and how often it was
    -- announced by others.
    heard INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1,
    action TEXT NOT NULL,
    -- Who changed it, as the provider names them.
    by TEXT,
    -- callback, poll, sweep
    source TEXT NOT NULL,
    since INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, connection, kind, entity),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, connection) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX dirty_due ON dirty (tenant, connection, next_at);

-- What the product was told of: notes of others, and tickets that were new.
CREATE TABLE told (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('note', 'ticket')),
    remote TEXT NOT NULL,
    ticket TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, connection, kind, remote),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, connection) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX told_ticket ON told (tenant, connection, kind, ticket, at);
CREATE INDEX told_at ON told (at) WHERE kind = 'ticket';

-- How far reading has come, one row per connection.
CREATE TABLE cursors (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    -- Which process reads now.
    lease_owner TEXT,
    lease_until INTEGER,
    -- Everything that changed before this is known; on the provider's clock, RFC 3339.
    watermark TEXT,
    -- The window that is being read: its end, and the page that comes next.
    window_until TEXT,
    window_page TEXT,
    -- When to read next, compare the subscriptions next, sweep next.
    poll_at INTEGER NOT NULL DEFAULT 0,
    ensure_at INTEGER NOT NULL DEFAULT 0,
    sweep_at INTEGER NOT NULL DEFAULT 0,
    -- How often this connection is to be looked at, in milliseconds, as its plugin says; null: as configured.
    poll_ms INTEGER CHECK (poll_ms >= 1),
    -- Callbacks that could not be kept one by one, and how many of these are covered by reads that began later.
    overflow INTEGER NOT NULL DEFAULT 0,
    covered INTEGER NOT NULL DEFAULT 0,
    -- The last verified callback, the usual time between two, and changes since that only reading has found.
    heard INTEGER,
    usual INTEGER,
    missed INTEGER NOT NULL DEFAULT 0,
    -- What is wrong with the subscriptions, for people; null: nothing.
    trouble TEXT,
    PRIMARY KEY (tenant, connection),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, connection) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
