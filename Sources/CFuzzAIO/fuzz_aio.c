#define _GNU_SOURCE
#include "fuzz_aio.h"

#include <errno.h>
#include <libaio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { EVENTS = 4096, VECTORS = 1024, MAGIC = 0xa10a10a1, RESFD = 1, BLOCK = 512, BLOCKS = 1024 };

/* struct aio_ring of the kernel's fs/aio.c, which io_context_t points to. */
struct ring {
  unsigned id, nr, head, tail, magic, compat_features, incompat_features, header_length;
  struct io_event events[EVENTS];
};

/* What the kernel keeps of a request: a copy, also of its vectors. */
struct request {
  struct ring *ring;
  struct iocb *object;
  struct iocb copy;
  struct iovec *vectors;
  int count;
  /* The disk's time when it was submitted. */
  uint64_t begun;
};

/* What is read from the disk, and what a loss of power leaves of those of its blocks that are in the cache. */
static struct {
  char *current, *durable;
  size_t size;
  /* By block: the time of the last write that lies in the cache; 0: none does. */
  uint64_t written[BLOCKS];
  uint64_t time;
  bool is_clear;
} disk;

static struct request requests[EVENTS];
static size_t pending;
static bool is_held;

void fuzz_aio_hold(bool holds) { is_held = holds; }

size_t fuzz_aio_pending(void) { return pending; }

bool fuzz_aio_is_sync(size_t index) {
  if (index >= pending) abort();
  return requests[index].copy.aio_lio_opcode == IO_CMD_FDSYNC;
}

void fuzz_aio_disk(void *memory, size_t size) {
  if (size % BLOCK || size > (size_t)BLOCK * BLOCKS) abort();
  disk.current = memory;
  disk.durable = calloc(1, size);
  disk.size = size;
  if (!disk.durable) abort();
}

void fuzz_aio_clear(void) {
  if (disk.is_clear) return;
  memset(disk.current, 0, disk.size);
  fuzz_aio_sync();
  disk.is_clear = true;
}

void fuzz_aio_sync(void) { memset(disk.written, 0, sizeof disk.written); }

void fuzz_aio_lose_power(void) {
  if (pending > 0) abort();
  for (size_t block = 0; block < disk.size / BLOCK; block++)
    if (disk.written[block]) memcpy(disk.current + block * BLOCK, disk.durable + block * BLOCK, BLOCK);
  fuzz_aio_sync();
}

/* A sync has finished: it covers the writes that had finished when it was submitted. */
static void finish_sync(uint64_t begun) {
  for (size_t block = 0; block < BLOCKS; block++)
    if (disk.written[block] <= begun) disk.written[block] = 0;
}

/* Bytes from offset on are about to be written: what is durable of their blocks is kept. */
static void keep(size_t offset, size_t count) {
  for (size_t block = offset / BLOCK; block * BLOCK < offset + count && block * BLOCK < disk.size; block++)
    if (!disk.written[block]) memcpy(disk.durable + block * BLOCK, disk.current + block * BLOCK, BLOCK);
}

/* So many bytes were written. */
static void note_write(size_t offset, size_t count, bool is_durable) {
  disk.is_clear = false;
  disk.time++;
  /* Of a block in the cache these bytes alone. */
  if (is_durable && offset + count <= disk.size) memcpy(disk.durable + offset, disk.current + offset, count);
  if (is_durable) return;
  for (size_t block = offset / BLOCK; block * BLOCK < offset + count && block < BLOCKS; block++)
    disk.written[block] = disk.time;
}

int io_setup(int maximum, io_context_t *context) {
  if (maximum <= 0 || maximum >= EVENTS) return -EINVAL;
  struct ring *ring = calloc(1, sizeof *ring);
  if (!ring) return -ENOMEM;
  ring->nr = EVENTS;
  ring->magic = MAGIC;
  ring->compat_features = 1;
  ring->header_length = offsetof(struct ring, events);
  *context = (io_context_t)ring;
  return 0;
}

