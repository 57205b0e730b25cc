-- Files that traces and dataset items refer to. The content is in the blob store under `path`.
CREATE TABLE media (
    project_id text NOT NULL REFERENCES projects ON DELETE CASCADE,
    id text NOT NULL,
    sha256_hash text NOT NULL,
    content_type text NOT NULL,
    content_length bigint NOT NULL,
    path text NOT NULL,
    -- Set when the content has arrived.
    uploaded_at timestamptz,
    -- What the client said of its upload.
    upload_http_status integer,
    upload_http_error text,
    upload_time_ms integer,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (project_id, id),
    UNIQUE (project_id, sha256_hash)
);

-- Where media is used in traces; without an observation it belongs to the trace itself.
CREATE TABLE trace_media (
    project_id text NOT NULL,
    trace_id text NOT NULL,
    observation_id text NOT NULL DEFAULT '',
    field text NOT NULL,
    media_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (project_id, trace_id, observation_id, field, media_id),
    FOREIGN KEY (project_id, media_id) REFERENCES media ON DELETE CASCADE
);
CREATE INDEX trace_media_by_media ON trace_media (project_id, media_id);

-- Where it is used in dataset items, which need not exist yet.
CREATE TABLE dataset_item_media (
    project_id text NOT NULL,
    dataset_id text NOT NULL,
    dataset_item_id text NOT NULL,
    field text NOT NULL,
    media_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (project_id, dataset_id, dataset_item_id, field, media_id),
    FOREIGN KEY (project_id, media_id) REFERENCES media ON DELETE CASCADE
);
CREATE INDEX dataset_item_media_by_media ON dataset_item_media (project_id, media_id);
