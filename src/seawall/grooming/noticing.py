"""What a message says: all rules of a language in one pass over its words, in time linear in its length."""

from __future__ import annotations

import re
from itertools import compress

import re2

from seawall.grooming.load import Language, Rules
from seawall.grooming.spelling import Plain, canonical, plain
from seawall.grooming.tactics import Noticed

# Bytes that one automaton may take. It is built as messages need it, and what is full is begun anew.
LARGEST_AUTOMATON = 32 * 1024 * 1024
AGES = (7, 90)


class Noticer:
    """Compiled rules. Holds no state of conversations; safe to share between threads."""

    def __init__(self, rules: Rules) -> None:
        self.catalogue = rules.catalogue
        self.known = frozenset().union(*(language.known for language in rules.languages))
        self._languages = tuple(_Compiled(language) for language in rules.languages)

    def notice(self, text: str) -> Noticed:
        """Reads one message. Anything may be sent: the work is bounded (see `spelling`)."""
        return self.read(text)[0]

    def read(self, text: str) -> tuple[Noticed, tuple[str, ...]]:
        """The same, with the plain words of the message, which models read."""
        said = plain(text, self.known)
        return (self._notice(said) if said.words else Noticed((), clipped=said.clipped)), said.words

    def _notice(self, said: Plain) -> Noticed:
        codes: dict[str, None] = {}
        age = None
        for language in self._languages:
            words = canonical(said.words, language.spelt)
            codes.update(dict.fromkeys(language.codes(words)))
            if age is None:
                age = language.age(words)
        return Noticed(
            tuple(codes),
            age,
            _bare_number(said.words) if age is None else None,
            "?" in said.words or said.words[0] in _ASKING,
            len(said.words),
            said.clipped,
        )


_ASKING = frozenset(
    {"what", "where", "when", "how", "who", "why", "which", "are", "do", "did", "can", "wat", "wut", "r"}
)


def _bare_number(words: tuple[str, ...]) -> int | None:
    """The number that a message is, if it is little else: what one answers when asked for the age."""
    numbers = [int(word) for word in words[:4] if word.isdigit() and len(word) <= 2]
    if len(words) > 5 or len(numbers) != 1 or not AGES[0] <= numbers[0] <= AGES[1]:
        return None
    return numbers[0]


class _Compiled:
    def __init__(self, language: Language) -> None:
        self.spelt = language.spelt
        options = re2.Options()
        options.max_mem = LARGEST_AUTOMATON
        options.log_errors = False
        self._set = re2.Set.SearchSet(options)
        self._codes: list[str] = []
        for rule in language.rules:
            for pattern in rule.patterns:
                self._set.Add(pattern)
                self._codes.append(rule.code)
        self._set.Compile()
        self._readings = language.also
        self._also = re.compile(rf"\b(?:{'|'.join(map(re.escape, language.also))})\b") if language.also else None
        self._ages = tuple(re2.compile(pattern, options) for pattern in language.ages)
        self._never_before = language.never_before

    def codes(self, words: str) -> list[str]:
        """The codes that words of this language's spelling meet, in either of their readings."""
        met = self._set.Match(words) or []
        if self._also is not None:
            other = self._also.sub(self._meant, words)
            if other != words:
                met = [*met, *(self._set.Match(other) or ())]
        return [self._codes[number] for number in met]

    def _meant(self, found: re.Match[str]) -> str:
        return self._readings[found[0]]

    def age(self, words: str) -> int | None:
        """The age that the speaker claims, in years."""
        if not any(map(str.isdigit, words)):
            return None
        for pattern in self._ages:
            found = pattern.search(words)
            if found is None:
                continue
            after = (found.group(2) or "").split(" ", 1)[0] if found.re.groups > 1 else ""
            age = int(found.group(1))
            if after not in self._never_before and AGES[0] <= age <= AGES[1]:
                return age
        return None


def examples_that_fail(rules: Rules) -> list[str]:
    """Each example that its rule misses and each counter-example that it meets, with the line of the rule."""
    noticer = Noticer(rules)
    failed = []
    for language, compiled in zip(rules.languages, noticer._languages, strict=True):
        for rule in language.rules:
            texts = (*rule.examples, *rule.counter_examples)
            expected = [True] * len(rule.examples) + [False] * len(rule.counter_examples)
            met = [
                rule.code in compiled.codes(canonical(plain(t, noticer.known).words, language.spelt)) for t in texts
            ]
            wrong = [is_met != wanted for is_met, wanted in zip(met, expected, strict=True)]
            failed += [
                f"{language.language}.toml:{rule.line}: {rule.code}: {text!r}" for text in compress(texts, wrong)
            ]
    return failed
