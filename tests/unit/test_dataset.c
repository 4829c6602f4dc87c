#include "dataset_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* "customer: a | bot: b" as turns. */
static size_t turns_of(struct fixture *f, const char *script, struct said *out)
{
	char *copy = arena_strdup(f->arena, script), *rest;
	size_t n = 0;

	for (char *p = strtok_r(copy, "|", &rest); p; p = strtok_r(NULL, "|", &rest)) {
		char *colon = strchr(p, ':');
		*colon = '\0';
		out[n++] = (struct said){ .role = p, .text = text_of(colon + 1) };
	}
	return n;
}

/* The messages as "user:a|assistant:b". */
static const char *messages_of(struct fixture *f, const char *script, const char *resolution)
{
	struct said turns[16];
	const struct message *m;
	size_t turn_count = turns_of(f, script, turns);
	long n = dataset_messages(f->arena, turns, turn_count, text_of(resolution), &m);
	const char *out = "";

	assert_true(n >= 0);
	for (long i = 0; i < n; i++)
		out = arena_printf(f->arena, "%s%s%s:%.*s", out, i ? "|" : "",
				   m[i].role == ROLE_USER ? "user" : "assistant", (int)m[i].text.n,
				   m[i].text.s);
	return out;
}

static void test_messages__neighbours_of_one_role_are_joined(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(messages_of(f, "customer:a|customer:b|agent:c|system:s|agent:d", "r"),
			    "user:a\nb|assistant:c\nd");
}

static void test_messages__bots_teach_nothing(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(messages_of(f, "bot:hi|customer:a|bot:wrong|customer:b|agent:c", "r"),
			    "user:a\nb|assistant:c");
	assert_string_equal(messages_of(f, "customer:a|bot:wrong", "what solved it"),
			    "user:a|assistant:what solved it");
	assert_string_equal(messages_of(f, "customer:a|bot:wrong", NULL), "");
	assert_string_equal(messages_of(f, "customer:a|bot:wrong", "  "), "");
}

static void test_messages__begin_with_the_user_and_end_with_an_answer(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(messages_of(f, "agent:hello|customer:a|agent:b|customer:thanks", "r"),
			    "user:a|assistant:b");
	assert_string_equal(messages_of(f, "agent:hello|agent:anybody?", "r"), "");
	assert_string_equal(messages_of(f, "customer: |agent:b", "r"), "");
	assert_string_equal(messages_of(f, "customer:a|agent: |customer:b", "r"), "user:a\nb|assistant:r");
}

/* --- whole datasets ---------------------------------------------------------------------------------- */

static void fill(struct fixture *f)
{
	import(f,
	       "{'id':'c-1','turns':[{'role':'customer','text':'where is it?','at':'2026-06-01T08:00:00Z'},"
	       "{'role':'agent','text':'\\u00e0 Tilburg'}],'resolution':{'outcome':'resolved','intent':'lost',"
	       "'text':'told where','at':'2026-06-01T09:00:00Z'}}");
	import(f,
	       "{'id':'c-2','turns':[{'role':'customer','text':'refund me'},{'role':'agent','text':'no'}],"
	       "'resolution':{'outcome':'unresolved','intent':'refund','text':'none','at':'2026-06-02T09:00:00Z'}}");
	import(f,
	       "{'id':'c-3','turns':[{'role':'customer','text':'broken'}],"
	       "'resolution':{'outcome':'resolved','intent':'fault','text':'sent a new one','at':'2026-06-03T09:00:00Z'}}");
}

