// SPDX-License-Identifier: Apache-2.0
// expect: freshet: a {parameter} of a subject is filled with a string or an integer
#include <string>

#include <freshet/subject_template.hpp>

void fill(const freshet::SubjectTemplate& orders, std::string& out) { (void)orders.format_values(out, "eu", true); }
