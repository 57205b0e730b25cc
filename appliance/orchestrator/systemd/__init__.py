"""The appliance as a service of systemd."""
