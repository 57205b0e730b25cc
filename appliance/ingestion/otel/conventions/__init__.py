"""One module per convention: plain functions that fill in a draft; `registry` holds their order."""
