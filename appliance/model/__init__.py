"""Types and rules of the domain, without I/O."""
