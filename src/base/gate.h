/*
 * gate.h: lets at most so many threads do work of one kind at a time.
 *
 * Around what is bound by the processor (embedding, searching), with as many
 * places as there are cores: more threads there would only slow each other.
 * First come, first served.
 */
#ifndef READBACK_BASE_GATE_H
#define READBACK_BASE_GATE_H

struct gate;

struct gate *gate_new(unsigned places); /* 0: one per core; NULL without memory */
void gate_free(struct gate *g);
void gate_enter(struct gate *g);
void gate_leave(struct gate *g);

#endif
