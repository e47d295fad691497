#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

/// Which part of a file a request asks for, and whether it needs any: pure rules.
/// Source  RFC 9110, 13.1 (If-None-Match, If-Range) and 14.2 (Range).
namespace otaria::server {

/// What a request says of a file, as received; empty views: not said.
struct FileConditions {
  std::string_view range;
  std::string_view if_range;
  std::string_view if_none_match;
};

struct FileSelection {
  int status = 200;  ///< 200, 206, 304 or 416
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  ///< 0 for 304 and 416
};

/// What a Range header selects from `size` bytes. Several ranges, another unit and malformed text
/// select the whole file (a server may ignore Range); a well-formed range that begins behind the
/// end is a 416.
FileSelection select_range(std::string_view range, std::uint64_t size);

/// Judges all conditions in the order of RFC 9110, 13.2.2. An If-Range that is not exactly the
/// strong `etag` (a date, a weak tag, another tag) asks for the whole file.
FileSelection select_part(const FileConditions& conditions,
                          std::string_view etag,
                          std::uint64_t size);

}  // namespace otaria::server
