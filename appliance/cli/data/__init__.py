"""Commands that read what a project holds, one a file: as tables, or as the JSON that the server sent."""
