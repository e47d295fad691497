#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otaria::cli {

/// One server-sent event.
struct ServerEvent {
  std::string name;  ///< `message` when the stream named none
  std::string data;
};

/// Cuts a byte stream into server-sent events, however it arrives in pieces. Bounded: an event
/// longer than 1 MiB is dropped, and the stream goes on with the next one. Source  WHATWG
/// HTML, 9.2.6 "Interpreting an event stream"; `id` and `retry` are not used by our server.
class SseParser {
 public:
  /// The events that `bytes` completed, in order.
  std::vector<ServerEvent> feed(std::string_view bytes);
  /// Forgets an event begun: the connection ended.
  void reset();

 private:
  void line(std::string_view text, std::vector<ServerEvent>& complete);
  std::string line_;
  ServerEvent event_;
  bool has_data_ = false;
  bool too_long_ = false;
  bool after_cr_ = false;
};

}  // namespace otaria::cli
