#ifndef CLINUX_SOCKET_H
#define CLINUX_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/* SCM_MAX_FD: the kernel's limit of file descriptors in one message. */
enum { CLINUX_SCM_MAX_FD = 253 };

/* accept4(2) with SOCK_CLOEXEC and SOCK_NONBLOCK: hidden behind _GNU_SOURCE. */
int clinux_accept(int socket);
/* SO_PEERCRED; 0 or -1 with errno. */
int clinux_peer_credentials(int socket, pid_t *pid, uid_t *uid, gid_t *gid);
/* sendmsg(2) with MSG_NOSIGNAL: the parts in order, fds (at most CLINUX_SCM_MAX_FD) as SCM_RIGHTS on the first byte. */
ssize_t clinux_send_descriptors(int socket, const struct iovec *parts, size_t part_count, const int *fds,
                                size_t fd_count, int flags);
/*
 * recvmsg(2) with MSG_CMSG_CLOEXEC. Stores at most capacity received fds and their number; *lost tells that more came
 * than fit (MSG_CTRUNC): those are closed.
 */
ssize_t clinux_receive_descriptors(int socket, void *buffer, size_t length, int *fds, size_t capacity, size_t *count,
                                   bool *lost, int flags);

#endif
