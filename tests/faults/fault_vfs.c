#include "fault_vfs.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

static struct {
	_Atomic int kind, code, lasting;
	_Atomic long left, hits;
	sqlite3_vfs vfs, *real;
	sqlite3_mem_methods memory;
} fault;

void fault_set(enum fault_kind kind, long nth, int code, int lasting)
{
	fault.kind = FAULT_NONE;
	fault.left = nth;
	fault.code = code;
	fault.lasting = lasting;
	fault.hits = 0;
	fault.kind = (int)kind;
}

long fault_hits(void)
{
	return fault.hits;
}

static int strikes(enum fault_kind kind)
{
	if (fault.kind != (int)kind)
		return 0;
	long left = --fault.left;
	if (left > 0 || (left < 0 && !fault.lasting))
		return 0;
	fault.hits++;
	return 1;
}

/* --- files ------------------------------------------------------------------------------------------ */

struct file {
	sqlite3_file base;
	sqlite3_file *real; /* behind this struct */
};

#define REAL(f) (((struct file *)(f))->real)

static int f_close(sqlite3_file *f)
{
	return REAL(f)->pMethods ? REAL(f)->pMethods->xClose(REAL(f)) : SQLITE_OK;
}

static int f_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return REAL(f)->pMethods->xRead(REAL(f), p, n, at);
}

static int f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	if (strikes(FAULT_WRITE)) {
		if (n > 1)
			REAL(f)->pMethods->xWrite(REAL(f), p, n / 2, at);
		return fault.code;
	}
	return REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	return strikes(FAULT_TRUNCATE) ? fault.code : REAL(f)->pMethods->xTruncate(REAL(f), n);
}

static int f_sync(sqlite3_file *f, int flags)
{
	return strikes(FAULT_SYNC) ? fault.code : REAL(f)->pMethods->xSync(REAL(f), flags);
}

static int f_size(sqlite3_file *f, sqlite3_int64 *n)
{
	return REAL(f)->pMethods->xFileSize(REAL(f), n);
}

static int f_lock(sqlite3_file *f, int level)
{
	return REAL(f)->pMethods->xLock(REAL(f), level);
}

static int f_unlock(sqlite3_file *f, int level)
{
	return REAL(f)->pMethods->xUnlock(REAL(f), level);
}

static int f_reserved(sqlite3_file *f, int *out)
{
	return REAL(f)->pMethods->xCheckReservedLock(REAL(f), out);
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
	return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}

static int f_sector(sqlite3_file *f)
{
	return REAL(f)->pMethods->xSectorSize(REAL(f));
}

static int f_device(sqlite3_file *f)
{
	return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}

static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **p)
{
	return REAL(f)->pMethods->xShmMap(REAL(f), page, size, extend, p);
}

static int f_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return REAL(f)->pMethods->xShmLock(REAL(f), offset, n, flags);
}

static void f_shm_barrier(sqlite3_file *f)
{
	REAL(f)->pMethods->xShmBarrier(REAL(f));
}

static int f_shm_unmap(sqlite3_file *f, int gone)
{
	return REAL(f)->pMethods->xShmUnmap(REAL(f), gone);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2, /* no memory maps: all goes through read and write */
	.xClose = f_close,
	.xRead = f_read,
	.xWrite = f_write,
	.xTruncate = f_truncate,
	.xSync = f_sync,
	.xFileSize = f_size,
	.xLock = f_lock,
	.xUnlock = f_unlock,
	.xCheckReservedLock = f_reserved,
	.xFileControl = f_control,
	.xSectorSize = f_sector,
	.xDeviceCharacteristics = f_device,
	.xShmMap = f_shm_map,
	.xShmLock = f_shm_lock,
	.xShmBarrier = f_shm_barrier,
	.xShmUnmap = f_shm_unmap,
};

static int vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
	struct file *mine = (struct file *)f;
	(void)v;

	mine->real = (sqlite3_file *)(mine + 1);
	int rc = fault.real->xOpen(fault.real, name, mine->real, flags, out_flags);
	mine->base.pMethods = rc == SQLITE_OK ? &methods : NULL;
	return rc;
}

/* --- memory ------------------------------------------------------------------------------------------- */

static void *m_malloc(int n)
{
	return strikes(FAULT_MEMORY) ? NULL : fault.memory.xMalloc(n);
}

static void *m_realloc(void *p, int n)
{
	return strikes(FAULT_MEMORY) ? NULL : fault.memory.xRealloc(p, n);
}

int fault_install(void)
{
	sqlite3_mem_methods m;

	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &fault.memory) != SQLITE_OK)
		return -1;
	m = fault.memory;
	m.xMalloc = m_malloc;
	m.xRealloc = m_realloc;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &m) != SQLITE_OK || sqlite3_initialize() != SQLITE_OK)
		return -1;
	fault.real = sqlite3_vfs_find(NULL);
	fault.vfs = *fault.real;
	fault.vfs.pNext = NULL;
	fault.vfs.zName = "fault";
	fault.vfs.szOsFile = (int)sizeof(struct file) + fault.real->szOsFile;
	fault.vfs.xOpen = vfs_open;
	return sqlite3_vfs_register(&fault.vfs, 1) == SQLITE_OK ? 0 : -1;
}
