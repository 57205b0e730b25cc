"""Stand-ins of stores for unit tests; contract suites hold them to what the real ones do."""
