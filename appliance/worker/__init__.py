"""The worker: takes accepted requests from the queue and writes their rows."""
