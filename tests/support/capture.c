#include "capture.h"

#include <stdlib.h>
#include <unistd.h>

#include "test.h"

char *capture_stderr(void (*emit)(const void *context), const void *context)
{
    char name[] = "/tmp/gatherd-test-log-XXXXXX";
    int file = mkstemp(name);
    int saved = dup(STDERR_FILENO);
    char *text;
    off_t size;

    assert_true(file >= 0 && saved >= 0);
    unlink(name);
    dup2(file, STDERR_FILENO);
    emit(context);
    dup2(saved, STDERR_FILENO);
    close(saved);
    size = lseek(file, 0, SEEK_END);
    text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(pread(file, text, (size_t)size, 0), size);
    close(file);
    return text;
}
