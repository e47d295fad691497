#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "server/http/message.hpp"

namespace otaria::server {

/// Bytes as a file that the HTTP server can serve like any other: ETag, HEAD, ranges. It lies in
/// memory and has no name. Throws std::system_error when the system gives none.
///
/// header_lines  each ended by CRLF
std::shared_ptr<const OpenFile> memory_file(std::string_view bytes, std::string header_lines);

}  // namespace otaria::server
