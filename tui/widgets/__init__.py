"""Building blocks of the screens: they show what they are given and post what was done to them."""
