#define TABLE dr_kernels_portable
#define BLOCK 8
#define WINOGRAD_GROUP_BYTES (300 << 10)
#include "kernels.inc"
