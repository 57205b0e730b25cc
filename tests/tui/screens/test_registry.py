"""The table of screens agrees with the classes that it names."""

from __future__ import annotations

from importlib import import_module
from inspect import getattr_static

import pytest

from tui.app import LangfuseApp
from tui.commands import JUMP_HINT, parse_jump
from tui.host import Jump
from tui.keymap import Action
from tui.screens.base import AppScreen
from tui.screens.registry import BY_NAME, DEFAULT_TAB, GLOBAL, SCREENS, TABS, ScreenEntry


def class_of(entry: ScreenEntry) -> type[AppScreen]:
    module, _, name = entry.factory.partition(":")
    screen_class: type[AppScreen] = getattr(import_module(module), name)
    return screen_class


def keys_of(*actions: Action) -> list[str]:
    return [key for action in actions for key in action.keys.split(",")]


@pytest.mark.parametrize("entry", SCREENS, ids=lambda entry: entry.name)
def test_every_entry_names_a_screen_that_has_its_actions(entry: ScreenEntry) -> None:
    screen_class = class_of(entry)
    assert entry.name == screen_class.SCOPE
    assert [action.name for action in entry.actions if not hasattr(screen_class, f"action_{action.name}")] == []


@pytest.mark.parametrize("entry", SCREENS, ids=lambda entry: entry.name)
def test_no_screen_leaves_a_method_abstract(entry: ScreenEntry) -> None:
    """Textual's classes do not check it, and mypy does not see screens that are created by name."""
    screen_class = class_of(entry)
    methods = {name: getattr_static(screen_class, name) for name in dir(screen_class)}
    assert [name for name, method in methods.items() if getattr(method, "__isabstractmethod__", False)] == []


@pytest.mark.parametrize("entry", SCREENS, ids=lambda entry: entry.name)
def test_no_key_of_a_screen_has_two_meanings(entry: ScreenEntry) -> None:
    keys = keys_of(*entry.actions, *GLOBAL)
    assert sorted(keys) == sorted(set(keys))


def test_names_keys_and_aliases_are_one_screens_only() -> None:
    assert len(BY_NAME) == len(SCREENS)
    words = [word for entry in TABS for word in (entry.name, *entry.aliases)]
    assert len(words) == len(set(words))
    assert DEFAULT_TAB in LangfuseApp.MODES
    assert list(LangfuseApp.MODES) == [entry.name for entry in TABS]


@pytest.mark.parametrize("entry", TABS, ids=lambda entry: entry.name)
def test_the_jump_line_knows_every_tab(entry: ScreenEntry) -> None:
    assert entry.name in JUMP_HINT
    assert {parse_jump(word) for word in (entry.name, *entry.aliases)} == {Jump("show", entry.name)}
