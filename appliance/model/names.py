"""Names with folders in them, such as `team/agent/summary`."""

from __future__ import annotations

from appliance import issues
from appliance.issues import Issue, Path


def folder_name_issues(name: str, path: Path = ()) -> list[Issue]:
    """Why nothing may have this name; none when something may."""
    found: list[Issue] = []
    if not name:
        found.append(issues.too_small(path, "string", 1, message="Text cannot be empty"))
    if not name or name.startswith("/"):
        found.append(issues.no_match(path, "/^[^/]/", "Name cannot start with a slash"))
    if not name or name.endswith("/"):
        found.append(issues.no_match(path, "/^.*[^/]$/", "Name cannot end with a slash"))
    if "\0" in name:
        found.append(issues.custom(path, "Name cannot contain a null character"))
    return found
