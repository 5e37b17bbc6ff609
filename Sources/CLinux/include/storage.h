#ifndef CLINUX_STORAGE_H
#define CLINUX_STORAGE_H

#include <fcntl.h>
#include <libaio.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The header of the completion ring that io_setup(2) maps: struct aio_ring of the kernel's fs/aio.c. */
struct clinux_aio_ring {
  unsigned id;
  unsigned nr; /* events that the ring holds; indexes wrap on it */
  unsigned head; /* written by user space */
  unsigned tail; /* written by the kernel */
  unsigned magic;
  unsigned compat_features;
  unsigned incompat_features;
  unsigned header_length;
  struct io_event events[];
};

enum {
  CLINUX_AIO_RING_MAGIC = 0xa10a10a1,
  CLINUX_AIO_RING_INCOMPAT_FEATURES = 0,
  CLINUX_AIO_RING_HEAD = offsetof(struct clinux_aio_ring, head),
  CLINUX_AIO_RING_TAIL = offsetof(struct clinux_aio_ring, tail),
};

enum {
  CLINUX_IOCB_FLAG_RESFD = 1 << 0, /* IOCB_FLAG_RESFD of <linux/aio_abi.h>, which clashes with <libaio.h> */
  CLINUX_RWF_DSYNC = 0x2,          /* RWF_DSYNC is a cast, which Swift does not import */
};

/* Fills every field that the kernel looks at. */
static inline void clinux_iocb_fill(struct iocb *iocb, uint64_t cookie, int opcode, int fd, const void *buffer,
                                    unsigned long count, long long offset, int rw_flags, unsigned flags,
                                    unsigned eventfd) {
  iocb->data = (void *)cookie;
  iocb->aio_rw_flags = rw_flags;
  iocb->aio_lio_opcode = (short)opcode;
  iocb->aio_reqprio = 0;
  iocb->aio_fildes = fd;
  iocb->u.c.buf = (void *)buffer;
  iocb->u.c.nbytes = count;
  iocb->u.c.offset = offset;
  iocb->u.c.__pad3 = 0;
  iocb->u.c.flags = flags;
  iocb->u.c.resfd = eventfd;
}

/* Flags and commands of open(2), fcntl(2), fallocate(2) and ioctl(2) that _GNU_SOURCE hides or Swift cannot evaluate. */
enum {
  CLINUX_O_DIRECT = __O_DIRECT,
  CLINUX_O_PATH = __O_PATH,
  CLINUX_O_TMPFILE = __O_TMPFILE,
  CLINUX_F_OFD_GETLK = 36,
  CLINUX_F_OFD_SETLK = 37,
  CLINUX_FALLOC_PUNCH_HOLE = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
  CLINUX_FALLOC_ZERO_RANGE = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
};

static const unsigned long CLINUX_BLKGETSIZE64 = BLKGETSIZE64; /* uint64_t: bytes */
static const unsigned long CLINUX_BLKSSZGET = BLKSSZGET;       /* int: logical block size */
static const unsigned long CLINUX_BLKROGET = BLKROGET;         /* int: 1 where the device is read-only */
static const unsigned long CLINUX_BLKDISCARD = BLKDISCARD;     /* uint64_t[2]: offset, length */

/* fallocate(2); 0 or -1 with errno. */
int clinux_fallocate(int fd, int mode, off_t offset, off_t length);
/* The kind of file system that fd is on (f_type of statfs(2)), or 0. */
unsigned long clinux_file_system_type(int fd);
/*
 * What statx(2) says of direct I/O on fd (STATX_DIOALIGN, Linux 6.1): 1 and the alignments, both 0 where the file has
 * no direct I/O; 0 where it says nothing; -1 with errno.
 */
int clinux_direct_alignment(int fd, unsigned *memory, unsigned *offset);

#endif
