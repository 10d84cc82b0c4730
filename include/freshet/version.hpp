// SPDX-License-Identifier: Apache-2.0
#pragma once

#define FRESHET_VERSION_MAJOR 0
#define FRESHET_VERSION_MINOR 1
#define FRESHET_VERSION_PATCH 0

/// The version as one number that grows with each release, for comparisons in #if: 10203 is 1.2.3.
#define FRESHET_VERSION (FRESHET_VERSION_MAJOR * 10000 + FRESHET_VERSION_MINOR * 100 + FRESHET_VERSION_PATCH)
