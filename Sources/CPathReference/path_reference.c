#include "path_reference.h"

#include <errno.h>
#include <libaio.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "The queue entries are copied as they lie in guest memory, which is little-endian."
#endif

/* Both sides have their usual commands in line, and what is rare out of it. */
#define HOT inline __attribute__((always_inline))
#define COLD __attribute__((noinline, cold))

enum {
  PAGE = 4096,
  BURST = 64,
  SEGMENTS = 1023,
  SEGMENT_STRIDE = 1028,
  IOCB_RESFD = 1,
  AIO_RING_MAGIC = 0xa10a10a1,
};

/* Status fields: SCT, SC and DNR. */
enum {
  SUCCESS = 0,
  INVALID_OPCODE = 0x4001,
  INVALID_FIELD = 0x4002,
  DATA_TRANSFER_ERROR = 0x0004,
  INTERNAL_ERROR = 0x0006,
  ABORT_REQUESTED = 0x0007,
  INVALID_NAMESPACE = 0x400b,
  INVALID_PRP_OFFSET = 0x4013,
  NAMESPACE_WRITE_PROTECTED = 0x4020,
  LBA_OUT_OF_RANGE = 0x4080,
  UNRECOVERED_READ_ERROR = 0x0281,
  UNFINISHED = 0xffff, /* goes on, in the slot */
};

enum { FLUSH = 0x00, WRITE = 0x01, READ = 0x02 };

struct command {
  uint16_t kind; /* OPC, FUSE, PSDT */
  uint16_t identifier;
  uint32_t namespace;
  uint64_t reserved;
  uint64_t metadata;
  uint64_t prp1;
  uint64_t prp2;
  uint64_t slba;
  uint32_t cdw12;
  uint32_t cdw13, cdw14, cdw15;
};
_Static_assert(sizeof(struct command) == 64, "a submission queue entry");

struct segments {
  struct iovec *base;
  uint32_t count;
  uintptr_t bits; /* all addresses and lengths, or-ed */
  uintptr_t end;
};

enum state { FREE, WAITING, SUBMITTED };

struct request {
  uint32_t generation;
  uint8_t operation;
  uint8_t state;
  bool discarded, awaited, data_sync;
  uint16_t queue;
  uint16_t command;
  uint32_t namespace;
  int32_t bounce;
  uint32_t segment_count;
  uint32_t first_segment;
  uint64_t offset;
  uint64_t length;
  uint64_t done;
  uint64_t slba;
  int64_t simple_result; /* that ends it with success and nothing else to do; cleared where there is something */
};

/* The pages of a queue: contiguous for the guest alone. */
struct queue_memory {
  uint8_t **pages;
  uint32_t page_count; /* all, once every page is mapped; 0 before that */
};

struct submission_queue {
  struct queue_memory memory;
  _Atomic uint32_t *doorbell;
  uint32_t size, head, tail, in_flight, invalid_tail;
  uint16_t identifier;
  int32_t aborted; /* a command not to execute, or -1 */
  bool deleted;    /* ends with its last command */
};

struct completion_queue {
  struct queue_memory memory;
  _Atomic uint32_t *doorbell;
  uint32_t size, head, tail;
  uint32_t free; /* neither reserved nor waiting for the host; one always stays empty */
  uint16_t phase;
  bool news;
};

struct namespace {
  bool active, read_only;
  int file; /* or -1 */
  uint32_t block_shift;
  uint64_t block_count;
  uintptr_t alignment_mask;
};

/* struct aio_ring of the kernel's fs/aio.c */
struct aio_ring {
  unsigned id, nr;
  _Atomic unsigned head, tail;
  unsigned magic, compat, incompat, header_length;
  struct io_event events[];
};

struct path_controller {
  struct path_region last; /* of the last translation */
  struct path_region *regions;
  size_t region_count;
  struct submission_queue submission;
  struct completion_queue completion;
  struct namespace *namespaces;
  uint32_t namespace_count;
  uint64_t maximum_transfer;
  bool write_through;
  bool paused;  /* no DMA: Bus Master is off */
  bool owes;    /* something waits for requests to end */
  bool starved; /* commands wait for a request */
  bool kicked;

  struct request *requests;
  struct iovec *segments;
  uint32_t *free;
  uint32_t request_count, free_count;
  uint32_t room; /* in flight at most */
  uint32_t in_flight;

