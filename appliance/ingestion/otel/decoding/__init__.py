"""OTLP exports, protobuf or JSON, into spans of one form."""
