/*
 * evidence.h: what bears on a handoff: documents, resolved cases, the
 * customer's earlier conversations, each with the reason why.
 *
 * Gathered once, when the handoff is opened, under the rights of the queue and
 * not of whoever opens it: the groups of the conversation's ACL, and the group
 * that has the queue's name. (There is no table of queues yet: without a
 * queue, and without such a group, that is what the whole tenant may see, and
 * what whoever sees the conversation may.)
 *
 * Stored are the items as text, byte for byte, each with the ACL of its source
 * at that time, a random salt and commitment = sha256(salt || text); the
 * evidence's hash is the sha256 of the commitments in order and never changes.
 * An item is {"n","kind","id","acl","salt","commitment","text"}.
 *
 * Every request has a view of its own: an item comes out, the same bytes plus
 * its commitment, if the caller may see it by the recorded ACL and by the
 * present one (a document that was deleted: by its last one); else as
 * {"n","commitment","state":"withheld"}, or "erased" when the text is no more.
 * Cases and conversations are withheld from keys that are a bot's only.
 *
 * A citation is {"document_id","version"?,"quote"?,"status","acl"?,"queue_may",
 * "title"?,"current_version"?}. A document that the queue or the caller may not
 * see is "unknown" to him, and "not_permitted" to an admin.
 *
 * Any thread; memory is the call's arena's, JSON results are new references
 * unless said otherwise.
 */
#ifndef READBACK_DESK_EVIDENCE_H
#define READBACK_DESK_EVIDENCE_H

#include "desk/conversation.h"

#define EVIDENCE_DOCUMENTS 8
#define EVIDENCE_CASES 5
#define EVIDENCE_CONVERSATIONS 3

#define CITED_TEXT ((size_t)64 << 10)

struct citation {
	struct text document, version, quote;
	const char *status; /* "current", "changed_since", "deleted", "unknown" */
	struct record
		record; /* the document as it is now, with the first CITED_TEXT bytes; id NULL: there is none */
	int known;      /* it is there, or was deleted */
	const json_t *acl; /* of the document, now or last */
	int queue_may;     /* also when it is not known: then there is nothing to hide */
	int unchecked;     /* too much text to look for the quote */
};

struct evidence_input {
	const struct conversation *conversation; /* as far as it is to be read */
	const json_t *package;                   /* filled */
	const char *queue;                       /* "" for none */
};

struct evidence_found {
	struct rights rights;          /* the queue's */
	const struct search_hit *hits; /* documents, cases, conversations */
	size_t n;
	const struct citation *cited;
	size_t n_cited;
	struct desk_query *query; /* of documents */
};

int evidence_find(struct desk *d, const struct call *c, const struct evidence_input *in,
		  struct evidence_found *out);

/* The record's body (the arena's), without "handoff", "created_at" and "brief". */
int evidence_freeze(const struct call *c, const struct evidence_input *in, const struct evidence_found *f,
		    json_t **body);

/* {"id","hash","data","bot_citations"} as this caller may see it. */
int evidence_view(struct desk *d, const struct call *c, const struct record *evidence, json_t **out);

/* source.c */
/*
 * The ACL of a document, case or conversation, which of a deleted document is
 * its last one: 1 and *acl (NULL: everyone); 0 if there is none and never was,
 * or nothing is known of it any more; or an error.
 */
int source_acl(struct desk *d, const struct call *c, const char *kind, const char *id, const json_t **acl);
/* May the caller see this source, by what was recorded and by what is in force? 1, 0 or an error. */
int source_visible(struct desk *d, const struct call *c, const char *kind, const char *id,
		   const json_t *recorded);

/* "document", "case", "conversation". */
const char *evidence_kind(enum collection k);

/* evidence_cited.c */
int citations_resolve(struct desk *d, const struct call *c, const struct rights *queue, const json_t *package,
		      const struct citation **out, size_t *n);
json_t *citations_json(const struct citation *cited, size_t n);
int citations_view(struct desk *d, const struct call *c, const json_t *stored, json_t **out);
/* Where `quote` stands in the text, Markdown, case and white space aside: 1 or 0; -1 without memory. */
int quote_in(struct text quote, struct text text);

#endif
