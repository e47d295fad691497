#include "contract/golden/goldens.hpp"

#include <cctype>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace otaria::contract {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) throw std::runtime_error{"cannot read " + path.string()};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

std::vector<Golden> load_goldens(const std::filesystem::path& folder, std::string_view message) {
  std::vector<Golden> goldens;
  for (const auto& row : nlohmann::json::parse(read_file(folder / "index.json"))) {
    if (row.at("message") != message) continue;
    const std::string file = row.at("file");
    goldens.push_back({.file = file,
                       .message = row.at("message"),
                       .payload = read_file(folder / file),
                       .defect = row.at("defect"),
                       .member = row.value("member", ""),
                       .identity = row.value("identity", "")});
  }
  if (goldens.empty()) throw std::runtime_error{"no golden examples of this message"};
  return goldens;
}

std::string test_name_of(const Golden& golden) {
  std::string name = std::filesystem::path{golden.file}.stem();
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

}  // namespace otaria::contract
