"""`doctor`: checks whether the appliance can run on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from appliance.cli.options import data_dir_option, settings_from
from appliance.cli.output import json_text
from appliance.model.printable import on_one_line


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@data_dir_option
def doctor(as_json: bool, data_dir: Path | None) -> None:
    """Check ports, disk, memory, runtimes, versions, the clock and permissions. The exit code is 1 when one fails.

    \b
    Example:
      langfuse-local doctor
    """
    from appliance.orchestrator.doctor import run_checks

    findings = run_checks(settings_from(data_dir=data_dir))
    if as_json:
        click.echo(json_text([finding.as_dict() for finding in findings], indent=2))
    else:
        for finding in findings:
            advice = f"  -> {on_one_line(finding.advice)}" if finding.advice else ""
            click.echo(f"{finding.level:<5} {finding.subject:<12} {on_one_line(finding.text)}{advice}")
    sys.exit(1 if any(finding.level == "fail" for finding in findings) else 0)
