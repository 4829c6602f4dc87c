#include "store_fixture.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/file.h"
#include "store/keys.h"

/* The fixture's base folder is the data folder here; its engine stays closed. */
static struct control *open_control(struct store_fixture *f)
{
	struct control *c = NULL;

	if (control_open(f->base, 0, &c, &f->e) < 0)
		fail_msg("%s", f->e.message);
	return c;
}

static int find(struct store_fixture *f, struct control *c, const char *text, struct key_spec *out)
{
	return key_find(c, text, strlen(text), f->a, out, &f->e);
}

static void test_keys__a_key_is_found_by_its_text_alone(void **state)
{
	struct store_fixture *f = *state;
	struct control *c = open_control(f);
	const char *const groups[] = { "tier1", "emea" };
	const struct key_spec spec = {
		.name = "desk", .scopes = 3, .act_as = 1, .groups = groups, .n_groups = 2
	};
	char text[KEY_TEXT], id[KEY_TEXT];
	struct key_spec k;

	assert_int_equal(key_create(c, &spec, text, id, &f->e), 0);
	assert_int_equal(strlen(text), 46);
	assert_memory_equal(text, "rb_", 3);
	assert_int_equal(find(f, c, text, &k), 0);
	assert_string_equal(k.id, id);
	assert_string_equal(k.name, "desk");
	assert_int_equal(k.scopes, 3);
	assert_true(k.act_as);
	assert_false(k.all_groups);
	assert_int_equal(k.n_groups, 2);
	assert_string_equal(k.groups[1], "emea");
	assert_true(k.created_at > 0);
	assert_int_equal(k.revoked_at, 0);
	for (size_t i = 0; i < 46; i++) {
		char other[KEY_TEXT];
		memcpy(other, text, sizeof(other));
		other[i] = other[i] == 'A' ? 'B' : 'A';
		assert_int_equal(find(f, c, other, &k), ERR_UNAUTHENTICATED);
	}
	assert_int_equal(key_find(c, text, 45, f->a, &k, &f->e), ERR_UNAUTHENTICATED);
	assert_int_equal(find(f, c, "", &k), ERR_UNAUTHENTICATED);
	assert_int_equal(find(f, c, id, &k), ERR_UNAUTHENTICATED);
	control_close(c);
}

/* Wrong, malformed and revoked cannot be told apart. */
static void test_keys__a_revoked_key_is_as_one_that_never_was(void **state)
{
	struct store_fixture *f = *state;
	struct control *c = open_control(f);
	const struct key_spec spec = { .id = "k-1", .scopes = 1 };
	char text[KEY_TEXT], id[KEY_TEXT], first[360];
	struct key_spec k, *list;
	size_t n;

	assert_int_equal(key_create(c, &spec, text, id, &f->e), 0);
	assert_string_equal(id, "k-1");
	assert_int_equal(find(f, c, "rb_no", &k), ERR_UNAUTHENTICATED);
	memcpy(first, f->e.message, sizeof(first));
	assert_int_equal(key_revoke(c, "k-1", &f->e), 0);
	assert_int_equal(find(f, c, text, &k), ERR_UNAUTHENTICATED);
	assert_string_equal(f->e.message, first);
	assert_int_equal(key_list(c, f->a, &list, &n, &f->e), 0);
	assert_int_equal(n, 1);
	int64_t when = list[0].revoked_at;
	assert_true(when > 0);
	assert_int_equal(key_revoke(c, "k-1", &f->e), 0); /* again: the first stands */
	assert_int_equal(key_list(c, f->a, &list, &n, &f->e), 0);
	assert_int_equal(list[0].revoked_at, when);
	assert_int_equal(key_revoke(c, "k-2", &f->e), ERR_NOT_FOUND);
	control_close(c);
}

static void test_keys__ids_are_unique(void **state)
{
	struct store_fixture *f = *state;
	struct control *c = open_control(f);
	char longest[KEY_TEXT + 1];
	struct key_spec spec = { .id = "same", .scopes = 1 };
	char text[KEY_TEXT], id[KEY_TEXT];

	assert_int_equal(key_create(c, &spec, text, id, &f->e), 0);
	assert_int_equal(key_create(c, &spec, text, id, &f->e), ERR_EXISTS);
	memset(longest, 'x', KEY_TEXT);
	longest[KEY_TEXT] = '\0';
	spec.id = longest;
	assert_int_equal(key_create(c, &spec, text, id, &f->e), ERR_BAD_ID);
	spec.id = "";
	assert_int_equal(key_create(c, &spec, text, id, &f->e), ERR_BAD_ID);
	control_close(c);
}

static void test_keys__only_hashes_are_on_disk(void **state)
{
	struct store_fixture *f = *state;
	struct control *c = open_control(f);
	const struct key_spec spec = { .scopes = 1 };
	char text[KEY_TEXT], id[KEY_TEXT], path[400], *bytes;
	unsigned char hash[32];
	struct stat st;
	size_t n;

	assert_int_equal(key_create(c, &spec, text, id, &f->e), 0);
	control_close(c);
	snprintf(path, sizeof(path), "%s/control.db", f->base);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
	assert_int_equal(file_read(path, &bytes, &n, &f->e), 0);
	assert_null(memmem(bytes, n, text + 3, 20));
	crypto_sha256(text, strlen(text), hash);
	assert_non_null(memmem(bytes, n, hash, 32));
	free(bytes);
}

