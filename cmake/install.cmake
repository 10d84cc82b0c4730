# SPDX-License-Identifier: Apache-2.0
# The installed package: find_package(freshet), find_package(freshet COMPONENTS jetstream metrics testing glaze
# compression).

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(freshet_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/freshet)

install(TARGETS freshet freshet_jetstream freshet_metrics freshet_testing EXPORT freshetTargets FILE_SET HEADERS)
install(EXPORT freshetTargets NAMESPACE freshet:: DESTINATION ${freshet_package_dir})
# A file of its own, read only where glaze is found: the core does not need it.
if(TARGET freshet_glaze)
    install(TARGETS freshet_glaze EXPORT freshetGlazeTargets)
    install(EXPORT freshetGlazeTargets NAMESPACE freshet:: DESTINATION ${freshet_package_dir})
endif()
if(TARGET freshet_compression)
    install(TARGETS freshet_compression EXPORT freshetCompressionTargets)
    install(EXPORT freshetCompressionTargets NAMESPACE freshet:: DESTINATION ${freshet_package_dir})
endif()

configure_package_config_file(cmake/freshetConfig.cmake.in freshetConfig.cmake
    INSTALL_DESTINATION ${freshet_package_dir})
write_basic_package_version_file(freshetConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/freshetConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/freshetConfigVersion.cmake
    DESTINATION ${freshet_package_dir})
# The compiler's messages name these pages.
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN *.md PATTERN snippets EXCLUDE)
# The pages link to these.
install(FILES README.md CHANGELOG.md CONTRIBUTING.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/freshet)
