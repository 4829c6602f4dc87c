"""Bad and odd input for searches: each has a clear answer. And facets, which have limits of their own."""

import math

import pytest

DIM = 384


@pytest.fixture(scope="module")
def api(server):
    for i in range(6):
        body = {"title": f"Article {i}", "text": f"Refunds are not paid on hold {i}. The word{i} is here.",
                "source": "help" if i % 2 else "faq",
                "attributes": {"lang": "en" if i < 4 else "de", "year": 2020 + i // 2, "hot": i == 0, "tags": ["a", f"t{i}"]}}
        if i == 5:
            body["acl"] = ["tier2"]
        assert server.put(f"/v1/documents/in-{i}", body).status_code == 201
    return server


def refused(api, body, status, code, param):
    answer = api.post("/v1/search", body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (status, code, param), answer.text
    assert error["message"]


def found(api, body, **more):
    answer = api.post("/v1/search", body, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


# --- vectors

@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_a_vector_with_what_is_no_json_number_is_bad_json(api, number):
    body = '{"vector":[' + number + ",0" * (DIM - 1) + "]}"
    answer = api.call("POST", "/v1/search", data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_json")


def test_a_number_that_no_float_holds_is_named(api):
    refused(api, {"vector": [0.5] * 7 + [1e300] + [0.5] * (DIM - 8)}, 400, "bad_vector", "vector[7]")


def test_a_zero_vector_has_no_direction(api):
    refused(api, {"vector": [0.0] * DIM}, 400, "bad_vector", "vector")
    refused(api, {"vector": [1e-300] * DIM}, 400, "bad_vector", "vector")


@pytest.mark.parametrize("n", [0, 1, DIM - 1, DIM + 1])
def test_a_wrong_dimension_tells_the_right_one(api, n):
    answer = api.post("/v1/search", {"vector": [0.5] * n}).json()["error"]
    assert (answer["code"], answer["param"]) == ("wrong_dimension", "vector")
    assert str(DIM) in answer["message"]


@pytest.mark.parametrize("vector, code, param", [
    ("none", "wrong_type", "vector"), ({}, "wrong_type", "vector"), (["x"] * DIM, "wrong_type", "vector[0]"),
    ([0.5] * (DIM - 1) + [None], "wrong_type", f"vector[{DIM - 1}]"), ([[0.5]] * DIM, "wrong_type", "vector[0]"),
])
def test_what_is_no_vector_is_a_wrong_type(api, vector, code, param):
    refused(api, {"vector": vector}, 400, code, param)


def test_the_length_of_a_vector_does_not_matter(api):
    some = [math.sin(i) for i in range(DIM)]
    for scale in (1e-20, 1, 1e20):
        hits = found(api, {"vector": [x * scale for x in some], "k": 3})["data"]
        assert [h["id"] for h in hits] == [h["id"] for h in found(api, {"vector": some, "k": 3})["data"]]


# --- filters and match

@pytest.mark.parametrize("filter_, code, param", [
    ("lang", "wrong_type", "filter"),
    ([], "wrong_type", "filter"),
    ({}, "missing_field", "filter.type"),
    ({"type": "like", "key": "a", "value": "b"}, "bad_filter", "filter.type"),
    ({"type": 3, "key": "a", "value": "b"}, "wrong_type", "filter.type"),
    ({"type": "eq", "key": 3, "value": "b"}, "wrong_type", "filter.key"),
    ({"type": "eq", "key": "a"}, "missing_field", "filter.value"),
    ({"type": "eq", "key": "a", "value": {"b": 1}}, "wrong_type", "filter.value"),
    ({"type": "eq", "key": "a", "value": ["b"]}, "wrong_type", "filter.value"),
    ({"type": "in", "key": "a", "value": "b"}, "wrong_type", "filter.value"),
    ({"type": "in", "key": "a", "value": [None]}, "wrong_type", "filter.value[0]"),
    ({"type": "gt", "key": "year", "value": True}, "wrong_type", "filter.value"),
    ({"type": "and", "filters": []}, "bad_filter", "filter.filters"),
    ({"type": "and", "filters": [{"type": "eq", "key": "a", "value": "b"}, 7]}, "wrong_type", "filter.filters[1]"),
    ({"type": "eq", "key": "a", "value": "b", "filters": []}, "unknown_field", "filter.filters"),
])
def test_a_wrong_filter_names_its_place(api, filter_, code, param):
    refused(api, {"query": "refunds", "filter": filter_}, 400, code, param)


def test_a_value_of_another_type_than_the_documents_have_matches_nothing(api):
    assert found(api, {"query": "refunds", "filter": {"type": "eq", "key": "year", "value": "2020"}})["data"] == []
    assert found(api, {"query": "refunds", "filter": {"type": "eq", "key": "year", "value": 2020}})["data"] != []


@pytest.mark.parametrize("match", ['"unclosed', "AND", "a AND", "(a", "a)", "*", "^", "no_column: a", "NEAR(a b, x)", "a b OR"])
def test_a_match_that_does_not_parse_is_told(api, match):
    refused(api, {"query": "refunds", "match": match}, 400, "bad_match", "match")
    refused(api, {"match": match}, 400, "bad_match", "match")


def test_a_blank_or_long_match(api):
    refused(api, {"match": "   "}, 400, "empty_text", "match")
    refused(api, {"match": "a " * 3000}, 413, "too_large", "match")


# --- queries

@pytest.mark.parametrize("query", ["the", "to be or not to be", "how do I", "it is what it is"])
def test_a_query_of_stop_words_alone_is_searched_as_it_is(api, query):
    answer = found(api, {"query": query, "weights": {"words": 1, "vector": 0}})
    assert answer["warnings"] == []
    assert all("words" in h["sources"] for h in answer["data"])
    if query == "the":
        assert any(h["id"].startswith("in-") for h in answer["data"])


def test_words_that_tell_issues_apart_are_no_stop_words(api):
    hits = found(api, {"query": "not on hold", "k": 20})["data"]
    assert any("words" in h["sources"] for h in hits)
    hit = next(h for h in hits if h["id"] == "in-0")
    marked = [hit["text"].encode()[s["start"]:s["end"]].decode() for s in hit["highlights"]]
    assert {"not", "on", "hold"} <= set(marked)


@pytest.mark.parametrize("query", ["🙂", "🙂🙃 🚀", "?!…", "—", "\u200d", "　a　"])
def test_emoji_and_punctuation_are_a_query_like_any_other(api, query):
    answer = found(api, {"query": query, "facets": ["lang"]})
    assert len(answer["data"]) <= 10
    assert answer["facets"]["document"]["lang"]


def test_emoji_without_an_embedder_find_nothing(words_server):
    words_server.put("/v1/documents/d", {"text": "plain words"})
    assert found(words_server, {"query": "🙂"})["data"] == []
    refused(words_server, {"vector": [0.5]}, 400, "no_embedder", "vector")


def test_a_query_of_a_hundred_thousand_words_is_too_large(api):
    refused(api, {"query": "refund " * 100_000}, 413, "too_large", "query")


def test_of_ten_thousand_words_the_first_thousand_count_and_a_warning_says_so(api):
    many = " ".join(f"q{i}" for i in range(9000))
    assert len(many) < 65536
    answer = found(api, {"query": many + " word3", "weights": {"words": 1, "vector": 0}})
    assert any("1024" in w for w in answer["warnings"])
    assert all("words" not in h["sources"] for h in answer["data"])
    answer = found(api, {"query": "word3 " + many, "weights": {"words": 1, "vector": 0}})
    assert answer["data"][0]["id"] == "in-3"
    repeated = found(api, {"query": "word3 refunds " * 4000})
    assert repeated["warnings"] == []


def test_a_thousand_words_all_count(api):
    many = " ".join(f"q{i}" for i in range(1020))
    answer = found(api, {"query": many + " word4", "weights": {"words": 1, "vector": 0}})
    assert answer["warnings"] == []
    assert answer["data"][0]["id"] == "in-4"


@pytest.mark.parametrize("query, code", [("", "empty_text"), ("  \n", "empty_text"), (7, "wrong_type"), (["a"], "wrong_type")])
def test_an_empty_query_is_refused(api, query, code):
    refused(api, {"query": query}, 400, code, "query")


# --- k and offset

@pytest.mark.parametrize("k", [0, -1, 101, 10_000, 2**40])
def test_k_out_of_range(api, k):
    refused(api, {"query": "refunds", "k": k}, 400, "bad_value", "k")


def test_offset_and_k_have_a_limit_together(api):
    refused(api, {"query": "refunds", "offset": 10_000}, 400, "bad_value", "offset")
    refused(api, {"query": "refunds", "offset": 999, "k": 2}, 400, "bad_value", "offset")
    assert found(api, {"query": "refunds", "offset": 999, "k": 1})["data"] == []
    assert len(found(api, {"query": "refunds", "k": 100})["data"]) >= 6


# --- facets

def only_ours(**more):
    return {"filter": {"type": "in", "key": "source", "value": ["help", "faq"]}, **more}


def test_facets_count_what_is_allowed_and_not_what_is_shown(api):
    for query in ({"query": "word0"}, {"query": "zebra", "weights": {"words": 1, "vector": 0}}, {"query": "hold", "k": 1}):
        facets = found(api, only_ours(facets=["lang", "source", "year", "hot", "none"], **query))["facets"]
        assert facets == {"document": {
            "lang": [{"value": "en", "count": 4}, {"value": "de", "count": 2}],
            "source": [{"value": "faq", "count": 3}, {"value": "help", "count": 3}],
            "year": [{"value": 2020, "count": 2}, {"value": 2021, "count": 2}, {"value": 2022, "count": 2}],
            "hot": [{"value": False, "count": 5}, {"value": True, "count": 1}],
            "none": []}}
    assert "facets" not in found(api, {"query": "word0"})
    assert "facets" not in found(api, {"query": "word0", "facets": []})


def test_facets_obey_match_filter_and_groups(api):
    facets = found(api, {"query": "x", "match": "word1 OR word4", "facets": ["lang", "tags"]})["facets"]["document"]
    assert facets["lang"] == [{"value": "de", "count": 1}, {"value": "en", "count": 1}]
    assert facets["tags"] == [{"value": "a", "count": 2}, {"value": "t1", "count": 1}, {"value": "t4", "count": 1}]
    key = api.key("agent", "tier1")
    facets = found(api, only_ours(query="x", facets=["lang"]), key=key)["facets"]
    assert facets["document"]["lang"] == [{"value": "en", "count": 4}, {"value": "de", "count": 1}]


def test_facets_are_counted_for_each_kind(api):
    answer = found(api, {"query": "refunds", "kinds": ["case", "document"], "facets": ["lang"]})
    assert list(answer["facets"]) == ["case", "document"]
    assert answer["facets"]["case"] == {"lang": []}
    bot = api.key("bot", "tier1")
    answer = found(api, {"query": "refunds", "kinds": ["case", "document"], "facets": ["lang"]}, key=bot)
    assert answer["facets"]["case"] == {} and answer["facets"]["document"]["lang"]
    assert any("facets of cases" in w for w in answer["warnings"])


@pytest.mark.parametrize("facets, status, code, param", [
    ("lang", 400, "wrong_type", "facets"),
    ([3], 400, "wrong_type", "facets[0]"),
    (["lang", ""], 400, "empty_text", "facets[1]"),
    (["lang", "lang"], 400, "bad_value", "facets[1]"),
    ([f"k{i}" for i in range(11)], 400, "bad_value", "facets"),
    (["x" * 201], 413, "too_large", "facets[0]"),
])
def test_wrong_facets_are_told(api, facets, status, code, param):
    refused(api, {"query": "refunds", "facets": facets}, status, code, param)
