#pragma once
#include "flat.h"
#include "grids.h"
#include "instruction_set.h"
#include "loss_head.h"
#include "parallel.h"
#include "tensor.h"
#include "winograd.h"
