#include "text/stopwords.h"

#include <stdlib.h>
#include <string.h>

/* Sorted by bytes. Single letters and "ll", "re", "ve" are what contractions leave behind. */
static const char *const words[] = {
	"a",     "about",  "also",    "am",      "an",      "and",      "any",        "are",
	"as",    "at",     "be",      "because", "been",    "being",    "but",        "by",
	"can",   "could",  "d",       "did",     "do",      "does",     "doing",      "each",
	"for",   "from",   "had",     "has",     "have",    "having",   "he",         "her",
	"here",  "hers",   "herself", "him",     "himself", "his",      "how",        "however",
	"i",     "if",     "in",      "into",    "is",      "it",       "its",        "itself",
	"just",  "let",    "ll",      "m",       "may",     "me",       "might",      "must",
	"my",    "myself", "of",      "or",      "our",     "ours",     "ourselves",  "re",
	"s",     "shall",  "she",     "should",  "so",      "some",     "such",       "t",
	"than",  "that",   "the",     "their",   "theirs",  "them",     "themselves", "then",
	"there", "these",  "they",    "this",    "those",   "through",  "to",         "too",
	"us",    "ve",     "very",    "was",     "we",      "were",     "what",       "when",
	"where", "which",  "while",   "who",     "whom",    "whose",    "why",        "will",
	"with",  "would",  "you",     "your",    "yours",   "yourself", "yourselves",
};

#define LONGEST 12

static int compare(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}

int is_stopword(const char *word, size_t n)
{
	char key[LONGEST + 1];

	if (n == 0 || n > LONGEST)
		return 0;
	memcpy(key, word, n);
	key[n] = '\0';
	return bsearch(key, words, sizeof(words) / sizeof(words[0]), sizeof(words[0]), compare) != NULL;
}
