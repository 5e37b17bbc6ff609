#define _GNU_SOURCE
#include "memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

int clinux_memfd_create(const char *name, unsigned flags) { return memfd_create(name, flags); }

int clinux_add_seals(int fd, int seals) { return fcntl(fd, F_ADD_SEALS, seals); }

int clinux_get_seals(int fd) { return fcntl(fd, F_GET_SEALS); }

bool clinux_is_on_block_device(int fd) {
  struct statx status;
  if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) != 0) return false;
  return S_ISREG(status.stx_mode) && status.stx_dev_major != 0;
}
