#include "fault_vfs.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <string.h>

/* A test program has one disk; SQLite's interface leaves no other place for its state. */
static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    sqlite3_io_methods methods;
    unsigned step; /* until the failure; 0: none is planned */
    int number;
    bool stay;
    bool failed;
} disk;

struct fault_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
};

static sqlite3_file *real_file(sqlite3_file *file)
{
    return ((struct fault_file *)file)->real;
}

/* One step: true when it is to fail. */
static bool step_fails(void)
{
    if (!(disk.failed && disk.stay) && (disk.step == 0 || --disk.step > 0))
        return false;
    disk.failed = true;
    return true;
}

static int fail_with(int io_error)
{
    errno = disk.number; /* as the system call would */
    return disk.number == ENOSPC && io_error == SQLITE_IOERR_WRITE ? SQLITE_FULL : io_error;
}

static int close_file(sqlite3_file *file)
{
    return real_file(file)->pMethods->xClose(real_file(file));
}

static int read_file(sqlite3_file *file, void *data, int bytes, sqlite3_int64 offset)
{
    return real_file(file)->pMethods->xRead(real_file(file), data, bytes, offset);
}

/* A failing write may leave a part of what was to be written. */
static int write_file(sqlite3_file *file, const void *data, int bytes, sqlite3_int64 offset)
{
    if (step_fails()) {
        real_file(file)->pMethods->xWrite(real_file(file), data, bytes / 2, offset);
        return fail_with(SQLITE_IOERR_WRITE);
    }
    return real_file(file)->pMethods->xWrite(real_file(file), data, bytes, offset);
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    if (step_fails())
        return fail_with(SQLITE_IOERR_TRUNCATE);
    return real_file(file)->pMethods->xTruncate(real_file(file), size);
}

static int sync_file(sqlite3_file *file, int flags)
{
    if (step_fails())
        return fail_with(SQLITE_IOERR_FSYNC);
    return real_file(file)->pMethods->xSync(real_file(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_file(file)->pMethods->xFileSize(real_file(file), size);
}

static int lock_file(sqlite3_file *file, int level)
{
    return real_file(file)->pMethods->xLock(real_file(file), level);
}

static int unlock_file(sqlite3_file *file, int level)
{
    return real_file(file)->pMethods->xUnlock(real_file(file), level);
}

static int check_reserved(sqlite3_file *file, int *result)
{
    return real_file(file)->pMethods->xCheckReservedLock(real_file(file), result);
}

static int file_control(sqlite3_file *file, int operation, void *argument)
{
    return real_file(file)->pMethods->xFileControl(real_file(file), operation, argument);
}

static int sector_size(sqlite3_file *file)
{
    return real_file(file)->pMethods->xSectorSize(real_file(file));
}

static int characteristics(sqlite3_file *file)
{
    return real_file(file)->pMethods->xDeviceCharacteristics(real_file(file));
}

static int map_shared(sqlite3_file *file, int page, int size, int extend, void volatile **memory)
{
    if (extend != 0 && step_fails()) {
        *memory = NULL;
        return fail_with(SQLITE_IOERR_SHMSIZE);
    }
    return real_file(file)->pMethods->xShmMap(real_file(file), page, size, extend, memory);
}

static int lock_shared(sqlite3_file *file, int offset, int n, int flags)
{
    return real_file(file)->pMethods->xShmLock(real_file(file), offset, n, flags);
}

static void shared_barrier(sqlite3_file *file)
{
    real_file(file)->pMethods->xShmBarrier(real_file(file));
}

static int unmap_shared(sqlite3_file *file, int remove)
{
    return real_file(file)->pMethods->xShmUnmap(real_file(file), remove);
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct fault_file *fault = (struct fault_file *)file;
    int rc;

    (void)vfs;
    fault->real = (sqlite3_file *)(fault + 1);
    rc = disk.real->xOpen(disk.real, name, fault->real, flags, out);
    fault->base.pMethods = fault->real->pMethods != NULL ? &disk.methods : NULL;
    return rc;
}

void fault_vfs_install(void)
{
    disk.real = sqlite3_vfs_find(NULL);
    assert(disk.real != &disk.vfs);
    disk.vfs = *disk.real; /* what is not replaced below does not look at its vfs's files */
    disk.vfs.zName = "fault";
    disk.vfs.pNext = NULL;
    disk.vfs.szOsFile = (int)sizeof(struct fault_file) + disk.real->szOsFile;
    disk.vfs.xOpen = open_file;
    disk.methods = (sqlite3_io_methods){
        .iVersion = 2, /* without xFetch: no memory mapping */
        .xClose = close_file,
        .xRead = read_file,
        .xWrite = write_file,
        .xTruncate = truncate_file,
        .xSync = sync_file,
        .xFileSize = file_size,
        .xLock = lock_file,
        .xUnlock = unlock_file,
        .xCheckReservedLock = check_reserved,
        .xFileControl = file_control,
        .xSectorSize = sector_size,
        .xDeviceCharacteristics = characteristics,
        .xShmMap = map_shared,
        .xShmLock = lock_shared,
        .xShmBarrier = shared_barrier,
        .xShmUnmap = unmap_shared,
    };
    sqlite3_vfs_register(&disk.vfs, 1);
}

void fault_vfs_remove(void)
{
    sqlite3_vfs_unregister(&disk.vfs);
    sqlite3_vfs_register(disk.real, 1);
}

void fault_vfs_fail(unsigned step, int number, bool stay)
{
    disk.step = step;
    disk.number = number;
    disk.stay = stay;
    disk.failed = false;
}

bool fault_vfs_failed(void)
{
    return disk.failed;
}
