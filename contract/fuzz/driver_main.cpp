// main() of a fuzz target where the compiler has no libFuzzer.
#include <cstdio>
#include <exception>

#include "contract/fuzz/driver.hpp"

int main(int count, char** arguments) {
  try {
    const auto options = otaria::fuzz::options_from({arguments + 1, arguments + count});
    return otaria::fuzz::run(arguments[0], options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", arguments[0], error.what());
    return 2;
  }
}
