-- Few rows whose place is known are read with all their columns. A block of 64 KiB, the default, holds thousands of rows of a
-- small column; and of a part of traces one file is opened, not fifty. What is stored already gets the smaller blocks when it
-- is merged; what is merged with parts of many files has many.

ALTER TABLE observations MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE trace_parts MODIFY SETTING min_bytes_for_wide_part = 1099511627776;
