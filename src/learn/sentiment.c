/*
 * Sentiment by a list of words: each has a valence from -3 to 3; a negation up
 * to three words before turns it round and weakens it, an intensifier right
 * before strengthens it. The sum is brought into -1 … 1 by s / sqrt(s^2 + 15), as
 * VADER does (Hutto and Gilbert 2014). The words are those of support chats:
 * "problem" or "help" say why somebody writes, not how he feels, and are not in.
 */
#include "learn/intent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "text/analyser.h"

#define NEGATION_REACH 3
#define NEGATED (-.7)
#define INTENSIFIED 1.4
#define NORMALISER 15.0
#define NEUTRAL .2 /* scores nearer to zero are neutral */

struct valence {
	const char *word;
	double value;
};

/* Sorted by bytes. */
static const struct valence valences[] = {
	{ "amazing", 3 },        { "angry", -3 },        { "annoyed", -2 },      { "annoying", -2 },
	{ "appalling", -3 },     { "appreciate", 2 },    { "appreciated", 2 },   { "awesome", 3 },
	{ "awful", -3 },         { "bad", -2 },          { "brilliant", 3 },     { "clueless", -2 },
	{ "complain", -2 },      { "complaint", -2 },    { "confused", -1 },     { "confusing", -1 },
	{ "crap", -3 },          { "damn", -2 },         { "delighted", 3 },     { "disappointed", -2 },
	{ "disappointing", -2 }, { "disaster", -3 },     { "disgrace", -3 },     { "disgraceful", -3 },
	{ "disgusted", -3 },     { "disgusting", -3 },   { "dreadful", -3 },     { "excellent", 3 },
	{ "fantastic", 3 },      { "fed", -1 },          { "fine", 1 },          { "fraud", -2 },
	{ "frustrated", -2 },    { "frustrating", -2 },  { "furious", -3 },      { "glad", 2 },
	{ "good", 2 },           { "grateful", 2 },      { "great", 3 },         { "happy", 2 },
	{ "hate", -3 },          { "hell", -2 },         { "helpful", 2 },       { "hopeless", -2 },
	{ "horrible", -3 },      { "idiot", -3 },        { "idiots", -3 },       { "impossible", -1 },
	{ "incompetent", -3 },   { "insane", -2 },       { "joke", -2 },         { "kind", 1 },
	{ "lawyer", -2 },        { "lies", -2 },         { "love", 3 },          { "lovely", 2 },
	{ "mad", -2 },           { "nice", 2 },          { "nightmare", -3 },    { "nonsense", -2 },
	{ "outrageous", -3 },    { "pathetic", -3 },     { "perfect", 3 },       { "perfectly", 2 },
	{ "pissed", -3 },        { "pleased", 2 },       { "poor", -2 },         { "ridiculous", -3 },
	{ "rip", -1 },           { "rubbish", -2 },      { "rude", -2 },         { "sad", -1 },
	{ "scam", -3 },          { "shameful", -3 },     { "shit", -3 },         { "shocking", -2 },
	{ "sick", -2 },          { "sucks", -2 },        { "super", 2 },         { "superb", 3 },
	{ "terrible", -3 },      { "terribly", -2 },     { "terrific", 3 },      { "thank", 2 },
	{ "thanks", 2 },         { "thrilled", 3 },      { "tired", -2 },        { "trash", -2 },
	{ "ugh", -2 },           { "unacceptable", -3 }, { "unbelievable", -2 }, { "unhappy", -2 },
	{ "upset", -2 },         { "useless", -3 },      { "waste", -2 },        { "wonderful", 3 },
	{ "works", 1 },          { "worse", -2 },        { "worst", -3 },        { "wow", 1 },
	{ "wtf", -3 },
};

static const char *const negations[] = { "aren",    "barely", "cannot", "didn",    "doesn", "don",   "hardly",
					 "hasn",    "haven",  "isn",    "never",   "no",    "nor",   "not",
					 "nothing", "wasn",   "weren",  "without", "won",   "wouldn" };

static const char *const intensifiers[] = { "absolutely", "completely", "extremely", "incredibly",
					    "really",     "so",         "such",      "totally",
					    "truly",      "utterly",    "very" };

static int by_word(const void *key, const void *item)
{
	return strcmp(key, ((const struct valence *)item)->word);
}

static int by_string(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define AMONG(word, list) (bsearch(word, list, COUNT(list), sizeof((list)[0]), by_string) != NULL)

/* "can" is a negation only as the first half of "can't". */
static int negates(const struct token *t, long n, long i)
{
	if (AMONG(t[i].word, negations))
		return 1;
	return strcmp(t[i].word, "can") == 0 && i + 1 < n && strcmp(t[i + 1].word, "t") == 0;
}

static double value_at(const struct token *t, long n, long i)
{
	const struct valence *v = bsearch(t[i].word, valences, COUNT(valences), sizeof(valences[0]), by_word);
	double value = v ? v->value : 0;

	if (!v)
		return 0;
	if (i > 0 && AMONG(t[i - 1].word, intensifiers))
		value *= INTENSIFIED;
	for (long j = i - 1; j >= 0 && j >= i - NEGATION_REACH; j--)
		if (negates(t, n, j))
			return value * NEGATED;
	return value;
}

struct sentiment sentiment_of(struct arena *a, const char *s, size_t n)
{
	const struct token *tokens = NULL;
	double sum = 0;
	long count = analyse_text(a, s, n, &tokens);

	for (long i = 0; i < count; i++)
		sum += value_at(tokens, count, i);
	double score = sum / sqrt(sum * sum + NORMALISER);
	return (struct sentiment){ score <= -NEUTRAL  ? "negative"
				   : score >= NEUTRAL ? "positive"
						      : "neutral",
				   score };
}
