#include "contract/fuzz/driver.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "contract/fuzz/dictionary.hpp"
#include "contract/fuzz/mutator.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
// Targets that need something made first have it; the others leave it null.
extern "C" __attribute__((weak)) int LLVMFuzzerInitialize(int* count, char*** arguments);

namespace otaria::fuzz {
namespace {

using Clock = std::chrono::steady_clock;

/// What the child writes and the parent reads once it is gone. The input follows it.
struct Shared {
  std::atomic<std::uint64_t> runs{0};
  std::atomic<std::size_t> size{0};
  std::atomic<bool> finished{false};
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

class SharedInput {
 public:
  explicit SharedInput(std::size_t longest) : bytes_{sizeof(Shared) + longest} {
    void* place = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) throw std::runtime_error("no memory to share with the child");
    shared_ = new (place) Shared;
  }
  ~SharedInput() { munmap(shared_, bytes_); }
  SharedInput(const SharedInput&) = delete;
  SharedInput& operator=(const SharedInput&) = delete;

  Shared* operator->() const { return shared_; }
  void hold(const Bytes& input) const {
    std::copy(input.begin(), input.end(), data());
    shared_->size = input.size();
  }
  [[nodiscard]] Bytes held() const { return {data(), data() + shared_->size}; }

 private:
  [[nodiscard]] std::uint8_t* data() const {
    return reinterpret_cast<std::uint8_t*>(shared_) + sizeof(Shared);
  }
  std::size_t bytes_;
  Shared* shared_;
};

Bytes bytes_of_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) throw std::runtime_error(path.string() + " cannot be read");
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::string text_of_file(const std::string& path) {
  const Bytes bytes = bytes_of_file(path);
  return {bytes.begin(), bytes.end()};
}

/// The files of the folders, in the order of their names: the same on every machine.
std::vector<Bytes> seeds_in(const std::vector<std::string>& folders) {
  std::vector<std::filesystem::path> files;
  for (const std::string& folder : folders) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator{folder}) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  std::vector<Bytes> seeds;
  seeds.reserve(files.size());
  for (const auto& file : files) seeds.push_back(bytes_of_file(file));
  return seeds;
}

void initialize(const std::string& program) {
  if (LLVMFuzzerInitialize == nullptr) return;
  std::string name = program;
  char* argument = name.data();
  char** arguments = &argument;
  int count = 1;
  LLVMFuzzerInitialize(&count, &arguments);
}

/// A copy of the exact size: reading one byte too far is then seen by the address sanitizer.
void run_one(const Bytes& input) {
  const Bytes exact{input.begin(), input.end()};
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

void run_all(const Options& options, const std::vector<Bytes>& seeds, const SharedInput& shared) {
  const auto end = Clock::now() + options.most_seconds;
  std::vector<std::string> words;
  if (!options.dictionary.empty()) words = dictionary_from(text_of_file(options.dictionary));
  Mutator mutator{options.seed, options.longest, std::move(words)};
  const auto is_over = [&] {
    return options.most_runs != 0 ? shared->runs >= options.most_runs : Clock::now() >= end;
  };
  const auto run = [&](const Bytes& input) {
    shared.hold(input);
    run_one(input);
    ++shared->runs;
  };
  run({});
  for (const Bytes& seed : seeds) run(seed);
  while (!is_over()) run(mutator.next(seeds));
}

[[noreturn]] void be_child(const std::string& program,
                           const Options& options,
                           const std::vector<Bytes>& seeds,
                           const SharedInput& shared) {
  try {
    initialize(program);
    run_all(options, seeds, shared);
    shared->finished = true;
  } catch (const std::exception& escaped) {
    std::fprintf(stderr, "%s: an exception left the target: %s\n", program.c_str(), escaped.what());
    std::abort();
  }
  std::exit(0);  // NOLINT(concurrency-mt-unsafe): runs the sanitizer's search for leaks
}

/// FNV-1a, for a name that is the same for the same input.
std::uint64_t hash_of(const Bytes& bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

std::string keep(const Bytes& input, const std::string& prefix, std::string_view kind) {
  char hash[17];
  std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(hash_of(input)));
  const std::filesystem::path path{prefix + std::string{kind} + '-' + hash};
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
  std::ofstream file{path, std::ios::binary};
  file.write(reinterpret_cast<const char*>(input.data()),
             static_cast<std::streamsize>(input.size()));
  if (!file.flush()) throw std::runtime_error(path.string() + " cannot be written");
  return path.string();
}

/// Waits for the child. True: it hung at one input and was ended.
bool wait_for(pid_t child, int& status, const Options& options, const SharedInput& shared) {
  std::uint64_t runs = shared->runs;
  auto since = Clock::now();
  while (waitpid(child, &status, WNOHANG) == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
    if (shared->runs != runs || shared->finished) {
      runs = shared->runs;
      since = Clock::now();
    } else if (Clock::now() - since > options.longest_run) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return true;
    }
  }
  return false;
}

