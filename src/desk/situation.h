/*
 * situation.h: what the turns of a conversation show of how it goes: for a
 * prediction now, and at each turn of those that are over, to learn risk from
 * (learn/risk.h). Both see the same signs by the same code.
 */
#ifndef READBACK_DESK_SITUATION_H
#define READBACK_DESK_SITUATION_H

#include "desk/conversation.h"
#include "learn/intent.h"
#include "learn/risk.h"

/*
 * As after the conversation's last turn: all of *out that comes from turns; the
 * rest is zero. `earlier_handoffs`: by then. -1 without memory.
 */
int situation_read(const struct desk *d, struct arena *a, const struct conversation *v, int earlier_handoffs,
		   struct situation *out);

/*
 * What the latest conversations teach, of whichever groups: weights of signs and
 * counts tell nothing of what was said. A risk_reader; `desk` is a struct desk.
 *
 * A conversation escalated when a handoff was offered in it, but for those that
 * a policy demanded (nothing is learned from what a rule says anyway) and that
 * a transfer made (it was with people already). It has ended without when it has
 * no handoff, no resolution (then people elsewhere resolved it), no turn of an
 * agent, and its last turn is a day old. Others teach nothing. Its turns are
 * those of the customer, before the last such handoff, unless the one who
 * answered him last was an agent.
 */
int situation_lessons_read(void *desk, const volatile int *stop, struct arena *a, struct risk_lessons *out,
			   struct error *e);

#endif
