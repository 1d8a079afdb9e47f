"""Do templates say what they are given, and nothing of what they are not?"""

import re
from dataclasses import replace

import pytest
from jinja2 import UndefinedError

from api.web.rendering import environment, plural, render
from tests.web import examples

TEMPLATES = environment().list_templates(filter_func=lambda name: name.endswith(".html"))


@pytest.mark.parametrize("name", examples.PAGES)
def test_every_example_page_renders_with_one_heading_and_a_title(name: str) -> None:
    template, rows = examples.PAGES[name]
    html = render(template, **rows)
    assert len(re.findall(r"<h1[ >]", html)) == 1
    assert re.search(r"<title>\S.* · Palimpsest</title>", html)


@pytest.mark.parametrize("name", examples.PAGES)
def test_no_page_carries_a_script_or_style_of_its_own(name: str) -> None:
    template, rows = examples.PAGES[name]
    html = render(template, **rows)
    assert not re.search(r"<script(?![^>]* src=)", html)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", html)


def test_every_page_template_has_an_example() -> None:
    shown = {template for template, _ in examples.PAGES.values()}
    pages = {
        name
        for name in TEMPLATES
        if "/_" not in name and not name.startswith("parts/") and not name.endswith("layout.html")
    }
    assert pages - {"base.html"} == shown


@pytest.mark.parametrize("name", examples.PAGES)
def test_every_form_that_writes_carries_the_token_and_every_search_is_a_post(name: str) -> None:
    template, rows = examples.PAGES[name]
    for form in re.findall(r"<form.*?</form>", render(template, **rows), re.DOTALL):
        if 'method="post"' in form:
            assert 'name="csrf"' in form
        else:
            assert 'name="q"' not in form


def test_a_name_that_nobody_gave_is_an_error_not_a_blank() -> None:
    template, rows = examples.PAGES["client"]
    with pytest.raises(UndefinedError):
        render(template, **{name: row for name, row in rows.items() if name != "chart"})


def test_what_people_write_is_shown_as_text() -> None:
    attack = '<script>alert(1)</script> & "quotes" \''
    note = replace(examples.PLAIN, sections=examples.sections(attack, attack, "", ""))
    template, rows = examples.PAGES["client"]
    html = render(
        template,
        **{
            **rows,
            "client": replace(examples.CLIENT, name=attack),
            "chart": replace(examples.CHART_NOW, notes=(note,)),
        },
    )
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;quotes&#34;" in html


def test_the_front_desk_page_holds_no_word_of_the_chart() -> None:
    template, rows = examples.PAGES["client-front-desk"]
    html = render(template, **rows).lower()
    for word in ("chart", "note", "soap", "sign", "version", "moment"):
        assert word not in html.replace("sign-out", "").replace("sign out", "")


def test_plural_forms() -> None:
    said = [plural(count, "change", "changes") for count in (0, 1, 2, 1024)]
    assert said == ["0 changes", "1 change", "2 changes", "1,024 changes"]
