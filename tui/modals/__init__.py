"""Dialogs that lie over a screen and answer with one value."""
