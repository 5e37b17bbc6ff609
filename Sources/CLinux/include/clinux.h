/* What Swift cannot import or express: feature-gated prototypes, variadic calls, function-like macros. No logic. */
#ifndef CLINUX_H
#define CLINUX_H

#include <errno.h>
#include <libaio.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "bpf.h"
#include "eventfd.h"
#include "kvm.h"
#include "memory.h"
#include "sandbox.h"
#include "sigbus.h"
#include "socket.h"
#include "storage.h"
#include "thread.h"
#include "trace.h"

#endif
