#define _GNU_SOURCE
#include "fuzz_bytes.h"

#include <string.h>

size_t fuzz_count(const void *bytes, size_t count, const void *pattern, size_t length) {
  const char *place = bytes, *end = place + count;
  size_t found = 0;
  while ((place = memmem(place, (size_t)(end - place), pattern, length))) {
    found++;
    place += length;
  }
  return found;
}
