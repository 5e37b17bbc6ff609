#ifndef NVMED_FUZZ_BYTES_H
#define NVMED_FUZZ_BYTES_H

#include <stddef.h>

/* How often a pattern, of at least one byte, occurs in bytes. Here, as the fuzzer follows each step of what is Swift. */
size_t fuzz_count(const void *bytes, size_t count, const void *pattern, size_t length);

#endif
