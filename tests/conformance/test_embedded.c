/* test_embedded.c: the suite on the embedded engine, with and without its maintenance thread. */
#include "suite.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "embed/embed.h"
#include "engine/embedded.h"

struct embedded_case {
	int no_background;
	size_t dim;
	char folder[256];
};

static void start(void *ctx, size_t dim)
{
	struct embedded_case *c = ctx;
	const char *tmp = getenv("TMPDIR");

	c->dim = dim;
	snprintf(c->folder, sizeof(c->folder), "%s/readback-conformance-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(c->folder));
}

static struct engine *open_again(void *ctx)
{
	struct embedded_case *c = ctx;
	const struct embedder_info info = { .id = "test", .dim = c->dim, .weights = "", .precision = "" };
	const struct embedded_options o = { .folder = c->folder,
					    .embedder = &info,
					    .no_background = c->no_background };
	struct engine *g = NULL;
	struct error e = { 0 };

	if (embedded_open(&o, &g, &e) < 0)
		print_error("%s\n", e.message);
	return g;
}

static void remove_all(const char *path)
{
	DIR *d = opendir(path);

	for (struct dirent *entry; d && (entry = readdir(d));) {
		char inner[640];
		struct stat s;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		if (lstat(inner, &s) == 0 && S_ISDIR(s.st_mode))
			remove_all(inner);
		else
			unlink(inner);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

static void stop(void *ctx)
{
	struct embedded_case *c = ctx;

	remove_all(c->folder);
}

int main(void)
{
	struct embedded_case plain = { .no_background = 1 }, background = { 0 };
	const struct suite_engine engines[] = {
		{ "embedded", &plain, start, open_again, stop },
		{ "embedded, with its maintenance thread", &background, start, open_again, stop },
	};
	int failed = 0;

	if (crypto_start() < 0)
		return 1;
	for (size_t i = 0; i < 2; i++)
		failed += suite_run(&engines[i]);
	return failed;
}
