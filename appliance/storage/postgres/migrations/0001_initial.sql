-- Tenants, keys, prompts, datasets and score configs.

CREATE TABLE organizations (
    id text PRIMARY KEY,
    name text NOT NULL,
    metadata jsonb,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE projects (
    id text PRIMARY KEY,
    org_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name text NOT NULL,
    retention_days integer,
    metadata jsonb,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz
);
CREATE INDEX projects_by_org ON projects (org_id);

CREATE TABLE api_keys (
    id text PRIMARY KEY,
    public_key text NOT NULL UNIQUE,
    hashed_secret_key text NOT NULL UNIQUE,
    fast_hashed_secret_key text UNIQUE,
    display_secret_key text NOT NULL,
    note text,
    scope text NOT NULL DEFAULT 'PROJECT' CHECK (scope IN ('ORGANIZATION', 'PROJECT')),
    project_id text REFERENCES projects ON DELETE CASCADE,
    organization_id text REFERENCES organizations ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_used_at timestamptz,
    expires_at timestamptz
);
CREATE INDEX api_keys_by_project ON api_keys (project_id);

CREATE TABLE users (
    id text PRIMARY KEY,
    name text,
    email text UNIQUE,
    password text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE organization_memberships (
    id text PRIMARY KEY,
    org_id text NOT NULL REFERENCES organizations ON DELETE CASCADE,
    user_id text NOT NULL REFERENCES users ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('OWNER', 'ADMIN', 'MEMBER', 'VIEWER', 'NONE')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (org_id, user_id)
);

CREATE TABLE prompts (
    id text PRIMARY KEY,
    project_id text NOT NULL REFERENCES projects ON DELETE CASCADE,
    name text NOT NULL,
    version integer NOT NULL,
    type text NOT NULL CHECK (type IN ('text', 'chat')),
    prompt json NOT NULL,
    config json NOT NULL DEFAULT '{}',
    labels text[] NOT NULL DEFAULT '{}',
    tags text[] NOT NULL DEFAULT '{}',
    commit_message text,
    created_by text NOT NULL DEFAULT 'API',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (project_id, name, version)
);

CREATE TABLE datasets (
    id text NOT NULL,
    project_id text NOT NULL REFERENCES projects ON DELETE CASCADE,
    name text NOT NULL,
    description text,
    metadata json,
    input_schema json,
    expected_output_schema json,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id, project_id),
    UNIQUE (project_id, name)
);

-- One row per version of an item; the current one has no valid_to. Within a dataset no two versions begin in the same ms.
CREATE TABLE dataset_items (
    id text NOT NULL,
    project_id text NOT NULL,
    dataset_id text NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz,
    status text NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'ARCHIVED')),
    input json,
    expected_output json,
    metadata json,
    source_trace_id text,
    source_observation_id text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    is_deleted boolean NOT NULL DEFAULT false,
    PRIMARY KEY (id, project_id, valid_from),
    FOREIGN KEY (dataset_id, project_id) REFERENCES datasets ON DELETE CASCADE
);
CREATE UNIQUE INDEX dataset_items_current ON dataset_items (project_id, id) WHERE valid_to IS NULL;
CREATE INDEX dataset_items_by_dataset ON dataset_items (project_id, dataset_id, valid_from);

CREATE TABLE dataset_runs (
    id text NOT NULL,
    project_id text NOT NULL,
    dataset_id text NOT NULL,
    name text NOT NULL,
    description text,
    metadata json,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id, project_id),
    UNIQUE (project_id, dataset_id, name),
    FOREIGN KEY (dataset_id, project_id) REFERENCES datasets ON DELETE CASCADE
);

CREATE TABLE score_configs (
    id text NOT NULL,
    project_id text NOT NULL REFERENCES projects ON DELETE CASCADE,
    name text NOT NULL,
    data_type text NOT NULL CHECK (data_type IN ('NUMERIC', 'CATEGORICAL', 'BOOLEAN', 'TEXT')),
    is_archived boolean NOT NULL DEFAULT false,
    min_value double precision,
    max_value double precision,
    categories json,
    description text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id, project_id)
);
CREATE INDEX score_configs_by_project ON score_configs (project_id, created_at);
