# SPDX-License-Identifier: Apache-2.0
import re
from pathlib import Path

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain, CMakeDeps, cmake_layout

required_conan_version = ">=2.0"


class Freshet(ConanFile):
    name = "freshet"
    description = "Typed services on NATS"
    license = "Apache-2.0"
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False],
               "with_compression": [True, False], "with_glaze": [True, False]}
    default_options = {"shared": False, "fPIC": True, "with_compression": True, "with_glaze": True}
    implements = ["auto_shared_fpic"]
    exports_sources = ("CMakeLists.txt", "LICENSE", "*.md", "vcpkg.json", "cmake/*", "docs/*", "examples/*",
                       "include/*", "src/*")

    def set_version(self):
        cmake = Path(self.recipe_folder, "CMakeLists.txt").read_text()
        self.version = re.search(r"project\(freshet VERSION ([\d.]+)", cmake).group(1)

    def validate(self):
        check_min_cppstd(self, 23)

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        # Headers that users may include show these (native.hpp cnats, the JSON adapter nlohmann), so their headers go
        # along.
        self.requires("cnats/[>=3.4 <4]", transitive_headers=True, transitive_libs=True)
        self.requires("fmt/[>=9]", transitive_headers=True, transitive_libs=True)
        self.requires("nlohmann_json/[>=3.11 <4]", transitive_headers=True)
        self.requires("openssl/[>=1.1 <4]")
        self.requires("spdlog/[>=1.10 <2]", transitive_headers=True, transitive_libs=True)
        if self.options.with_compression:
            self.requires("zlib/[>=1.2 <2]")
            self.requires("zstd/[>=1.4 <2]")
        if self.options.with_glaze:
            self.requires("glaze/[>=3]", transitive_headers=True)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        for option in "TESTS", "EXAMPLES", "BENCHMARKS":
            toolchain.cache_variables[f"FRESHET_BUILD_{option}"] = False
        toolchain.cache_variables["FRESHET_COMPRESSION"] = bool(self.options.with_compression)
        toolchain.cache_variables["FRESHET_GLAZE"] = bool(self.options.with_glaze)
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_info(self):
        # The package's own config file: it defines the targets as users without Conan see them.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs.append("lib/cmake/freshet")
