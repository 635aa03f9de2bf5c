# Debian has fmt as a shared library only, and the libraries made here must not need it: compiled from its headers.
find_package(fmt 9 REQUIRED)
if(fmt_VERSION VERSION_LESS 10)
  add_library(vkseg_fmt STATIC ${CMAKE_CURRENT_LIST_DIR}/fmt.cpp)
  target_include_directories(vkseg_fmt SYSTEM PUBLIC $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)
else()
  add_library(vkseg_fmt INTERFACE)
  target_link_libraries(vkseg_fmt INTERFACE fmt::fmt-header-only)
endif()
