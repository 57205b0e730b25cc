-- What a dataset run did with each item: the trace or the observation that came of it.
CREATE TABLE dataset_run_items (
    id text NOT NULL,
    project_id text NOT NULL,
    dataset_run_id text NOT NULL,
    dataset_item_id text NOT NULL,
    trace_id text NOT NULL,
    observation_id text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id, project_id),
    FOREIGN KEY (dataset_run_id, project_id) REFERENCES dataset_runs ON DELETE CASCADE
);
CREATE INDEX dataset_run_items_by_run ON dataset_run_items (project_id, dataset_run_id, created_at);