static void test_dataset__answers(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out");

	fill(f);
	struct dataset_summary s = export(f, &o);
	assert_int_equal(s.rows, 2);
	assert_int_equal(s.skipped, 1);
	assert_string_equal(content(f, o.folder, "data/train.jsonl"),
			    "{\"messages\":[{\"role\":\"user\",\"content\":\"where is it?\"},"
			    "{\"role\":\"assistant\",\"content\":\"\xc3\xa0 Tilburg\"}]}\n"
			    "{\"messages\":[{\"role\":\"user\",\"content\":\"broken\"},"
			    "{\"role\":\"assistant\",\"content\":\"sent a new one\"}]}\n");
	json_t *manifest = J(f, content(f, o.folder, "manifest.json"));
	assert_int_equal(int_at(manifest, "rows"), 2);
	assert_int_equal(int_at(manifest, "mark"), s.mark);
	assert_int_equal(int_at(manifest, "skipped.not_resolved"), 1);

	char hash[SHA256_TEXT];
	const char *rows = content(f, o.folder, "data/train.jsonl");
	crypto_sha256_text(rows, strlen(rows), hash);
	assert_string_equal(string_at(manifest, "files.0.sha256"), hash);
	assert_int_equal(int_at(manifest, "files.0.bytes"), strlen(rows));

	const char *provenance = content(f, o.folder, "rows.provenance.jsonl");
	json_t *first;
	NO_ERROR(f, json_parse_arena(f->arena, provenance, strcspn(provenance, "\n"), &f->err, &first));
	crypto_sha256_text(rows, strcspn(rows, "\n"), hash);
	assert_string_equal(string_at(first, "sha256"), hash);
	assert_string_equal(string_at(first, "conversation"), "c-1");
	assert_int_equal(int_at(first, "line"), 1);
}

static void test_dataset__the_same_mark_gives_the_same_bytes(void **state)
{
	struct fixture *f = *state;
	struct dataset_options a = options_of(f, DATASET_ANSWERS, "a"),
			       b = options_of(f, DATASET_ANSWERS, "b");
	struct dataset_options c = options_of(f, DATASET_INTENTS, "c"),
			       d = options_of(f, DATASET_INTENTS, "d");

	fill(f);
	struct dataset_summary first = export(f, &a), intents = export(f, &c);
	import(f, "{'id':'c-4','turns':[{'role':'customer','text':'late'},{'role':'agent','text':'soon'}],"
		  "'resolution':{'outcome':'resolved','intent':'late','text':'x'}}");
	b.mark = d.mark = first.mark;
	assert_string_equal(export(f, &b).sha256, first.sha256);
	assert_string_equal(export(f, &d).sha256, intents.sha256);
	assert_string_equal(content(f, a.folder, "data/train.jsonl"),
			    content(f, b.folder, "data/train.jsonl"));
	b.mark = 0;
	b.folder = arena_printf(f->arena, "%s/now", f->folder);
	assert_int_equal(export(f, &b).rows, 3);
	b.mark = 1000000;
	b.folder = arena_printf(f->arena, "%s/future", f->folder);
	struct dataset_summary s;
	assert_int_equal(dataset_write(f->desk.engine, &b, &s, &f->err), ERR_BAD_VALUE);
}

static void test_dataset__since_and_until(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out");

	fill(f);
	o.since = body_time(J(f, "{'t':'2026-06-02T00:00:00Z'}"), "t");
	o.until = body_time(J(f, "{'t':'2026-06-04T00:00:00Z'}"), "t");
	assert_int_equal(export(f, &o).rows, 1);
	assert_non_null(strstr(content(f, o.folder, "data/train.jsonl"), "broken"));
}

static void test_dataset__intents_have_the_label_of_their_votes(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_INTENTS, "out");
	int status;

	NO_ERROR(f, example_import(&f->desk, &f->call, J(f, "{'text':'where is my parcel','label':'lost'}"),
				   &status));
	NO_ERROR(f,
		 example_import(&f->desk, &f->call, J(f, "{'text':'money back','label':'refund'}"), &status));
	assert_int_equal(export(f, &o).rows, 2);
	assert_string_equal(content(f, o.folder, "data/train.jsonl"),
			    "{\"messages\":[{\"role\":\"user\",\"content\":\"where is my parcel\"},"
			    "{\"role\":\"assistant\",\"content\":\"lost\"}]}\n"
			    "{\"messages\":[{\"role\":\"user\",\"content\":\"money back\"},"
			    "{\"role\":\"assistant\",\"content\":\"refund\"}]}\n");
}

