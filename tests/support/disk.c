/* The disk that fails, of ledger.h: a layer over SQLite's own way to files. */
#include "base/sys.h"
#include "tests/support/ledger.h"

#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

struct disk_file {
	sqlite3_file base;
	sqlite3_file *below; /* right behind this struct */
};

static sqlite3_vfs disk, *below;
static long changes, fault_at, fault_times;
static enum disk_fault fault_kind;

/* Counts a change; true when it must not happen. */
static bool strikes(void)
{
	changes++;
	return fault_at && changes >= fault_at && changes < fault_at + fault_times;
}

static int result(int failure)
{
	if (fault_kind == DISK_KILLS)
		(void)kill(getpid(), SIGKILL);
	return fault_kind == DISK_FULL ? SQLITE_FULL : failure;
}

static sqlite3_file *under(sqlite3_file *file)
{
	return ((struct disk_file *)file)->below;
}

static int disk_close(sqlite3_file *file)
{
	return under(file)->pMethods->xClose(under(file));
}

static int disk_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at)
{
	return under(file)->pMethods->xRead(under(file), bytes, n, at);
}

static int disk_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
	if (!strikes())
		return under(file)->pMethods->xWrite(under(file), bytes, n, at);
	(void)under(file)->pMethods->xWrite(under(file), bytes, n / 2, at);
	return result(SQLITE_IOERR_WRITE);
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return strikes() ? result(SQLITE_IOERR_TRUNCATE)
			 : under(file)->pMethods->xTruncate(under(file), size);
}

/* A process that is killed leaves what it wrote with the kernel, so that syncing only takes time.
 */
static int disk_sync(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	return strikes() ? result(SQLITE_IOERR_FSYNC) : SQLITE_OK;
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return under(file)->pMethods->xFileSize(under(file), size);
}

static int disk_lock(sqlite3_file *file, int level)
{
	return under(file)->pMethods->xLock(under(file), level);
}

static int disk_unlock(sqlite3_file *file, int level)
{
	return under(file)->pMethods->xUnlock(under(file), level);
}

static int disk_is_reserved(sqlite3_file *file, int *out)
{
	return under(file)->pMethods->xCheckReservedLock(under(file), out);
}

static int disk_control(sqlite3_file *file, int op, void *arg)
{
	return under(file)->pMethods->xFileControl(under(file), op, arg);
}

static int disk_sector_size(sqlite3_file *file)
{
	return under(file)->pMethods->xSectorSize(under(file));
}

static int disk_characteristics(sqlite3_file *file)
{
	return under(file)->pMethods->xDeviceCharacteristics(under(file));
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = disk_close,
	.xRead = disk_read,
	.xWrite = disk_write,
	.xTruncate = disk_truncate,
	.xSync = disk_sync,
	.xFileSize = disk_size,
	.xLock = disk_lock,
	.xUnlock = disk_unlock,
	.xCheckReservedLock = disk_is_reserved,
	.xFileControl = disk_control,
	.xSectorSize = disk_sector_size,
	.xDeviceCharacteristics = disk_characteristics,
};

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	struct disk_file *opened = (struct disk_file *)file;
	int code;

	(void)vfs;
	opened->base.pMethods = NULL;
	opened->below = (sqlite3_file *)(opened + 1);
	if (flags & SQLITE_OPEN_CREATE && strikes())
		return result(SQLITE_CANTOPEN);
	code = below->xOpen(below, name, opened->below, flags, out);
	if (opened->below->pMethods)
		opened->base.pMethods = &methods;
	return code;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	return strikes() ? result(SQLITE_IOERR_DELETE) : below->xDelete(below, name, sync);
}

void test_disk_install(void)
{
	if (below)
		return;
	below = sqlite3_vfs_find(NULL);
	disk = *below;
	disk.pNext = NULL;
	disk.zName = "failing";
	disk.szOsFile = (int)sizeof(struct disk_file) + below->szOsFile;
	disk.xOpen = disk_open;
	disk.xDelete = disk_delete;
	if (sqlite3_vfs_register(&disk, 1) != SQLITE_OK)
		fail_msg("sqlite3_vfs_register");
}

void test_disk_fail(long n, long times, enum disk_fault fault)
{
	changes = 0;
	fault_at = n;
	fault_times = times;
	fault_kind = fault;
}

long test_disk_changes(void)
{
	return changes;
}
