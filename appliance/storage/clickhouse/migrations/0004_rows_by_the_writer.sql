-- Whoever writes observations and parts also writes the rows of lists and the touches: planning views was most of a small insert.

ALTER TABLE touched_traces MODIFY COLUMN touched_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC');

DROP VIEW IF EXISTS observations_list_view;

DROP VIEW IF EXISTS touched_by_observations;

DROP VIEW IF EXISTS touched_by_parts;
