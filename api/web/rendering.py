"""How does a template become a page? One environment, strict about names, with hashed assets."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_HERE = Path(__file__).parent
STATIC = _HERE.parent / "static"


class PagesNotBuilt(RuntimeError):
    """The assets are missing: the package's build did not run."""


@cache
def environment() -> Environment:
    """Return the templates, with the few functions they may call."""
    pages = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    icons = _built("icons.json")
    script = _built("manifest.json")["src/main.ts"]

    def icon(name: str) -> Markup:
        """Draw an icon from Lucide; it is decoration, so readers skip it."""
        return Markup(  # noqa: S704  our own build wrote these marks
            '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
            'stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" '
            f'aria-hidden="true" focusable="false">{icons[name]}</svg>'
        )

    pages.globals.update(
        icon=icon,
        plural=plural,
        script=f"/static/{script['file']}",
        styles=tuple(f"/static/{file}" for file in script["css"]),
    )
    return pages


def render(template: str, **rows: object) -> str:
    """Return the page; a name the template uses and nobody gave is an error."""
    return environment().get_template(template).render(**rows)


def plural(count: int, one: str, many: str) -> str:
    """Return the count with the right form: 1 change, 2 changes, 1,024 changes."""
    return f"{count:,} {one if count == 1 else many}"


def _built(name: str) -> dict[str, Any]:
    try:
        return dict(json.loads((STATIC / name).read_text()))
    except FileNotFoundError as missing:
        hint = "the pages are not built; run `make setup`"
        raise PagesNotBuilt(hint) from missing
