#include "desk_fixture.h"

#include "base/strbuf.h"
#include "engine/search.h"
#include "ingest/document.h"

static int open_words(void **state)
{
	*state = fixture_open("none");
	return 0;
}

static int open_vectors(void **state)
{
	*state = fixture_open("minilm");
	return 0;
}

static int close_all(void **state)
{
	fixture_close(*state);
	return 0;
}

static json_t *put(struct fixture *f, const char *id, const char *body)
{
	return ACT(f, document_act, id, J(f, body));
}

/* A put that must fail with this code at this field. */
static void refused(struct fixture *f, const char *id, json_t *body, int code, const char *param)
{
	json_t *result = NULL;
	int rc = document_act(&f->desk, &f->call, id, body, &result);

	if (rc != code)
		fail_msg("%d, not %s (%s)", rc, error_kind(code)->name, f->err.message);
	assert_string_equal(f->err.param, param);
	assert_null(result);
}

static void test_document__says_what_became_of_it(void **state)
{
	struct fixture *f = *state;
	json_t *r = put(f, "help-1", "{'title':'Returns','text':'You have 30 days.','source':'help'}");

	assert_true(json_is_true(at(r, "created")));
	json_t *shown = ACT(f, document_show, r);
	assert_string_equal(string_at(shown, "id"), "help-1");
	assert_string_equal(string_at(shown, "state"), "findable");
	assert_int_equal(int_at(shown, "revision"), 1);
	assert_int_equal(strlen(string_at(shown, "version")), SHA256_TEXT - 1);

	json_t *got = ACT(f, document_get, "help-1");
	assert_string_equal(string_at(got, "text"), "You have 30 days.");
	assert_string_equal(string_at(got, "title"), "Returns");
	assert_true(json_is_null(at(got, "acl")));
	assert_string_equal(string_at(got, "version"), string_at(shown, "version"));
}

static void test_document__the_same_again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	const char *body =
		"{'title':'A','text':'b','acl':['y','x','x'],'attributes':{'n':1},'source':'s','url':'u'}";
	struct engine_status before, after;

	put(f, "d", body);
	NO_ERROR(f, engine_status(f->desk.engine, f->arena, &before, &f->err));
	json_t *r = put(
		f, "d",
		"{'title':'A','text':'b','acl':['x','y'],'attributes':{'n':1},'source':'s','url':'u'}");
	NO_ERROR(f, engine_status(f->desk.engine, f->arena, &after, &f->err));
	assert_string_equal(string_at(r, "result"), "unchanged");
	assert_true(json_is_false(at(r, "created")));
	assert_int_equal(int_at(r, "revision"), 1);
	assert_int_equal(before.seq, after.seq);
}

static void test_document__rights_alone_are_a_revision_of_the_same_version(void **state)
{
	struct fixture *f = *state;
	json_t *one = put(f, "d", "{'title':'A','text':'b'}");
	json_t *two = put(f, "d", "{'title':'A','text':'b','acl':['x']}");
	json_t *three = put(f, "d", "{'title':'A','text':'b','acl':['x'],'updated_at':'2020-01-01'}");
	json_t *four = put(f, "d", "{'title':'A','text':'c','acl':['x']}");

	assert_string_equal(string_at(one, "version"), string_at(two, "version"));
	assert_int_equal(int_at(two, "revision"), 2);
	assert_string_equal(string_at(two, "result"), "updated");
	assert_int_equal(int_at(three, "revision"), 3);
	assert_int_equal(int_at(four, "revision"), 4);
	assert_string_not_equal(string_at(four, "version"), string_at(one, "version"));

	struct scan s = { .kind = RECORD_VERSION, .field = { "document" }, .value = { "d" }, .limit = 10 };
	struct record *versions;
	size_t n;
	NO_ERROR(f, engine_scan(f->desk.engine, &s, f->arena, &versions, &n, &f->err));
	assert_int_equal(n, 2);
	assert_string_equal(versions[0].text.s, "b");
	assert_string_equal(versions[1].text.s, "c");
}

static size_t found(struct fixture *f, const char *query)
{
	struct search_request q = { .query = text_of(query), .no_vector = 1, .k = 10 };
	struct search_result r;

	NO_ERROR(f, search_run(f->desk.engine, f->desk.embedder, &f->rights, &q, f->arena, &r, &f->err));
	return r.n;
}

