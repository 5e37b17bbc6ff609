#ifndef CLINUX_MEMORY_H
#define CLINUX_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
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

/* Arenas of malloc(3) at most, M_ARENA_MAX of mallopt(3); nothing where it is another allocator than glibc's. */
void clinux_limit_arenas(int count);

/* Whether fd is a regular file of a file system on a block device, as far as the kernel knows without asking it. */
bool clinux_is_on_block_device(int fd);

/*
 * memcpy(3) and memcmp(3) == 0 on memory that others may write to meanwhile: a guest, or the disk in memory that its
 * queues on other threads write to. Each byte is read once, and what the copy holds is all that anybody sees of it: no
 * optimiser looks into these functions and goes back to the original.
 *
 * Which of the bytes written meanwhile they see is nobody's business but the guest's. Builds with ThreadSanitizer do
 * not look at them, nor at the like of them anywhere else: they are the only plain accesses to such memory.
 */
void clinux_copy_shared(void *target, const void *source, size_t count);
bool clinux_is_equal_shared(const void *a, const void *b, size_t count);

#endif
