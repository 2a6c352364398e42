// SPDX-License-Identifier: MIT
/* The same, watched by the thread sanitizer. */
#include "drive.c"
