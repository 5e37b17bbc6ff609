#define _GNU_SOURCE
#include "memory.h"

#include <fcntl.h>
#include <sys/mman.h>

int clinux_memfd_create(const char *name, unsigned flags) { return memfd_create(name, flags); }

int clinux_add_seals(int fd, int seals) { return fcntl(fd, F_ADD_SEALS, seals); }

int clinux_get_seals(int fd) { return fcntl(fd, F_GET_SEALS); }
