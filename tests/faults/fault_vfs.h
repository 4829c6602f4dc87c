/*
 * fault_vfs.h: a VFS under SQLite whose Nth operation of a kind fails, and an
 * allocator whose Nth allocation does. A failed write has written half of its bytes.
 */
#ifndef READBACK_TESTS_FAULT_VFS_H
#define READBACK_TESTS_FAULT_VFS_H

enum fault_kind { FAULT_NONE, FAULT_WRITE, FAULT_SYNC, FAULT_TRUNCATE, FAULT_MEMORY };

/* Once, before SQLite is used; the faulty VFS becomes the default one. */
int fault_install(void);

/*
 * From now on operation number `nth` (from 1) of `kind` fails with SQLite's
 * `code`, and, if `lasting`, all after it. FAULT_NONE: nothing fails any more.
 */
void fault_set(enum fault_kind kind, long nth, int code, int lasting);

/* How many operations of the kind have failed since fault_set(). */
long fault_hits(void);

#endif
