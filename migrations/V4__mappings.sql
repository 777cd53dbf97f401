-- What stands for what: the product's agents and statuses, the provider's members and statuses.

-- What the product has, as it said last.
CREATE TABLE product_values (
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('agent', 'status', 'priority', 'team', 'company', 'category')),
    id TEXT NOT NULL CHECK (length(id) BETWEEN 1 AND 256),
    name TEXT NOT NULL,
    email TEXT,
    rev INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE member_mappings (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    agent TEXT NOT NULL,
    member TEXT,
    state TEXT NOT NULL CHECK (state IN ('mapped', 'ignored', 'broken')),
    changed INTEGER NOT NULL,
    decided_by TEXT,
    -- What it was called when it was decided: to be readable while the provider is not.
    label TEXT,
    -- How it was found out.
    way TEXT CHECK (way IN ('email', 'identifier', 'name', 'person')),
    PRIMARY KEY (tenant, connection, agent),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, connection) ON DELETE CASCADE,
    CHECK ((state = 'ignored') = (member IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX member_mappings_member ON member_mappings (tenant, connection, member) WHERE member IS NOT NULL;

CREATE TABLE status_mappings (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    -- Board, team or queue; "" where statuses belong to the whole connection.
    scope TEXT NOT NULL,
    -- The product's value.
    value TEXT NOT NULL,
    status TEXT NOT NULL,
    changed INTEGER NOT NULL,
    decided_by TEXT,
    label TEXT,
    PRIMARY KEY (tenant, connection, scope, value),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, connection) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE priority_mappings (
    tenant TEXT NOT NULL,
    connection TEXT NOT NULL,
    -- The product's value.
    value TEXT NOT NULL,
    priority TEXT NOT NULL,
    changed INTEGER NOT NULL,
    decided_by TEXT,
    label TEXT,
    PRIMARY KEY (tenant, connection, value),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant, connection) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
