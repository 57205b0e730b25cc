"""Turns accepted payloads into rows: decodes, maps, merges and enriches them, without I/O."""
