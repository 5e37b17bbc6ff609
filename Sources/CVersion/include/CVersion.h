#ifndef CVERSION_H
#define CVERSION_H

/* The version that this program was built as. It is C because a Swift condition cannot carry a text. */
extern const char *const _Nonnull nvmed_version;

#endif