static void test_document__is_found_at_once_under_its_new_rights_only(void **state)
{
	static const char *const groups[] = { "tier1" };
	struct fixture *f = *state;

	put(f, "d", "{'title':'Refunds','text':'Money comes back in five days.'}");
	fixture_caller(f, fixture_rights("k-1", SCOPE_CURATOR, groups, 1));
	assert_int_equal(found(f, "money"), 1);
	fixture_caller(f, fixture_rights("k-all", SCOPE_ADMIN, NULL, 0));
	put(f, "d", "{'title':'Refunds','text':'Money comes back in five days.','acl':['billing']}");
	assert_int_equal(found(f, "money"), 1);
	fixture_caller(f, fixture_rights("k-1", SCOPE_CURATOR, groups, 1));
	assert_int_equal(found(f, "money"), 0);
	fixture_caller(f, fixture_rights("k-all", SCOPE_ADMIN, NULL, 0));
	put(f, "d", "{'title':'Refunds','text':'Vouchers only.','acl':['billing']}");
	assert_int_equal(found(f, "money"), 0);
	assert_int_equal(found(f, "vouchers"), 1);
}

static void test_document__another_group_cannot_see_change_or_delete_it(void **state)
{
	static const char *const groups[] = { "tier1" };
	struct fixture *f = *state;
	json_t *out = NULL;

	put(f, "d", "{'text':'secret','acl':['billing']}");
	fixture_caller(f, fixture_rights("k-1", SCOPE_CURATOR, groups, 1));
	assert_int_equal(document_get(&f->desk, &f->call, "d", &out), ERR_NOT_FOUND);
	assert_int_equal(document_delete_act(&f->desk, &f->call, "d", &out), ERR_NOT_FOUND);
	refused(f, "d", J(f, "{'text':'mine now'}"), ERR_NOT_FOUND, "");
	refused(f, "e", J(f, "{'text':'x','acl':['billing']}"), ERR_FORBIDDEN, "acl");
	put(f, "e", "{'text':'x','acl':['tier1']}");
	fixture_caller(f, fixture_rights("k-2", SCOPE_AGENT, groups, 1));
	assert_null(at(ACT(f, document_get, "e"), "acl"));
}

static void test_document__deleting_and_putting_again(void **state)
{
	struct fixture *f = *state;
	json_t *out = NULL;

	put(f, "d", "{'text':'one word'}");
	assert_string_equal(string_at(ACT(f, document_delete_act, "d"), "id"), "d");
	assert_int_equal(document_get(&f->desk, &f->call, "d", &out), ERR_NOT_FOUND);
	assert_int_equal(document_delete_act(&f->desk, &f->call, "d", &out), ERR_NOT_FOUND);
	assert_int_equal(found(f, "word"), 0);
	json_t *r = put(f, "d", "{'text':'one word'}");
	assert_true(json_is_true(at(r, "created")));
	assert_int_equal(int_at(r, "revision"), 3);
	assert_int_equal(found(f, "word"), 1);
}

static void test_document__if_match(void **state)
{
	struct fixture *f = *state;
	json_t *out = NULL;

	put(f, "d", "{'text':'one'}");
	f->call.if_match = 2;
	refused(f, "d", J(f, "{'text':'two'}"), ERR_PRECONDITION, "If-Match");
	assert_int_equal(document_delete_act(&f->desk, &f->call, "d", &out), ERR_PRECONDITION);
	f->call.if_match = 1;
	put(f, "d", "{'text':'two'}");
	refused(f, "d", J(f, "{'text':'three'}"), ERR_PRECONDITION, "If-Match");
}

static void test_document__a_repeated_request_has_its_answer_even_if_nothing_changed(void **state)
{
	struct fixture *f = *state;
	struct record r;

	put(f, "d", "{'text':'one'}");
	f->call.request = "req-1";
	f->call.request_hash = "h";
	put(f, "d", "{'text':'one'}");
	NO_ERROR(f, engine_get(f->desk.engine, RECORD_REQUEST, "req-1", f->arena, &r, &f->err));
}

