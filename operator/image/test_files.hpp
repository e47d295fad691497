#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

/// For tests: a folder of their own that goes with them, and small files in it.
namespace otaria::image {

class TestFolder {
 public:
  TestFolder() {
    std::random_device random;
    path_ = std::filesystem::temp_directory_path() /
            ("otaria-image-" + std::to_string(random()) + std::to_string(random()));
    std::filesystem::create_directories(path_);
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  [[nodiscard]] std::string at(const std::string& name) const { return (path_ / name).string(); }
  std::string put(const std::string& name, const std::vector<std::uint8_t>& bytes) const {
    std::ofstream file{at(name), std::ios::binary};
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return at(name);
  }
  std::string put_text(const std::string& name, const std::string& text) const {
    return put(name, {text.begin(), text.end()});
  }
  [[nodiscard]] std::vector<std::uint8_t> get(const std::string& name) const {
    std::ifstream file{at(name), std::ios::binary};
    return std::vector<std::uint8_t>{std::istreambuf_iterator<char>{file}, {}};
  }

 private:
  std::filesystem::path path_;
};

}  // namespace otaria::image
