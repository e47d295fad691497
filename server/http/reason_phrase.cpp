#include <boost/beast/http/status.hpp>

#include "server/http/server.hpp"

namespace otaria::server {

std::string_view reason_phrase(int status) {
  const auto text = boost::beast::http::obsolete_reason(
      boost::beast::http::int_to_status(static_cast<unsigned>(status)));
  const std::string_view phrase(text.data(), text.size());
  return phrase == "<unknown-status>" ? "Unknown" : phrase;
}

}  // namespace otaria::server
