#include "server/registry/ulid.hpp"

#include <string_view>

namespace otaria::server {
namespace {

constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// 128 bits as 26 digits of five bits, the first of which holds three.
std::string written(std::uint64_t high, std::uint64_t low) {
  std::string text(26, '0');
  for (std::size_t i = 26; i-- > 0;) {
    text[i] = alphabet[low & 31];
    low = (low >> 5) | (high << 59);
    high >>= 5;
  }
  return text;
}

}  // namespace

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
  return written((last_ms_ << 16) | high_, low_);
}

}  // namespace otaria::server
