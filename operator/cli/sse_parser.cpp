#include "operator/cli/sse_parser.hpp"

#include <utility>

namespace otaria::cli {
namespace {
constexpr std::size_t longest_event = std::size_t{1} << 20;
}

std::vector<ServerEvent> SseParser::feed(std::string_view bytes) {
  std::vector<ServerEvent> complete;
  for (const char c : bytes) {
    const bool second_half_of_crlf = c == '\n' && after_cr_;
    after_cr_ = c == '\r';
    if (second_half_of_crlf) continue;
    if (c == '\n' || c == '\r') {
      line(line_, complete);
      line_.clear();
    } else if (line_.size() < longest_event) {
      line_ += c;
    } else {
      too_long_ = true;
    }
  }
  return complete;
}

void SseParser::reset() {
  line_.clear();
  event_ = {};
  has_data_ = false;
  too_long_ = false;
  after_cr_ = false;
}

void SseParser::line(std::string_view text, std::vector<ServerEvent>& complete) {
  if (text.empty()) {
    if (has_data_ && !too_long_) {
      if (event_.name.empty()) event_.name = "message";
      complete.push_back(std::move(event_));
    }
    event_ = {};
    has_data_ = false;
    too_long_ = false;
    return;
  }
  const std::size_t colon = text.find(':');
  const std::string_view field = text.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  if (field == "event") {
    event_.name = value;
  } else if (field == "data") {
    if (has_data_) event_.data += '\n';
    has_data_ = true;
    if (event_.data.size() + value.size() > longest_event) {
      too_long_ = true;
    } else {
      event_.data += value;
    }
  }
}

}  // namespace otaria::cli
