# `cpack -G DEB` in the build folder: program, both libraries, headers, CMake and pkg-config files in one package.
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${CMAKE_CURRENT_LIST_DIR}/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR vkseg)
set(CPACK_PACKAGE_CONTACT "vkseg maintainers <maintainers@vkseg.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION graphics)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "Runs segmentation networks on Vulkan 1.1 devices, with no CUDA.
The vkseg program, libvkseg with its C interface for programs of one's own, and
libvkseg_import, which turns trained weights into what libvkseg takes.")
# dpkg-shlibdeps finds the libraries that are linked; the Vulkan loader is opened at run time.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS libvulkan1)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS mesa-vulkan-drivers)
# Libraries here are in /usr/lib, so what is linked against them needs this package, and ldconfig is run.
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
include(CPack)
