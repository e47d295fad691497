#include "operator/cli/ulid.hpp"

#include <sys/random.h>

#include <chrono>
#include <system_error>

namespace otaria::cli {
namespace {
constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t time_characters = 10;
constexpr std::size_t random_characters = 16;
}  // namespace

std::string ulid_of(std::uint64_t unix_milliseconds, const std::array<std::uint8_t, 10>& random) {
  std::string text(time_characters + random_characters, '0');
  for (std::size_t i = time_characters; i-- > 0; unix_milliseconds >>= 5)
    text[i] = alphabet[unix_milliseconds & 31];
  unsigned held = 0;
  unsigned bits = 0;
  std::size_t at = time_characters;
  for (const std::uint8_t byte : random) {
    held = (held << 8) | byte;
    bits += 8;
    for (; bits >= 5; ++at) {
      bits -= 5;
      text[at] = alphabet[(held >> bits) & 31];
    }
  }
  return text;
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

bool is_ulid(std::string_view text) {
  return text.size() == time_characters + random_characters && text.front() <= '7' &&
         text.find_first_not_of(alphabet) == std::string_view::npos;
}

}  // namespace otaria::cli
