#include "CVersion.h"

const char *const nvmed_version = NVMED_VERSION;
