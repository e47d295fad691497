#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace otaria::broker_plugin::testing {

/// A directory of its own that goes with the object.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "otaria-plugin-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary directory"};
    path_ = name;
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
    return path_ / name;
  }
  /// As otariad writes: beside it, then renamed.
  void replace(std::string_view name, std::string_view text) const {
    const auto temporary = path_ / "new";
    std::ofstream{temporary, std::ios::binary} << text;
    std::filesystem::rename(temporary, path_ / name);
  }

 private:
  std::filesystem::path path_;
};

}  // namespace otaria::broker_plugin::testing
