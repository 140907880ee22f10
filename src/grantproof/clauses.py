"""The clause registry: what each specification demands, and how strongly under which rulebook.

The content folder `conformance/` holds one `clauses.toml` a specification; checks name clauses by id, never by level.
"""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grantproof.errors import GrantproofError
from grantproof.verdict import Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RULEBOOKS = ("rfc6749", "bcp9700", "oidc", "rfc9068", "oauth21")


@dataclass(frozen=True)
class Clause:
    """One thing that a specification asks of the server, in our words."""

    id: str
    spec: str
    section: str
    statement: str
    url: str
    levels: "Mapping[str, Level]"
    binds: str
    grants: tuple[str, ...]
    needs: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    untestable: str | None = None

    def level(self, rulebooks: "Sequence[str]") -> Level:
        """The level in force: the first rulebook is the base, a later one's explicit entry overrides it."""
        found = Level.NONE
        for rulebook in rulebooks:
            found = self.levels.get(rulebook, found)
        return found


@dataclass(frozen=True)
class Registry:
    """Every clause of the catalogue, by id."""

    clauses: "Mapping[str, Clause]"
    titles: "Mapping[str, str]" = field(default_factory=dict[str, str])

    def __getitem__(self, clause_id: str) -> Clause:
        try:
            return self.clauses[clause_id]
        except KeyError:
            from difflib import get_close_matches  # noqa: PLC0415 - only an error pays for it

            near = get_close_matches(clause_id, self.clauses, n=1)
            raise GrantproofError(
                f"no clause {clause_id!r} in the catalogue", hint=f"did you mean {near[0]}?" if near else ""
            ) from None

    def __iter__(self) -> "Iterator[Clause]":
        return iter(self.clauses.values())

    def __len__(self) -> int:
        return len(self.clauses)


@cache
def content_root(name: str) -> Path:
    """Where `conformance`, `loadtests` or `profiles` is: inside the installed package, or beside `src/` in a clone.

    Raises:
        GrantproofError: there is no such folder.
    """
    package = Path(__file__).resolve().parent
    for candidate in (package / name, package.parent.parent / name):
        if name in {"conformance", "loadtests", "profiles"} and candidate.is_dir():
            return candidate
    raise GrantproofError(f"no folder {name!r}", hint="one of conformance, loadtests, profiles")


@cache
def load_registry(root: Path | None = None) -> Registry:
    """Reads every `clauses.toml` below the conformance root.

    Raises:
        GrantproofError: a row is malformed, or an id stands twice.
    """
    clauses: dict[str, Clause] = {}
    titles: dict[str, str] = {}
    for path in sorted((root or content_root("conformance")).glob("*/clauses.toml")):
        document = tomllib.loads(path.read_text("utf-8"))
        spec = document["spec"]
        titles[spec["id"]] = spec["title"]
        for row in document.get("clause", []):
            clause = _clause(spec, row, path)
            if clause.id in clauses:
                raise GrantproofError(f"the clause {clause.id} stands twice", where=str(path))
            clauses[clause.id] = clause
    return Registry(clauses, titles)


def _clause(spec: "Mapping[str, Any]", row: "Mapping[str, Any]", path: Path) -> Clause:
    try:
        spec_id, _, rest = row["id"].partition(":")
        section = rest.partition("/")[0]
        template = spec["section_url"] if section[:1].isdigit() else spec.get("appendix_url", spec["section_url"])
        if spec_id != spec["id"]:
            raise GrantproofError(f"{row['id']} stands in the catalogue of {spec['id']}", where=str(path))
        return Clause(
            id=row["id"],
            spec=spec_id,
            section=section,
            statement=row["statement"],
            url=template.format(section=section),
            levels={rulebook: Level(level) for rulebook, level in row["levels"].items()},
            binds=row["binds"],
            grants=tuple(row["grants"]),
            needs=tuple(row.get("needs", ())),
            requirements=tuple(row.get("requirements", ())),
            untestable=row.get("untestable"),
        )
    except (KeyError, ValueError) as problem:
        raise GrantproofError(f"a clause row is malformed: {row.get('id', '?')}: {problem}", where=str(path)) from None