static void test_keys__the_dev_key_is_for_this_run(void **state)
{
	struct store_fixture *f = *state;
	struct control *c = open_control(f);
	struct key_spec k, *list;
	size_t n;

	assert_int_equal(find(f, c, "secret", &k), ERR_UNAUTHENTICATED);
	assert_int_equal(key_add_dev(c, "secret", &f->e), 0);
	assert_int_equal(find(f, c, "secret", &k), 0);
	assert_true(k.all_groups && k.act_as);
	assert_int_equal(k.scopes & 31, 31);
	assert_int_equal(find(f, c, "secret2", &k), ERR_UNAUTHENTICATED);
	assert_int_equal(key_list(c, f->a, &list, &n, &f->e), 0);
	assert_int_equal(n, 0);
	assert_int_equal(key_add_dev(c, "", &f->e), ERR_BAD_VALUE);
	control_close(c);
	c = open_control(f);
	assert_int_equal(find(f, c, "secret", &k), ERR_UNAUTHENTICATED);
	control_close(c);
}

static void test_keys__tenants_have_folders_that_say_nothing(void **state)
{
	struct store_fixture *f = *state;
	struct control *c = open_control(f), *reader;
	const char *one, *two, *again;
	unsigned char secret[32], later[32];

	assert_int_equal(control_tenant(c, "default", f->a, &one, &f->e), 0);
	assert_int_equal(control_tenant(c, "acme", f->a, &two, &f->e), 0);
	assert_string_not_equal(one, two);
	assert_null(strstr(two, "acme"));
	assert_int_equal(strncmp(one, f->base, strlen(f->base)), 0);
	assert_int_equal(control_tenant(c, "", f->a, &two, &f->e), ERR_BAD_ID);
	control_secret(c, secret);
	assert_int_equal(control_open(f->base, 1, &reader, &f->e), 0);
	assert_int_equal(control_tenant(reader, "default", f->a, &again, &f->e), 0);
	assert_string_equal(one, again);
	assert_int_equal(control_tenant(reader, "unknown", f->a, &again, &f->e), ERR_NOT_FOUND);
	control_secret(reader, later);
	assert_memory_equal(secret, later, 32);
	control_close(reader);
	control_close(c);
}

static void test_keys__reading_makes_nothing(void **state)
{
	struct store_fixture *f = *state;
	struct control *c;
	char path[400], text[KEY_TEXT], id[KEY_TEXT];
	const struct key_spec spec = { .scopes = 1 };

	assert_int_equal(control_open(f->base, 1, &c, &f->e), ERR_NOT_FOUND);
	snprintf(path, sizeof(path), "%s/control.db", f->base);
	assert_false(file_exists(path));
	control_close(open_control(f));
	assert_int_equal(control_open(f->base, 1, &c, &f->e), 0);
	assert_int_equal(key_create(c, &spec, text, id, &f->e), ERR_READ_ONLY);
	assert_int_equal(key_revoke(c, "x", &f->e), ERR_READ_ONLY);
	control_close(c);
}

/* A key made by the command line is in force in a server that runs. */
static void test_keys__two_processes_may_have_it_open(void **state)
{
	struct store_fixture *f = *state;
	struct control *server = open_control(f), *command = open_control(f);
	const struct key_spec spec = { .scopes = 1 };
	char text[KEY_TEXT], id[KEY_TEXT];
	struct key_spec k;

	assert_int_equal(key_create(command, &spec, text, id, &f->e), 0);
	assert_int_equal(find(f, server, text, &k), 0);
	assert_int_equal(key_revoke(command, id, &f->e), 0);
	assert_int_equal(find(f, server, text, &k), ERR_UNAUTHENTICATED);
	control_close(command);
	control_close(server);
}

static void *create_keys(void *arg)
{
	struct control *c = arg;
	const struct key_spec spec = { .scopes = 1, .all_groups = 1 };
	char text[KEY_TEXT], id[KEY_TEXT];
	struct arena *a = arena_new(4096);
	struct error e;
	struct key_spec k;
	long bad = 0;

	for (int i = 0; i < 10; i++) {
		bad += key_create(c, &spec, text, id, &e) < 0;
		bad += key_find(c, text, strlen(text), a, &k, &e) < 0 || strcmp(k.id, id) != 0;
	}
	arena_free(a);
	return (void *)bad;
}

static void test_keys__any_thread(void **state)
{
	struct store_fixture *f = *state;
	struct control *c = open_control(f);
	struct key_spec *list;
	pthread_t t[4];
	void *bad;
	size_t n;

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, create_keys, c), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &bad);
		assert_null(bad);
	}
	assert_int_equal(key_list(c, f->a, &list, &n, &f->e), 0);
	assert_int_equal(n, 40);
	control_close(c);
}

static void test_keys__formats(void **state)
{
	struct store_fixture *f = *state;
	struct control *c;
	char path[400];
	sqlite3 *h;

	control_close(open_control(f));
	snprintf(path, sizeof(path), "%s/control.db", f->base);
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(h);
	assert_int_equal(control_open(f->base, 0, &c, &f->e), ERR_NEWER_FORMAT);
	assert_int_equal(file_write(path, "this is no database, however long it is; it is a text", 53, &f->e),
			 0);
	assert_int_equal(control_open(f->base, 0, &c, &f->e), ERR_CORRUPT);
	assert_int_equal(control_open(f->base, 1, &c, &f->e), ERR_CORRUPT);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, store_set_up_closed, store_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_keys__a_key_is_found_by_its_text_alone),
		TEST(test_keys__a_revoked_key_is_as_one_that_never_was),
		TEST(test_keys__ids_are_unique),
		TEST(test_keys__only_hashes_are_on_disk),
		TEST(test_keys__the_dev_key_is_for_this_run),
		TEST(test_keys__tenants_have_folders_that_say_nothing),
		TEST(test_keys__reading_makes_nothing),
		TEST(test_keys__two_processes_may_have_it_open),
		TEST(test_keys__any_thread),
		TEST(test_keys__formats),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
