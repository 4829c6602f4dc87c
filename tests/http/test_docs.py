"""The documents tell the truth: every route is in openapi.json, every error code in api.md."""

import json
import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]


def routes_of_the_code():
    found = set()
    for file in (ROOT / "src/http").glob("api_*.c"):
        for method, path in re.findall(r'\{ "(GET|POST|PUT|DELETE)", "([^"]+)"', file.read_text()):
            found.add((method.lower(), path))
    return found


def test_openapi_has_exactly_the_routes_of_the_code(server):
    served = server.get("/openapi.json", key=None).json()
    assert served == json.loads((ROOT / "docs/openapi.json").read_text())
    documented = {(m, p) for p, methods in served["paths"].items() for m in methods}
    assert documented == routes_of_the_code()


def test_api_md_lists_every_error_with_its_status():
    kinds = re.findall(r'\{ ERR_\w+, (\d+), "(\w+)", "(\w+)" \}', (ROOT / "src/base/error.c").read_text())
    assert len(kinds) > 30
    page = (ROOT / "docs/api.md").read_text()
    for status, type_, code in kinds:
        assert f"| `{code}` | {status} | {type_} |" in page
