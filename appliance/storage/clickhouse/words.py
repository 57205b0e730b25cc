"""The words of texts in any script, as the text index splits them."""

from __future__ import annotations

import unicodedata
from typing import Final

from appliance.storage.clickhouse.queries import render

_QUOTES_AND_DASHES: Final = str.maketrans("‘’“”‐–—", "''\"\"---")
# From Thai on there are scripts without spaces between words, of which only two letters together are a word.
_FIRST_UNSPACED: Final = "\u0e00"
_VARIATION_SELECTORS: Final = "\ufe00"


def plain(text: str) -> str:
    """A text to look for, with the quotes and dashes of a keyboard."""
    return text.translate(_QUOTES_AND_DASHES)


def words_of(sql: str) -> str:
    """The SQL of the words in the text that `sql` computes, ready for the index to split."""
    unspaced = render("search", "unspaced")
    composed = render("search", "composed", text=sql, signs=render("search", "signs"))
    return render("search", "words", text=sql, composed=composed, unspaced=unspaced)


def has_words(sql: str, text: str, bound: str) -> str:
    """The test that the text computed by `sql` has all words of the `plain` text, whose placeholder is `bound`.

    Empty when the text has no word, or none that the index can find.
    """
    if not _has_word(text):
        return ""
    # Words of ASCII are known at once; a subquery takes some milliseconds.
    sought = f"lower({bound})" if text.isascii() else f"(SELECT {words_of(bound)})"
    return render("search", "has_words", words=words_of(sql), sought=sought)


def _has_word(text: str) -> bool:
    follows_letter = False
    for character in unicodedata.normalize("NFKC", text):
        kind = unicodedata.category(character)[0]
        if character.isascii():
            is_letter, is_word = False, character.isalnum()
        elif character < _FIRST_UNSPACED or kind in "PS":
            is_letter, is_word = False, kind in "LNPS"
        else:
            is_letter = kind in "LN" or (kind == "M" and character < _VARIATION_SELECTORS)
            is_word = is_letter and follows_letter
        if is_word:
            return True
        follows_letter = is_letter
    return False
