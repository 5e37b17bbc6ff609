#ifndef NVMED_FUZZ_PROCESS_H
#define NVMED_FUZZ_PROCESS_H

#include <stddef.h>

/* Bytes that are allocated on the heap of the process, by whichever allocator it has. */
size_t fuzz_allocated_bytes(void);

#endif
