/*
 * bodies.h: the JSON bodies of records, and helpers to read, build and commit
 * them.
 *
 * Top-level strings are what engine_scan() can ask for (record_schema()).
 * Times in bodies are RFC 3339 strings; `?` marks optional.
 *
 *   document      {"title","url"?,"source"?,"acl"?,"attributes"?,"updated_at","version"}; the text is record.text
 *   version       {"document","version","title","at"}; the text is record.text. Of a deleted document also one whose
 *                 version is LAST_VERSION, without text: {"document","acl"?,"at"}: who might see it last
 *   conversation  {"channel"?,"queue"?,"customer"? (id),"customer_name"?,"customer_verified"?,"acl"?,"attributes"?,
 *                  "started_at","state":"open|handed_off|resolved|returned|abandoned","turns":n,"bytes":n of their text,"principal": key that began it,
 *                  "handoff"?: id of the open one,"handoffs":[ids, oldest first],"imported"?: hash of the import line}
 *   turn          {"conversation","n" (from 1),"role":"customer|bot|agent|system","text","at","id"? (the client's),
 *                  "author": principal}
 *   case          {"conversation","handoff"?,"resolution_id"?,"intent","problem","resolution","steps":[],"outcome",
 *                  "resolved_at","acl"?,"queue"?,"documents":[ids used],"ranks":[of each, where it was shown; 0: nowhere],"customer"?,"contested"?:true}; record.text is problem, resolution
 *                  and steps, a blank line between them
 *   example       {"conversation"?,"case"?,"label","text","origin":"agent|import|qa","at","acl"?,"backed":bool,
 *                  "principal","agent"?,"contested"?:true,"imported"? (hash of text, label and origin)}
 *   vote          {"example"?,"conversation"?,"label","by":"agent|import|qa","principal","agent"?,"at"}
 *   review        {"conversation","state":"open|assigned|decided","reason":"contested|disagreement|audit|low_confidence",
 *                  "label","doubt"?,"labels"?:[{"label","agent" (or key),"at"}] of each annotator, who disagree,"principal"?,
 *                  "agent"?,"at","acl"?,"assigned_to"?,"decided_by"?,"decided_at"?,"decision"?: the last one, also of a
 *                  review that came up again,"note"?}; of what was drawn also "text","propensity","seen"
 *                  (learn/answering.h), where "label" is the bot's, and of an audit that was decided "right"
 *   relevance     {"document","intent","conversation","case","handoff"?,"used":bool,"shown_rank"?,"outcome"}
 *   eval          {"type":"retrieval|intent","name"?,"metric","dataset":{"name","sha256"},"a","b":{"name","sha256","value",
 *                  "interval","missing","unknown"},"n","difference","interval","p","wins","ties","losses","samples",
 *                  "seed","principal","agent"?}; no names of queries or rows: those may be of a person
 *   subject       {"training":"granted|denied","at","principal","agent"?,"datasets":"pending" while datasets with rows of
 *                  the customer, who denied, are to be superseded (datasets/supersede.h), else "settled"}
 *   handoff, evidence, resolution, signal: see handoff_build.h; rule: see engine/rules.h; model: see learn/models.h
 *
 * The subject of a record with personal text is subject_of(): the customer if
 * known, else the conversation.
 *
 * Readers here never fail: they are for bodies of our own, where an absent
 * field, or one of another type, reads as nothing.
 */
#ifndef READBACK_DESK_BODIES_H
#define READBACK_DESK_BODIES_H

#include "desk/desk.h"

#define LAST_VERSION "last" /* for version_id(); real ones begin with "sha256:" */

/* Reading. A string is never NULL: "" where there is none. */
const char *body_string(const json_t *body, const char *name);
struct text body_text(const json_t *body, const char *name); /* s NULL where there is none */
int64_t body_int(const json_t *body, const char *name);
double body_number(const json_t *body, const char *name);
int body_bool(const json_t *body, const char *name);
int64_t body_time(const json_t *body, const char *name); /* ms; 0 where there is none */

/* Building. New objects and copies belong to the arena; NULL without memory. */
json_t *body_new(struct arena *a);
json_t *body_copy(struct arena *a, const json_t *body); /* deep */

/*
 * Set a field; -1 without memory. A NULL or "" string, a text with s NULL and
 * a NULL json leave the field out (and take it away if it was there).
 */
int body_set(json_t *body, const char *name, const char *s);
int body_set_text(json_t *body, const char *name, struct text t);
int body_set_int(json_t *body, const char *name, int64_t n);
int body_set_number(json_t *body, const char *name, double n);
int body_set_bool(json_t *body, const char *name, int b);
int body_set_time(json_t *body, const char *name, int64_t ms);
int body_set_copy(json_t *body, const char *name, const json_t *value); /* a deep copy of value */
/* Takes `value` (a new reference, released here in any case). */
int body_set_take(json_t *body, const char *name, json_t *value);

/* NUL-terminated copy of a text; NULL without memory, "" for s NULL. */
const char *text_copy(struct arena *a, struct text t);
struct text text_of(const char *s); /* strlen; NULL gives s NULL */
int text_is(struct text t, const char *s);

/* "customer id", or "conversation:" + id when customer is NULL or "". */
const char *subject_of(struct arena *a, const char *customer, const char *conversation);

/* "conversation/c-1". */
const char *stream_of(struct arena *a, const char *kind, const char *id);

/* An id of ours: prefix + UUIDv7, as "ho_0197…"; NULL without memory. */
const char *id_make(struct arena *a, const char *prefix);

/* ERR_BAD_ID unless it has 1 … 512 bytes and no control characters. */
int id_check(struct text id, const char *param, struct error *e);

/* The changes of an event under construction. A failed add is sticky: changes_done() tells. */
struct changes {
	struct arena *arena;
	struct change *list;
	size_t n, cap;
	int failed;
	struct change spare; /* what a failed add hands out */
};

#define CHANGES_INIT(a)      \
	{                    \
		.arena = (a) \
	}

/*
 * Adds a put of `body` (borrowed: it must live until the commit; NULL is a
 * failure: no memory). The returned change may be filled with text and entry
 * until the next add; it is never NULL.
 */
struct change *changes_put(struct changes *cs, enum record_kind k, const char *id, const char *subject,
			   json_t *body);
void changes_delete(struct changes *cs, enum record_kind k, const char *id);
int changes_done(const struct changes *cs, struct error *e); /* 0 or ERR_NO_MEMORY */

/* Tags of an entry. Tag strings are borrowed from what they are read from. A failure is sticky. */
struct tags {
	struct arena *arena;
	struct index_tag *list;
	size_t n, cap;
	int failed;
};

void tags_string(struct tags *t, const char *key, const char *value); /* nothing for NULL or "" */
void tags_object(struct tags *t,
		 const json_t *flat); /* strings, numbers, bools, arrays of them; NULL is fine */

/* True for a key with scope bot and none of agent, curator, admin. */
int rights_bot_only(const struct rights *r);

#endif
