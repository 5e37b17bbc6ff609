#ifndef PATH_REFERENCE_H
#define PATH_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The I/O path of an NVMe controller in C: what nvmed's is compared with, instruction by instruction. It does the same
 * work on the same guest memory with the same checks: doorbell, reservation of a completion entry, one copy of the
 * command, opcode and flags, namespace, range, PRPs to merged iovecs, request slot with generation, iocb, one io_submit
 * for a burst, the mapped completion ring, the completion entry, one interrupt for a burst, counters.
 */

/* A range of guest memory. */
struct path_region {
  uint64_t iova;
  uint64_t size;
  uint8_t *host;
  uint32_t access; /* PATH_READ, PATH_WRITE: what the device may do */
};
enum { PATH_READ = 1, PATH_WRITE = 2 };

/* One controller with one queue pair (identifier 1) and one namespace (identifier 1). */
struct path_setup {
  size_t region_count;
  uint64_t submission_iova;
  uint64_t completion_iova;
  uint32_t entries; /* of each queue */
  uint32_t requests; /* in flight at most */
  void *tail;       /* doorbells: 32-bit words that the host stores */
  void *head;
  int interrupt;  /* eventfd */
  int completion; /* eventfd of the aio context */
  int file;       /* of the namespace, or -1: its commands complete at once and move nothing */
  uint32_t block_shift;
  uint64_t block_count;
  uint64_t maximum_transfer; /* bytes */
  uintptr_t alignment_mask;
};

struct path_controller;

/* NULL with errno where something is missing. The regions, in ascending order, are copied. */
struct path_controller *path_create(const struct path_setup *setup, const struct path_region *regions);
void path_destroy(struct path_controller *controller);
/* Does what was submitted, as far as it completes at once. */
void path_round(struct path_controller *controller);

/* Where a measurement begins and ends, for a profiler that is told of functions. They do nothing. */
void path_measurement_begin(void);
void path_measurement_end(void);

#endif
