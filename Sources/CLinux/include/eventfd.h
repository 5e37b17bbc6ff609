#ifndef CLINUX_EVENTFD_H
#define CLINUX_EVENTFD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * eventfds whose open file a peer holds too. O_NONBLOCK belongs to the open file: a peer can clear it at any time, and
 * then a write to a full counter, or a read of an empty one, would wait for as long as the peer likes.
 *
 * A read can be told not to wait (RWF_NOWAIT); a write cannot, as eventfds have no write_iter. So threads that write
 * are watched: each notes before and after that it writes, and who watches interrupts (SIGURG, EINTR) a thread that it
 * finds in the same write twice.
 */

/* How many threads can be watched at a time. */
enum { CLINUX_WRITERS = 4096 };

/* Adds 1 to the counter. No cancellation point, which costs write(2) more than its system call. */
void clinux_eventfd_signal(int fd);
/*
 * The same of an eventfd that a peer has too: 0, also where it is full (EAGAIN), as that is as good as signalled; -1
 * where the write waited, and was interrupted.
 */
int clinux_eventfd_signal_peer(int fd);
/* Reads and clears the counter, 0 where it is 0. Does not wait. */
uint64_t clinux_eventfd_drain(int fd);

/* Installs what SIGURG does, and says which eventfd wakes who watches; 0 or -1 with errno. Once. */
int clinux_writers_install(int wake_eventfd);
/* Has the calling thread watched, until it says that it leaves; its place, or -1 where there is none. */
int clinux_writer_enter(void);
void clinux_writer_leave(void);
/* How many places were ever taken. */
int clinux_writer_count(void);
/* Counts what a place's writes have begun and ended: odd during a write. */
uint32_t clinux_writer_phase(int place);
/* Interrupts the write of a place, if it is still the one of that phase. */
void clinux_writer_interrupt(int place, uint32_t phase);
/* Whether the one who watches rests: the next write wakes it. */
void clinux_writers_rest(bool rests);
bool clinux_writers_are_resting(void);

#endif
