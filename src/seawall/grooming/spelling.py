"""What a message says, whatever tricks its spelling plays: plain lower-case words of ASCII letters and digits.

Full-width and mathematical letters, look-alikes of other alphabets, zero-width and combining characters, emoji that
say a word, digits for letters (``s3cr3t``), letters apart (``s e c r e t``, ``s.e.c.r.e.t``) and repeated ones
(``seeecret``) are undone. The work is bounded: of a very long message the beginning and the end are read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Set
from dataclasses import dataclass

from seawall.grooming.confusables import LETTERS

# Characters that are read of the beginning and of the end of one message. People who chat write some 40.
HEAD, TAIL = 6000, 2000

_TOKEN = re.compile(r"[a-z0-9@$!|]+|\?")
_MARKS = re.compile(r"[\u00ad\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e"
                    r"\u2060-\u206f\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\U000e0000-\U000e01ef]+")  # fmt: skip
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_THRICE = re.compile(r"([a-z])\1\1")
_RUN = re.compile(r"([a-z])\1{2,}")
_APART = re.compile(r"(?<![a-z0-9@$])(?:[a-z0-9@$] ){2,}[a-z0-9@$](?![a-z0-9@$])")
_AGE_OR_UNIT = re.compile(r"(?:[mf]?\d+[a-z]{0,3}|[a-z]\d{1,4})")
_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s",
                       "!": "i", "|": "i"})  # fmt: skip
_LEET_L = str.maketrans({"1": "l", "|": "l", "!": "l"})
_ORDINALS = frozenset({"ist", "ind"})  # 1st is no German word
LONGEST_WORD = 16
_LEFT_OVER = 3


@dataclass(frozen=True, slots=True)
class Plain:
    """A message as plain words; a question mark is a word of its own. `clipped` says that only its beginning and its
    end were read."""

    words: tuple[str, ...]
    clipped: bool = False


def plain(text: str, known: Set[str] = frozenset()) -> Plain:
    """Reads a message.

    Args:
        text: anything, lone surrogates and control characters included.
        known: words that rules speak of; only into these are letters put together that stand apart.
    """
    clipped = len(text) > HEAD + TAIL
    if clipped:
        text = f"{text[:HEAD]} {text[-TAIL:]}"
    text = text.lower().replace("'", "") if text.isascii() else _to_ascii(text)
    words = _TOKEN.findall(text)
    if len(words) > 2:
        words = _joined(words, known)
    return Plain(tuple(_read(word, known) for word in words if word.strip("!|@$")), clipped)


def canonical(words: tuple[str, ...], spelt: Mapping[str, str]) -> str:
    """The words of a message in one language's own spelling (``r u`` is ``are you``), a space between any two."""
    return " ".join([spelt.get(word, word) for word in words])


def _to_ascii(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold().translate(LETTERS)
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    # Accented look-alikes are bare only now.
    text = text.translate(LETTERS)[: 2 * (HEAD + TAIL)]
    return _FOREIGN.sub(" ", text)


def _read(word: str, known: Set[str]) -> str:
    if not word.isalpha() and word != "?":
        word = _without_leet(word, known)
    if _THRICE.search(word) is None:
        return word
    twice = _RUN.sub(r"\1\1", word)
    return twice if twice in known else _RUN.sub(r"\1", word)


def _without_leet(word: str, known: Set[str]) -> str:
    """``s3cr3t`` is secret; 14, 14f, 5pm and 2nite stay what they are."""
    bare = word.strip("!|")
    if bare.isalpha() or bare.isdigit() or bare in known:
        return bare
    word = bare.rstrip("@$")
    read = word.translate(_LEET)
    if read in known and read not in _ORDINALS:
        return read
    if _AGE_OR_UNIT.fullmatch(bare):
        return bare
    other = word.translate(_LEET_L).translate(_LEET)
    return other if other in known else read


def _joined(words: list[str], known: Set[str]) -> list[str]:
    """Single letters in a row, put together where they then are words that are known."""
    if sum(len(word) == 1 for word in words) < 3:
        return words
    line = " ".join(words)
    return _APART.sub(lambda found: _segmented(found.group(), known), line).split(" ")


def _segmented(apart: str, known: Set[str]) -> str:
    letters = apart.replace(" ", "")
    for reading in (letters, letters.translate(_LEET), letters.translate(_LEET_L).translate(_LEET)):
        parts = _split(reading, known)
        if parts == [reading] or any(len(word) > 3 for word in parts):
            return " ".join(parts)
    return apart


def _split(letters: str, known: Set[str]) -> list[str]:
    """The letters as the fewest known words, with as few single letters left over as can be."""
    best, begins = [0], [0]
    for end in range(1, len(letters) + 1):
        cost, begin = best[end - 1] + _LEFT_OVER, end - 1
        for earlier in range(max(0, end - LONGEST_WORD), end - 1):
            if best[earlier] + 1 < cost and letters[earlier:end] in known:
                cost, begin = best[earlier] + 1, earlier
        best.append(cost)
        begins.append(begin)
    parts, end = [], len(letters)
    while end:
        parts.append(letters[begins[end] : end])
        end = begins[end]
    return parts[::-1]
