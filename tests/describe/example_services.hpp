// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <freshet/describe.hpp>

/// A service of examples/, without its main.
struct ExampleService {
    const char* name;
    void (*wire)(freshet::Broker& broker);
};

/// Returns the services of all examples that handle something.
const std::vector<ExampleService>& example_services();

/// Returns the description of a service, the same on every machine.
freshet::Description describe(const ExampleService& service);
