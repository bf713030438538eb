"""The page as text: what is left out of its parts, what stands in its slots, and lists that it has twice."""

from __future__ import annotations

import json
import re

import pytest

import cenote
from cenote.catalogue import OPS
from cenote.explorer import data, html, requests, uploads


@pytest.mark.parametrize(
    "written,shipped",
    [
        ('const a = "b  ,  c"; // d', 'const a="b  ,  c";'),
        (
            'const a = `b  ,  ${c({ d: `e  ;  }`, f: "}  `" })}  g`;',
            'const a=`b  ,  ${c({ d: `e  ;  }`, f: "}  `" })}  g`;',
        ),
        ("a = b - -c + +d - e;", "a=b - -c + +d-e;"),
        ("a(/[,;]  +\\/ /g, b / c / d);", "a(/[,;]  +\\/ /g,b/c/d);"),
        ("function a() {\n  return [\n    1,\n    2,\n  ];\n}\n\nb();", "function a(){return[1,2];}\nb();"),
        ("/** Says.\n * @param {a} b */\nif (a) {\n  // why\n  b();\n} else c();", "\nif(a){b()}else c();"),
        ("const { a } = b ? { c } : d;", "const{a}=b?{c}:d;"),
        ('return "http://a.b/c" + `//${d}`;', 'return "http://a.b/c"+`//${d}`;'),
    ],
)
def test_only_comments_and_idle_space_are_left_out(written: str, shipped: str) -> None:
    assert html._squeezed(written).replace(";}", "}") == shipped.replace(";}", "}")


def test_nothing_that_a_user_writes_ends_an_element_or_fills_a_slot() -> None:
    hostile = "</script><!-- data --><!-- code -->\u2028<b>"
    text = cenote.explore([[1.0, 2.0], [3.0, 4.0]], 2, title=hostile).html()
    assert text.count("</script>") == 4  # dialects, examples, data, the script
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    assert json.loads(found[1])["state"]["title"] == hostile


def test_the_policy_names_what_is_there() -> None:
    text = cenote.explore([[1.0, 2.0], [3.0, 4.0]], 2).html()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    rules = dict(rule.split(" ", 1) for rule in policy[1].split("; "))
    assert rules["default-src"] == "'none'"
    for name, element in (("script-src", "script"), ("style-src", "style")):
        inside = re.search(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
        assert inside
        assert rules[name] == html._hash(inside[1])
    assert "connect-src" not in rules
    assert "unsafe" not in policy[1]


def test_the_page_has_the_operators_of_the_catalogue() -> None:
    """Lists that the page has for itself: a new operator must be added there too."""
    form = re.search(r'<select id="op".*?</select>', html.part("page.html"), re.DOTALL)
    assert form
    assert re.findall(r'value="(\w+)"', form[0]) == list(OPS)
    assert json.dumps(list(OPS)) in html.part("engine/state.js")


def test_limits_are_the_same_on_both_sides() -> None:
    panel = html.part("view/image_panel.js")
    assert f"const BYTES = {requests.MOST_BYTES >> 20} << 20;" in panel
    assert json.dumps([round(float(weight), 3) for weight in uploads._WEIGHTS]) in panel
    assert f'<option value="{data.MOST}">' in html.part("page.html")
