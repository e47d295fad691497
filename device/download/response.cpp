#include "device/download/response.hpp"

#include <algorithm>
#include <charconv>

namespace otaria::device {
namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// As substr, without its exception: from <= to <= text.size().
std::string_view between(std::string_view text, std::size_t from, std::size_t to) {
  return {text.data() + from, to - from};
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// It is sent again in If-Range: what RFC 9110 section 8.8.3 does not allow in it must not get
// there.
bool is_strong_etag(std::string_view value) {
  const auto is_inner = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != '"' && byte != 0x7F;
  };
  return value.size() >= 2 && value.front() == '"' && value.back() == '"' &&
         std::ranges::all_of(between(value, 1, value.size() - 1), is_inner);
}

// bytes <first>-<last>/<total>
std::optional<ResponseHead::Range> range(std::string_view text) {
  constexpr std::string_view unit = "bytes ";
  if (text.size() < unit.size() || !same_ignoring_case(between(text, 0, unit.size()), unit))
    return std::nullopt;
  text = trimmed(between(text, unit.size(), text.size()));
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash)
    return std::nullopt;
  const auto first = number(between(text, 0, dash));
  const auto last = number(between(text, dash + 1, slash));
  const auto total = number(between(text, slash + 1, text.size()));
  if (!first || !last || !total || *first > *last || *last >= *total) return std::nullopt;
  return ResponseHead::Range{*first, *last, *total};
}

Error http_error(std::uint32_t status, const DownloadRequest& request) {
  return {Fault::download_failed, status, request.offset};
}

ResponseJudgement refused_size(Error error, std::uint32_t total) {
  ResponseJudgement judgement;
  judgement.verdict = ResponseVerdict::body;
  judgement.error = error;
  judgement.total = total;
  judgement.wrong_size = true;
  return judgement;
}

ResponseJudgement judge_whole(std::uint32_t status,
                              const ResponseHead& head,
                              const DownloadRequest& request) {
  ResponseJudgement judgement;
  judgement.error = http_error(status, request);
  // Firmware without a length cannot be bounded, and an encoded body is not the file (give_up).
  if (!head.content_length() || head.is_encoded()) return judgement;
  const std::uint32_t length = *head.content_length();
  if (length > request.largest)
    return refused_size({Fault::too_large, length, request.largest}, length);
  if (request.total != 0 && length > request.total) {
    return refused_size({Fault::too_large, length, request.total}, length);
  }
  if (length == 0 || (request.total != 0 && length < request.total)) {
    return refused_size({Fault::download_failed, status, length}, length);
  }
  judgement.verdict = request.offset == 0 ? ResponseVerdict::body : ResponseVerdict::from_start;
  judgement.total = length;
  return judgement;
}

ResponseJudgement judge_part(std::uint32_t status,
                             const ResponseHead& head,
                             const DownloadRequest& request) {
  ResponseJudgement judgement;
  judgement.error = http_error(status, request);
  judgement.verdict = ResponseVerdict::retry;
  const auto& part = head.content_range();
  if (!part || head.is_encoded() || part->first != request.offset ||
      part->last + 1 != part->total || (request.total != 0 && part->total != request.total) ||
      part->total > request.largest) {
    return judgement;
  }
  if (head.content_length() && *head.content_length() != part->last - part->first + 1)
    return judgement;
  judgement.verdict = ResponseVerdict::body;
  judgement.total = part->total;
  return judgement;
}

}  // namespace

void ResponseHead::add(std::string_view name, std::string_view value) {
  name = trimmed(name);
  value = trimmed(value);
  if (same_ignoring_case(name, "content-length")) add_content_length(value);
  if (same_ignoring_case(name, "content-range")) content_range_ = range(value);
  if (same_ignoring_case(name, "retry-after")) retry_after_s_ = number(value);
  if (same_ignoring_case(name, "content-encoding") && !same_ignoring_case(value, "identity"))
    encoded_ = true;
  if (same_ignoring_case(name, "etag") && (!is_strong_etag(value) || !etag_.assign(value)))
    etag_.clear();
}

// Two lengths that differ are no length (RFC 9110 section 8.6), and a third does not heal them.
void ResponseHead::add_content_length(std::string_view value) {
  const auto length = number(value);
  if (lengths_seen_ && content_length_ != length) {
    content_length_.reset();
  } else if (!lengths_seen_) {
    content_length_ = length;
  }
  lengths_seen_ = true;
}

ResponseJudgement judge_file_response(std::uint32_t status,
                                      const ResponseHead& head,
                                      std::uint32_t largest) {
  ResponseJudgement judgement;
  judgement.error = http_error(status, {});
  if (status != 200) {
    // Manifests and key lists are open: there is no URL that could be renewed.
    // A part was not asked for, and none of it was in hand.
    const bool again = status != 206 && status != 416 &&
                       judge_response(status, head, {}).verdict == ResponseVerdict::retry;
    judgement.verdict = again ? ResponseVerdict::retry : ResponseVerdict::give_up;
    judgement.retry_after_s = head.retry_after_s();
    return judgement;
  }
  if (head.is_encoded()) return judgement;
  judgement.verdict = ResponseVerdict::body;
  if (!head.content_length()) return judgement;
  judgement.total = *head.content_length();
  if (judgement.total > 0 && judgement.total <= largest) return judgement;
  judgement.verdict = ResponseVerdict::give_up;
  judgement.wrong_size = true;
  judgement.error = {Fault::too_large, judgement.total, largest};
  return judgement;
}

ResponseJudgement judge_response(std::uint32_t status,
                                 const ResponseHead& head,
                                 const DownloadRequest& request) {
  if (status == 200) return judge_whole(status, head, request);
  if (status == 206) return judge_part(status, head, request);
  ResponseJudgement judgement;
  judgement.error = http_error(status, request);
  judgement.retry_after_s = head.retry_after_s();
  switch (status) {
    case 401:
    case 403:
    case 410:
      judgement.verdict = ResponseVerdict::expired_url;
      break;
    case 408:
    case 416:  // the file is shorter than what was in hand: begin again
    case 425:
    case 429:
      judgement.verdict = ResponseVerdict::retry;
      break;
    default:
      judgement.verdict = status >= 500 ? ResponseVerdict::retry : ResponseVerdict::give_up;
      break;
  }
  return judgement;
}

}  // namespace otaria::device