int io_destroy(io_context_t context) {
  free(context);
  return 0;
}

/* The ring is there to be read. */
int io_getevents(io_context_t context, long least, long most, struct io_event *events, struct timespec *timeout) {
  (void)context, (void)least, (void)most, (void)events, (void)timeout;
  abort();
}

static int64_t transfer(const struct request *request, size_t limit) {
  const struct iocb *iocb = &request->copy;
  struct iovec vectors[VECTORS];
  int count = 0;
  size_t bytes = 0;
  for (; count < request->count && bytes < limit; count++) {
    vectors[count] = request->vectors[count];
    if (vectors[count].iov_len > limit - bytes) vectors[count].iov_len = limit - bytes;
    bytes += vectors[count].iov_len;
  }
  size_t offset = (size_t)iocb->u.c.offset;
  ssize_t result = 0;
  switch (iocb->aio_lio_opcode) {
    case IO_CMD_PREAD:
    case IO_CMD_PREADV: result = preadv(iocb->aio_fildes, vectors, count, iocb->u.c.offset); break;
    case IO_CMD_PWRITE:
    case IO_CMD_PWRITEV:
      keep(offset, bytes);
      result = pwritev(iocb->aio_fildes, vectors, count, iocb->u.c.offset);
      if (result > 0) note_write(offset, (size_t)result, iocb->aio_rw_flags & RWF_DSYNC);
      break;
    default: finish_sync(request->begun);
  }
  return result < 0 ? -errno : result;
}

int64_t fuzz_aio_finish(size_t index, int error, size_t limit) {
  if (index >= pending) abort();
  struct request request = requests[index];
  pending--;
  memmove(&requests[index], &requests[index + 1], (pending - index) * sizeof request);
  int64_t result = error ? -error : transfer(&request, limit);
  free(request.vectors);
  struct ring *ring = request.ring;
  unsigned tail = ring->tail, next = tail + 1 == ring->nr ? 0 : tail + 1;
  if (next == __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE)) abort();
  ring->events[tail] = (struct io_event){.data = request.copy.data, .obj = request.object, .res = (unsigned long)result};
  __atomic_store_n(&ring->tail, next, __ATOMIC_RELEASE);
  if (request.copy.u.c.flags & RESFD) {
    uint64_t one = 1;
    (void)!write((int)request.copy.u.c.resfd, &one, sizeof one);
  }
  return result;
}

/* Takes a request as the kernel does; 0, or the negative of an errno. */
static int take(struct ring *ring, struct iocb *object) {
  struct request *request = &requests[pending];
  *request = (struct request){.ring = ring, .object = object, .copy = *object, .begun = disk.time};
  struct iovec single = {.iov_base = object->u.c.buf, .iov_len = object->u.c.nbytes};
  const struct iovec *vectors = &single;
  switch (object->aio_lio_opcode) {
    case IO_CMD_PREAD:
    case IO_CMD_PWRITE: request->count = 1; break;
    case IO_CMD_PREADV:
    case IO_CMD_PWRITEV:
      if (object->u.c.nbytes > VECTORS) return -EINVAL;
      vectors = object->u.c.buf;
      request->count = (int)object->u.c.nbytes;
      break;
    case IO_CMD_FDSYNC: return pending++, 0;
    default: return -EINVAL;
  }
  request->vectors = calloc((size_t)request->count + 1, sizeof single);
  if (!request->vectors) return -EAGAIN;
  memcpy(request->vectors, vectors, (size_t)request->count * sizeof single);
  pending++;
  return 0;
}

int io_submit(io_context_t context, long count, struct iocb *objects[]) {
  for (long index = 0; index < count; index++) {
    int error = pending == EVENTS - 1 ? -EAGAIN : take((struct ring *)context, objects[index]);
    if (error) return index > 0 ? (int)index : error;
    if (!is_held) fuzz_aio_finish(pending - 1, 0, SIZE_MAX);
  }
  return (int)count;
}