static void test_document__wrong_bodies(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *body, *param;
		int code;
	} cases[] = {
		{ "{'title':'x'}", "text", ERR_MISSING_FIELD },
		{ "{'text':''}", "text", ERR_EMPTY_TEXT },
		{ "{'title':' ','text':'\\n'}", "text", ERR_EMPTY_TEXT },
		{ "{'text':'x','markdown':'y'}", "markdown", ERR_BAD_VALUE },
		{ "{'text':'x','html':'y'}", "html", ERR_BAD_VALUE },
		{ "{'html':'<p>'}", "text", ERR_EMPTY_TEXT },
		{ "{'html':'<script>x</script><!-- y -->'}", "text", ERR_EMPTY_TEXT },
		{ "{'text':7}", "text", ERR_WRONG_TYPE },
		{ "{'txt':'x','text':'y'}", "txt", ERR_UNKNOWN_FIELD },
		{ "{'text':'x','_id':'y'}", "_id", ERR_UNKNOWN_FIELD },
		{ "{'text':'x','metadata':{}}", "metadata", ERR_UNKNOWN_FIELD },
		{ "{'text':'x','acl':[]}", "acl", ERR_BAD_VALUE },
		{ "{'text':'x','acl':'tier1'}", "acl", ERR_WRONG_TYPE },
		{ "{'text':'x','acl':['']}", "acl[0]", ERR_EMPTY_TEXT },
		{ "{'text':'x','attributes':{'a':{'b':1}}}", "attributes", ERR_WRONG_TYPE },
		{ "{'text':'x','attributes':{'a':[1]}}", "attributes", ERR_WRONG_TYPE },
		{ "{'text':'x','attributes':{'a':null}}", "attributes", ERR_WRONG_TYPE },
		{ "{'text':'x','updated_at':'yesterday'}", "updated_at", ERR_BAD_VALUE },
		{ "{'text':'x','vector':[1,0]}", "vector", ERR_NO_EMBEDDER },
		{ "{'text':'x','chunks':[{'start':0,'end':1,'vector':[1]}]}", "chunks", ERR_NO_EMBEDDER },
		{ "[1]", "", ERR_WRONG_TYPE },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refused(f, "d", J(f, cases[i].body), cases[i].code, cases[i].param);
	refused(f, "", J(f, "{'text':'x'}"), ERR_BAD_ID, "id");
	refused(f, "a\nb", J(f, "{'text':'x'}"), ERR_BAD_ID, "id");
	refused(f, NULL, J(f, "{'text':'x'}"), ERR_MISSING_FIELD, "_id");
	refused(f, NULL, J(f, "{'_id':'','text':'x'}"), ERR_BAD_ID, "_id");
	refused(f, NULL, J(f, "{'_id':'a','text':'x','metadata':{'a':1},'attributes':{'b':1}}"),
		ERR_BAD_VALUE, "metadata");
}

static void test_document__too_long_a_text(void **state)
{
	struct fixture *f = *state;
	size_t n = DOCUMENT_MAX_TEXT + 1;
	char *s = arena_alloc(f->arena, n + 1);

	memset(s, 'a', n);
	json_t *body = json_keep(f->arena, json_pack("{s:s%}", "text", s, n));
	refused(f, "d", body, ERR_TOO_LARGE, "text");
}

static void test_document__beir_metadata_are_attributes(void **state)
{
	struct fixture *f = *state;

	put(f, NULL, "{'_id':'b-1','title':'','text':'t','metadata':{'lang':'en'}}");
	assert_string_equal(string_at(ACT(f, document_get, "b-1"), "attributes.lang"), "en");
	put(f, NULL, "{'_id':'b-2','title':'','text':'t','metadata':{}}");
	assert_int_equal(json_object_size(at(ACT(f, document_get, "b-2"), "attributes")), 0);
}

static void test_document__markdown_gives_text_and_title(void **state)
{
	struct fixture *f = *state;

	put(f, "m", "{'markdown':'# Returns\\n\\nYou have **30 days**.'}");
	json_t *got = ACT(f, document_get, "m");
	assert_string_equal(string_at(got, "title"), "Returns");
	assert_non_null(strstr(string_at(got, "text"), "You have 30 days."));
	put(f, "n", "{'title':'Mine','markdown':'# Returns\\n\\nx'}");
	assert_string_equal(string_at(ACT(f, document_get, "n"), "title"), "Mine");
}

