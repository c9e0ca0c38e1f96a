"""docs/openapi.json: what the routes are, what the messages are, and nothing of what a gateway would not say."""

import importlib.util
import json
from pathlib import Path

import pytest

from gateway_world import direct_world
from swaddle.gateway.routes import ROUTES
from swaddle.wire.messages import PROBLEMS
from swaddle.wire.openapi import TABLE, describe

ROOT = Path(__file__).parents[2]


def test_the_page_is_the_one_that_is_made():
    spec = importlib.util.spec_from_file_location("pages", ROOT / "tools" / "pages.py")
    pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    path, text = pages.openapi()
    assert path.read_text("utf-8") == text, "run `make pages`"


def test_it_has_every_route_and_no_other():
    routes = {(method, route.path) for route in ROUTES for method in route.methods}
    implied = {("HEAD", path) for method, path in routes if method == "GET"}  # what Starlette adds by itself
    described = {(one.method, one.path) for one in TABLE}
    assert described - routes == set()
    assert routes - implied - described == set()


def test_every_reference_leads_somewhere_and_every_problem_is_one():
    document = describe()
    text = json.dumps(document)
    schemas = document["components"]["schemas"]
    for part in text.split('"#/components/schemas/')[1:]:
        assert part.partition('"')[0] in schemas
    assert {name for one in TABLE for name in one.problems} <= set(PROBLEMS)
    assert "\\\\A" not in text
    assert all(not schema.get("additionalProperties", False) for schema in schemas.values())


@pytest.mark.parametrize(
    "one", [one for one in TABLE if one.who != "anybody"], ids=lambda one: f"{one.method} {one.path}"
)
def test_what_it_says_is_signed_is_refused_unsigned(tmp_path, one):
    with direct_world(tmp_path / "gateway") as world:
        path = one.path.replace("{id}", "ab" * 16).replace("{number}", "0") + ("?after=0" if one.query else "")
        body = b"{}" if one.body is not None else None
        answer = world.ask(one.method, path, body=body)
        assert answer.status in {401, 404}


def test_a_gateway_serves_no_description_of_itself(tmp_path):
    with direct_world(tmp_path / "gateway") as world:
        for path in ("/openapi.json", "/docs", "/v1/openapi.json", "/metrics"):
            assert world.get(path).status == 404
