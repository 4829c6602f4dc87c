/*
 * dataset_package.c: an exported folder is a bag (BagIt 1.0, RFC 8493). The
 * format's files are its payload, in data/; all else is a tag file. Nothing
 * here differs between two runs of one request, so there is no Bagging-Date.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/version.h"
#include "datasets/dataset_internal.h"

#define MANIFEST "manifest.json"

struct package {
	struct writing *w;
	struct strbuf payload, tags; /* lines of sums */
	uint64_t bytes, files;       /* of the payload */
};

int is_payload(const char *name)
{
	return strncmp(name, DATASET_PAYLOAD, strlen(DATASET_PAYLOAD)) == 0;
}

/* `hash` is "sha256:" and the digits. Our names have nothing that would have to be escaped. */
static void add_sum(struct strbuf *lines, const char *hash, const char *name)
{
	strbuf_printf(lines, "%s  %s\n", hash + strlen("sha256:"), name);
}

static int write_tag(struct package *b, const char *name, const char *s, size_t n)
{
	char path[DATASET_PATH + 256], hash[SHA256_TEXT];

	snprintf(path, sizeof(path), "%s/%s", b->w->tmp, name);
	crypto_sha256_text(s, n, hash);
	add_sum(&b->tags, hash, name);
	return file_write(path, s, n, b->w->err);
}

static int write_text(struct package *b, const char *name, const struct strbuf *text)
{
	return text->failed ? no_memory(b->w->err) : write_tag(b, name, text->p ? text->p : "", text->n);
}

/* Sorted and indented, for people and for diff; `sha256` may be NULL. */
static int write_json(struct package *b, const char *name, const json_t *j, char sha256[SHA256_TEXT])
{
	char *text = json_dumps(j, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_DIGITS);

	if (!text)
		return no_memory(b->w->err);
	if (sha256)
		crypto_sha256_text(text, strlen(text), sha256);
	int rc = write_tag(b, name, text, strlen(text));
	free(text);
	return rc;
}

static int write_about(struct package *b, const json_t *manifest)
{
	STRBUF_AUTO card = STRBUF_INIT;
	STRBUF_AUTO picture = STRBUF_INIT;
	json_t *made = NULL;
	int rc = croissant_make(b->w, manifest, &made);
	JSON_AUTO *croissant = made;

	card_text(manifest, &card);
	card_svg(manifest, &picture);
	if (rc < 0 || (rc = write_json(b, "croissant.json", croissant, NULL)) < 0 ||
	    (rc = write_text(b, "README.md", &card)) < 0)
		return rc;
	return write_text(b, "card.svg", &picture);
}

/* The sums of the files that are there already. */
static void list_files(struct package *b, const json_t *files)
{
	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *file = json_array_get(files, i);
		const char *name = body_string(file, "name");
		int in_payload = is_payload(name);

		add_sum(in_payload ? &b->payload : &b->tags, body_string(file, "sha256"), name);
		b->files += (uint64_t)in_payload;
		b->bytes += in_payload ? (uint64_t)body_int(file, "bytes") : 0;
	}
}

static int write_bag(struct package *b, const json_t *manifest)
{
	static const char declaration[] = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
	STRBUF_AUTO info = STRBUF_INIT;
	int rc = write_tag(b, "bagit.txt", declaration, sizeof(declaration) - 1);

	strbuf_printf(&info,
		      "Bag-Software-Agent: " READBACK_NAME " " READBACK_VERSION "\n"
		      "Internal-Sender-Description: readback, %s of %s at mark %lld\n"
		      "Payload-Oxum: %llu.%llu\n",
		      body_string(manifest, "format"), body_string(manifest, "kind"),
		      (long long)body_int(manifest, "mark"), (unsigned long long)b->bytes,
		      (unsigned long long)b->files);
	if (rc < 0 || (rc = write_text(b, "bag-info.txt", &info)) < 0 ||
	    (rc = write_text(b, "manifest-sha256.txt", &b->payload)) < 0)
		return rc;
	/* It has no sum of itself: what write_text() adds to the list comes too late. */
	STRBUF_AUTO tags = b->tags;
	b->tags = (struct strbuf)STRBUF_INIT;
	return write_text(b, "tagmanifest-sha256.txt", &tags);
}

int write_package(struct writing *w, const json_t *manifest, char sha256[SHA256_TEXT])
{
	struct package b = { .w = w };
	int rc = write_json(&b, MANIFEST, manifest, sha256);

	list_files(&b, json_object_get(manifest, "files"));
	if (rc == 0)
		rc = write_about(&b, manifest);
	if (rc == 0)
		rc = write_bag(&b, manifest);
	strbuf_release(&b.payload);
	strbuf_release(&b.tags);
	return rc;
}
