#include "fuzz_process.h"

#include <malloc.h>

/* AddressSanitizer's, where that is linked: it has an allocator of its own. */
__attribute__((weak)) size_t __sanitizer_get_current_allocated_bytes(void);

size_t fuzz_allocated_bytes(void) {
  if (__sanitizer_get_current_allocated_bytes) return __sanitizer_get_current_allocated_bytes();
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}
