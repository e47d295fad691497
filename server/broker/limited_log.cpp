#include "server/broker/limited_log.hpp"

#include <spdlog/spdlog.h>

namespace otaria::server {

void LimitedLog::warn(const std::string& kind, const std::string& text) {
  const auto now = std::chrono::steady_clock::now();
  std::uint64_t left_out = 0;
  {
    const std::scoped_lock lock{mutex_};
    Kind& entry = kinds_[kind];
    if (now < entry.next) {
      ++entry.left_out;
      return;
    }
    entry.next = now + interval_;
    left_out = std::exchange(entry.left_out, 0);
  }
  if (left_out == 0) {
    spdlog::warn("{}: {}", kind, text);
  } else {
    spdlog::warn("{}: {} (and {} more since the last such line)", kind, text, left_out);
  }
}

std::string printable(std::string_view bytes, std::size_t longest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else {
      text += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    }
  }
  if (bytes.size() > longest) text += "…";
  return text;
}

}  // namespace otaria::server
