# One target per folder.
#
#   ota_module(device_slot
#     [DEVICE]                      device rules: -Os, no exceptions, no RTTI, no thread-safe statics
#     SOURCES  a.cpp b.cpp          none: a header-only (interface) module
#     USES     other_module ...     what it may include; links PUBLIC
#     TESTS    a_test.cpp ...       one test program <name>_test of all of them, label "unit"
#     TEST_USES other_module ...)   extra libraries of the tests
#
#   ota_program(otaria SOURCES main.cpp USES ...)

add_library(otaria_device_flags INTERFACE)
target_compile_options(otaria_device_flags INTERFACE -fno-exceptions -fno-rtti -fno-threadsafe-statics
                       -ffunction-sections -fdata-sections)
if(NOT OTARIA_SANITIZE)  # a generator expression would trip over the list's comma
  target_compile_options(otaria_device_flags INTERFACE -Os)
endif()

# gtest and the standard headers every test includes, parsed once.
add_library(otaria_test_pch STATIC ${CMAKE_CURRENT_LIST_DIR}/test_pch.cpp)
target_link_libraries(otaria_test_pch PUBLIC GTest::gtest GTest::gmock GTest::gmock_main Threads::Threads)
target_precompile_headers(otaria_test_pch PUBLIC <gtest/gtest.h> <gmock/gmock.h> <string> <vector> <map> <optional> <filesystem>
                          <fstream> <random> <thread>)
# A precompiled header is used only under the very flags it was made with, and programs are compiled with -fPIE.
set_target_properties(otaria_test_pch PROPERTIES POSITION_INDEPENDENT_CODE OFF)
target_compile_options(otaria_test_pch PRIVATE -fPIE)

function(ota_module name)
  cmake_parse_arguments(PARSE_ARGV 1 M "DEVICE" "" "SOURCES;USES;TESTS;TEST_USES;SYSTEM_LIBS")
  if(M_SOURCES)
    add_library(${name} STATIC ${M_SOURCES})
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC ${M_USES} ${M_SYSTEM_LIBS})
    if(M_DEVICE)
      target_link_libraries(${name} PRIVATE otaria_device_flags)
      set_property(GLOBAL APPEND PROPERTY OTARIA_DEVICE_MODULES ${name})
    endif()
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${M_USES} ${M_SYSTEM_LIBS})
  endif()
  if(M_TESTS)
    add_executable(${name}_test ${M_TESTS})
    target_link_libraries(${name}_test PRIVATE ${name} ${M_TEST_USES} otaria_test_pch)
    target_precompile_headers(${name}_test REUSE_FROM otaria_test_pch)
    target_compile_definitions(${name}_test PRIVATE OTARIA_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${name}_test --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 120)
  endif()
endfunction()

function(ota_program name)
  cmake_parse_arguments(PARSE_ARGV 1 P "" "" "SOURCES;USES")
  add_executable(${name} ${P_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${P_USES})
  target_compile_definitions(${name} PRIVATE OTARIA_VERSION="${PROJECT_VERSION}")
endfunction()
