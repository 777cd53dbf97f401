-- Operations: each a durable write that the host has accepted; their attempts; what they became at the PSA.
-- What may follow what is enforced here, by a trigger, and recorded here, by another one.

CREATE TABLE operations (
    -- The order in which they were accepted.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    operation TEXT NOT NULL CHECK (length(operation) BETWEEN 1 AND 64),
    connection TEXT NOT NULL,
    link TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('note', 'ticket', 'status', 'update', 'time')),
    state TEXT NOT NULL CHECK (state IN ('queued', 'in_doubt', 'held', 'delivered', 'refused', 'discarded')),
    reason TEXT,
    -- HMACs: of the product's key, of the whole payload, and of what equal texts have in common.
    client_key BLOB,
    payload BLOB NOT NULL,
    likeness BLOB,
    -- The payload; gone some days after the end.
    key TEXT,
    sealed TEXT,
    visibility TEXT CHECK (visibility IN ('internal', 'public', 'resolution')),
    -- Of a status: what was wanted and what the user saw, for the look and for people. Of an update: the names of the
    -- fields that become others, with commas between.
    wanted TEXT,
    base TEXT,
    -- The first of its lane that is queued or in doubt.
    head INTEGER NOT NULL DEFAULT 0 CHECK (head IN (0, 1)),
    next_at INTEGER NOT NULL DEFAULT 0,
    not_after INTEGER NOT NULL,
    -- The open attempt, at most one, and how many there were.
    attempt INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    doubts INTEGER NOT NULL DEFAULT 0,
    never_resend INTEGER NOT NULL DEFAULT 0 CHECK (never_resend IN (0, 1)),
    -- Boottime that a living process has watched go by since the attempt ended, in milliseconds.
    quiet INTEGER NOT NULL DEFAULT 0,
    -- The quiet time at the first complete look that found nothing.
    empty_at INTEGER,
    -- The last entity of the list before the first attempt.
    fence TEXT,
    lease_owner TEXT,
    lease_token TEXT,
    lease_until INTEGER,
    -- The id of what it became.
    remote TEXT,
    outcome TEXT CHECK (outcome IN ('applied', 'applied_then_changed', 'already', 'found', 'adopted')),
    -- JSON: the last error, and what a look has found.
    error TEXT,
    evidence TEXT,
    -- When a second copy is looked for next, after a resend; and how often that was done.
    watch_at INTEGER,
    watched INTEGER NOT NULL DEFAULT 0,
    accepted INTEGER NOT NULL,
    ended INTEGER,
    -- Who decided it, if a person did.
    decided_by TEXT,
    UNIQUE (tenant, operation),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, connection) ON DELETE CASCADE,
    FOREIGN KEY (tenant, link) REFERENCES ticket_links (tenant, link) ON DELETE CASCADE,
    CHECK (attempt IS NULL OR state = 'queued'),
    CHECK (attempt IS NULL OR lease_token IS NOT NULL),
    CHECK (head = 0 OR state IN ('queued', 'in_doubt')),
    CHECK ((ended IS NULL) = (state IN ('queued', 'in_doubt', 'held'))),
    CHECK (state NOT IN ('held', 'refused') OR reason IS NOT NULL),
    CHECK (state <> 'delivered' OR outcome IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX operations_client_key ON operations (tenant, connection, client_key) WHERE client_key IS NOT NULL;
CREATE INDEX operations_lane ON operations (tenant, link, seq) WHERE state IN ('queued', 'in_doubt', 'held');
CREATE INDEX operations_due ON operations (next_at) WHERE head = 1;
CREATE INDEX operations_connection ON operations (tenant, connection, seq);
CREATE INDEX operations_link ON operations (tenant, link, seq);
CREATE INDEX operations_waiting ON operations (tenant, connection, state, accepted) WHERE state IN ('queued', 'in_doubt', 'held');
CREATE INDEX operations_watch ON operations (watch_at) WHERE watch_at IS NOT NULL;
CREATE INDEX operations_sealed ON operations (ended) WHERE sealed IS NOT NULL AND ended IS NOT NULL;
CREATE INDEX operations_ended ON operations (tenant, connection, ended, kind, state) WHERE ended IS NOT NULL;
CREATE INDEX operations_refused ON operations (tenant, connection, ended) WHERE state = 'refused';
CREATE INDEX operations_key ON operations (key) WHERE key IS NOT NULL;

CREATE TRIGGER operations_come AFTER INSERT ON operations BEGIN
    UPDATE connections SET operations = operations + 1 WHERE tenant = NEW.tenant AND connection = NEW.connection;
END;

CREATE TRIGGER operations_go AFTER DELETE ON operations BEGIN
    UPDATE connections SET operations = operations - 1 WHERE tenant = OLD.tenant AND connection = OLD.connection;
END;

CREATE TABLE attempts (
    tenant TEXT NOT NULL,
    operation TEXT NOT NULL,
    number INTEGER NOT NULL,
    owner TEXT NOT NULL,
    opened INTEGER NOT NULL,
    ended INTEGER,
    -- How it ended: delivered, refused, back (nothing was applied), in_doubt.
    outcome TEXT CHECK (outcome IN ('delivered', 'refused', 'back', 'in_doubt')),
    -- JSON of the error.
    error TEXT,
    PRIMARY KEY (tenant, operation, number),
    FOREIGN KEY (tenant, operation) REFERENCES operations (tenant, operation) ON DELETE CASCADE,
    CHECK ((ended IS NULL) = (outcome IS NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX attempts_open ON attempts (tenant, operation) WHERE outcome IS NULL;

-- What is ours at the PSA. An entity belongs to one operation at most.
CREATE TABLE notes (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('note', 'ticket', 'time')),
    remote TEXT NOT NULL,
    operation TEXT NOT NULL,
    ticket TEXT,
    bound INTEGER NOT NULL,
    PRIMARY KEY (tenant, connection, kind, remote),
    FOREIGN KEY (tenant, operation) REFERENCES operations (tenant, operation) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX notes_ticket ON notes (tenant, connection, ticket);
CREATE INDEX notes_operation ON notes (tenant, operation);

-- Every change of state, and every opening and closing of an attempt.
CREATE TABLE transitions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    operation TEXT NOT NULL,
    from_state TEXT NOT NULL,
    from_attempt INTEGER,
    to_state TEXT NOT NULL,
    to_attempt INTEGER,
    reason TEXT,
    decided_by TEXT,
    FOREIGN KEY (tenant, operation) REFERENCES operations (tenant, operation) ON DELETE CASCADE
) STRICT;

CREATE INDEX transitions_operation ON transitions (tenant, operation, id);

CREATE TRIGGER operations_may_change BEFORE UPDATE OF state, attempt ON operations
WHEN NOT (
    (OLD.state = NEW.state AND OLD.attempt IS NEW.attempt)
    -- An attempt opens only on what is queued, with the next number.
    OR (OLD.state = 'queued' AND OLD.attempt IS NULL AND NEW.state = 'queued' AND NEW.attempt = OLD.attempts + 1)
    -- An open attempt ends in one of four ways.
    OR (OLD.attempt IS NOT NULL AND NEW.attempt IS NULL
        AND NEW.state IN ('queued', 'delivered', 'refused', 'in_doubt'))
    OR (OLD.attempt IS NULL AND NEW.attempt IS NULL AND (
        (OLD.state = 'queued' AND NEW.state IN ('delivered', 'held', 'refused', 'discarded'))
        OR (OLD.state = 'in_doubt' AND NEW.state IN ('delivered', 'queued', 'refused', 'held'))
        OR (OLD.state = 'in_doubt' AND NEW.state = 'discarded' AND NEW.reason = 'erased')
        OR (OLD.state = 'held' AND NEW.state IN ('queued', 'delivered', 'discarded'))))
)
BEGIN
    SELECT RAISE(ABORT, 'this change of an operation is not in the table');
END;

CREATE TRIGGER operations_changed AFTER UPDATE OF state, attempt ON operations
WHEN OLD.state <> NEW.state OR OLD.attempt IS NOT NEW.attempt
BEGIN
    INSERT INTO transitions (tenant, operation, from_state, from_attempt, to_state, to_attempt, reason, decided_by)
    VALUES (NEW.tenant, NEW.operation, OLD.state, OLD.attempt, NEW.state, NEW.attempt, NEW.reason, NEW.decided_by);
END;