static void test_document__title_and_text_do_not_run_together(void **state)
{
	char a[SHA256_TEXT], b[SHA256_TEXT];

	(void)state;
	document_version(text_of("ab"), text_of("c"), a);
	document_version(text_of("a"), text_of("bc"), b);
	assert_string_not_equal(a, b);
	document_version(text_of("a\n"), text_of("b"), a);
	document_version(text_of("a"), text_of("\nb"), b);
	assert_string_not_equal(a, b);
}

static void test_document__lists_go_on_behind_the_last_id(void **state)
{
	static const char *const groups[] = { "tier1" };
	struct fixture *f = *state;
	struct text none = { NULL, 0 };
	json_t *out = NULL;

	for (int i = 0; i < 25; i++) {
		char id[16], body[80];
		snprintf(id, sizeof(id), "d%02d", i);
		snprintf(body, sizeof(body), "{'text':'t','source':'%s'%s}", i % 2 ? "odd" : "even",
			 i == 4 ? ",'acl':['billing']" : "");
		put(f, id, body);
	}
	json_t *page = ACT(f, document_list, none, none, 10);
	assert_int_equal(json_array_size(at(page, "data")), 10);
	assert_true(json_is_true(at(page, "has_more")));
	assert_string_equal(string_at(page, "last_id"), "d09");
	assert_null(at(page, "data.0.text"));
	page = ACT(f, document_list, none, text_of("d19"), 10);
	assert_int_equal(json_array_size(at(page, "data")), 5);
	assert_false(json_is_true(at(page, "has_more")));

	fixture_caller(f, fixture_rights("k-1", SCOPE_CURATOR, groups, 1));
	page = ACT(f, document_list, text_of("even"), none, 3);
	assert_string_equal(string_at(page, "data.2.id"), "d06");
	assert_int_equal(document_list(&f->desk, &f->call, none, text_of("d04"), 3, &out), ERR_NOT_FOUND);
	page = ACT(f, source_list);
	assert_string_equal(string_at(page, "data.0.source"), "even");
	assert_int_equal(int_at(page, "data.0.documents"), 12);
	assert_int_equal(int_at(page, "data.1.documents"), 12);
	page = ACT(f, document_list, text_of("nowhere"), none, 3);
	assert_true(json_is_null(at(page, "last_id")));
}

/* --- with vectors ------------------------------------------------------------------------------------- */

static size_t rows_of(struct fixture *f, const char *id, struct entry_row **rows)
{
	size_t n;

	NO_ERROR(f, engine_rows(f->desk.engine, RECORD_DOCUMENT, id, f->arena, rows, &n, &f->err));
	return n;
}

static void test_document__a_short_text_has_one_vector_and_one_of_its_title(void **state)
{
	struct fixture *f = *state;
	struct entry_row *rows;

	if (!f) {
		skip();
		return;
	}
	put(f, "d", "{'title':'Returns','text':'You have 30 days.'}");
	assert_int_equal(rows_of(f, "d", &rows), 2);
	assert_int_equal(rows[0].field, ROW_TITLE);
	assert_int_equal(rows[1].field, ROW_WHOLE);
	assert_int_equal(rows[1].end, 17);
	assert_non_null(rows[1].vector);
	put(f, "e", "{'text':'You have 30 days.'}");
	assert_int_equal(rows_of(f, "e", &rows), 1);
	put(f, "g", "{'title':'Only a title','text':''}");
	assert_int_equal(rows_of(f, "g", &rows), 1);
	assert_int_equal(rows[0].field, ROW_TITLE);
}

static void test_document__a_long_text_is_cut_into_chunks_that_cover_it(void **state)
{
	struct fixture *f = *state;
	STRBUF_AUTO text = STRBUF_INIT;
	struct entry_row *rows;

	if (!f) {
		skip();
		return;
	}
	for (int i = 0; i < 200; i++)
		strbuf_printf(&text, "Sentence number %d says something about parcels. ", i);
	json_t *body = json_keep(f->arena, json_pack("{s:s, s:s}", "title", "Parcels", "text", text.p));
	ACT(f, document_act, "d", body);
	size_t n = rows_of(f, "d", &rows);
	assert_true(n > 10);
	assert_int_equal(rows[1].field, ROW_WHOLE);
	assert_int_equal(rows[2].start, 0);
	for (size_t i = 2; i < n; i++) {
		assert_int_equal(rows[i].field, ROW_CHUNK);
		assert_int_equal(rows[i].n, i - 2);
		assert_true(rows[i].start < rows[i].end && rows[i].end <= text.n);
		assert_true(i == 2 || rows[i].start == rows[i - 1].end + 1);
	}
	assert_true(rows[n - 1].end >= text.n - 1);
}

