/* No near-duplicate is in two parts of a dataset, whosever it is. */
#include "desk_fixture.h"

#include "base/file.h"
#include "datasets/dataset.h"

#define CONVERSATIONS 400
#define CUSTOMERS 200
#define NEAR_IN_TEN 3

static int set_up(void **state)
{
	*state = fixture_open("none");
	return 0;
}

static int tear_down(void **state)
{
	fixture_close(*state);
	return 0;
}

/* What conversation `i` asks: words that hardly another one has, in the same order for the same `topic`. */
static const char *question(struct fixture *f, int topic, const char *last)
{
	const char *out = "";
	uint32_t x = (uint32_t)topic + 1;

	for (int w = 0; w < 14; w++) {
		x = x * 1664525 + 1013904223;
		out = arena_printf(f->arena, "%s%x ", out, (x >> 8) & 0xfffff);
	}
	return arena_printf(f->arena, "%s%s", out, last);
}

/* The conversation that `i` nearly repeats, another customer's; `i` itself where it is new. */
static int model_of(int i)
{
	return i % 10 < NEAR_IN_TEN && i >= CONVERSATIONS / 2 ? (i * 7 + 3) % (CONVERSATIONS / 2) : i;
}

static void fill(struct fixture *f)
{
	int status;

	for (int i = 0; i < CONVERSATIONS; i++) {
		const char *asked = question(f, model_of(i), model_of(i) == i ? "please" : "thanks");
		json_t *body = J(
			f,
			arena_printf(
				f->arena,
				"{'id':'c-%03d','customer':{'id':'cu-%d'},'turns':[{'role':'customer','text':'%s','at':"
				"'2026-%02d-%02dT08:00:00Z'},{'role':'agent','text':'always the same answer'}],"
				"'resolution':{'outcome':'resolved','intent':'a','text':'x'}}",
				i, i % CUSTOMERS, asked, 1 + i / 40, 1 + i % 28));
		NO_ERROR(f, conversation_import(&f->desk, &f->call, body, &status));
	}
}

static const char *content(struct fixture *f, const char *folder, const char *name)
{
	char *s;
	size_t n;

	NO_ERROR(f, file_read(arena_printf(f->arena, "%s/%s", folder, name), &s, &n, &f->err));
	const char *copy = arena_strndup(f->arena, s, n);
	free(s);
	return copy;
}

/* The first letter of each conversation's part. */
static void read_parts(struct fixture *f, const char *folder, char part[CONVERSATIONS])
{
	char *lines = arena_strdup(f->arena, content(f, folder, "rows.provenance.jsonl")), *rest;

	memset(part, 0, CONVERSATIONS);
	for (char *p = strtok_r(lines, "\n", &rest); p; p = strtok_r(NULL, "\n", &rest)) {
		json_t *j = J(f, p);
		part[atoi(string_at(j, "conversation") + 2)] = string_at(j, "part")[1];
	}
}

static void assert_no_leak(struct fixture *f, enum dataset_split by, enum dataset_pii pii,
			   char part[CONVERSATIONS])
{
	struct dataset_options o = { .format = &dataset_trl_sft, .split = by, .pii = pii, .seed = 7 };
	struct dataset_summary s;
	int near = 0;

	o.folder = arena_printf(f->arena, "%s/%d-%d", f->folder, (int)by, (int)pii);
	NO_ERROR(f, dataset_write(f->desk.engine, &o, &s, &f->err));
	assert_int_equal(s.rows, CONVERSATIONS);
	for (int p = 0; p < PARTS; p++)
		assert_true(s.parts[p] > 0);
	read_parts(f, o.folder, part);
	for (int i = 0; i < CONVERSATIONS; i++) {
		near += model_of(i) != i;
		assert_int_equal(part[i], part[model_of(i)]);
		assert_int_equal(part[i], part[i % CUSTOMERS]);
	}
	assert_int_equal(near, CONVERSATIONS / 2 * NEAR_IN_TEN / 10);
	json_t *manifest = J(f, content(f, o.folder, "manifest.json"));
	long long joined = int_at(manifest, "split.joined_by_near_duplicates");
	assert_in_range(joined, 1, near);
	assert_int_equal(int_at(manifest, "split.components"), CUSTOMERS - joined);
}

