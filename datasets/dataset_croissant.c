/*
 * dataset_croissant.c: what the dataset is, for catalogues: Croissant 1.1
 * (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html), JSON-LD. A file
 * object a file of the payload, and of JSON lines a record set, whose fields
 * are the keys of the first row. There is no licence in it, nor a URL or a
 * date: the vocabulary wants them, and only who publishes the set knows them.
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "datasets/dataset_internal.h"

#define LINE_MAX_BYTES ((size_t)256 << 20)

/* As the specification gives it. */
static const char context[] =
	"{\"@language\":\"en\",\"@vocab\":\"https://schema.org/\",\"arrayShape\":\"cr:arrayShape\","
	"\"citeAs\":\"cr:citeAs\",\"column\":\"cr:column\",\"conformsTo\":\"dct:conformsTo\","
	"\"containedIn\":\"cr:containedIn\",\"cr\":\"http://mlcommons.org/croissant/\","
	"\"data\":{\"@id\":\"cr:data\",\"@type\":\"@json\"},"
	"\"dataType\":{\"@id\":\"cr:dataType\",\"@type\":\"@vocab\"},\"dct\":\"http://purl.org/dc/terms/\","
	"\"equivalentProperty\":\"cr:equivalentProperty\","
	"\"examples\":{\"@id\":\"cr:examples\",\"@type\":\"@json\"},\"extract\":\"cr:extract\","
	"\"field\":\"cr:field\",\"fileObject\":\"cr:fileObject\",\"fileProperty\":\"cr:fileProperty\","
	"\"fileSet\":\"cr:fileSet\",\"format\":\"cr:format\",\"includes\":\"cr:includes\","
	"\"isArray\":\"cr:isArray\",\"isLiveDataset\":\"cr:isLiveDataset\",\"jsonPath\":\"cr:jsonPath\","
	"\"key\":\"cr:key\",\"md5\":\"cr:md5\",\"parentField\":\"cr:parentField\",\"path\":\"cr:path\","
	"\"rai\":\"http://mlcommons.org/croissant/RAI/\",\"recordSet\":\"cr:recordSet\","
	"\"references\":\"cr:references\",\"regex\":\"cr:regex\",\"repeated\":\"cr:repeated\","
	"\"replace\":\"cr:replace\",\"samplingRate\":\"cr:samplingRate\",\"sc\":\"https://schema.org/\","
	"\"separator\":\"cr:separator\",\"source\":\"cr:source\",\"subField\":\"cr:subField\","
	"\"transform\":\"cr:transform\"}";

static const struct {
	const char *ending, *type;
} types[] = {
	{ ".jsonl", "application/jsonlines" },   { ".json", "application/json" },
	{ ".tsv", "text/tab-separated-values" }, { ".yml", "application/yaml" },
	{ ".zip", "application/zip" },
};

static const char *type_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(dot, types[i].ending) == 0)
			return types[i].type;
	return "text/plain";
}

static json_t *file_object(const json_t *file, const char *name)
{
	char bytes[32];

	snprintf(bytes, sizeof(bytes), "%lld B", (long long)body_int(file, "bytes"));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "@type", "cr:FileObject", "@id", name, "name",
			 name, "contentUrl", name, "contentSize", bytes, "encodingFormat", type_of(name),
			 "sha256", body_string(file, "sha256") + strlen("sha256:"));
}

/* What a value is to the vocabulary; NULL: nothing that a field can say in few words, such as a list of messages. */
static const char *data_type(const json_t *value)
{
	return json_is_string(value)    ? "sc:Text"
	       : json_is_boolean(value) ? "sc:Boolean"
	       : json_is_integer(value) ? "sc:Integer"
	       : json_is_real(value)    ? "sc:Float"
					: NULL;
}

static json_t *fields_of(const json_t *row, const char *set, const char *file)
{
	json_t *fields = json_array(), *value;
	const char *key;

	json_object_foreach((json_t *)row, key, value) {
		char id[256];
		if (!data_type(value))
			continue;
		snprintf(id, sizeof(id), "%s/%s", set, key);
		json_array_append_new(fields, json_pack("{s:s, s:s, s:s, s:s, s:{s:{s:s}, s:{s:s}}}", "@type",
							"cr:Field", "@id", id, "name", key, "dataType",
							data_type(value), "source", "fileObject", "@id", file,
							"extract", "column", key));
	}
	return fields;
}

/* Adds the record set of a file of JSON lines, if it has a row and the row fields. */
static int add_record_set(const struct writing *w, json_t *sets, const char *name)
{
	char path[DATASET_PATH + 256], set[128];
	struct lines *file = NULL;
	json_t *parsed = NULL;
	const char *line;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", w->tmp, name);
	snprintf(set, sizeof(set), "%.*s", (int)(strrchr(name, '.') - name - (long)strlen(DATASET_PAYLOAD)),
		 name + strlen(DATASET_PAYLOAD));
	int rc = lines_open(path, &file, w->err);
	if (rc == 0 && (rc = lines_next(file, LINE_MAX_BYTES, &line, &n, w->err)) > 0)
		rc = json_parse(line, n, w->err, &parsed);
	lines_close(file);
	JSON_AUTO *row = parsed;
	if (rc < 0 || !row)
		return rc;
	JSON_AUTO *fields = fields_of(row, set, name);
	if (json_array_size(fields) == 0)
		return fields ? 0 : no_memory(w->err);
	json_t *j = json_pack("{s:s, s:s, s:s, s:O}", "@type", "cr:RecordSet", "@id", set, "name", set,
			      "field", fields);
	return json_array_append_new(sets, j) < 0 ? no_memory(w->err) : 0;
}

int croissant_make(const struct writing *w, const json_t *manifest, json_t **out)
{
	const json_t *files = json_object_get(manifest, "files");
	JSON_AUTO *objects = json_array(), *sets = json_array();
	char name[128], about[512], version[32];
	int rc = objects && sets ? 0 : no_memory(w->err);

	for (size_t i = 0; rc == 0 && i < json_array_size(files); i++) {
		const json_t *file = json_array_get(files, i);
		const char *path = body_string(file, "name");
		if (!is_payload(path))
			continue;
		if (json_array_append_new(objects, file_object(file, path)) < 0)
			rc = no_memory(w->err);
		else if (strcmp(type_of(path), "application/jsonlines") == 0)
			rc = add_record_set(w, sets, path);
	}
	if (rc < 0)
		return rc;
	snprintf(name, sizeof(name), "readback %s %s", w->o->format->name, dataset_kind_name(w->o->kind));
	snprintf(about, sizeof(about),
		 "%llu rows of kind %s, in the format %s, of what was recorded up to mark %llu. %s",
		 (unsigned long long)w->rows, dataset_kind_name(w->o->kind), w->o->format->name,
		 (unsigned long long)w->mark,
		 w->o->pii == PII_REDACT
			 ? "Personal data was redacted by pattern; see README.md for what is missed."
			 : "Personal data is in the texts as it is.");
	snprintf(version, sizeof(version), "%llu.0.0", (unsigned long long)w->mark);
	*out = json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:O}", "@context", json_loads(context, 0, NULL),
			 "@type", "sc:Dataset", "conformsTo", "http://mlcommons.org/croissant/1.1", "name",
			 name, "description", about, "version", version, "distribution", objects);
	if (!*out || (json_array_size(sets) && body_set_copy(*out, "recordSet", sets) < 0))
		return no_memory(w->err);
	return 0;
}
