// The library's own header: every function of it that is used is declared there.
#pragma once
#include <zlib.h>
