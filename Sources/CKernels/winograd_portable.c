#define TABLE dr_winograd_portable
#define BLOCK 8
#define GROUP_BYTES (300 << 10)
#include "winograd_kernels.inc"
