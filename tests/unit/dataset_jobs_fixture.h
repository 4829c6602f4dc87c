/* dataset_jobs_fixture.h: training sets that a server makes, for the tests of these. */
#ifndef READBACK_TESTS_DATASET_JOBS_FIXTURE_H
#define READBACK_TESTS_DATASET_JOBS_FIXTURE_H

#include "dataset_fixture.h"

#include "base/clock.h"
#include "datasets/dataset_jobs.h"

#define PATIENCE_US 20000000

static inline const char *in_sets(struct fixture *f, const char *name)
{
	return arena_printf(f->arena, "%s/datasets/%s", f->folder, name);
}

static inline struct dataset_jobs *open_sets(struct fixture *f)
{
	struct dataset_jobs *j;

	NO_ERROR(f,
		 dataset_jobs_open(&f->desk, arena_printf(f->arena, "%s/datasets", f->folder), &j, &f->err));
	return j;
}

static inline const char *ask(struct fixture *f, struct dataset_jobs *j, const char *body)
{
	json_t *r = NULL;

	NO_ERROR(f, dataset_act(j, &f->call, J(f, body), &r));
	return string_at(json_keep(f->arena, r), "job");
}

static inline json_t *told(struct fixture *f, struct dataset_jobs *j, const char *id)
{
	json_t *out = NULL;

	NO_ERROR(f, dataset_get(j, &f->call, id, &out));
	return json_keep(f->arena, out);
}

/* The dataset when it has ended. */
static inline json_t *ended(struct fixture *f, struct dataset_jobs *j, const char *id)
{
	int64_t until = clock_mono_us() + PATIENCE_US;
	json_t *d;

	do {
		d = told(f, j, id);
		if (clock_mono_us() > until)
			fail_msg("the dataset is still %s", string_at(d, "state"));
		usleep(2000);
	} while (strcmp(string_at(d, "state"), "done") != 0 && strcmp(string_at(d, "state"), "failed") != 0);
	return d;
}

static inline void put_file(struct fixture *f, const char *name, const char *text)
{
	NO_ERROR(f, file_write(in_sets(f, name), text, strlen(text), &f->err));
}

static inline int open_file(struct fixture *f, struct dataset_jobs *j, const char *id, const char *name)
{
	struct dataset_file file;
	int rc = dataset_file_open(j, &f->call, id, name, &file);

	if (rc == 0)
		close(file.fd);
	return rc;
}

#endif
