#ifndef NVMED_FUZZ_AIO_H
#define NVMED_FUZZ_AIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Linux AIO as a process of its own would see it, but for the disk's moods: whoever links this decides when a request
 * moves its data and finishes, and in which order. It stands in for libaio's io_setup, io_submit, io_getevents and
 * io_destroy. One thread.
 *
 * All requests are for one disk, the file that is mapped at fuzz_aio_disk. What is written to it lies in a cache until
 * a sync that was submitted after the write had finished, or at once where the write asks for it (RWF_DSYNC).
 */

/* The disk: size bytes, a multiple of 512 and at most 512 KiB. */
void fuzz_aio_disk(void *memory, size_t size);

/* All blocks of the disk are zero, and nothing is in its cache. */
void fuzz_aio_clear(void);

/* What has been written so far is durable, as after fdatasync. */
void fuzz_aio_sync(void);

/* What lies in the cache is lost. Nothing is in flight. */
void fuzz_aio_lose_power(void);

/* Whether requests stay in flight from now on; else they finish inside io_submit, as those of the page cache do. */
void fuzz_aio_hold(bool holds);

/* Requests that were submitted and have not finished. */
size_t fuzz_aio_pending(void);

/* Whether a request, counted from the oldest, is a sync. */
bool fuzz_aio_is_sync(size_t index);

/*
 * Finishes a request, counted from the oldest: it moves its data now.
 *
 * - error: an errno, which it fails with instead; 0: none.
 * - limit: bytes that it moves at most, as a disk that is nearly full does.
 *
 * Returns what the request came to: bytes, or the negative of an errno. -EFAULT means that the memory that a request in
 * flight uses was unmapped.
 */
int64_t fuzz_aio_finish(size_t index, int error, size_t limit);

#endif
