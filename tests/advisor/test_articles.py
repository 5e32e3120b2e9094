"""The embedded advisor's articles: what ships, and what a file has to look like."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from importlib.resources import files

import pytest

from maverik_backend.advisor.articles import Article, _parse, read_articles, version_of
from maverik_backend.core.markdown import clean
from maverik_backend.core.text import fold

ARTICLES = read_articles()

each_article = pytest.mark.parametrize("article", ARTICLES, ids=[article.slug for article in ARTICLES])


class TestWhatShips:
    def test_there_are_at_least_forty(self) -> None:
        assert len(ARTICLES) >= 40

    def test_no_file_of_the_folder_is_left_out(self) -> None:
        folder = files("maverik_backend.advisor") / "knowledge"

        assert {f"{article.slug}.md" for article in ARTICLES} == {entry.name for entry in folder.iterdir()}

    def test_no_two_have_one_title(self) -> None:
        assert len({fold(article.title) for article in ARTICLES}) == len(ARTICLES)

    def test_no_passage_stands_twice(self) -> None:
        passages = [passage for article in ARTICLES for passage in article.passages]

        assert len(set(passages)) == len(passages)

    @each_article
    def test_a_slug_is_plain(self, article: Article) -> None:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", article.slug)

    @each_article
    def test_it_has_two_to_four_passages(self, article: Article) -> None:
        assert 2 <= len(article.passages) <= 4

    @each_article
    def test_a_passage_is_one_paragraph_of_readable_length(self, article: Article) -> None:
        assert all("\n" not in passage and 150 <= len(passage) <= 700 for passage in article.passages)

    @each_article
    def test_it_has_several_topics(self, article: Article) -> None:
        topics = article.topics.split(", ")

        assert len(topics) >= 2
        assert all(topic.strip() == topic != "" for topic in topics)
        assert len(set(topics)) == len(topics)

    @each_article
    def test_a_title_reads_as_one(self, article: Article) -> None:
        assert article.title[0].isupper()
        assert not article.title.endswith(".")
        assert ";" not in article.title, "titles are listed with semicolons"

    @each_article
    def test_it_is_composed_unicode(self, article: Article) -> None:
        text = "\n".join([article.title, article.topics, *article.passages])

        assert unicodedata.is_normalized("NFC", text)

    @each_article
    def test_a_passage_passes_as_an_answer_unchanged(self, article: Article) -> None:
        text = "\n\n".join(article.passages)

        assert clean(text) == text


class TestVersion:
    def test_it_is_stable(self) -> None:
        assert version_of(ARTICLES) == version_of(read_articles())

    @pytest.mark.parametrize(
        "changed",
        [
            replace(ARTICLES[0], slug="otro"),
            replace(ARTICLES[0], title="Otro"),
            replace(ARTICLES[0], topics="otros, temas"),
            replace(ARTICLES[0], passages=ARTICLES[0].passages[:-1]),
        ],
        ids=["slug", "title", "topics", "passages"],
    )
    def test_it_changes_with_any_part(self, changed: Article) -> None:
        assert version_of((changed, *ARTICLES[1:])) != version_of(ARTICLES)

    def test_it_changes_with_an_article_less(self) -> None:
        assert version_of(ARTICLES[1:]) != version_of(ARTICLES)


class TestFormat:
    def test_a_file_is_a_title_topics_and_passages(self) -> None:
        article = _parse("oro", "# El oro\ntemas: oro, metal\n\nUno.\n\nDos.\n")

        assert article == Article(slug="oro", title="El oro", topics="oro, metal", passages=("Uno.", "Dos."))

    @pytest.mark.parametrize(
        "source",
        [
            "",
            "\n\n",
            "# El oro",
            "# El oro\ntemas: oro",
            "# El oro\ntemas: oro\n\n",
            "# El oro\n\ntemas: oro\n\nUno.",
            "El oro\ntemas: oro\n\nUno.",
            "# El oro\noro\n\nUno.",
            "# El oro\ntemas: oro\nmás\n\nUno.",
            "temas: oro\n# El oro\n\nUno.",
            "## El oro\ntemas: oro\n\nUno.",
        ],
    )
    def test_a_malformed_file_is_refused_by_name(self, source: str) -> None:
        with pytest.raises(ValueError, match=r"^oro: not an article$"):
            _parse("oro", source)