static void test_dataset__a_label_that_was_corrected_later_is_not_known_at_the_mark(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_INTENTS, "before");

	ACT(f, conversation_act, J(f, "{'id':'c-9','turns':[{'role':'customer','text':'help'}]}"));
	const char *id = open_handoff(f, "{'conversation_id':'c-9','trigger':'policy'}");
	ACT(f, resolution_act, id, J(f, "{'outcome':'resolved','intent':'a','text':'first'}"));
	struct dataset_summary before = export(f, &o);
	fixture_caller(f, fixture_rights("k-other", SCOPE_ADMIN, NULL, 0));
	ACT(f, resolution_act, id, J(f, "{'outcome':'resolved','intent':'b','text':'second'}"));
	ACT(f, resolution_act, id, J(f, "{'outcome':'resolved','intent':'c','text':'third'}"));
	o.folder = arena_printf(f->arena, "%s/now", f->folder);
	export(f, &o);
	json_t *row = J(f, content(f, o.folder, "rows.provenance.jsonl"));
	assert_string_equal(string_at(row, "label"), "c");
	assert_string_equal(string_at(row, "origin"), "qa");
	o.folder = arena_printf(f->arena, "%s/again", f->folder);
	o.mark = before.mark;
	assert_string_equal(export(f, &o).sha256, before.sha256);
	assert_string_equal(
		content(f, o.folder, "rows.provenance.jsonl"),
		content(f, arena_printf(f->arena, "%s/before", f->folder), "rows.provenance.jsonl"));
	/* An agent has less to say than the curator who corrected it. */
	fixture_caller(f, fixture_rights("k-agent", SCOPE_AGENT, NULL, 0));
	ACT(f, resolution_act, id, J(f, "{'outcome':'resolved','intent':'d','text':'fourth'}"));
	o.folder = arena_printf(f->arena, "%s/last", f->folder);
	o.mark = 0;
	export(f, &o);
	assert_string_equal(string_at(J(f, content(f, o.folder, "rows.provenance.jsonl")), "label"), "c");
}

static void test_dataset__a_resolution_that_was_superseded_makes_no_row(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out");

	ACT(f, conversation_act,
	    J(f, "{'id':'c-9','turns':[{'role':'customer','text':'help'},{'role':'agent','text':'ok'}]}"));
	json_t *r = ACT(f, handoff_act, J(f, "{'conversation_id':'c-9','trigger':'policy'}"));
	const char *id = string_at(r, "handoff");
	ACT(f, resolution_act, id, J(f, "{'outcome':'resolved','intent':'a','text':'first'}"));
	ACT(f, resolution_act, id, J(f, "{'outcome':'resolved','intent':'b','text':'second'}"));
	assert_int_equal(export(f, &o).rows, 1);
	json_t *provenance = J(f, content(f, o.folder, "rows.provenance.jsonl"));
	assert_string_equal(string_at(provenance, "intent"), "b");
	json_t *manifest = J(f, content(f, o.folder, "manifest.json"));
	assert_int_equal(int_at(manifest, "skipped.superseded"), 1);
}

