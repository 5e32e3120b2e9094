"""Chooses the declared query that a question asks for, by the examples of how people ask; no model is needed.

A question and an example are compared by the words they share over the words that either has, each weighed by how few
queries know it. A word that no example has counts most, so a question about anything else fits nothing, also when it
has the word "order" in it. What is left over is never guessed at: the answer then lists what can be asked.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from maverik_backend.services.queries.definition import (
    LANGUAGES,
    SLOT,
    DeclaredQuery,
    Definition,
    Language,
    Parameter,
    ParameterType,
    ParameterValue,
)
from maverik_backend.services.queries.values import Asked, Extracted, Wanted, extract
from maverik_backend.services.queries.words import (
    BY,
    COUNT,
    CUES,
    LIST,
    MAX_QUESTION_CHARS,
    MAX_TOKENS,
    STOP_WORDS,
    Token,
    asks_for_knowledge,
    language_of,
    stems_of,
    tokens_of,
)

MIN_SCORE = 0.62
"""Below, the question is not understood. Held by tests/services/queries/test_choosing.py over the example project."""
MIN_LEAD = 0.02
"""By which the best query must be ahead of the second."""
_EXCESS = 1.2
"""What a word of the question counts that the example does not have, against one that no example has."""
_OUT_OF_PLACE = 0.85
"""For each number or identifier that does not follow a word which comes before its place in an example."""
_FOUND_BY_FORM = frozenset({ParameterType.TEXT, ParameterType.INTEGER, ParameterType.NUMBER})
_CUE_WEIGHTS = {COUNT: 0.2, LIST: 0.2, BY: 0.35}
_SLOT_STAND_IN = " 0slot0{} "  # a token of its own that no folded word is

MAX_CANDIDATES = 3

Features = frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A declared query that a question may ask for. ``missing``: the required parameters that it has no value for."""

    query: DeclaredQuery
    values: Mapping[str, ParameterValue]
    language: Language
    score: float
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What a question asks for. ``choice`` is None when nothing, or more than one thing (``candidates``), fits."""

    language: Language
    choice: Choice | None = None
    candidates: tuple[DeclaredQuery, ...] = ()
    is_knowledge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Example:
    language: Language
    features: Features
    is_knowledge: bool

    @property
    def own_words(self) -> Features:
        """What it has besides values and cues."""
        return frozenset(word for word in self.features if word not in _CUE_WEIGHTS and not word.startswith("{"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Learnt:
    """A declared query with what its examples teach: by parameter, the stems beside its place and the words before."""

    query: DeclaredQuery
    examples: tuple[_Example, ...]
    anchors: Mapping[str, frozenset[str]]
    words_before: Mapping[str, frozenset[str]]


Choices = Mapping[str, Mapping[tuple[str, ...], str]]
"""By ``query.parameter``: the stems by which each value is named."""


class Chooser:
    """The examples of one definition."""

    def __init__(self, definition: Definition) -> None:
        self._synonyms = _Synonyms(definition.synonyms)
        self._known = {stem for group in definition.synonyms for word in group for stem in stems_of(word)}
        self._vocabulary: dict[Language, set[str]] = {language: set() for language in LANGUAGES}
        self._queries = [self._learn(query) for query in definition.queries]
        known_by: defaultdict[str, set[str]] = defaultdict(set)
        for learnt in self._queries:
            for example in learnt.examples:
                for feature in example.features:
                    known_by[feature].add(learnt.query.name)
        count = len(self._queries)
        self._weights = {feature: math.log(1 + count / len(names)) for feature, names in known_by.items()}
        self._weights |= _CUE_WEIGHTS
        self._weight_of_unknown = math.log(1 + count) if count else 1.0

    def choose(self, question: str, *, choices: Choices, today: date) -> Chosen:
        """The query that ``question`` asks for, and with which values."""
        tokens = tokens_of(question)
        language = language_of(tokens, vocabulary=self._vocabulary)
        if len(question) > MAX_QUESTION_CHARS or len(tokens) > MAX_TOKENS:
            return Chosen(language=language)
        asked = Asked(text=question, tokens=tokens, language=language, today=today, known=self._known)
        is_knowledge = asks_for_knowledge(question)
        fitting = [
            choice
            for learnt in self._queries
            if (choice := self._fit(learnt, asked, choices, is_knowledge=is_knowledge)) and choice.score >= MIN_SCORE
        ]
        # What can be answered comes before what would have to be asked back.
        ranked = sorted([choice for choice in fitting if not choice.missing] or fitting, key=_score, reverse=True)
        if not ranked:
            return Chosen(language=language, is_knowledge=is_knowledge)
        rivals = [choice.query for choice in ranked if ranked[0].score - choice.score < MIN_LEAD]
        if len(rivals) > 1:
            return Chosen(language=ranked[0].language, candidates=tuple(rivals[:MAX_CANDIDATES]))
        return Chosen(language=ranked[0].language, choice=ranked[0])

    def _learn(self, query: DeclaredQuery) -> _Learnt:
        anchors: defaultdict[str, set[str]] = defaultdict(set)
        before: defaultdict[str, set[str]] = defaultdict(set)
        examples: list[_Example] = []
        for language, texts in query.examples.items():
            for text in texts:
                tokens, slots = _with_slots(text)
                self._vocabulary[language].update(token.folded for token in tokens)
                self._known.update(token.stem for token in tokens)
                features = self._features(tokens, slots, frozenset())
                examples.append(_Example(language=language, features=features, is_knowledge=asks_for_knowledge(text)))
                for position, name in slots.items():
                    anchors[name].update(_stems_beside(tokens, position))
                    before[name].add(_word_before(tokens, position))
        return _Learnt(
            query=query,
            examples=tuple(examples),
            anchors={name: frozenset(stems) for name, stems in anchors.items()},
            words_before={name: frozenset(words) for name, words in before.items()},
        )

    def _fit(self, learnt: _Learnt, asked: Asked, choices: Choices, *, is_knowledge: bool) -> Choice | None:
        """How well the best example of the query fits; ``None`` when none can."""
        query = learnt.query
        found = extract(asked, [_wanted(name, learnt, choices) for name in query.parameters])
        features = self._features(asked.tokens, {}, found.used) | set(map(_slot, found.values))
        missing = tuple(
            name for name, parameter in query.parameters.items() if parameter.required and name not in found.values
        )
        # A question that lacks a value must have every word of an example; one for knowledge is like one for knowledge.
        examples = [
            example
            for example in learnt.examples
            if example.is_knowledge >= is_knowledge
            and (not missing or (example.own_words and example.own_words <= features))
        ]
        if not examples:
            return None
        wanted = features | set(map(_slot, missing))
        score, language = max((self._score(wanted, example.features), example.language) for example in examples)
        return Choice(
            query=query,
            values={name: found.values.get(name) for name in query.parameters},
            language=asked.language if asked.language in query.sentence else language,
            score=score * _OUT_OF_PLACE ** _misplaced(learnt, asked, found),
            missing=missing,
        )

    def _score(self, question: Features, example: Features) -> float:
        shared, lacking = self._sum(question & example), self._sum(example - question)
        excess = sum(self._excess(feature) for feature in question - example)
        return shared / ((shared + lacking + excess) or 1.0)

    def _excess(self, feature: str) -> float:
        return _CUE_WEIGHTS.get(feature, self._weight_of_unknown * _EXCESS)

    def _sum(self, features: Iterable[str]) -> float:
        return sum(self._weights.get(feature, self._weight_of_unknown) for feature in features)

    def _features(self, tokens: Sequence[Token], slots: Mapping[int, str], used: frozenset[int]) -> Features:
        """What ``tokens`` say, but for those that are values: stems, cues, slots."""
        said = {_slot(name) for name in slots.values()}
        left = [token for position, token in enumerate(tokens) if position not in used and position not in slots]
        said.update(CUES[token.folded] for token in left if token.folded in CUES)
        stems = [token.stem for token in left if token.folded not in STOP_WORDS]
        return frozenset(said | set(self._synonyms.replaced(stems)))


class _Synonyms:
    """Groups of words that mean the same; a word may be several words."""

    def __init__(self, groups: Sequence[Sequence[str]]) -> None:
        phrases = {
            tuple(stem for stem in stems_of(word) if stem not in STOP_WORDS): f"={number}"
            for number, group in enumerate(groups)
            for word in group
        }
        self._phrases = {phrase: name for phrase, name in phrases.items() if phrase}
        self._longest = max(map(len, self._phrases), default=1)

    def replaced(self, stems: Sequence[str]) -> list[str]:
        """``stems`` with the name of its group for each phrase."""
        said: list[str] = []
        position = 0
        while position < len(stems):
            for length in range(min(self._longest, len(stems) - position), 0, -1):
                group = self._phrases.get(tuple(stems[position : position + length]))
                if group is not None or length == 1:
                    said.append(group or stems[position])
                    position += length
                    break
        return said


def _with_slots(example: str) -> tuple[list[Token], dict[int, str]]:
    """The tokens of an example, and by position the parameters whose values stand there."""
    names = SLOT.findall(example)
    numbered = iter(range(len(names)))
    tokens = tokens_of(SLOT.sub(lambda _slot: _SLOT_STAND_IN.format(next(numbered)), example))
    stand_ins = {_SLOT_STAND_IN.format(number).strip(): name for number, name in enumerate(names)}
    return tokens, {
        position: stand_ins[token.folded] for position, token in enumerate(tokens) if token.folded in stand_ins
    }


def _stems_beside(tokens: Sequence[Token], position: int) -> set[str]:
    """The nearest words before and after that are no small ones."""
    before = [token.stem for token in tokens[:position] if token.folded not in STOP_WORDS]
    after = [token.stem for token in tokens[position + 1 :] if token.folded not in STOP_WORDS]
    return {*before[-1:], *after[:1]}


def _slot(name: str) -> str:
    return f"{{{name}}}"


def _score(choice: Choice) -> float:
    return choice.score


def _wanted(name: str, learnt: _Learnt, choices: Choices) -> Wanted:
    return Wanted(
        name=name,
        parameter=learnt.query.parameters[name],
        choices=choices.get(f"{learnt.query.name}.{name}", {}),
        anchors=learnt.anchors.get(name, frozenset()),
    )


def _word_before(tokens: Sequence[Token], position: int) -> str:
    return tokens[position - 1].folded if position else ""


def _misplaced(learnt: _Learnt, asked: Asked, found: Extracted) -> int:
    """How many numbers and identifiers follow a word that comes before their place in no example."""
    parameters = learnt.query.parameters
    return sum(
        parameters[name].type in _FOUND_BY_FORM
        and _word_before(asked.tokens, position) not in learnt.words_before.get(name, ())
        for name, position in found.positions.items()
    )


def choices_of(definition: Definition, column_values: Mapping[str, Sequence[str]]) -> Choices:
    """The words for the values of every choice; ``column_values`` are what columns hold, by ``table.column``."""
    found: dict[str, dict[tuple[str, ...], str]] = {}
    for query in definition.queries:
        for name, parameter in query.parameters.items():
            if parameter.type is ParameterType.CHOICE:
                found[f"{query.name}.{name}"] = dict(_phrases(parameter, column_values))
    return found


def _phrases(parameter: Parameter, column_values: Mapping[str, Sequence[str]]) -> Iterable[tuple[tuple[str, ...], str]]:
    for value in column_values.get(parameter.values_from or "", ()):
        if stems := stems_of(value):
            yield stems, value
    for value, words in parameter.values.items():
        for word in (value, *words):
            if stems := stems_of(word):
                yield stems, value
