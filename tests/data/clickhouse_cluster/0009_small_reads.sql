ALTER TABLE observations_local ON CLUSTER `main` MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE trace_parts_local ON CLUSTER `main` MODIFY SETTING min_compress_block_size = 8192;
