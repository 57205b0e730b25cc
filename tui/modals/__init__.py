"""Dialogs over a screen that return one value."""