static void test_dataset__nothing_remains_of_what_fails(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out");
	struct dataset_summary s;
	volatile int stop = 1;
	char **names;
	size_t n;

	assert_int_equal(dataset_write(f->desk.engine, &o, &s, &f->err), ERR_EMPTY_TEXT);
	assert_false(file_exists(o.folder));
	fill(f);
	o.stop = &stop;
	assert_int_equal(dataset_write(f->desk.engine, &o, &s, &f->err), ERR_INTERRUPTED);
	assert_false(file_exists(o.folder));
	o.stop = NULL;

	/* A folder with something in it, a file, a folder where none can be made. */
	mkdir(o.folder, 0700);
	NO_ERROR(f, file_write(arena_printf(f->arena, "%s/mine", o.folder), "x", 1, &f->err));
	assert_int_equal(dataset_write(f->desk.engine, &o, &s, &f->err), ERR_EXISTS);
	o.folder = arena_printf(f->arena, "%s/mine", o.folder);
	assert_int_equal(dataset_write(f->desk.engine, &o, &s, &f->err), ERR_EXISTS);
	o.folder = arena_printf(f->arena, "%s/deeper", o.folder);
	assert_true(dataset_write(f->desk.engine, &o, &s, &f->err) < 0);
	o.folder = "";
	assert_int_equal(dataset_write(f->desk.engine, &o, &s, &f->err), ERR_FOLDER);

	NO_ERROR(f, folder_list(f->folder, &names, &n, &f->err));
	for (size_t i = 0; i < n; i++)
		assert_null(strstr(names[i], ".tmp-"));
	free(names);
}

/* Every file is larger than that: the first write to disk fails, in the middle of the export. */
static void test_dataset__nothing_remains_when_the_disk_is_full(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out");
	struct rlimit before, low;
	struct dataset_summary s;
	char **names;
	size_t n;

	fill(f);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	low = before;
	low.rlim_cur = 16;
	void (*was)(int) = signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &low);
	int rc = dataset_write(f->desk.engine, &o, &s, &f->err);
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, was);
	assert_int_equal(rc, ERR_IO);
	NO_ERROR(f, folder_list(f->folder, &names, &n, &f->err));
	for (size_t i = 0; i < n; i++)
		assert_null(strstr(names[i], "out"));
	free(names);
	assert_int_equal(export(f, &o).rows, 2);
}

static void test_dataset__a_conversation_of_5000_turns(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out");
	STRBUF_AUTO line = STRBUF_INIT;

	strbuf_puts(&line, "{'id':'c-1','turns':[");
	for (int i = 0; i < 5000; i++)
		strbuf_printf(&line, "%s{'role':'%s','text':'turn %d, mail a%d@x.org'}", i ? "," : "",
			      i % 2 ? "agent" : "customer", i, i);
	strbuf_puts(&line, "],'resolution':{'outcome':'resolved','intent':'long','text':'x'}}");
	import(f, line.p);
	o.pii = PII_REDACT;
	assert_int_equal(export(f, &o).redacted, 5000);
	json_t *row = J(f, content(f, o.folder, "data/train.jsonl"));
	assert_int_equal(json_array_size(at(row, "messages")), 5000);
	assert_memory_equal(string_at(row, "messages.4999.content"), "turn 4999, mail [EMAIL_", 23);
	o.format = &dataset_vcon;
	o.folder = arena_printf(f->arena, "%s/vcon", f->folder);
	export(f, &o);
	row = J(f, content(f, o.folder, "data/train.jsonl"));
	assert_int_equal(json_array_size(at(row, "dialog")), 5000);
}

static void test_dataset__an_empty_folder_is_taken(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out/");

	fill(f);
	mkdir(o.folder, 0700);
	assert_int_equal(export(f, &o).rows, 2);
	content(f, o.folder, "manifest.json");
}

/* --- personal data, splits -------------------------------------------------------------------------- */

/* Tokens without their hashes: "[EMAIL_0123456789]" is "[EMAIL]". */
static const char *without_hashes(struct fixture *f, const char *s)
{
	char *copy = arena_strdup(f->arena, s);

	for (char *p = copy; (p = strchr(p, '_')) != NULL; p++)
		if (strspn(p + 1, "0123456789abcdef") == 10 && p[11] == ']')
			memmove(p, p + 11, strlen(p + 11) + 1);
	return copy;
}

