#include "index/parts.h"

#include <math.h>

/* Of a title beside the text: titles say what an article is about, and a query often asks for less than that. */
#define TITLE_WEIGHT .2f

void parts_clear(struct parts *p)
{
	for (int i = 0; i < PARTS; i++) {
		p->score[i] = NAN;
		p->row[i] = ROW_NONE;
	}
}

void parts_add(struct parts *p, enum row_field field, uint32_t row, float score)
{
	int i = field == ROW_TITLE ? PART_TITLE : field == ROW_WHOLE ? PART_WHOLE : PART_CHUNK;

	if (isnan(score) || (p->row[i] != ROW_NONE && score <= p->score[i]))
		return;
	p->score[i] = score;
	p->row[i] = row;
}

int parts_score(const struct parts *p, float *out)
{
	static const float weight[PARTS] = { [PART_TITLE] = TITLE_WEIGHT,
					     [PART_WHOLE] = (1 - TITLE_WEIGHT) / 2,
					     [PART_CHUNK] = (1 - TITLE_WEIGHT) / 2 };
	float part[PARTS] = { p->score[PART_TITLE], p->score[PART_WHOLE], p->score[PART_CHUNK] };
	float sum = 0, weights = 0;

	/* The text is half the whole and half the best chunk; one of them alone stands for both. */
	if (p->row[PART_CHUNK] == ROW_NONE)
		part[PART_CHUNK] = part[PART_WHOLE];
	else if (p->row[PART_WHOLE] == ROW_NONE)
		part[PART_WHOLE] = part[PART_CHUNK];
	for (int i = 0; i < PARTS; i++) {
		if (!isnan(part[i])) {
			sum += weight[i] * part[i];
			weights += weight[i];
		}
	}
	if (!(weights > 0))
		return -1;
	*out = sum / weights;
	return 0;
}