  io_context_t context;
  struct aio_ring *ring;
  struct iocb *iocbs;
  struct iocb **batch;
  uint32_t batched;
  unsigned ring_head;
  int completion_event, interrupt;

  uint64_t read_commands, write_commands, read_bytes, written_bytes, other_commands, failures;
  _Atomic uint64_t published[4];
};

/* --- guest memory --- */

static COLD bool search(struct path_controller *c, uint64_t iova) {
  size_t low = 0, high = c->region_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (c->regions[middle].iova <= iova)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0 || iova - c->regions[low - 1].iova >= c->regions[low - 1].size) return false;
  c->last = c->regions[low - 1];
  return true;
}

/* Where all of the range lies, or NULL. */
static HOT uint8_t *translate(struct path_controller *c, uint64_t iova, uint64_t length, uint32_t access) {
  if (iova - c->last.iova >= c->last.size && !search(c, iova)) return NULL;
  uint64_t offset = iova - c->last.iova;
  if ((c->last.access & access) != access || length > c->last.size - offset) return NULL;
  return c->last.host + offset;
}

static HOT bool append(struct segments *s, uint8_t *address, uint64_t length) {
  uintptr_t bits = (uintptr_t)address;
  s->bits |= bits | length;
  if (bits == s->end) { /* (0 in an empty list, where nothing lies) */
    s->base[s->count - 1].iov_len += length;
  } else {
    if (s->count >= SEGMENTS) return false;
    s->base[s->count++] = (struct iovec){address, length};
  }
  s->end = bits + length;
  return true;
}

static __attribute__((noinline)) uint16_t prp_list(struct path_controller *c, uint64_t pointer, uint64_t rest,
                                                   uint32_t access, struct segments *s) {
  if (pointer & 7) return INVALID_PRP_OFFSET;
  while (rest > 0) {
    uint64_t entries = (PAGE - (pointer & (PAGE - 1))) / 8;
    uint64_t needed = (rest + PAGE - 1) / PAGE;
    /* The last slot of a page is a data pointer only where no further page is needed. */
    bool chained = needed > entries;
    uint64_t count = chained ? entries : needed;
    entries = chained ? entries - 1 : needed;
    const uint8_t *list = translate(c, pointer, count * 8, PATH_READ);
    if (!list) return DATA_TRANSFER_ERROR;
    uint64_t entry;
    for (uint64_t i = 0; i < entries; i++) {
      memcpy(&entry, list + i * 8, 8);
      if (entry & (PAGE - 1)) return INVALID_PRP_OFFSET;
      uint64_t length = rest < PAGE ? rest : PAGE;
      uint8_t *address = translate(c, entry, length, access);
      if (!address) return DATA_TRANSFER_ERROR;
      if (!append(s, address, length)) return INTERNAL_ERROR;
      rest -= length;
    }
    if (chained) {
      memcpy(&pointer, list + entries * 8, 8);
      if (pointer & (PAGE - 1)) return INVALID_PRP_OFFSET;
    }
  }
  return SUCCESS;
}

static HOT uint16_t prps(struct path_controller *c, const struct command *command, uint64_t length,
                            uint32_t access, struct segments *s) {
  if (length == 0) return SUCCESS;
  uint64_t prp1 = command->prp1, prp2 = command->prp2;
  if (prp1 & 3) return INVALID_PRP_OFFSET;
  uint64_t first = PAGE - (prp1 & (PAGE - 1));
  if (first > length) first = length;
  uint8_t *address = translate(c, prp1, first, access);
  if (!address) return DATA_TRANSFER_ERROR;
  if (!append(s, address, first)) return INTERNAL_ERROR;
  uint64_t rest = length - first;
  if (rest == 0) return SUCCESS;
  if (rest > PAGE) return prp_list(c, prp2, rest, access, s);
  if (prp2 & (PAGE - 1)) return INVALID_PRP_OFFSET;
  address = translate(c, prp2, rest, access);
  if (!address) return DATA_TRANSFER_ERROR;
  return append(s, address, rest) ? SUCCESS : INTERNAL_ERROR;
}

/* --- queues --- */

static HOT uint8_t *entry_address(const struct queue_memory *m, uint32_t offset) {
  uint32_t page = offset / PAGE;
  if (page >= m->page_count) return NULL;
  return m->pages[page] + offset % PAGE;
}

