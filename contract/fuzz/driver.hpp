#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Runs a libFuzzer target where libFuzzer is not: the seeds, then changes of them. Blind to what
/// the code does with them, so it finds less than libFuzzer in the same time; it shows on every
/// build that a target holds, and that what was found once is not back.
/// Source  docs/decisions/0034-fuzz-targets-run-everywhere.md
namespace otaria::fuzz {

/// The arguments of libFuzzer that this driver knows. Others are errors.
struct Options {
  std::uint64_t seed = 1;                ///< -seed=
  std::chrono::seconds most_seconds{5};  ///< -max_total_time=
  std::uint64_t most_runs = 0;           ///< -runs=; 0: until the time is over
  std::chrono::seconds longest_run{10};  ///< -timeout=, of one input
  std::size_t longest = 4096;            ///< -max_len=, bytes of a changed input
  std::string dictionary;                ///< -dict=; empty: none
  std::string artifact_prefix;           ///< -artifact_prefix=, before the name of a finding's file
  std::vector<std::string> paths;        ///< folders of seeds, or files to run once
};

/// Errors  std::runtime_error: the argument that is not known, or has no number where one belongs.
Options options_from(const std::vector<std::string>& arguments);

/// Runs the target in a child process. Each input lies in memory that both share while it runs, so
/// that whatever ends the child (an assertion, a sanitizer, a signal, a hang that the parent ends)
/// leaves the input behind; the parent writes it to `artifact_prefix`crash-HASH or timeout-HASH and
/// prints the command that repeats it. Only files in `paths`: runs each once, in this process.
///
/// Returns  the exit code: 0 nothing was found, 1 a finding. Prints one line to standard error.
/// Errors   std::runtime_error: a folder or dictionary cannot be read.
int run(const std::string& program, const Options& options);

}  // namespace otaria::fuzz
