#include "unit/unit.h"

#include <string.h>

#include "base/arena.h"
#include "base/crypto.h"
#include "http/exchange.h"
#include "http/idempotency.h"

static struct rights key_of(const char *const *groups, size_t n)
{
	return (struct rights){
		.key = "k", .agent = "k", .scopes = SCOPE_AGENT, .act_as = 1, .groups = groups, .n_groups = n
	};
}

static void test_agent_header__narrows_and_never_widens(void **state)
{
	static const char *const groups[] = { "tier1", "tier2" };
	struct rights r = key_of(groups, 2);
	struct error e;

	assert_int_equal(agent_header_apply(*state, "id=\"a-7\", groups=\"tier1,fraud\"", &r, &e), 0);
	assert_string_equal(r.agent, "a-7");
	assert_int_equal(r.n_groups, 1);
	assert_string_equal(r.groups[0], "tier1");
}

static void test_agent_header__an_all_groups_key_is_narrowed_to_what_is_named(void **state)
{
	struct rights r = key_of(NULL, 0);
	struct error e;

	r.all_groups = 1;
	assert_int_equal(agent_header_apply(*state, "id=\"a-7\",groups=\"tier1\"", &r, &e), 0);
	assert_false(r.all_groups);
	assert_int_equal(r.n_groups, 1);
}

static void test_agent_header__without_groups_keeps_the_keys(void **state)
{
	static const char *const groups[] = { "tier1" };
	struct rights r = key_of(groups, 1);
	struct error e;

	assert_int_equal(agent_header_apply(*state, "id=\"a \\\"7\\\"\"", &r, &e), 0);
	assert_string_equal(r.agent, "a \"7\"");
	assert_int_equal(r.n_groups, 1);
}

static void test_agent_header__malformed_or_not_allowed(void **state)
{
	static const char *const bad[] = { "",
					   "a-7",
					   "id=a-7",
					   "id=\"a",
					   "id=\"\"",
					   "groups=\"x\"",
					   "id=\"a\" groups=\"b\"",
					   "id=\"a\", id=\"b\"",
					   "id=\"a\", other=\"b\"",
					   "id=\"a\x01\"" };
	struct rights r = key_of(NULL, 0);
	struct error e;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (agent_header_apply(*state, bad[i], &r, &e) != ERR_BAD_HEADER)
			fail_msg("<%s> was taken", bad[i]);
	r.act_as = 0;
	assert_int_equal(agent_header_apply(*state, "id=\"a-7\"", &r, &e), ERR_FORBIDDEN);
}

static void test_if_match__reads_etags(void **state)
{
	struct error e;
	int64_t v;

	(void)state;
	assert_int_equal(if_match_read("\"v12\"", &v, &e), 0);
	assert_int_equal(v, 12);
	assert_int_equal(if_match_read(NULL, &v, &e), 0);
	assert_int_equal(v, CALL_NO_MATCH);
	assert_int_equal(if_match_read("*", &v, &e), 0);
	assert_int_equal(v, CALL_NO_MATCH);
	assert_int_equal(if_match_read("v12", &v, &e), ERR_BAD_HEADER);
	assert_int_equal(if_match_read("\"12\"", &v, &e), ERR_BAD_HEADER);
	assert_int_equal(if_match_read("\"v1\"x", &v, &e), ERR_BAD_HEADER);
}

static int find(struct arena *a, const char *method, const char *path, const char **pattern,
		const char *params[2], const char **allow)
{
	const struct route *r = NULL;
	struct error e;
	int rc = router_find(method, path, strlen(path), a, &r, params, allow, &e);

	if (rc == 0)
		*pattern = r->pattern;
	return rc;
}

static void test_router__matches_the_raw_path_and_decodes_segments(void **state)
{
	const char *pattern = "", *params[2] = { 0 }, *allow = NULL;

	assert_int_equal(find(*state, "GET", "/v1/documents/a%2Fb", &pattern, params, &allow), 0);
	assert_string_equal(pattern, "/v1/documents/{id}");
	assert_string_equal(params[0], "a/b");
	assert_int_equal(find(*state, "POST", "/v1/documents/batch", &pattern, params, &allow), 0);
	assert_string_equal(pattern, "/v1/documents/batch");
	assert_int_equal(find(*state, "HEAD", "/healthz", &pattern, params, &allow), 0);
	assert_int_equal(find(*state, "GET", "/v1/documents/a/b", &pattern, params, &allow), ERR_NO_ROUTE);
	assert_int_equal(find(*state, "GET", "/v1/documents/", &pattern, params, &allow), ERR_NO_ROUTE);
	assert_int_equal(find(*state, "GET", "/v1/documents/%ff", &pattern, params, &allow), ERR_BAD_ID);
	assert_int_equal(find(*state, "GET", "/v1/documents/%00", &pattern, params, &allow), ERR_BAD_ID);
	assert_int_equal(find(*state, "GET", "/v1/documents/%4", &pattern, params, &allow), ERR_BAD_ID);
	assert_null(allow);
}

