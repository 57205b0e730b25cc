ALTER TABLE touched_traces_local ON CLUSTER `main` MODIFY COLUMN touched_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC');

ALTER TABLE touched_traces ON CLUSTER `main` MODIFY COLUMN touched_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC');

DROP VIEW IF EXISTS observations_list_view ON CLUSTER `main` SYNC;

DROP VIEW IF EXISTS touched_by_observations ON CLUSTER `main` SYNC;

DROP VIEW IF EXISTS touched_by_parts ON CLUSTER `main` SYNC;
