"""OpenTelemetry spans: decoded once, then read by one mapper per convention."""