static HOT bool look_at_tail(struct submission_queue *q) {
  uint32_t value = atomic_load_explicit(q->doorbell, memory_order_acquire) & 0xffff;
  if (value >= q->size) {
    q->invalid_tail = value;
  } else {
    q->tail = value;
  }
  return q->head != q->tail;
}

static COLD void look_at_head(struct completion_queue *q) {
  uint32_t value = atomic_load_explicit(q->doorbell, memory_order_acquire) & 0xffff;
  if (value >= q->size) return;
  uint32_t used = q->tail >= q->head ? q->tail - q->head : q->tail + q->size - q->head;
  uint32_t consumed = value >= q->head ? value - q->head : value + q->size - q->head;
  if (consumed > used) return;
  q->head = value;
  q->free += consumed;
}

static HOT bool reserve(struct completion_queue *q) {
  if (q->free == 0) {
    look_at_head(q);
    if (q->free == 0) return false;
  }
  q->free--;
  return true;
}

static HOT bool post(struct completion_queue *q, uint16_t status, const struct submission_queue *s,
                        uint16_t command) {
  uint8_t *address = entry_address(&q->memory, q->tail * 16);
  if (!address) return false;
  uint64_t word = (uint64_t)(uint16_t)s->head | (uint64_t)s->identifier << 16 | (uint64_t)command << 32 |
                  (uint64_t)(uint16_t)(status << 1 | q->phase) << 48;
  *(uint64_t *)address = 0;
  atomic_store_explicit((_Atomic uint64_t *)(address + 8), word, memory_order_release);
  q->news = true;
  if (++q->tail == q->size) {
    q->tail = 0;
    q->phase ^= 1;
  }
  return true;
}

/* --- commands --- */

static HOT void count(struct path_controller *c, uint8_t operation, uint64_t length) {
  if (operation == WRITE) {
    c->write_commands++;
    c->written_bytes += length;
  } else {
    c->read_commands++;
    c->read_bytes += length;
  }
}

static HOT void prepare(struct path_controller *c, uint32_t index, int file) {
  struct request *r = &c->requests[index];
  struct iovec *base = c->segments + (size_t)index * SEGMENT_STRIDE + 1 + r->first_segment;
  struct iocb *iocb = &c->iocbs[index];
  uint32_t segments = r->segment_count - r->first_segment;
  bool is_write = r->operation == WRITE;
  iocb->data = (void *)((uint64_t)r->generation << 32 | index);
  iocb->aio_rw_flags = is_write && r->data_sync ? 2 : 0;
  iocb->aio_reqprio = 0;
  iocb->aio_fildes = file;
  iocb->u.c.offset = (long long)(r->offset + r->done);
  iocb->u.c.__pad3 = 0;
  iocb->u.c.flags = IOCB_RESFD;
  iocb->u.c.resfd = (unsigned)c->completion_event;
  if (segments == 1) {
    iocb->aio_lio_opcode = is_write ? IO_CMD_PWRITE : IO_CMD_PREAD;
    iocb->u.c.buf = base->iov_base;
    iocb->u.c.nbytes = base->iov_len;
  } else {
    iocb->aio_lio_opcode = is_write ? IO_CMD_PWRITEV : IO_CMD_PREADV;
    iocb->u.c.buf = base;
    iocb->u.c.nbytes = segments;
  }
  c->batch[c->batched++] = iocb;
}

static HOT uint16_t transfer(struct path_controller *c, const struct command *command, uint32_t index,
                             uint8_t operation) {
  uint32_t place = command->namespace - 1;
  if (place >= c->namespace_count) return INVALID_NAMESPACE;
  const struct namespace *namespace = &c->namespaces[place];
  if (!namespace->active) return INVALID_FIELD;
  if (operation == WRITE && namespace->read_only) return NAMESPACE_WRITE_PROTECTED;
  uint64_t blocks = (command->cdw12 & 0xffff) + 1ull;
  uint64_t length = blocks << namespace->block_shift;
  if (length > c->maximum_transfer) return INVALID_FIELD;
  if (blocks > namespace->block_count || command->slba > namespace->block_count - blocks) return LBA_OUT_OF_RANGE;
  struct segments segments = {.base = c->segments + (size_t)index * SEGMENT_STRIDE + 1};
  uint16_t status = prps(c, command, length, operation == READ ? PATH_WRITE : PATH_READ, &segments);
  if (status != SUCCESS) return status;
  if (namespace->file < 0) {
    count(c, operation, length);
    return SUCCESS;
  }
  struct request *r = &c->requests[index];
  r->operation = operation;
  r->state = SUBMITTED;
  r->discarded = false;
  r->awaited = false;
  r->data_sync = operation == WRITE && (c->write_through || (command->cdw12 >> 30 & 1));
  r->command = command->identifier;
  r->namespace = command->namespace - 1;
  r->bounce = -1;
  r->segment_count = segments.count;
  r->first_segment = 0;
  r->offset = command->slba << namespace->block_shift;
  r->length = length;
  r->done = 0;
  r->slba = command->slba;
  r->simple_result = (int64_t)length;
  c->free_count--;
  /* A bounce buffer would be needed: the setup sees to it that none is. */
  if (segments.bits & namespace->alignment_mask) abort();
  prepare(c, index, namespace->file);
  return UNFINISHED;
}

