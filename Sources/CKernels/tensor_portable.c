#define TABLE dr_kernels_portable
#define BLOCK 8
#include "tensor_kernels.inc"
