# A fuzz target: the function LLVMFuzzerTestOneInput in fuzz/NAME_fuzz.cpp, its seeds in fuzz/seeds/NAME/.
#
#   ota_fuzz(notice
#     [MAX_BYTES 4096]        the longest input that is made; what the parser could be given, and a little more
#     [DICT    fuzz/json.dict]  words of the format, as libFuzzer reads them
#     [SEEDS   golden/notice]   other folders of seeds, where the module has examples already
#     [SOURCES a.cpp]           sources of the module itself, where the module as a whole is more than clang can compile
#     USES     contract_device)
#
# By clang (preset fuzz) libFuzzer drives it, and scripts/fuzz.sh gives it a minute. In every other build our own driver does
# (contract/fuzz). Both know the same arguments, so each build has the test fuzz_NAME of 5 seconds, with the label "fuzz".
function(ota_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 F "" "MAX_BYTES;DICT" "SEEDS;SOURCES;USES")
  set(program fuzz_${name})
  ota_program(${program} SOURCES fuzz/${name}_fuzz.cpp ${F_SOURCES} USES ${F_USES})
  if(OTARIA_FUZZ)
    target_link_options(${program} PRIVATE -fsanitize=fuzzer)
  else()
    target_link_libraries(${program} PRIVATE contract_fuzz_main)
  endif()

  if(NOT F_MAX_BYTES)
    set(F_MAX_BYTES 4096)
  endif()
  set(arguments -max_len=${F_MAX_BYTES})
  if(F_DICT)
    list(APPEND arguments -dict=${CMAKE_CURRENT_SOURCE_DIR}/${F_DICT})
  endif()
  set(folders "")
  if(NOT F_SEEDS)
    set(F_SEEDS fuzz/seeds/${name})
  endif()
  foreach(folder IN LISTS F_SEEDS)
    if(NOT IS_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/${folder})
      message(FATAL_ERROR "fuzz_${name}: no seeds in ${CMAKE_CURRENT_SOURCE_DIR}/${folder}")
    endif()
    list(APPEND folders ${CMAKE_CURRENT_SOURCE_DIR}/${folder})
  endforeach()
  list(JOIN arguments " " written_arguments)
  list(JOIN folders " " written_folders)
  set_property(GLOBAL APPEND PROPERTY OTARIA_FUZZ_TARGETS "${program} ${written_arguments} ${written_folders}")

  # libFuzzer writes what it finds interesting into the first folder.
  set(corpus "")
  if(OTARIA_FUZZ)
    set(corpus ${CMAKE_BINARY_DIR}/fuzz/corpus/${name})
    file(MAKE_DIRECTORY ${corpus})
  endif()
  set(findings ${CMAKE_BINARY_DIR}/fuzz/findings)
  file(MAKE_DIRECTORY ${findings})
  add_test(NAME ${program} COMMAND ${program} -max_total_time=5 -seed=1 -timeout=20 ${arguments}
                                              -artifact_prefix=${findings}/${name}- ${corpus} ${folders})
  set_tests_properties(${program} PROPERTIES LABELS fuzz TIMEOUT 120)
endfunction()

# What scripts/fuzz.sh reads: a line "fuzz_NAME ARGUMENT… SEEDS…" for every target. Call it once all are known.
function(ota_write_fuzz_targets)
  get_property(targets GLOBAL PROPERTY OTARIA_FUZZ_TARGETS)
  set(lines "")
  foreach(target IN LISTS targets)
    string(APPEND lines "${target}\n")
  endforeach()
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/fuzz_targets.txt CONTENT "${lines}")
endfunction()
