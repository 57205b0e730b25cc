"""Child processes: started, measured, probed, and stopped."""