static void test_split__near_duplicates_of_two_customers_are_in_one_part(void **state)
{
	struct fixture *f = *state;
	char hash[CONVERSATIONS], redacted[CONVERSATIONS], by_time[CONVERSATIONS];

	fill(f);
	assert_no_leak(f, SPLIT_HASH, PII_KEEP, hash);
	assert_no_leak(f, SPLIT_HASH, PII_REDACT, redacted);
	/* Redaction takes no part in it. */
	assert_memory_equal(hash, redacted, CONVERSATIONS);
	assert_no_leak(f, SPLIT_TIME, PII_KEEP, by_time);
}

static void test_split__the_rows_that_agents_answer_alike_are_not_joined(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = { .format = &dataset_trl_sft, .split = SPLIT_HASH, .pii = PII_KEEP };
	struct dataset_summary s;
	int status;

	for (int i = 0; i < 20; i++) {
		json_t *body = J(
			f,
			arena_printf(
				f->arena,
				"{'id':'c-%d','turns':[{'role':'customer','text':'%s'},{'role':'agent','text':"
				"'Thank you for your patience, your request was passed on.'}],"
				"'resolution':{'outcome':'resolved','intent':'a','text':'x'}}",
				i, question(f, i, "")));
		NO_ERROR(f, conversation_import(&f->desk, &f->call, body, &status));
	}
	o.folder = arena_printf(f->arena, "%s/out", f->folder);
	NO_ERROR(f, dataset_write(f->desk.engine, &o, &s, &f->err));
	json_t *manifest = J(f, content(f, o.folder, "manifest.json"));
	assert_int_equal(int_at(manifest, "split.components"), 20);
	assert_int_equal(int_at(manifest, "split.joined_by_near_duplicates"), 0);
}

#ifdef __x86_64__
/* What __builtin_cpu_supports() reads. */
extern struct {
	unsigned vendor, type, subtype, features[1];
} __cpu_model;

static void test_split__the_processor_makes_no_difference(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = { .format = &dataset_trl_sft, .split = SPLIT_HASH };
	struct dataset_summary s;
	unsigned all = __cpu_model.features[0];

	fill(f);
	o.folder = arena_printf(f->arena, "%s/all", f->folder);
	NO_ERROR(f, dataset_write(f->desk.engine, &o, &s, &f->err));
	const char *sums = content(f, o.folder, "tagmanifest-sha256.txt"); /* of everything */
	for (unsigned features = all; features;) {
		features &= features - 1; /* one after the other, until there is none */
		__cpu_model.features[0] = features;
		o.folder = arena_printf(f->arena, "%s/%x", f->folder, features);
		int rc = dataset_write(f->desk.engine, &o, &s, &f->err);
		__cpu_model.features[0] = all;
		NO_ERROR(f, rc);
		assert_string_equal(content(f, o.folder, "tagmanifest-sha256.txt"), sums);
	}
}
#else
static void test_split__the_processor_makes_no_difference(void **state)
{
	(void)state;
	skip();
}
#endif

static void test_split__labelled_texts_are_joined_too(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = { .format = &dataset_trl_sft,
				     .kind = DATASET_INTENTS,
				     .split = SPLIT_HASH };
	static const char *const texts[] = {
		"where is the parcel that I was promised for Monday, it is not here",
		"I want my money back for the broken lamp",
		"Hi! Where is the parcel that I was promised for Monday? it is not here",
		"the lamp hums at night"
	};
	struct dataset_summary s;
	int status;

	for (size_t i = 0; i < 4; i++)
		NO_ERROR(f,
			 example_import(&f->desk, &f->call,
					J(f, arena_printf(f->arena, "{'text':'%s','label':'l'}", texts[i])),
					&status));
	o.folder = arena_printf(f->arena, "%s/out", f->folder);
	NO_ERROR(f, dataset_write(f->desk.engine, &o, &s, &f->err));
	json_t *manifest = J(f, content(f, o.folder, "manifest.json"));
	assert_int_equal(int_at(manifest, "split.components"), 3);
	assert_int_equal(int_at(manifest, "split.joined_by_near_duplicates"), 1);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_split__near_duplicates_of_two_customers_are_in_one_part),
		TEST(test_split__the_rows_that_agents_answer_alike_are_not_joined),
		TEST(test_split__the_processor_makes_no_difference),
		TEST(test_split__labelled_texts_are_joined_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
