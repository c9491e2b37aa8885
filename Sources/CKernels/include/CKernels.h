#pragma once
#include "parallel.h"
#include "instruction_set.h"
#include "tensor.h"
#include "loss_head.h"
#include "optimizer.h"
