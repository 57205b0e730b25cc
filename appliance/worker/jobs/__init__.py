"""The background jobs, a file each; `registry` lists them."""
