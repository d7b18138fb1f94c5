// What NVRTC knows without any #include, for the host's compiler. It stands before each kernel.
#pragma once
#include "fakecuda/keywords.h"
// (The others need what that one defines.)
#include "fakecuda/threads.h"
#include "fakecuda/warps.h"
#include "fakecuda/atomics.h"
#include "fakecuda/integers.h"
#include "fakecuda/conversions.h"
#include "fakecuda/rounding.h"
#include "fakecuda/math.h"
#include "fakecuda/launch.h"
