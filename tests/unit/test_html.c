/*
 * What people read of a page, and pages that are made to hurt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "text/html_depth.h"
#include "text/passage.h"

static const char *html(struct arena *a, const char *s, const char **title)
{
	struct text out, heading;
	struct error e = { 0 };

	assert_int_equal(html_text(a, s, strlen(s), &out, &heading, &e), 0);
	assert_int_equal(strlen(out.s), out.n);
	*title = heading.s;
	return out.s;
}

static void test_html__loses_its_markup(void **state)
{
	const char *title;

	assert_string_equal(html(*state,
				 "<!doctype html><title>Shop &ndash; help</title><body>"
				 "<h1>Return  a\n <em>parcel</em></h1><p>Within 30&nbsp;days,<br>free of "
				 "charge.</p><div>Ask <a href='/x'>us</a>.</div><hr>Bye<!-- a > b -->!",
				 &title),
			    "Return a parcel\n\nWithin 30 days,\nfree of charge.\n\nAsk us.\n\nBye!");
	assert_string_equal(title, "Return a parcel");
	assert_string_equal(html(*state, "<title>\n Only \n a title</title>text", &title), "text");
	assert_string_equal(title, "Only a title");
	assert_string_equal(html(*state, "just &lt;text&gt; &amp; more", &title), "just <text> & more");
	assert_null(title);
	assert_string_equal(html(*state, "", &title), "");
}

static void test_html__lists_tables_and_code(void **state)
{
	const char *title;

	assert_string_equal(html(*state,
				 "<p>Steps:</p><ol><li>Open <b>Settings</b><li><p>Tap</p><p>Reset</p></li>"
				 "<li>Then<ul><li>wait</li><li>smile</li></ul></li></ol><p>Done</p>",
				 &title),
			    "Steps:\n\n- Open Settings\n- Tap\n\nReset\n- Then\n- wait\n- smile\n\nDone");
	assert_string_equal(html(*state,
				 "<table><caption>Fees</caption><thead><tr> <th>Country <th>Fee</thead>"
				 "<tr><td><p>Norway</p></td> <td>5<br>NOK</td></tr></table>after",
				 &title),
			    "Fees\n\nCountry | Fee\nNorway | 5 NOK\n\nafter");
	assert_string_equal(html(*state, "<table><tr><td><h2>Left</h2>a<td>b</table>", &title),
			    "Left\n\na\n\nb");
	assert_string_equal(html(*state, "<p>Run</p><pre>a  b\n  c\n</pre>", &title), "Run\n\na  b\n  c");
	assert_string_equal(html(*state, "<dl><dt>ETA<dd>3 days<dt>Fee<dd>none</dl>", &title),
			    "ETA\n3 days\nFee\nnone");
}

static void test_html__boilerplate_is_left_out(void **state)
{
	const char *title;
	const char *page =
		"<html><head><title>T</title><style>p{}</style></head><body>"
		"<header><a href=/>Home</a></header><nav><ul><li>Menu</ul></nav>"
		"<ul><li><a>One</a><li><a>Two</a><li><a>Three</a></ul>"
		"<div role=dialog>Cookies?</div><div hidden>no</div>"
		"<div style='color:red; display: none'>no</div><aside>Advert</aside>"
		"<p>The answer.</p><ul><li>See <a>this</a> if it fails<li>or call</ul>"
		"<script>if (a < b) x('<p>no</p>')</script><noscript>no</noscript>"
		"<form><p>Was this helpful?</p><button>Yes</button><select><option>1</select></form>"
		"<footer>&copy; 2026</footer></body></html>";

	assert_string_equal(html(*state, page, &title),
			    "The answer.\n\n- See this if it fails\n- or call\n\nWas this helpful?");
	assert_string_equal(title, "T");
	assert_string_equal(html(*state,
				 "<p>Shop</p><main><header><h1>Fees</h1></header><aside>Note: none.</aside>"
				 "<ul><li><a>A</a><li><a>B</a><li><a>C</a></ul></main><p>Legal</p>",
				 &title),
			    "Fees\n\nNote: none.\n\n- A\n- B\n- C");
	assert_string_equal(title, "Fees");
	assert_string_equal(html(*state, "<p>x</p><article>It</article>", &title), "It");
	assert_string_equal(html(*state, "<article>1</article><article>2</article>", &title), "1\n\n2");
	/* a page that is all menu is about that */
	assert_string_equal(html(*state, "<ul><li><a>A</a><li><a>B</a><li><a>C</a></ul>", &title),
			    "- A\n- B\n- C");
}

