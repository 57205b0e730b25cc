"""Texts laid into cells of the terminal, and their colours; pure."""
