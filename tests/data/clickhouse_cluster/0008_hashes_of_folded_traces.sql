ALTER TABLE folded_traces_local ON CLUSTER `main` ADD COLUMN IF NOT EXISTS id_hash FixedString(16) DEFAULT sipHash128(id);

ALTER TABLE folded_traces ON CLUSTER `main` ADD COLUMN IF NOT EXISTS id_hash FixedString(16) DEFAULT sipHash128(id);

ALTER TABLE folded_traces_local ON CLUSTER `main` MATERIALIZE COLUMN id_hash SETTINGS mutations_sync = 0, alter_sync = 0;
