#ifndef CLINUX_SIGBUS_H
#define CLINUX_SIGBUS_H

#include <stddef.h>
#include <stdint.h>

/*
 * SIGBUS containment: a peer that truncates the file behind shared memory turns our loads into SIGBUS. A handler finds
 * the range in a static table, puts private zero pages over it (mmap MAP_FIXED) and signals the owner's eventfd, so
 * that the interrupted access goes on and only the owner of the range is affected. A SIGBUS elsewhere keeps its
 * default action. Everything the handler calls is async-signal-safe.
 */

enum { CLINUX_SIGBUS_RANGES = 65536 };

/* Installs the handler once per process; 0 or -1 with errno. Any thread. */
int clinux_sigbus_install(void);
/* Guards [base, base+length); eventfd is signalled at the first fault. Slot number, or -1 when the table is full. */
int clinux_sigbus_guard(void *base, size_t length, int eventfd);
/* Takes the range of a slot back; before munmap. */
void clinux_sigbus_release(int slot);

#endif
