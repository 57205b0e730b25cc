"""Building blocks of the screens: they show data and post messages."""
