// SPDX-License-Identifier: Apache-2.0
#pragma once

// Brings std::chrono's durations and clocks without <format> and <locale>, which <chrono> includes since GCC 13: those
// are half of this library's compile-time budget.
#if __has_include(<bits/chrono.h>)
#include <bits/chrono.h>
#else
#include <chrono>
#endif
