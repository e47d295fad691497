#include "device/agent/testing/allocation_trap.hpp"

#include <cerrno>
#include <cstddef>

// glibc's own allocator by its internal names: what it keeps for programs that replace malloc
// (glibc manual, "Replacing malloc").
// NOLINTBEGIN(bugprone-reserved-identifier): the names are glibc's
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
void __libc_free(void* memory);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace otaria::device::testing {
namespace {

bool armed = false;
std::uint64_t count = 0;

void note() {
  if (armed) ++count;
}

}  // namespace

void AllocationTrap::arm() {
  armed = true;
}
void AllocationTrap::disarm() {
  armed = false;
}
std::uint64_t AllocationTrap::sprung() {
  return count;
}

extern "C" {

void* malloc(std::size_t bytes) {
  note();
  return __libc_malloc(bytes);
}
void* calloc(std::size_t number, std::size_t bytes) {
  note();
  return __libc_calloc(number, bytes);
}
void* realloc(void* memory, std::size_t bytes) {
  note();
  return __libc_realloc(memory, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  note();
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  note();
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  note();
  *memory = __libc_memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}
void free(void* memory) {
  __libc_free(memory);
}

}  // extern "C"

}  // namespace otaria::device::testing
