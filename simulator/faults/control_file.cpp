#include "simulator/faults/control_file.hpp"

#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <sstream>

namespace otaria::simulator {

ControlFile::Stamp ControlFile::stamp() const {
  struct stat status {};
  if (::stat(file_.c_str(), &status) != 0) return {};
  return {static_cast<std::uint64_t>(status.st_ino),
          static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec,
          static_cast<std::int64_t>(status.st_size)};
}

std::vector<std::string> ControlFile::new_lines() {
  const Stamp now = stamp();
  if (now == seen_) return {};
  seen_ = now;
  std::ifstream in{file_};
  std::string content{std::istreambuf_iterator<char>{in}, {}};
  content.erase(content.rfind('\n') + 1);  // npos + 1 = 0: not one whole line
  const bool was_appended_to = content.size() > consumed_.size() && content.starts_with(consumed_);
  std::istringstream text{was_appended_to ? content.substr(consumed_.size()) : content};
  consumed_ = std::move(content);
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    line.erase(0, line.find_first_not_of(" \t"));
    if (!line.empty() && line.front() != '#') lines.push_back(line);
  }
  return lines;
}

}  // namespace otaria::simulator
