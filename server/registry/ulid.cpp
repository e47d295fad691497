#include "server/registry/ulid.hpp"

#include "contract/ulid.hpp"

namespace otaria::server {

UlidGenerator::UlidGenerator(std::uint64_t seed) : random_{seed} {}

std::string UlidGenerator::next(std::uint64_t unix_ms) {
  const std::scoped_lock lock{mutex_};
  if (unix_ms > last_ms_) {
    last_ms_ = unix_ms;
    high_ = random_() & 0x7fff;  // the top bit stays clear: room to count up
    low_ = random_();
  } else if (++low_ == 0) {
    ++high_;
  }
  const auto text = contract::ulid_text((last_ms_ << 16) | high_, low_);
  return {text.begin(), text.end()};
}

}  // namespace otaria::server