static void test_dataset__personal_data_is_redacted_unless_kept(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = { .format = &dataset_trl_sft,
				     .folder = arena_printf(f->arena, "%s/out", f->folder) };

	import(f,
	       "{'id':'c-0','customer':{'id':'cu-1','name':'Jane Roe'},'turns':[{'role':'customer','text':'hi'}]}");
	import(f,
	       "{'id':'c-1','customer':{'id':'cu-1','name':'J. Roebuck'},'turns':[{'role':'customer',"
	       "'text':'Jane here, jane@x.org, order VK-20418'},{'role':'agent','text':'Jane Roebuck, is it JANE@x.org?'}],"
	       "'resolution':{'outcome':'resolved','intent':'lost','text':'x'}}");
	struct dataset_summary s = export(f, &o);
	assert_int_equal(s.redacted, 5);
	assert_string_equal(without_hashes(f, content(f, o.folder, "data/train.jsonl")),
			    "{\"messages\":[{\"role\":\"user\",\"content\":\"[NAME] here, [EMAIL], order "
			    "[ORDER]\"},{\"role\":\"assistant\",\"content\":\"[NAME], is it [EMAIL]?\"}]}\n");
	json_t *manifest = J(f, content(f, o.folder, "manifest.json"));
	assert_string_equal(string_at(manifest, "pii"), "redact");
	assert_string_equal(string_at(manifest, "redaction.mode"), "redact");
	assert_int_equal(int_at(manifest, "redaction.counts.email"), 2);
	assert_int_equal(int_at(manifest, "redaction.counts.name"), 2);
	assert_int_equal(int_at(manifest, "redaction.counts.card"), 0);
	assert_int_equal(int_at(manifest, "redaction.kept.places"), 0);
	assert_non_null(
		strstr(string_at(manifest, "redaction.limits"), "other names in free text are missed"));

	o.folder = arena_printf(f->arena, "%s/kept", f->folder);
	o.pii = PII_KEEP;
	assert_int_equal(export(f, &o).redacted, 0);
	assert_non_null(strstr(content(f, o.folder, "data/train.jsonl"), "jane@x.org"));
	manifest = J(f, content(f, o.folder, "manifest.json"));
	assert_string_equal(string_at(manifest, "redaction.mode"), "keep");
}

static void test_dataset__examples_know_the_customer_of_their_conversation(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_INTENTS, "out");
	int status;

	import(f, "{'id':'c-1','customer':{'id':'cu-1','name':'Jane Roe'},'turns':[{'role':'customer',"
		  "'text':'This is Jane Roe and my hub is offline'},{'role':'agent','text':'ok'}],"
		  "'resolution':{'outcome':'resolved','intent':'offline','text':'x'}}");
	NO_ERROR(f, example_import(&f->desk, &f->call, J(f, "{'text':'mail a@x.org','label':'a@x.org'}"),
				   &status));
	o.pii = PII_REDACT;
	assert_int_equal(export(f, &o).rows, 2);
	const char *rows = without_hashes(f, content(f, o.folder, "data/train.jsonl"));
	assert_null(strstr(rows, "Jane"));
	assert_non_null(strstr(rows, "This is [NAME]"));
	assert_non_null(strstr(rows, "mail [EMAIL]"));
	assert_non_null(strstr(rows, "\"a@x.org\"")); /* labels stay */
}

/* What one conversation asks; no two are near-duplicates. */
static const char *question(struct fixture *f, int i)
{
	uint32_t x = (uint32_t)(i + 1) * 2654435761u;

	return arena_printf(f->arena, "question %d of %08x%08x", i, x, x * 2246822519u);
}

/* 60 conversations of 30 customers (two each, 30 days apart), and 10 of nobody known. */
static void fill_months(struct fixture *f)
{
	for (int i = 0; i < 70; i++)
		import(f,
		       arena_printf(
			       f->arena,
			       "{'id':'c-%02d',%s'turns':[{'role':'customer','text':'%s','at':"
			       "'2026-%02d-%02dT08:00:00Z'},{'role':'agent','text':'answer'}],'resolution':"
			       "{'outcome':'resolved','intent':'a','text':'x','at':'2026-06-01T09:00:00Z'}}",
			       i, i < 60 ? arena_printf(f->arena, "'customer':{'id':'cu-%d'},", i % 30) : "",
				  question(f, i), 1 + i / 30, 1 + i % 28));
}

