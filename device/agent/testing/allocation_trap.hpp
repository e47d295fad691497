#pragma once

#include <cstdint>

/// Counts every allocation of this process while it is armed: malloc and its kin are this program's
/// own, and operator new and the libraries come to them. Only for a program of its own, one thread;
/// not beside a sanitizer, which replaces malloc too.
namespace otaria::device::testing {

class AllocationTrap {
 public:
  static void arm();
  static void disarm();
  static std::uint64_t
  sprung();  ///< allocations since the start of the program that fell into an armed time
};

/// Runs `work` with the trap armed.
template <class Work>
auto trapped(Work&& work) {
  struct Armed {
    Armed() { AllocationTrap::arm(); }
    ~Armed() { AllocationTrap::disarm(); }
  } armed;
  return work();
}

}  // namespace otaria::device::testing