std::string end_in_words(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

int run_files(const std::string& program, const Options& options) {
  initialize(program);
  for (const std::string& path : options.paths) {
    std::fprintf(stderr, "%s: running %s\n", program.c_str(), path.c_str());
    run_one(bytes_of_file(path));
  }
  return 0;
}

int report(const std::string& program,
           const Options& options,
           const std::string& what,
           std::string_view kind,
           const SharedInput& shared) {
  const std::string kept = keep(shared.held(), options.artifact_prefix, kind);
  std::fprintf(stderr,
               "%s: %s at run %llu, seed %llu\n%s: repeat it with: %s %s\n",
               program.c_str(),
               what.c_str(),
               static_cast<unsigned long long>(shared->runs) + 1,
               static_cast<unsigned long long>(options.seed),
               program.c_str(),
               program.c_str(),
               kept.c_str());
  return 1;
}

std::uint64_t number_from(std::string_view argument, std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
    throw std::runtime_error(std::string{argument} + " needs a whole number");
  }
  return value;
}

}  // namespace

Options options_from(const std::vector<std::string>& arguments) {
  Options options;
  for (const std::string& argument : arguments) {
    if (!argument.starts_with('-')) {
      options.paths.push_back(argument);
      continue;
    }
    const auto equals = std::min(argument.find('='), argument.size());
    const std::string name = argument.substr(1, equals - 1);
    const std::string value = argument.substr(std::min(equals + 1, argument.size()));
    if (name == "dict") {
      options.dictionary = value;
    } else if (name == "artifact_prefix") {
      options.artifact_prefix = value;
    } else if (name == "seed") {
      options.seed = number_from(argument, value);
    } else if (name == "runs") {
      options.most_runs = number_from(argument, value);
    } else if (name == "max_len") {
      options.longest = std::max<std::size_t>(number_from(argument, value), 1);
    } else if (name == "max_total_time") {
      options.most_seconds = std::chrono::seconds{number_from(argument, value)};
    } else if (name == "timeout") {
      options.longest_run = std::chrono::seconds{number_from(argument, value)};
    } else {
      throw std::runtime_error("unknown argument " + argument);
    }
  }
  return options;
}

int run(const std::string& program, const Options& options) {
  const auto is_file = [](const std::string& path) {
    return std::filesystem::is_regular_file(path);
  };
  if (!options.paths.empty() && std::ranges::all_of(options.paths, is_file)) {
    return run_files(program, options);
  }
  const std::vector<Bytes> seeds = seeds_in(options.paths);
  std::size_t longest = options.longest;
  for (const Bytes& seed : seeds) longest = std::max(longest, seed.size());
  const SharedInput shared{longest};
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no child process can be started");
  if (child == 0) be_child(program, options, seeds, shared);

  int status = 0;
  if (wait_for(child, status, options, shared)) {
    return report(program, options, "an input takes too long", "timeout", shared);
  }
  if (shared->finished && status != 0) {
    std::fprintf(stderr,
                 "%s: ends with %s: memory was lost\n",
                 program.c_str(),
                 end_in_words(status).c_str());
    return 1;
  }
  if (status != 0 || !shared->finished) {
    return report(program, options, "ended by " + end_in_words(status), "crash", shared);
  }
  std::fprintf(stderr,
               "%s: %zu seeds, %llu runs, seed %llu: nothing found\n",
               program.c_str(),
               seeds.size(),
               static_cast<unsigned long long>(shared->runs),
               static_cast<unsigned long long>(options.seed));
  return 0;
}

}  // namespace otaria::fuzz