static void test_router__a_wrong_method_names_the_right_ones(void **state)
{
	const char *pattern = "", *params[2] = { 0 }, *allow = NULL;

	assert_int_equal(find(*state, "PATCH", "/v1/documents/x", &pattern, params, &allow), ERR_BAD_METHOD);
	assert_string_equal(allow, "PUT, GET, DELETE");
}

static void test_idempotency__a_twin_waits_its_time_and_is_then_refused(void **state)
{
	struct idempotency *t = idempotency_new();
	struct error e;

	(void)state;
	assert_int_equal(idempotency_enter(t, "a", 0, &e), 0);
	assert_int_equal(idempotency_enter(t, "b", 0, &e), 0);
	assert_int_equal(idempotency_enter(t, "a", 1, &e), ERR_IDEMPOTENCY_IN_PROGRESS);
	idempotency_leave(t, "a");
	assert_int_equal(idempotency_enter(t, "a", 0, &e), 0);
	idempotency_leave(t, "a");
	idempotency_leave(t, "b");
	idempotency_free(t);
}

static void test_range__one_range_of_bytes(void **state)
{
	static const struct {
		const char *value;
		uint64_t size, at, n;
		int rc;
	} cases[] = {
		{ "bytes=0-0", 10, 0, 1, 1 },     { "bytes=3-", 10, 3, 7, 1 },
		{ "Bytes= 3-5 ", 10, 3, 3, 1 },   { "bytes=9-99999999999999999999999", 10, 9, 1, 1 },
		{ "bytes=-3", 10, 7, 3, 1 },      { "bytes=-99999999999999999999999", 10, 0, 10, 1 },
		{ "bytes=10-", 10, 0, 0, -1 },    { "bytes=18446744073709551615-", 10, 0, 0, -1 },
		{ "bytes=0-", 0, 0, 0, -1 },      { "bytes=-3", 0, 0, 0, -1 },
		{ "bytes=-0", 10, 0, 0, -1 },     { "bytes=5-4", 10, 0, 0, 0 },
		{ "bytes=-", 10, 0, 0, 0 },       { "bytes=", 10, 0, 0, 0 },
		{ "bytes=0-1,4-5", 10, 0, 0, 0 }, { "bytes=1-2x", 10, 0, 0, 0 },
		{ "items=0-1", 10, 0, 0, 0 },     { "", 10, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t at = 0, n = 0;
		int rc = range_read(cases[i].value, cases[i].size, &at, &n);
		if (rc != cases[i].rc || at != cases[i].at || n != cases[i].n)
			fail_msg("<%s> of %llu: %d, %llu from %llu", cases[i].value,
				 (unsigned long long)cases[i].size, rc, (unsigned long long)n,
				 (unsigned long long)at);
	}
}

static void test_etag__is_found_in_a_list(void **state)
{
	static const char *const has[] = { "\"a\"", "*", "W/\"a\"", "\"b\", \"a\"", "\"b\",W/\"a\" " };
	static const char *const lacks[] = { "", "a", "\"ab\"", "\"b\", \"c\"", ",,", "W/" };

	(void)state;
	for (size_t i = 0; i < sizeof(has) / sizeof(has[0]); i++)
		if (!etag_is_among(has[i], "\"a\""))
			fail_msg("not found in <%s>", has[i]);
	for (size_t i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++)
		if (etag_is_among(lacks[i], "\"a\""))
			fail_msg("found in <%s>", lacks[i]);
	assert_false(etag_is_among(NULL, "\"a\""));
}

static int set_up(void **state)
{
	return crypto_start() == 0 && (*state = arena_new(4096)) ? 0 : -1;
}

static int tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range__one_range_of_bytes),
		cmocka_unit_test(test_etag__is_found_in_a_list),
		cmocka_unit_test_setup_teardown(test_agent_header__narrows_and_never_widens, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			test_agent_header__an_all_groups_key_is_narrowed_to_what_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_agent_header__without_groups_keeps_the_keys, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_agent_header__malformed_or_not_allowed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_if_match__reads_etags, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_router__matches_the_raw_path_and_decodes_segments,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_router__a_wrong_method_names_the_right_ones, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_idempotency__a_twin_waits_its_time_and_is_then_refused,
						set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
