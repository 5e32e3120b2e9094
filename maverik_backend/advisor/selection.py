"""Which of the passages found are shown, and what a question joins. Pure: no input or output."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from maverik_backend.clients.rag.base import Passage
from maverik_backend.core.text import fold

# From the best article its opening and its best other passage; from the next ones the best, if it fits nearly as well.
PASSAGES_OF_BEST = 2
MAX_ARTICLES = 2
NEARLY_AS_GOOD = 0.85
# "Plazo fijo, caución o money market": more than three would be a catalogue.
MAX_JOINED = 3
# One article that holds this share of what its halves find by themselves is about both of them.
COVERS_BOTH = 0.9

_MAX_READ_CHARS = 400
_MIN_NAMING_CHARS = 3
# "Cripto" names "Criptomonedas".
_MIN_PREFIX_CHARS = 5
# What is said of either of two things names neither.
_SAID_OF_BOTH = re.compile(
    r"\b(?:me |nos )?(?:conviene|invertir|invierto|poner|pongo|comprar|compro|hago|mejor|peor|mas)\b"
)
_COMPARES = re.compile(
    r"\b(?:diferenci\w+|distint\w+|compar\w+|versus|vs|mejor que|peor que|mas que|conviene mas|en vez de|frente a)\b"
)
_JOINTS = r"\b(?:y|e|o|u|ni|vs|versus|contra)\b|[,;]"
_COMPARING_JOINTS = (
    r"\b(?:se diferencian? (?:de|del|con)|diferencias? (?:entre|con|de|del)|en vez de|frente a|entre|con|que|al?)\b|"
    + _JOINTS
)
_FOR_EXPERTS = re.compile(r"\bsi ya (?:tenes experiencia|invertis hace)")
_FOR_BEGINNERS = re.compile(
    r"\b(empezar a invertir|al empezar|recien (?:empieza|comienza)\w*|primeros pasos|para empezar|errores "
    r"mas frecuentes|para aprender finanzas)\b"
)


def choose(
    question: str, found: Sequence[Passage], *, is_shown: Callable[[Passage], bool], is_expert: bool = False
) -> list[Passage]:
    """A few passages of the best articles, none twice; an article is introduced by its opening before anything else."""
    articles = _best_articles(question, found)
    if not articles:
        return []
    best = fresh(_of(articles[0], found), is_shown=is_shown)
    best.sort(key=lambda passage: (_misses_level(passage, is_expert=is_expert), passage.order != 1))  # stable
    others = [fresh(_of(article, found), is_shown=is_shown)[0] for article in articles[1:MAX_ARTICLES]]
    return [*best[:PASSAGES_OF_BEST], *others]


def _best_articles(question: str, found: Sequence[Passage]) -> list[str]:
    """Those that fit nearly as well as the best, best first; where one word is the whole title of one, only that."""
    near = [passage for passage in found if passage.score >= NEARLY_AS_GOOD * found[0].score]
    asked = _stems(question)
    whole = [
        p
        for p in near
        if p.score >= COVERS_BOTH * near[0].score and len(_stems(p.title)) == 1 and _stems(p.title) <= asked
    ]
    return list(dict.fromkeys(passage.article for passage in whole or near))


def fresh(passages: Sequence[Passage], *, is_shown: Callable[[Passage], bool]) -> list[Passage]:
    """Those that were not shown yet; all of them when nothing else is left."""
    return [passage for passage in passages if not is_shown(passage)] or list(passages)


def introduce(found: Sequence[Passage], *, is_shown: Callable[[Passage], bool]) -> Passage:
    """The one passage that stands for the best article found: its opening, unless that was shown."""
    return min(fresh(_of(found[0].article, found), is_shown=is_shown), key=lambda passage: passage.order != 1)


def compares(question: str) -> bool:
    return bool(_COMPARES.search(fold(question)[:_MAX_READ_CHARS]))


def pieces_of(question: str) -> list[str]:
    """The things that a question may join: "un cedear" and "un etf"; the question itself when it joins none."""
    joints = _COMPARING_JOINTS if compares(question) else _JOINTS
    said = fold(question)[:_MAX_READ_CHARS]
    asked = " ".join(re.findall(r"[^?¿.!]*\?", said)) or said
    pieces = (_SAID_OF_BOTH.sub("", piece).strip(" ¿?¡!.:") for piece in re.split(joints, asked))
    return list(dict.fromkeys(piece for piece in pieces if piece))


def is_named(passage: Passage, piece: str) -> bool:
    """Whether ``piece`` says a word of the title of the passage's article."""
    said = tuple(stem for stem in _stems(piece) if len(stem) >= _MIN_PREFIX_CHARS)
    titled = _stems(passage.title)
    return not titled.isdisjoint(_stems(piece)) or any(stem.startswith(said) for stem in titled)


def speaks_of(passage: Passage, words: str) -> bool:
    """Whether a passage's own text says one of ``words``."""
    return not _stems(passage.text).isdisjoint(_stems(words))


def is_joined(whole: Sequence[Passage], parts: Sequence[Sequence[Passage]]) -> bool:
    """Whether the parts are about different things, and no one article is about all of them."""
    if len(parts) < 2:  # noqa: PLR2004 - it takes two
        return False
    return not whole or whole[0].score < COVERS_BOTH * sum(found[0].score for found in parts)


def _of(article: str, found: Sequence[Passage]) -> list[Passage]:
    return [passage for passage in found if passage.article == article]


def _misses_level(passage: Passage, *, is_expert: bool) -> bool:
    """Whether a passage speaks to beginners and the person is none, or the other way round."""
    return bool((_FOR_BEGINNERS if is_expert else _FOR_EXPERTS).search(fold(passage.text)))


def _stems(text: str) -> set[str]:
    """Words without plural and gender, to tell whether a title is named: "remuneradas" and "remunerado" alike."""
    words = re.findall(r"\w+", fold(text))
    return {re.sub(r"(?:es|[aeo])$", "", word.removesuffix("s")) for word in words if len(word) >= _MIN_NAMING_CHARS}