static const char *const part_files[] = { "data/train.jsonl", "data/valid.jsonl", "data/test.jsonl" };

/* Where each conversation went, by the provenance; the row is in that file, at that line. */
static void read_parts(struct fixture *f, const char *folder, int part[70])
{
	char *lines = arena_strdup(f->arena, content(f, folder, "rows.provenance.jsonl")), *rest;

	memset(part, -1, 70 * sizeof(*part));
	for (char *p = strtok_r(lines, "\n", &rest); p; p = strtok_r(NULL, "\n", &rest)) {
		json_t *j = J(f, p);
		int c = atoi(string_at(j, "conversation") + 2), i = 0;
		while (strcmp(part_files[i], string_at(j, "file")) != 0)
			i++;
		assert_int_equal(part[c], -1);
		part[c] = i;
		const char *row = content(f, folder, part_files[i]);
		for (long long line = int_at(j, "line"); line > 1; line--)
			row = strchr(row, '\n') + 1;
		row = arena_strndup(f->arena, row, strcspn(row, "\n"));
		assert_non_null(strstr(row, arena_printf(f->arena, "\"%s\"", question(f, c))));
	}
}

static void assert_parts(struct fixture *f, enum dataset_split by, uint64_t seed, const char *name,
			 int part[70])
{
	struct dataset_options o = options_of(f, DATASET_ANSWERS, name);
	uint64_t rows[PARTS] = { 0 };

	o.split = by;
	o.seed = seed;
	o.pii = PII_REDACT;
	struct dataset_summary first = export(f, &o), second;
	read_parts(f, o.folder, part);
	for (int i = 0; i < 70; i++) {
		assert_in_range(part[i], 0, PARTS - 1);
		rows[part[i]]++;
		if (i < 30)
			assert_int_equal(part[i], part[i + 30]);
	}
	json_t *manifest = J(f, content(f, o.folder, "manifest.json"));
	assert_int_equal(int_at(manifest, "split.components"), 40);
	for (int p = 0; p < PARTS; p++) {
		assert_int_equal(rows[p], first.parts[p]);
		assert_int_equal(int_at(manifest, arena_printf(f->arena, "files.%d.rows", p)), rows[p]);
	}

	const char *before = o.folder;
	o.folder = arena_printf(f->arena, "%s-again", o.folder);
	second = export(f, &o);
	assert_string_equal(first.sha256, second.sha256);
	for (int p = 0; p < PARTS; p++)
		assert_string_equal(content(f, before, part_files[p]), content(f, o.folder, part_files[p]));
	assert_string_equal(content(f, before, "rows.provenance.jsonl"),
			    content(f, o.folder, "rows.provenance.jsonl"));
}

static void test_dataset__split_by_hash_keeps_customers_whole(void **state)
{
	struct fixture *f = *state;
	int part[70], other[70], moved = 0;

	fill_months(f);
	assert_parts(f, SPLIT_HASH, 0, "zero", part);
	assert_parts(f, SPLIT_HASH, 1, "one", other);
	for (int i = 0; i < 70; i++)
		moved += part[i] != other[i];
	assert_true(moved > 0);

	/* As it is documented: anybody can compute it. */
	for (int i = 0; i < 70; i++) {
		const char *s = i < 60 ? arena_printf(f->arena, "1\ncustomer:cu-%d", i % 30)
				       : arena_printf(f->arena, "1\nconversation:c-%02d", i);
		unsigned char hash[SHA256_SIZE];
		crypto_sha256(s, strlen(s), hash);
		double at = (hash[0] + hash[1] / 256.0) / 256.0;
		assert_int_equal(other[i], at < 0.8 ? PART_TRAIN : at < 0.9 ? PART_VALID : PART_TEST);
	}
}

