"""What exists: pure types and rules of the domain, with no I/O."""
