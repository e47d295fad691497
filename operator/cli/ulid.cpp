#include "operator/cli/ulid.hpp"

#include <sys/random.h>

#include <chrono>
#include <system_error>

#include "contract/ulid.hpp"

namespace otaria::cli {

std::string ulid_of(std::uint64_t unix_milliseconds, const std::array<std::uint8_t, 10>& random) {
  std::uint64_t high = unix_milliseconds;
  std::uint64_t low = 0;
  for (std::size_t i = 0; i < 2; ++i) high = high << 8 | random[i];
  for (std::size_t i = 2; i < random.size(); ++i) low = low << 8 | random[i];
  const auto text = contract::ulid_text(high, low);
  return {text.begin(), text.end()};
}

std::string new_ulid() {
  std::array<std::uint8_t, 10> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return ulid_of(static_cast<std::uint64_t>(
                     std::chrono::duration_cast<std::chrono::milliseconds>(now).count()),
                 random);
}

}  // namespace otaria::cli
