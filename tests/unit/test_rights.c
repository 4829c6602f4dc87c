#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/rights.h"

static json_t *parse(const char *s)
{
	json_t *j = json_loads(s, JSON_DECODE_ANY, NULL);

	assert_non_null(j);
	return j;
}

static int sees(const struct rights *r, const char *acl)
{
	JSON_AUTO *j = parse(acl);

	return rights_see(r, j);
}

static void test_rights__the_zero_value_sees_what_all_may_and_does_nothing(void **state)
{
	const struct rights zero = { 0 };

	(void)state;
	assert_true(rights_see(&zero, NULL));
	assert_true(sees(&zero, "null"));
	assert_false(sees(&zero, "[]"));
	assert_false(sees(&zero, "[\"tier1\"]"));
	assert_false(
		rights_scope(&zero, SCOPE_BOT | SCOPE_AGENT | SCOPE_CURATOR | SCOPE_EXPORT | SCOPE_ADMIN));
}

static void test_rights__any_common_group_is_enough(void **state)
{
	const char *const groups[] = { "tier1", "emea" };
	const struct rights r = { .groups = groups, .n_groups = 2 };

	(void)state;
	assert_true(sees(&r, "[\"x\", \"emea\"]"));
	assert_false(sees(&r, "[\"x\", \"emea2\", \"tier\", \"TIER1\"]"));
	assert_false(sees(&r, "[]"));
	assert_true(sees(&r, "null"));
}

static void test_rights__what_is_no_acl_is_denied(void **state)
{
	static const char *const odd[] = { "\"tier1\"", "{\"tier1\":1}", "true", "1",
					   "[1, null, [\"tier1\"]]" };
	const char *const groups[] = { "tier1" };
	const struct rights r = { .groups = groups, .n_groups = 1 }, all = { .all_groups = 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_false(sees(&r, odd[i]));
		assert_true(sees(&all, odd[i]));
	}
}

static void test_rights__admin_implies_all_scopes(void **state)
{
	const struct rights admin = { .scopes = SCOPE_ADMIN }, bot = { .scopes = SCOPE_BOT | SCOPE_EXPORT };

	(void)state;
	assert_true(rights_scope(&admin, SCOPE_CURATOR));
	assert_true(rights_scope(&bot, SCOPE_BOT | SCOPE_AGENT));
	assert_false(rights_scope(&bot, SCOPE_AGENT | SCOPE_ADMIN));
}

static void check_intersect(const char *a, const char *b, const char *want)
{
	JSON_AUTO *x = parse(a), *y = parse(b), *w = parse(want);
	JSON_AUTO *got = acl_intersect(x, y);

	if (!json_equal(got, w))
		fail_msg("%s and %s do not give %s", a, b, want);
}

static void test_rights__intersection_narrows_and_never_widens(void **state)
{
	(void)state;
	check_intersect("null", "null", "null");
	check_intersect("null", "[\"a\",\"b\"]", "[\"a\",\"b\"]");
	check_intersect("[\"a\"]", "null", "[\"a\"]");
	check_intersect("[\"a\",\"b\",\"c\"]", "[\"c\",\"a\",\"d\"]", "[\"a\",\"c\"]");
	check_intersect("[\"a\",\"a\"]", "[\"a\"]", "[\"a\"]");
	check_intersect("[\"a\"]", "[\"b\"]", "[]");
	check_intersect("[]", "null", "[]");
	check_intersect("{\"a\":1}", "[\"a\"]", "[]");
	JSON_AUTO *everyone = acl_intersect(NULL, NULL);
	assert_true(json_is_null(everyone));
}

/* Who sees the intersection sees both; the reverse need not be (different groups may have let them in). */
static void test_rights__who_sees_the_intersection_sees_both(void **state)
{
	static const char *const acls[] = { "null",          "[]",           "[\"a\"]", "[\"b\"]",
					    "[\"a\",\"b\"]", "[\"b\",\"c\"]" };
	const char *const names[] = { "a", "b", "c" };

	(void)state;
	for (int x = 0; x < 6; x++) {
		for (int y = 0; y < 6; y++) {
			JSON_AUTO *p = parse(acls[x]), *q = parse(acls[y]);
			JSON_AUTO *both = acl_intersect(p, q);
			for (unsigned mask = 0; mask < 8; mask++) {
				const char *mine[3];
				struct rights r = { .groups = mine };
				for (int g = 0; g < 3; g++)
					if (mask >> g & 1)
						mine[r.n_groups++] = names[g];
				if (rights_see(&r, both))
					assert_true(rights_see(&r, p) && rights_see(&r, q));
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rights__the_zero_value_sees_what_all_may_and_does_nothing),
		cmocka_unit_test(test_rights__any_common_group_is_enough),
		cmocka_unit_test(test_rights__what_is_no_acl_is_denied),
		cmocka_unit_test(test_rights__admin_implies_all_scopes),
		cmocka_unit_test(test_rights__intersection_narrows_and_never_widens),
		cmocka_unit_test(test_rights__who_sees_the_intersection_sees_both),
	};

	return cmocka_run_group_tests_name("rights", tests, NULL, NULL);
}
