#define _GNU_SOURCE
#include "memory.h"

#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int clinux_memfd_create(const char *name, unsigned flags) { return memfd_create(name, flags); }

void clinux_limit_arenas(int count) {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, count);
#else
  (void)count;
#endif
}

int clinux_add_seals(int fd, int seals) { return fcntl(fd, F_ADD_SEALS, seals); }

int clinux_get_seals(int fd) { return fcntl(fd, F_GET_SEALS); }

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CLINUX_THREAD_SANITIZER 1
#endif
#endif

#ifdef CLINUX_THREAD_SANITIZER

/* (ThreadSanitizer's own memcpy and memcmp look at each byte; volatile keeps the loops from becoming those) */
__attribute__((no_sanitize("thread"), noinline)) void clinux_copy_shared(void *target, const void *source, size_t count) {
  volatile unsigned char *to = target;
  const volatile unsigned char *from = source;
  for (size_t i = 0; i < count; i++) to[i] = from[i];
}

__attribute__((no_sanitize("thread"), noinline)) bool clinux_is_equal_shared(const void *a, const void *b, size_t count) {
  const volatile unsigned char *left = a, *right = b;
  for (size_t i = 0; i < count; i++)
    if (left[i] != right[i]) return false;
  return true;
}

#else

/* The barrier is for builds that optimise across files: what was copied is in `target`, and nowhere else. */
__attribute__((noinline)) void clinux_copy_shared(void *target, const void *source, size_t count) {
  memcpy(target, source, count);
  __asm__ __volatile__("" : : "r"(target), "r"(source) : "memory");
}

__attribute__((noinline)) bool clinux_is_equal_shared(const void *a, const void *b, size_t count) {
  return memcmp(a, b, count) == 0;
}

#endif

bool clinux_is_on_block_device(int fd) {
  struct statx status;
  if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) != 0) return false;
  return S_ISREG(status.stx_mode) && status.stx_dev_major != 0;
}
