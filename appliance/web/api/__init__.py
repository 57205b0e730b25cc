"""Request handlers, one module per word in the URL."""

from appliance.web import rawpath as rawpath  # its path convertor must exist before any route is made
