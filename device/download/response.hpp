#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "contract/text.hpp"
#include "device/result/result.hpp"

namespace otaria::device {

/// The header fields of a response that a download looks at; the rest is forgotten as it comes by.
/// Source  RFC 9110 sections 8.6, 8.8.3, 10.2.3, 14.4.
class ResponseHead {
 public:
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::uint32_t total = 0;
  };

  void clear() { *this = ResponseHead{}; }
  /// `name` in any case; both trimmed or not.
  void add(std::string_view name, std::string_view value);

  [[nodiscard]] const std::optional<std::uint32_t>& content_length() const {
    return content_length_;
  }
  [[nodiscard]] const std::optional<Range>& content_range() const { return content_range_; }
  /// Seconds; only the delta form is understood.
  [[nodiscard]] const std::optional<std::uint32_t>& retry_after_s() const { return retry_after_s_; }
  /// A strong entity tag with its quotes; empty: none, weak, or longer than 72 bytes.
  [[nodiscard]] std::string_view etag() const { return etag_.view(); }
  /// A Content-Encoding other than identity: these are not the file's bytes.
  [[nodiscard]] bool is_encoded() const { return encoded_; }

 private:
  void add_content_length(std::string_view value);

  std::optional<std::uint32_t> content_length_;
  std::optional<Range> content_range_;
  std::optional<std::uint32_t> retry_after_s_;
  contract::Text<72> etag_;
  bool encoded_ = false;
  bool lengths_seen_ = false;
};

/// What was asked for.
struct DownloadRequest {
  std::uint32_t offset = 0;
  std::uint32_t total = 0;    ///< size of the file as announced or learned; 0 = unknown
  std::uint32_t largest = 0;  ///< bytes of the slot
};

enum class ResponseVerdict : std::uint8_t {
  body,         ///< the body starts at the offset asked for
  from_start,   ///< a 200 although a range was asked for: the body starts at 0
  retry,        ///< come again later
  expired_url,  ///< ask for a renewed URL: 401, 403, 410
  give_up,
};

struct ResponseJudgement {
  ResponseVerdict verdict = ResponseVerdict::give_up;
  Error error;              ///< of give_up, and of the last retry
  std::uint32_t total = 0;  ///< size of the whole file
  /// The size is not what was announced (`error` says how), but the body may be looked at first: an
  /// HTML page is better called one.
  bool wrong_size = false;
  std::optional<std::uint32_t> retry_after_s;
};

/// Judges a response head. `error.found` of download_failed is the HTTP status.
ResponseJudgement judge_response(std::uint32_t status,
                                 const ResponseHead& head,
                                 const DownloadRequest& request);

/// Judges the head of an answer that shall bring a whole signed file (manifest, key list) of at
/// most `largest` bytes. A missing length is accepted: the bytes are counted and prove themselves.
/// Verdicts  body (`total` 0: no length given), retry, give_up; with `wrong_size` the length given is
///           0 or above `largest` (`error`: too_large). `error` else as above.
ResponseJudgement judge_file_response(std::uint32_t status,
                                      const ResponseHead& head,
                                      std::uint32_t largest);

}  // namespace otaria::device
