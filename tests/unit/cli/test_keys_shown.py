"""Where `up` prints the secret key: to a terminal, and elsewhere only when asked to."""

from __future__ import annotations

import pytest

from appliance.cli.already_up import print_keys


@pytest.mark.parametrize("everywhere", [False, True])
def test_the_secret_key_is_printed_elsewhere_only_when_asked_for(
    everywhere: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    print_keys("http://localhost:3000", "pk", "the-secret", everywhere=everywhere)

    assert ("the-secret" in capsys.readouterr().out) is everywhere
