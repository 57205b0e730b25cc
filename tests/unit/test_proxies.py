"""Which proxy an address is asked through."""

from __future__ import annotations

import socket

import pytest

from appliance.errors import ConfigError
from appliance.proxies import ask_directly, is_this_machine, proxy_for

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    "host",
    [
        *(
            "localhost",
            "LOCALHOST",
            "localhost.",
            "langfuse.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "127.1",
            "2130706433",
        ),
        *("::1", "[::1]", "::ffff:127.0.0.1", "0.0.0.0", "::", socket.gethostname()),
    ],
)
def test_this_machine_is_known_by_all_its_names(host: str) -> None:
    assert is_this_machine(host)
    environ = dict.fromkeys(("http_proxy", "HTTPS_PROXY", "ALL_PROXY"), PROXY)
    name = f"[{host}]" if ":" in host and not host.startswith("[") else host
    assert proxy_for(f"http://{name}:3000", environ) is None
    assert proxy_for(f"https://{name}", environ | {"ALL_PROXY": "socks5://127.0.0.1:9"}) is None


@pytest.mark.parametrize("host", ["example.com", "notlocalhost", "localhost.a.example", "198.51.100.7", "2001:db8::7"])
def test_other_machines_are_no_part_of_it(host: str) -> None:
    assert not is_this_machine(host)


@pytest.mark.parametrize(
    ("variable", "value", "url", "chosen"),
    [
        ("http_proxy", PROXY, "http://a.example", PROXY),
        ("HTTP_PROXY", "proxy.example:3128", "http://a.example", PROXY),
        ("http_proxy", PROXY, "https://a.example", None),
        ("HTTPS_PROXY", PROXY, "https://a.example", PROXY),
        ("all_proxy", PROXY, "https://a.example", PROXY),
        ("ALL_PROXY", PROXY, "http://a.example", PROXY),
        ("http_proxy", "", "http://a.example", None),
        ("http_proxy", "http://[::1]:3128", "http://a.example", "http://[::1]:3128"),
    ],
)
def test_the_variables_are_read_in_all_spellings(variable: str, value: str, url: str, chosen: str | None) -> None:
    found = proxy_for(url, {variable: value})
    assert (found.url if found else None) == chosen
    assert found is None or found.source == variable


@pytest.mark.parametrize(
    "exceptions",
    [
        *("*", "a.example", ".example", "*.example", "b.example, a.example", "x,a.example:8080", "A.EXAMPLE"),
        *("::1,localhost,[::1],a.example", "a.example."),
    ],
)
def test_exceptions_are_read_in_all_forms(exceptions: str) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        assert proxy_for("http://a.example:8080", {"http_proxy": PROXY, name: exceptions}) is None


@pytest.mark.parametrize(
    "exceptions", ["b.example", "a.example:9", "ample", "::1,[::1]", "10.0.0.0/8", ",", "ba.example"]
)
def test_other_exceptions_change_nothing(exceptions: str) -> None:
    assert proxy_for("http://a.example:8080", {"http_proxy": PROXY, "no_proxy": exceptions}) is not None


def test_numbers_are_excepted_one_by_one_and_by_network() -> None:
    for exceptions in ("198.51.100.7", "198.51.100.0/24"):
        assert proxy_for("http://198.51.100.7", {"http_proxy": PROXY, "no_proxy": exceptions}) is None
    assert proxy_for("http://[2001:db8::7]:1", {"http_proxy": PROXY, "no_proxy": "[2001:db8::7]"}) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("socks5://127.0.0.1:9", r"The proxy at 127.0.0.1:9 \(http_proxy\) is a SOCKS5 proxy"),
        ("socks5h://u:hidden@127.0.0.1:9", "SOCKS5H"),
        ("http://[::1", "that http_proxy names has no usable address"),
        ("http://u:hidden@:3128", "no usable address"),
        ("http://proxy:notaport", "no usable address"),
        (f"http://u:hidden@{'a' * 64}.example:3128", "no usable address"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_one_sentence_without_its_login(value: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        proxy_for("http://a.example", {"http_proxy": value})
    assert "hidden" not in str(caught.value)


def test_libraries_are_told_to_ask_this_machine_directly() -> None:
    environ = {"http_proxy": PROXY, "NO_PROXY": "a.example"}
    for host in ("127.0.0.1", "b.example", "127.0.0.1"):
        ask_directly(host, environ)
    assert environ["no_proxy"] == environ["NO_PROXY"] == "a.example,127.0.0.1"
    for untouched in ({}, {"http_proxy": PROXY, "no_proxy": "*"}):
        before = dict(untouched)
        ask_directly("127.0.0.1", untouched)
        assert untouched == before