/* SGLs, Flush and the rest are not part of the comparison. */
static COLD uint16_t begin_other(const struct command *command) {
  uint8_t opcode = command->kind & 0xff;
  return opcode == READ || opcode == WRITE ? INVALID_FIELD : INVALID_OPCODE;
}

static HOT uint16_t begin(struct path_controller *c, const struct command *command, uint32_t index) {
  switch (command->kind & 0xc3ff) {
  case READ: return transfer(c, command, index, READ);
  case WRITE: return transfer(c, command, index, WRITE);
  default: return begin_other(command);
  }
}

static COLD void note_failure(struct path_controller *c) { c->other_commands++, c->failures++; }

static void service(struct path_controller *c) {
  struct submission_queue *q = &c->submission;
  c->kicked = c->starved = false;
  if (c->paused || !look_at_tail(q) || q->deleted || c->completion.memory.page_count == 0) return;
  for (uint32_t budget = BURST; q->head != q->tail && budget > 0; budget--) {
    if (c->in_flight >= c->room || c->free_count == 0) {
      c->starved = true;
      return;
    }
    uint32_t index = c->free[c->free_count - 1];
    if (!reserve(&c->completion)) return;
    const uint8_t *address = entry_address(&q->memory, q->head * 64);
    if (!address) {
      c->completion.free++;
      return;
    }
    struct command command;
    memcpy(&command, address, sizeof command);
    q->head = q->head + 1 == q->size ? 0 : q->head + 1;
    uint16_t status;
    if (q->aborted == command.identifier) {
      q->aborted = -1;
      status = ABORT_REQUESTED;
    } else {
      status = begin(c, &command, index);
    }
    if (status != UNFINISHED) {
      if (status & 0x7ff) note_failure(c);
      post(&c->completion, status, q, command.identifier);
    } else {
      c->requests[index].queue = q->identifier;
      q->in_flight++;
      c->in_flight++;
    }
  }
}

/* --- completions --- */

static COLD uint16_t unusual(struct path_controller *c, long long result) {
  (void)result;
  c->failures++;
  return UNRECOVERED_READ_ERROR;
}

static void reap(struct path_controller *c) {
  unsigned tail = atomic_load_explicit(&c->ring->tail, memory_order_acquire);
  if (tail == c->ring_head || tail >= c->ring->nr) return;
  while (c->ring_head != tail) {
    struct io_event event = c->ring->events[c->ring_head];
    c->ring_head = c->ring_head + 1 == c->ring->nr ? 0 : c->ring_head + 1;
    uint64_t cookie = (uint64_t)event.data;
    uint32_t index = (uint32_t)cookie;
    if (index >= c->request_count) continue;
    struct request *r = &c->requests[index];
    if (r->generation != cookie >> 32 || r->state == FREE) continue;
    long long result = (long long)event.res;
    uint16_t status = SUCCESS;
    if (result == r->simple_result && !c->paused)
      count(c, r->operation, r->length);
    else
      status = unusual(c, result);
    if (!r->discarded) {
      if (r->queue != 1 || !post(&c->completion, status, &c->submission, r->command)) abort();
      c->submission.in_flight--;
      if (c->submission.deleted && c->submission.in_flight == 0) unusual(c, 0);
    }
    r->state = FREE;
    r->generation++;
    c->free[c->free_count++] = index;
    c->in_flight--;
    if (c->owes) unusual(c, 0);
    if (c->starved) c->kicked = true;
  }
  atomic_store_explicit(&c->ring->head, c->ring_head, memory_order_release);
}

