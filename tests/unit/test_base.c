#include "unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/gate.h"
#include "base/gzip.h"
#include "base/map.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "base/uuid.h"

static char folder[256];

static const char *in_folder(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void test_time__reads_rfc_3339_and_writes_it_again(void **state)
{
	static const struct {
		const char *in, *out;
	} good[] = {
		{ "2026-06-01T08:00:00Z", "2026-06-01T08:00:00Z" },
		{ "2026-06-01T10:30:00+02:30", "2026-06-01T08:00:00Z" },
		{ "2024-02-29T23:59:59.5Z", "2024-02-29T23:59:59.500Z" },
		{ "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z" },
		{ "2026-06-01", "2026-06-01T00:00:00Z" },
	};
	static const char *const bad[] = { "",
					   "2026",
					   "2026-13-01",
					   "2025-02-29",
					   "2026-06-01T8:00:00Z",
					   "2026-06-01T08:00:00",
					   "2026-06-01T24:00:00Z",
					   "2026-06-01T08:00:00Zx",
					   "2026-06-01T08:00:00.Z",
					   "yesterday" };
	char text[TIME_TEXT];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(time_parse(good[i].in, strlen(good[i].in), &ms), 0);
		time_format(ms, text);
		assert_string_equal(text, good[i].out);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (time_parse(bad[i], strlen(bad[i]), &ms) == 0)
			fail_msg("\"%s\" was taken for a time", bad[i]);
}

static void test_utf8__accepts_exactly_rfc_3629(void **state)
{
	static const struct {
		const char *s;
		size_t n, valid;
	} cases[] = {
		{ "", 0, 0 },
		{ "plain ascii, longer than eight bytes", 36, 36 },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, 9 },
		{ "ab\xc0\x80", 4, 2 },
		{ "\xed\xa0\x80", 3, 0 },
		{ "\xf4\x90\x80\x80", 4, 0 },
		{ "\xe2\x82", 2, 0 },
		{ "eight by\x80", 9, 8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(utf8_valid(cases[i].s, cases[i].n), cases[i].valid);
}

static void test_utf8__next_and_put_are_inverse(void **state)
{
	static const uint32_t points[] = { 'a', 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff };
	char s[4];
	uint32_t c;

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		size_t n = utf8_put(points[i], s);
		assert_int_equal(utf8_next(s, n, &c), n);
		assert_int_equal(c, points[i]);
		assert_int_equal(utf8_floor(s, n, n - 1), n == 1 ? 0 : 0);
	}
}

static void test_map__finds_what_was_put_and_keeps_the_order(void **state)
{
	struct map *m = map_new();
	char key[32];
	const char *k;
	uint64_t *v;
	size_t n, i = 0, count = 0;

	(void)state;
	for (int j = 0; j < 5000; j++) {
		int fresh;
		snprintf(key, sizeof(key), "key-%d", j);
		*map_put(m, key, strlen(key), &fresh) = (uint64_t)j;
		assert_true(fresh);
	}
	for (int j = 0; j < 5000; j++) {
		snprintf(key, sizeof(key), "key-%d", j);
		assert_int_equal(*map_get(m, key, strlen(key)), j);
	}
	assert_null(map_get(m, "key-5000", 8));
	while (map_each(m, &i, &k, &n, &v))
		assert_int_equal(*v, count++);
	assert_int_equal(count, 5000);
	map_free(m);
}

static void test_arena__large_and_small_pieces_are_zeroed_and_deferred_calls_run(void **state)
{
	struct arena *a = arena_new(1024);
	STRBUF_AUTO b = STRBUF_INIT;

	(void)state;
	strbuf_puts(&b, "x");
	for (size_t n = 1; n < 100000; n *= 3) {
		char *p = arena_alloc(a, n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
	assert_int_equal(arena_defer(a, (void (*)(void *))strbuf_clear, &b), 0);
	arena_free(a);
	assert_int_equal(b.n, 0);
}

static void test_crypto__known_answers(void **state)
{
	unsigned char h[SHA256_SIZE], key[32] = { 0 };
	char text[SHA256_TEXT], hex[65], b64[64];
	unsigned char back[32];

	(void)state;
	crypto_sha256_text("abc", 3, text);
	assert_string_equal(text, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	crypto_hmac(key, "", 0, h);
	hex_encode(h, sizeof(h), hex);
	assert_string_equal(hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
	assert_int_equal(hex_decode(hex, 64, back, 32), 0);
	assert_true(crypto_equal(h, back, 32));
	for (int i = 0; i < 32; i++)
		key[i] = (unsigned char)i;
	char data[9 * 20];
	for (int i = 0; i < 20; i++)
		memcpy(data + (ptrdiff_t)9 * i, "readback ", 9);
	crypto_hmac(key, data, sizeof(data), h); /* by Python's hmac */
	hex_encode(h, sizeof(h), hex);
	assert_string_equal(hex, "a02fc0f547f0b7b5293801ae36673645c920a4b2b737e181425cd5e4bf3b6ce2");
	assert_int_equal(hex_decode(hex, 64, back, 32), 0);
	assert_int_equal(hex_decode("zz", 2, back, 1), -1);
	base64url_encode(h, 32, b64);
	assert_int_equal(base64url_decode(b64, strlen(b64), back, 32), 32);
	assert_true(crypto_equal(h, back, 32));
	assert_int_equal(base64url_decode("a+b", 3, back, 32), -1);
}

static void test_uuid__is_version_7(void **state)
{
	char a[UUID_TEXT], b[UUID_TEXT];

	(void)state;
	uuid_v7(a);
	uuid_v7(b);
	assert_int_equal(strlen(a), 36);
	assert_int_equal(a[14], '7');
	assert_string_not_equal(a, b);
}

static void test_file__write_replaces_whole_and_read_gives_it_back(void **state)
{
	struct error e;
	char *p;
	size_t n;

	(void)state;
	assert_int_equal(file_write(in_folder("f"), "first", 5, &e), 0);
	assert_int_equal(file_write(in_folder("f"), "second one", 10, &e), 0);
	assert_int_equal(file_read(in_folder("f"), &p, &n, &e), 0);
	assert_int_equal(n, 10);
	assert_string_equal(p, "second one");
	free(p);
	assert_false(file_exists(in_folder("f.tmp")));
	assert_int_equal(file_read(in_folder("none"), &p, &n, &e), ERR_NOT_FOUND);
	assert_int_equal(file_write(in_folder("no/such/f"), "x", 1, &e), ERR_IO);
	assert_int_equal(file_write(in_folder("empty"), "", 0, &e), 0);
	const void *map;
	assert_int_equal(file_map(in_folder("empty"), &map, &n, &e), ERR_CORRUPT);
}

static void test_file__a_full_disk_is_told_and_nothing_half_written_stays(void **state)
{
	struct error e;

	(void)state;
	if (access("/dev/full", W_OK) != 0)
		skip();
	/* the temporary name leads to a device that is always full */
	assert_int_equal(symlink("/dev/full", in_folder("full.tmp")), 0);
	assert_int_equal(file_write(in_folder("full"), "x", 1, &e), ERR_DISK_FULL);
	assert_false(file_exists(in_folder("full")));
}

static void test_folder__lock_names_its_holder(void **state)
{
	struct error e;
	int fd, second;
	char pid[32];

	(void)state;
	assert_int_equal(folder_lock(folder, &fd, &e), 0);
	assert_int_equal(folder_lock(folder, &second, &e), ERR_FOLDER_IN_USE);
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	assert_non_null(strstr(e.message, pid));
	folder_unlock(fd);
	assert_int_equal(folder_lock(folder, &fd, &e), 0);
	folder_unlock(fd);
}

static void test_folder__a_file_in_the_way_is_told(void **state)
{
	struct error e;

	(void)state;
	assert_int_equal(file_write(in_folder("file"), "x", 1, &e), 0);
	assert_int_equal(folder_make(in_folder("file"), &e), ERR_FOLDER);
	assert_int_equal(folder_make(in_folder("file/below"), &e), ERR_FOLDER);
	assert_int_equal(folder_make("", &e), ERR_FOLDER);
	assert_int_equal(folder_make(in_folder("a/b/c"), &e), 0);
	assert_true(file_is_folder(in_folder("a/b/c")));
}

static void read_lines(const char *path, size_t max, const char *const *want, size_t n)
{
	struct error e;
	struct lines *l;
	const char *line;
	size_t len, got = 0;

	assert_int_equal(lines_open(path, &l, &e), 0);
	while (lines_next(l, max, &line, &len, &e) == 1) {
		assert_true(got < n);
		assert_string_equal(line, want[got++]);
	}
	assert_int_equal(got, n);
	lines_close(l);
}

static void test_lines__reads_plain_and_gzip_and_a_last_line_without_newline(void **state)
{
	static const char text[] = "one\n\nthree";
	static const char *const want[] = { "one", "", "three" };
	struct error e;
	struct arena *a = arena_new(4096);
	const char *packed;
	size_t n;

	(void)state;
	assert_int_equal(file_write(in_folder("plain"), text, sizeof(text) - 1, &e), 0);
	read_lines(in_folder("plain"), 100, want, 3);
	assert_int_equal(gzip_pack(a, text, sizeof(text) - 1, &packed, &n), 0);
	assert_int_equal(file_write(in_folder("packed"), packed, n, &e), 0);
	read_lines(in_folder("packed"), 100, want, 3);
	arena_free(a);
}

static void test_lines__a_gzip_cut_short_is_an_error(void **state)
{
	struct error e;
	struct arena *a = arena_new(4096);
	struct lines *l;
	char text[5000];
	const char *packed, *line;
	size_t n, len;
	int rc;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + (i * i + i / 7) % 26);
	assert_int_equal(gzip_pack(a, text, sizeof(text), &packed, &n), 0);
	assert_int_equal(file_write(in_folder("cut"), packed, n / 2, &e), 0);
	assert_int_equal(lines_open(in_folder("cut"), &l, &e), 0);
	while ((rc = lines_next(l, 1 << 20, &line, &len, &e)) == 1)
		;
	assert_int_equal(rc, ERR_CORRUPT);
	lines_close(l);
	arena_free(a);
}

struct crowd {
	struct gate *gate;
	atomic_int inside, most;
};

static void *pass(void *arg)
{
	struct crowd *c = arg;

	for (int i = 0; i < 500; i++) {
		gate_enter(c->gate);
		int now = atomic_fetch_add(&c->inside, 1) + 1;
		int most = atomic_load(&c->most);
		while (now > most && !atomic_compare_exchange_weak(&c->most, &most, now))
			;
		atomic_fetch_sub(&c->inside, 1);
		gate_leave(c->gate);
	}
	return NULL;
}

static void test_gate__never_lets_more_in_than_it_has_places(void **state)
{
	struct crowd c = { .gate = gate_new(3) };
	pthread_t t[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&t[i], NULL, pass, &c), 0);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	assert_true(atomic_load(&c.most) <= 3);
	assert_int_equal(atomic_load(&c.inside), 0);
	gate_free(c.gate);
}

static int make_folder(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/readback-base-XXXXXX", base ? base : "/tmp");
	return crypto_start() == 0 && mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time__reads_rfc_3339_and_writes_it_again),
		cmocka_unit_test(test_utf8__accepts_exactly_rfc_3629),
		cmocka_unit_test(test_utf8__next_and_put_are_inverse),
		cmocka_unit_test(test_map__finds_what_was_put_and_keeps_the_order),
		cmocka_unit_test(test_arena__large_and_small_pieces_are_zeroed_and_deferred_calls_run),
		cmocka_unit_test(test_crypto__known_answers),
		cmocka_unit_test(test_uuid__is_version_7),
		cmocka_unit_test(test_file__write_replaces_whole_and_read_gives_it_back),
		cmocka_unit_test(test_file__a_full_disk_is_told_and_nothing_half_written_stays),
		cmocka_unit_test(test_folder__lock_names_its_holder),
		cmocka_unit_test(test_folder__a_file_in_the_way_is_told),
		cmocka_unit_test(test_lines__reads_plain_and_gzip_and_a_last_line_without_newline),
		cmocka_unit_test(test_lines__a_gzip_cut_short_is_an_error),
		cmocka_unit_test(test_gate__never_lets_more_in_than_it_has_places),
	};
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
