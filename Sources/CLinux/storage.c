#define _GNU_SOURCE
#include "storage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

int clinux_fallocate(int fd, int mode, off_t offset, off_t length) { return fallocate(fd, mode, offset, length); }

unsigned long clinux_file_system_type(int fd) {
  struct statfs found;
  return fstatfs(fd, &found) == 0 ? (unsigned long)found.f_type : 0;
}

int clinux_direct_alignment(int fd, unsigned *memory, unsigned *offset) {
#ifdef STATX_DIOALIGN
  struct statx found;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &found) != 0) return -1;
  if (!(found.stx_mask & STATX_DIOALIGN)) return 0;
  *memory = found.stx_dio_mem_align;
  *offset = found.stx_dio_offset_align;
  return 1;
#else
  (void)fd, (void)memory, (void)offset;
  return 0;
#endif
}
