#ifndef CLINUX_MEMORY_H
#define CLINUX_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* memfd_create(2) and the seals of fcntl(2): hidden behind _GNU_SOURCE. */
enum {
  CLINUX_MFD_CLOEXEC = 0x1,
  CLINUX_MFD_ALLOW_SEALING = 0x2,
  CLINUX_MFD_HUGETLB = 0x4,
  CLINUX_F_SEAL_SEAL = 0x1,
  CLINUX_F_SEAL_SHRINK = 0x2,
  CLINUX_F_SEAL_GROW = 0x4,
  CLINUX_F_SEAL_WRITE = 0x8,
};

int clinux_memfd_create(const char *name, unsigned flags);
/* Adds seals (F_ADD_SEALS); 0 or -1 with errno. */
int clinux_add_seals(int fd, int seals);
/* The seals of fd (F_GET_SEALS), or -1 with errno: EINVAL where the file knows no seals. */
int clinux_get_seals(int fd);
/* Whether fd is a regular file of a file system on a block device, as far as the kernel knows without asking it. */
bool clinux_is_on_block_device(int fd);

#endif
