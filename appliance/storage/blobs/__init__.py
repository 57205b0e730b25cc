"""The content of media: files, or a bucket of S3."""
