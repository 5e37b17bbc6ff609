#ifndef CLINUX_SIGBUS_H
#define CLINUX_SIGBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * SIGBUS containment: a peer that truncates the file behind shared memory turns our loads into SIGBUS. A handler finds
 * the range in a static table, puts private zero pages over it (mmap MAP_FIXED) and signals the owner's eventfd, so
 * that the interrupted access goes on and only the owner of the range is affected. A SIGBUS elsewhere keeps its
 * default action. Everything the handler calls is async-signal-safe.
 *
 * A range is released only when no thread touches it any more. So a range that changes while the handler looks at it is
 * not the one of the access, and the table needs no lock there.
 */

enum {
  /* Ranges of all owners together: about as many mappings as a kernel gives a process (vm.max_map_count). */
  CLINUX_SIGBUS_RANGES = 65536,
  /* Ranges that the handler rules out with one look. */
  CLINUX_SIGBUS_BLOCK = 64,
};

/* Installs the handler once per process; 0 or -1 with errno. Any thread. */
int clinux_sigbus_install(void);
/* Guards [base, base+length); eventfd is signalled at each fault. Slot number, or -1 when the table is full. */
int clinux_sigbus_guard(void *base, size_t length, int eventfd);
/* Whether an access to the range of a slot has faulted: part of it, or all, is private memory now. */
bool clinux_sigbus_faulted(int slot);
/* Takes the range of a slot back; before munmap. */
void clinux_sigbus_release(int slot);

#endif