static void test_dataset__split_by_time_tests_on_the_youngest(void **state)
{
	struct fixture *f = *state;
	int part[70];

	fill_months(f);
	assert_parts(f, SPLIT_TIME, 0, "out", part);
	/* 56, 7 and 7 rows, but customers have two; those of nobody known came last. */
	for (int i = 0; i < 28; i++)
		assert_int_equal(part[i] <= part[i == 27 ? 60 : i + 1], 1);
	assert_int_equal(part[0], PART_TRAIN);
	assert_int_equal(part[69], PART_TEST);
	int rows[PARTS] = { 0 };
	for (int i = 0; i < 70; i++)
		rows[part[i]]++;
	assert_in_range(rows[PART_TRAIN], 55, 57);
	assert_in_range(rows[PART_VALID], 6, 8);
	assert_in_range(rows[PART_TEST], 6, 8);
}

static void test_dataset__a_part_without_rows_has_an_empty_file(void **state)
{
	struct fixture *f = *state;
	struct dataset_options o = options_of(f, DATASET_ANSWERS, "out");

	fill(f);
	assert_int_equal(export(f, &o).parts[PART_TRAIN], 2);
	assert_false(file_exists(arena_printf(f->arena, "%s/data/test.jsonl", o.folder)));
	o.folder = arena_printf(f->arena, "%s/split", f->folder);
	o.split = SPLIT_TIME;
	struct dataset_summary s = export(f, &o);
	assert_int_equal(s.parts[PART_TRAIN] + s.parts[PART_VALID] + s.parts[PART_TEST], 2);
	assert_string_equal(content(f, o.folder, "data/test.jsonl"), "");
}

static void test_dataset__formats_are_found_by_name(void **state)
{
	enum dataset_kind kind;

	(void)state;
	assert_ptr_equal(dataset_format_find("trl-sft"), &dataset_trl_sft);
	assert_null(dataset_format_find("trl"));
	assert_non_null(dataset_format_at(0));
	assert_null(dataset_format_at(1000));
	assert_int_equal(dataset_kind_find("intents", &kind), 0);
	assert_int_equal(kind, DATASET_INTENTS);
	assert_int_equal(dataset_kind_find("cases", &kind), -1);
	enum dataset_pii pii;
	enum dataset_split split;
	assert_int_equal(dataset_pii_find("keep", &pii), 0);
	assert_int_equal(pii, PII_KEEP);
	assert_int_equal(dataset_pii_find("", &pii), -1);
	assert_int_equal(dataset_split_find("hash", &split), 0);
	assert_int_equal(split, SPLIT_HASH);
	assert_int_equal(dataset_split_find("size", &split), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_messages__neighbours_of_one_role_are_joined),
		TEST(test_messages__bots_teach_nothing),
		TEST(test_messages__begin_with_the_user_and_end_with_an_answer),
		TEST(test_dataset__answers),
		TEST(test_dataset__the_same_mark_gives_the_same_bytes),
		TEST(test_dataset__since_and_until),
		TEST(test_dataset__intents_have_the_label_of_their_votes),
		TEST(test_dataset__a_label_that_was_corrected_later_is_not_known_at_the_mark),
		TEST(test_dataset__a_resolution_that_was_superseded_makes_no_row),
		TEST(test_dataset__nothing_remains_of_what_fails),
		TEST(test_dataset__nothing_remains_when_the_disk_is_full),
		TEST(test_dataset__a_conversation_of_5000_turns),
		TEST(test_dataset__an_empty_folder_is_taken),
		TEST(test_dataset__personal_data_is_redacted_unless_kept),
		TEST(test_dataset__examples_know_the_customer_of_their_conversation),
		TEST(test_dataset__split_by_hash_keeps_customers_whole),
		TEST(test_dataset__split_by_time_tests_on_the_youngest),
		TEST(test_dataset__a_part_without_rows_has_an_empty_file),
		cmocka_unit_test(test_dataset__formats_are_found_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
