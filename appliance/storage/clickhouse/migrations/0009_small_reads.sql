-- Few rows whose place is known are read with all their columns. A block of 64 KiB, the default, holds thousands of rows of a
-- small column. What is stored already gets smaller blocks when it is merged.

ALTER TABLE observations MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE trace_parts MODIFY SETTING min_compress_block_size = 8192;
