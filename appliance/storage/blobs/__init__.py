"""Where the content of media lies: files, or a bucket of S3."""
