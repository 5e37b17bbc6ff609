#ifndef NVMED_LIBFUZZER_H
#define NVMED_LIBFUZZER_H

#include <stddef.h>
#include <stdint.h>

/* compiler-rt, lib/fuzzer/FuzzerInterface.h */
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test)(const uint8_t *data, size_t size));

#endif
