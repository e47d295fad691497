#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace otaria::server {

/// Who was turned away, by the door and the code that he was told. Both come from this program's
/// own words, so the table stays small. Threads  any.
class CodeCounters {
 public:
  using Counts = std::map<std::pair<std::string, std::string>, std::uint64_t>;

  void count(std::string_view door, std::string_view code) {
    const std::scoped_lock lock{mutex_};
    ++counts_[{std::string{door}, std::string{code}}];
  }
  [[nodiscard]] Counts counts() const {
    const std::scoped_lock lock{mutex_};
    return counts_;
  }

 private:
  mutable std::mutex mutex_;
  Counts counts_;
};

}  // namespace otaria::server