static void test_html__broken_markup(void **state)
{
	const char *title;

	assert_string_equal(html(*state, "<p>a<b>b<p>c</i>d<table><tr>x<td>y", &title), "ab\n\ncdx\n\ny");
	assert_string_equal(html(*state, "&#0;&#xD800;&bogus; < 3 <", &title),
			    "\xEF\xBF\xBD\xEF\xBF\xBD&bogus; < 3 <");
}

static void test_html_depth__counts_as_a_parser_does(void **state)
{
	static const struct {
		const char *html;
		size_t depth;
	} cases[] = {
		{ "", 0 },
		{ "a < b <3 </ >", 0 },
		{ "<div><div></div></div><div>", 2 },
		{ "<p><p><p><li><li><br><img>", 0 },
		{ "<a title='<b><b>'><a title=\"<b>\">", 2 },
		{ "<a x=\"'\"><b y='\"'><i>", 3 },
		{ "<!-- <b><b><b> --><b>", 1 },
		{ "<a t=\"<!--\"><b><b>", 3 },
		{ "<script>'<b><b><b>'</script><b>", 1 },
		{ "<!--><b>", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (html_depth(cases[i].html, strlen(cases[i].html)) != cases[i].depth)
			fail_msg("%s: %zu", cases[i].html, html_depth(cases[i].html, strlen(cases[i].html)));
}

static void test_html__nested_too_deeply_is_an_error(void **state)
{
	size_t n = 10 << 20;
	char *s = malloc(n);
	struct text out, title;
	struct error e = { 0 };

	assert_non_null(s);
	memset(s, 'x', n);
	for (size_t i = 0; i < 100000; i++)
		memcpy(s + i * 5, "<div>", 5);
	assert_int_equal(html_text(*state, s, n, &out, &title, &e), ERR_TOO_LARGE);
	assert_string_equal(e.param, "html");
	/* half of a thousand is fine */
	memset(s, 'x', n);
	for (size_t i = 0; i < 500; i++)
		memcpy(s + i * 5, "<div>", 5);
	assert_int_equal(html_text(*state, s, n, &out, &title, &e), 0);
	assert_int_equal(out.n, n - 2500);
	free(s);
}

/* Answered or refused, within bounds; never a crash. */
static void test_html__survives_hostile_pages(void **state)
{
	static const char *const units[] = {
		"<",    "<a ",   "<a b=\"", "<p><b>", "<table>",    "<table><tr><td>",
		"<!--", "</p>",  "&amp",    "<li>",   "<svg><p>",   "<b></p>",
		"<p>",  "a<br>", "<td>",    "<h1>",   "<a><b></a>", "<x y=1 z>"
	};
	size_t n = 1 << 20;
	char *s = malloc(n);

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct arena *a = arena_new(1 << 20);
		struct text out, title;
		struct error e = { 0 };
		size_t len = strlen(units[i]);
		int64_t t = clock_mono_us();
		for (size_t k = 0; k < n; k++)
			s[k] = units[i][k % len];
		int rc = html_text(a, s, n, &out, &title, &e);
		t = clock_mono_us() - t;
		if (rc != 0 && rc != ERR_TOO_LARGE)
			fail_msg("'%s' is %d: %s", units[i], rc, e.message);
		if (t > 60 * 1000000)
			fail_msg("'%s' took %.1f s", units[i], (double)t / 1e6);
		if (getenv("TIMES"))
			printf("%-20.20s %d %.2f\n", units[i], rc, (double)t / 1e6);
		arena_free(a);
	}
	free(s);
}

/* Five hundred open elements that each new block repeats: the tree would have 100 million nodes. */
static void test_html__a_tree_past_its_limit_is_an_error(void **state)
{
	size_t n = 0, cap = 2 << 20;
	char *s = malloc(cap);
	struct text out, title;
	struct error e = { 0 };

	assert_non_null(s);
	for (int i = 0; i < 500; i++)
		n += (size_t)snprintf(s + n, cap - n, "<p><font size=%d>", i);
	while (n + 5 < cap) {
		memcpy(s + n, "<p>x", 4);
		n += 4;
	}
	assert_int_equal(html_text(*state, s, n, &out, &title, &e), ERR_TOO_LARGE);
	free(s);
}

static int set_up(void **state)
{
	return (*state = arena_new(1 << 16)) ? 0 : -1;
}

static int tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_html__loses_its_markup),
		TEST(test_html__lists_tables_and_code),
		TEST(test_html__boilerplate_is_left_out),
		TEST(test_html__broken_markup),
		TEST(test_html_depth__counts_as_a_parser_does),
		TEST(test_html__nested_too_deeply_is_an_error),
		TEST(test_html__survives_hostile_pages),
		TEST(test_html__a_tree_past_its_limit_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
