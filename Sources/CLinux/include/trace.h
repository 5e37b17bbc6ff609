#ifndef CLINUX_TRACE_H
#define CLINUX_TRACE_H

#include <stdint.h>

/*
 * Tracepoints for perf, bpftrace and SystemTap: one nop each, and a note (.note.stapsdt, provider "nvmed") that says
 * where it is and where its arguments are. Nothing is paid for one until a tracer puts a breakpoint in its place.
 *
 * Source: SystemTap, "User Space Probe Implementation"; what <sys/sdt.h> makes of DTRACE_PROBE, without its package.
 * Arguments are of fixed width, so that their sizes in the note can be constants.
 */
#define CLINUX_TRACEPOINT(name, arguments, ...)                          \
  __asm__ __volatile__("990: nop\n"                                     \
                       ".pushsection .note.stapsdt,\"?\",\"note\"\n"     \
                       ".balign 4\n"                                    \
                       ".4byte 992f-991f,994f-993f,3\n"                  \
                       "991: .asciz \"stapsdt\"\n"                        \
                       "992: .balign 4\n"                               \
                       "993: .8byte 990b\n"                             \
                       ".8byte _.stapsdt.base\n"                        \
                       ".8byte 0\n"                                     \
                       ".asciz \"nvmed\"\n"                             \
                       ".asciz \"" name "\"\n"                          \
                       ".asciz \"" arguments "\"\n"                     \
                       "994: .balign 4\n"                               \
                       ".popsection\n"                                  \
                       ".ifndef _.stapsdt.base\n"                       \
                       ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n" \
                       ".weak _.stapsdt.base\n"                         \
                       ".hidden _.stapsdt.base\n"                       \
                       "_.stapsdt.base: .space 1\n"                     \
                       ".size _.stapsdt.base,1\n"                       \
                       ".popsection\n"                                  \
                       ".endif\n" ::__VA_ARGS__)

/*
 * A command was fetched: its dword 0 (opcode in bits 7:0, command identifier in bits 31:16). One value that is in a
 * register anyway: what is not would cost an instruction.
 */
static inline void clinux_trace_command_fetch(uint32_t cdw0) {
  CLINUX_TRACEPOINT("command_fetch", "4@%0", "r"(cdw0));
}

/*
 * A completion was posted: its dwords 2 and 3 (submission queue head in bits 15:0 and identifier in bits 31:16, command
 * identifier in bits 47:32, phase tag in bit 48, status field in bits 63:49).
 */
static inline void clinux_trace_command_complete(uint64_t dwords) {
  CLINUX_TRACEPOINT("command_complete", "8@%0", "r"(dwords));
}

/* Requests were handed to the kernel in one round: how many. */
static inline void clinux_trace_submit(uint64_t count) {
  CLINUX_TRACEPOINT("submit", "8@%0", "r"(count));
}

/* A look at a doorbell showed commands that wait: the submission queue's identifier, its tail. */
static inline void clinux_trace_doorbell(uint16_t queue, uint64_t tail) {
  CLINUX_TRACEPOINT("doorbell", "2@%0 8@%1", "r"(queue), "r"(tail));
}

/* An interrupt was sent: the vector. */
static inline void clinux_trace_interrupt(uint64_t vector) {
  CLINUX_TRACEPOINT("interrupt", "8@%0", "r"(vector));
}

#undef CLINUX_TRACEPOINT
#endif
