"""What runs: starts, supervises and stops the stores, web and the workers."""