static const char *unit_json(struct fixture *f, size_t axis)
{
	STRBUF_AUTO b = STRBUF_INIT;

	for (size_t i = 0; i < embedder_info(f->desk.embedder)->dim; i++)
		strbuf_printf(&b, "%s%d", i ? "," : "[", i == axis ? 2 : 0);
	strbuf_putc(&b, ']');
	return arena_strndup(f->arena, b.p, b.n);
}

static void test_document__vectors_of_the_client(void **state)
{
	struct fixture *f = *state;
	struct entry_row *rows;

	if (!f) {
		skip();
		return;
	}
	put(f, "v", arena_printf(f->arena, "{'title':'T','text':'passage','vector':%s}", unit_json(f, 3)));
	assert_int_equal(rows_of(f, "v", &rows), 1);
	assert_true(rows[0].vector[3] == 1);

	json_t *r = put(
		f, "v",
		arena_printf(f->arena, "{'title':'T','text':'passage','vector':%s}", unit_json(f, 4)));
	assert_string_equal(string_at(r, "result"), "updated");
	rows_of(f, "v", &rows);
	assert_true(rows[0].vector[4] == 1);

	const char *chunk = "{'text':'x\xc3\xa9z','chunks':[{'start':%d,'end':%d,'vector':%s}]}";
	put(f, "c", arena_printf(f->arena, chunk, 1, 3, unit_json(f, 0)));
	assert_int_equal(rows_of(f, "c", &rows), 1);
	assert_int_equal(rows[0].start, 1);
	refused(f, "c", J(f, arena_printf(f->arena, chunk, 1, 2, unit_json(f, 0))), ERR_BAD_VALUE,
		"chunks[0].end");
	refused(f, "c", J(f, arena_printf(f->arena, chunk, 2, 3, unit_json(f, 0))), ERR_BAD_VALUE,
		"chunks[0].start");
	refused(f, "c", J(f, arena_printf(f->arena, chunk, 1, 9, unit_json(f, 0))), ERR_BAD_VALUE,
		"chunks[0].end");
	refused(f, "c", J(f, arena_printf(f->arena, chunk, 1, 1, unit_json(f, 0))), ERR_BAD_VALUE,
		"chunks[0].end");
	refused(f, "c", J(f, arena_printf(f->arena, chunk, 1, 3, "[1,2]")), ERR_WRONG_DIMENSION,
		"chunks[0].vector");
	refused(f, "c", J(f, "{'text':'x','vector':[1,2]}"), ERR_WRONG_DIMENSION, "vector");
	refused(f, "c", J(f, "{'markdown':'x','chunks':[{'start':0,'end':1,'vector':[1]}]}"), ERR_BAD_VALUE,
		"chunks");
	refused(f, "c", J(f, "{'text':'x','vector':[1],'chunks':[]}"), ERR_BAD_VALUE, "chunks");
}

#define WORDS(t) cmocka_unit_test_setup_teardown(t, open_words, close_all)
#define VECTORS(t) cmocka_unit_test_setup_teardown(t, open_vectors, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORDS(test_document__says_what_became_of_it),
		WORDS(test_document__the_same_again_changes_nothing),
		WORDS(test_document__rights_alone_are_a_revision_of_the_same_version),
		WORDS(test_document__is_found_at_once_under_its_new_rights_only),
		WORDS(test_document__another_group_cannot_see_change_or_delete_it),
		WORDS(test_document__deleting_and_putting_again),
		WORDS(test_document__if_match),
		WORDS(test_document__a_repeated_request_has_its_answer_even_if_nothing_changed),
		WORDS(test_document__wrong_bodies),
		WORDS(test_document__too_long_a_text),
		WORDS(test_document__beir_metadata_are_attributes),
		WORDS(test_document__markdown_gives_text_and_title),
		WORDS(test_document__title_and_text_do_not_run_together),
		WORDS(test_document__lists_go_on_behind_the_last_id),
		VECTORS(test_document__a_short_text_has_one_vector_and_one_of_its_title),
		VECTORS(test_document__a_long_text_is_cut_into_chunks_that_cover_it),
		VECTORS(test_document__vectors_of_the_client),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
