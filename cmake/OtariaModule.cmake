# One target per folder.
#
#   ota_module(device_slot
#     [DEVICE]                      device rules: -Os, no exceptions, no RTTI, no thread-safe statics
#     SOURCES  a.cpp b.cpp          none: a header-only (interface) module
#     USES     other_module ...     what it may include; links PUBLIC
#     TESTS    a_test.cpp ...       one test program <name>_test of all of them, label "unit"
#     PROGRAM_TESTS b_test.cpp ...  those that start programs, a broker or our own: <name>_programs_test, label "programs"
#     SHARDS   n                    PROGRAM_TESTS run as n tests side by side; default 1
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

# A test program of a module, run as `shards` tests that take its cases in turn.
function(ota_test_program name module label shards)
  cmake_parse_arguments(PARSE_ARGV 4 T "" "" "SOURCES;USES")
  add_executable(${name}_test ${T_SOURCES})
  target_link_libraries(${name}_test PRIVATE ${module} ${T_USES} otaria_test_pch)
  target_precompile_headers(${name}_test REUSE_FROM otaria_test_pch)
  target_compile_definitions(${name}_test PRIVATE OTARIA_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  foreach(shard RANGE 1 ${shards})
    set(test ${name})
    if(shards GREATER 1)
      string(APPEND test _${shard})
    endif()
    math(EXPR index "${shard} - 1")
    add_test(NAME ${test} COMMAND ${name}_test --gtest_brief=1)
    set_tests_properties(${test} PROPERTIES LABELS ${label} TIMEOUT 300
                         ENVIRONMENT "GTEST_TOTAL_SHARDS=${shards};GTEST_SHARD_INDEX=${index}")
  endforeach()
endfunction()

function(ota_module name)
  cmake_parse_arguments(PARSE_ARGV 1 M "DEVICE" "SHARDS" "SOURCES;USES;TESTS;PROGRAM_TESTS;TEST_USES;SYSTEM_LIBS")
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
    ota_test_program(${name} ${name} unit 1 SOURCES ${M_TESTS} USES ${M_TEST_USES})
  endif()
  if(M_PROGRAM_TESTS)
    if(NOT M_SHARDS)
      set(M_SHARDS 1)
    endif()
    ota_test_program(${name}_programs ${name} programs ${M_SHARDS} SOURCES ${M_PROGRAM_TESTS} USES ${M_TEST_USES})
  endif()
endfunction()

function(ota_program name)
  cmake_parse_arguments(PARSE_ARGV 1 P "" "" "SOURCES;USES")
  add_executable(${name} ${P_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${P_USES})
  target_compile_definitions(${name} PRIVATE OTARIA_VERSION="${PROJECT_VERSION}")
endfunction()
