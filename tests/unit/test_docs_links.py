"""The pages name only what exists: links, files, make targets, commands and their options."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pieced_cli.main import run

PROJECT = Path(__file__).parents[2]
PAGES = sorted(
    path for path in PROJECT.rglob("*.md") if not any(part.startswith(".") for part in path.relative_to(PROJECT).parts)
)
TEXTS = {str(path.relative_to(PROJECT)): path.read_text() for path in PAGES}
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(?:```|~~~)\w*\n(.*?)^(?:```|~~~)", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^    .+\n?)+", re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")

each_page = pytest.mark.parametrize("page", TEXTS)


def anchors(text: str) -> set[str]:
    """The anchors that the headings of a page give."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code(text: str) -> Iterator[str]:
    """Every piece of code on a page: the lines of its blocks, and its spans."""
    for block in [*FENCE.findall(text), *INDENTED.findall(FENCE.sub("", text))]:
        yield from re.sub(r"\\\n\s*", "", block).splitlines()
    yield from SPAN.findall(FENCE.sub("", text))


@each_page
def test_links_lead_somewhere(page: str) -> None:
    for target in LINK.findall(FENCE.sub("", TEXTS[page])):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        found = (PROJECT / page).parent / path if path else PROJECT / page
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found.read_text()), target


@each_page
def test_files_that_are_named_exist(page: str) -> None:
    roots = {path.name for path in PROJECT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    sources = ("billing/pieced_billing", "operator/pieced_operator", "local/pieced_local", "devcluster")
    near = [PROJECT, (PROJECT / page).parent, *(PROJECT / source for source in sources)]
    for span in SPAN.findall(FENCE.sub("", TEXTS[page])):
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", span):
            continue
        if span.split("/")[0] in roots or re.search(r"\.(py|yaml|md|toml|lock|go|sh)$", span):
            assert any((folder / span).exists() for folder in near), span


@each_page
def test_make_targets_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    for line in code(TEXTS[page]):
        for target in re.findall(r"^(?:\$ )?make ([a-z-]+)", line.strip()):
            assert target in targets, line


def commands() -> list[tuple[str, ...]]:
    """Every `pieced …` on the pages: its words up to the first that is no word of a command, and its options."""
    found = set()
    for text in TEXTS.values():
        for line in code(text):
            match = re.match(r"(?:\$ )?(?:\S*/)?pieced((?: [a-z][a-z-]*)+)(?= |$)([^|]*)", line.strip())
            if match:
                options = sorted(re.findall(r"(?<=\s)(--?[a-z][a-z-]*)", match[2]))
                found.add((*match[1].split(), *options))
    return sorted(found)


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_commands_and_options_exist(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    words = [word for word in command if not word.startswith("-")]
    assert run([*words[:2], "--help"]) == 0
    usage = capsys.readouterr().out
    assert " ".join(words[:2]) in usage
    for option in command[len(words) :]:
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", usage), option


def test_the_architecture_lists_every_decision() -> None:
    text = TEXTS["docs/architecture.md"]
    for path in (PROJECT / "docs/adr").glob("*.md"):
        assert f"(adr/{path.name})" in text


def test_the_first_screen_has_the_two_commands() -> None:
    first_screen = "\n".join(TEXTS["README.md"].splitlines()[:20])
    assert "make demo" in first_screen
    assert "make test" in first_screen
