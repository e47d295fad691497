#include "simulator/chip/flash_cells.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>
#include <vector>

namespace otaria::simulator {
namespace {

static_assert(std::endian::native == std::endian::little, "the wear file is little-endian");

using std::filesystem::path;

[[noreturn]] void fail(const path& file, const std::string& what) {
  throw FlashFileError{file.string() + ": " + what};
}
[[noreturn]] void fail_with_errno(const path& file, const std::string& what) {
  fail(file, what + ": " + std::strerror(errno));
}

/// A file opened for reading and writing, closed by its destructor.
class OpenFile {
 public:
  OpenFile(path name, int flags) : name_{std::move(name)} {
    descriptor_ = ::open(name_.c_str(), O_RDWR | O_CLOEXEC | flags, 0600);
    if (descriptor_ < 0) fail_with_errno(name_, "cannot open the flash file");
  }
  OpenFile(OpenFile&& other) noexcept
      : name_{std::move(other.name_)}, descriptor_{std::exchange(other.descriptor_, -1)} {}
  OpenFile& operator=(OpenFile&&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  void lock() const {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
    if (errno == EWOULDBLOCK) {
      fail(name_, "another process runs on this flash file; stop it first or use another file");
    }
    fail_with_errno(name_, "cannot lock the flash file");
  }
  [[nodiscard]] std::uint64_t size() const {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) fail_with_errno(name_, "cannot read its size");
    if (!S_ISREG(status.st_mode)) fail(name_, "is not a regular file");
    return static_cast<std::uint64_t>(status.st_size);
  }
  void resize(std::uint64_t bytes) const {
    if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0)
      fail_with_errno(name_, "cannot resize");
  }
  [[nodiscard]] const path& name() const { return name_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  path name_;
  int descriptor_ = -1;
};

/// A mapping, undone by its destructor. Without a file: zeroed memory.
class Mapping {
 public:
  explicit Mapping(std::size_t bytes) : size_{bytes} {
    at_ = ::mmap(
        nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at_ == MAP_FAILED) throw std::bad_alloc{};
  }
  Mapping(const OpenFile& file, std::size_t bytes) : size_{bytes} {
    at_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.descriptor(), 0);
    if (at_ == MAP_FAILED) fail_with_errno(file.name(), "cannot map");
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { ::munmap(at_, size_); }
  template <class T>
  [[nodiscard]] std::span<T> as() const {
    return {static_cast<T*>(at_), size_ / sizeof(T)};
  }

 private:
  void* at_ = nullptr;
  std::size_t size_ = 0;
};

class MemoryCells final : public FlashCells {
 public:
  explicit MemoryCells(std::uint32_t size)
      : memory_{size}, counts_(size / device::Flash::sector_bytes) {
    bytes = memory_.as<std::uint8_t>();
    erases = counts_;
    blank = 0;
  }

 private:
  Mapping memory_;
  std::vector<std::uint32_t> counts_;
};

std::size_t wear_bytes(std::uint64_t flash_bytes) {
  return flash_bytes / device::Flash::sector_bytes * sizeof(std::uint32_t);
}

OpenFile wear_file(const path& flash_file, std::uint64_t flash_bytes) {
  OpenFile file{VirtualFlash::wear_file_of(flash_file), O_CREAT};
  // A wear file of another size belongs to another chip: its counts say nothing about this one.
  if (file.size() != wear_bytes(flash_bytes)) {
    file.resize(0);
    file.resize(wear_bytes(flash_bytes));
  }
  return file;
}

class FileCells final : public FlashCells {
 public:
  FileCells(OpenFile file, std::uint64_t size)
      : file_{std::move(file)},
        cells_{file_, size},
        counts_{wear_file(file_.name(), size), wear_bytes(size)} {
    bytes = cells_.as<std::uint8_t>();
    erases = counts_.as<std::uint32_t>();
  }

 private:
  OpenFile file_;  // holds the lock
  Mapping cells_;
  Mapping counts_;
};

}  // namespace

std::unique_ptr<FlashCells> cells_in_memory(std::uint32_t size) {
  return std::make_unique<MemoryCells>(size);
}

std::unique_ptr<FlashCells> cells_of_existing_file(const path& name) {
  OpenFile file{name, 0};
  file.lock();
  const std::uint64_t size = file.size();
  if (!VirtualFlash::is_legal_size(size)) {
    fail(name,
         "is " + std::to_string(size) +
             " bytes long; a flash file is 4194304, 8388608 or 16777216 bytes (4, 8 or 16 MB)");
  }
  return std::make_unique<FileCells>(std::move(file), size);
}

std::unique_ptr<FlashCells> cells_of_new_file(const path& name, std::uint32_t size) {
  OpenFile file{name, O_CREAT};
  file.lock();
  file.resize(0);
  file.resize(size);
  auto cells = std::make_unique<FileCells>(std::move(file), size);
  std::ranges::fill(cells->bytes, std::uint8_t{0xFF});
  std::ranges::fill(cells->erases, 0u);
  return cells;
}

}  // namespace otaria::simulator
