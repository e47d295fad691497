# Compiler settings shared by every target. A reason stands beside each flag that is not obvious.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)  # the Mosquitto plugin links the same archives

set(OTARIA_SANITIZE "" CACHE STRING "Comma-separated -fsanitize= list; empty for none")
option(OTARIA_FUZZ "Fuzz targets are driven by libFuzzer (clang only)" OFF)
option(OTARIA_CCACHE "Compile through ccache where it is installed" ON)

# The optimised build keeps its asserts: in tests and on servers a failed assert is a bug found.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")  # -O1: sanitizer runs stay within CI's time
set(CMAKE_C_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")

add_compile_options(
  -Wall -Wextra -Wpedantic -Werror
  -Wshadow              # a hidden name has cost more than its rename
  -Wconversion          # sizes and flash addresses must not narrow by accident
  -Wno-sign-conversion  # too noisy with the C libraries' ints to be read
  -Wnon-virtual-dtor
  -Wimplicit-fallthrough
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond>
  $<$<CXX_COMPILER_ID:GNU>:-Wlogical-op>
  $<$<CXX_COMPILER_ID:GNU>:-Wno-interference-size>)

if(OTARIA_SANITIZE)
  # vptr compares type information, which the device modules do not have: a test that names one of their classes with
  # virtual functions would not link.
  add_compile_options(-fsanitize=${OTARIA_SANITIZE} -fno-sanitize-recover=all -fno-sanitize=vptr)
  add_link_options(-fsanitize=${OTARIA_SANITIZE})
  # GCC 12 reports false positives of these inside the standard library once sanitizers add branches.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>
                      $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds> $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
                      $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>
                      # Asio's coroutine frames: new and delete match, but GCC sees through only one of them.
                      $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)
endif()

if(OTARIA_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)  # every module reports its branches; targets link the driver
endif()

if(OTARIA_CCACHE)
  find_program(OTARIA_CCACHE_PROGRAM ccache)
  if(OTARIA_CCACHE_PROGRAM)
    # Precompiled headers need these sloppiness settings (ccache manual, "Precompiled headers").
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${OTARIA_CCACHE_PROGRAM})
    set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
  endif()
endif()

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(GTest REQUIRED)
include(GoogleTest)

# Debian's libmbedtls-dev has no CMake package or pkg-config file.
find_library(MBEDCRYPTO_LIBRARY mbedcrypto REQUIRED)
add_library(otaria_psa INTERFACE)
target_link_libraries(otaria_psa INTERFACE ${MBEDCRYPTO_LIBRARY})
