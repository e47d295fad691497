#pragma once

#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace otaria::server {

/// For tests: an empty directory that vanishes with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = std::filesystem::temp_directory_path() / "otaria-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Each write leaves another modification time: kernels before 6.13 count in ticks of some
  /// milliseconds, and a test is faster.
  void write(const std::string& name, std::string_view content) {
    std::ofstream(path_ / name, std::ios::binary | std::ios::trunc) << content;
    std::filesystem::last_write_time(
        path_ / name,
        std::filesystem::file_time_type::clock::now() + std::chrono::seconds(++writes_));
  }
  [[nodiscard]] std::size_t file_count() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path_)) ++count;
    return count;
  }

 private:
  std::filesystem::path path_;
  int writes_ = 0;
};

}  // namespace otaria::server
