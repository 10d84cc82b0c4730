// SPDX-License-Identifier: Apache-2.0
#pragma once

// std::chrono durations and clocks without <format> and <locale>, which <chrono> brings since GCC 13:
// half of this library's compile-time budget.
#if __has_include(<bits/chrono.h>)
#include <bits/chrono.h>
#else
#include <chrono>
#endif