static void submit(struct path_controller *c) {
  uint32_t done = 0;
  while (done < c->batched) {
    int result = io_submit(c->context, c->batched - done, c->batch + done);
    if (result <= 0) abort();
    done += (uint32_t)result;
  }
  c->batched = 0;
}

void path_round(struct path_controller *c) {
  reap(c);
  service(c);
  if (c->batched > 0) {
    submit(c);
    reap(c);
  }
  if (c->completion.news) {
    c->completion.news = false;
    uint64_t one = 1;
    if (write(c->interrupt, &one, sizeof one) < 0) c->failures++;
  }
  atomic_store_explicit(&c->published[0], c->read_commands, memory_order_relaxed);
  atomic_store_explicit(&c->published[1], c->write_commands, memory_order_relaxed);
  atomic_store_explicit(&c->published[2], c->read_bytes, memory_order_relaxed);
  atomic_store_explicit(&c->published[3], c->written_bytes, memory_order_relaxed);
}

/* --- setting up --- */

static bool resolve(struct path_controller *c, struct queue_memory *m, uint64_t iova, uint32_t bytes,
                    uint32_t access) {
  uint32_t count = (bytes + PAGE - 1) / PAGE;
  m->pages = calloc(count, sizeof *m->pages);
  if (!m->pages) return false;
  for (uint32_t page = 0; page < count; page++) {
    m->pages[page] = translate(c, iova + (uint64_t)page * PAGE, PAGE, access);
    if (!m->pages[page]) return false;
  }
  m->page_count = count;
  return true;
}

struct path_controller *path_create(const struct path_setup *setup, const struct path_region *regions) {
  struct path_controller *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  uint32_t requests = setup->requests;
  c->region_count = setup->region_count;
  c->regions = calloc(setup->region_count, sizeof *c->regions);
  c->namespaces = calloc(1, sizeof *c->namespaces);
  c->requests = calloc(requests, sizeof *c->requests);
  c->segments = malloc((size_t)requests * SEGMENT_STRIDE * sizeof *c->segments);
  c->free = calloc(requests, sizeof *c->free);
  c->iocbs = calloc(requests, sizeof *c->iocbs);
  c->batch = calloc(requests, sizeof *c->batch);
  if (!c->regions || !c->namespaces || !c->requests || !c->segments || !c->free || !c->iocbs || !c->batch) goto fail;
  memcpy(c->regions, regions, setup->region_count * sizeof *c->regions);
  c->namespace_count = 1;
  c->namespaces[0] = (struct namespace){
      .active = true,
      .file = setup->file,
      .block_shift = setup->block_shift,
      .block_count = setup->block_count,
      .alignment_mask = setup->alignment_mask,
  };
  c->maximum_transfer = setup->maximum_transfer;
  c->request_count = c->free_count = c->room = requests;
  for (uint32_t i = 0; i < requests; i++) c->free[i] = requests - 1 - i;
  c->completion_event = setup->completion;
  c->interrupt = setup->interrupt;
  c->submission.doorbell = setup->tail;
  c->submission.size = c->completion.size = setup->entries;
  c->submission.identifier = 1;
  c->submission.aborted = -1;
  c->completion.doorbell = setup->head;
  c->completion.phase = 1;
  c->completion.free = setup->entries - 1;
  if (!resolve(c, &c->submission.memory, setup->submission_iova, setup->entries * 64, PATH_READ) ||
      !resolve(c, &c->completion.memory, setup->completion_iova, setup->entries * 16, PATH_WRITE)) {
    errno = EFAULT;
    goto fail;
  }
  int result = io_setup((int)requests, &c->context);
  if (result < 0) {
    errno = -result;
    goto fail;
  }
  c->ring = (struct aio_ring *)c->context;
  if (c->ring->magic != AIO_RING_MAGIC || c->ring->incompat != 0) {
    errno = ENOTSUP;
    goto fail;
  }
  return c;
fail:
  path_destroy(c);
  return NULL;
}

void path_destroy(struct path_controller *c) {
  if (c->context) io_destroy(c->context);
  free(c->submission.memory.pages);
  free(c->completion.memory.pages);
  free(c->regions);
  free(c->namespaces);
  free(c->requests);
  free(c->segments);
  free(c->free);
  free(c->iocbs);
  free(c->batch);
  free(c);
}

__attribute__((noinline)) void path_measurement_begin(void) { __asm__ volatile(""); }
__attribute__((noinline)) void path_measurement_end(void) { __asm__ volatile(""); }
