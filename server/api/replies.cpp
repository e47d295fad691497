#include "server/api/replies.hpp"

#include <charconv>

namespace otaria::server {

Response json_reply(std::string body, int status) {
  Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
  response.body = std::move(body);
  return response;
}

Outcome<Slice> slice_from(const Request& request) {
  constexpr std::size_t most = 500;
  Slice slice;
  slice.after = parameter(request, "cursor").value_or("");
  const auto limit = parameter(request, "limit");
  if (!limit) return slice;
  const char* end = limit->data() + limit->size();
  const auto [stop, error] = std::from_chars(limit->data(), end, slice.limit);
  if (error != std::errc{} || stop != end || slice.limit == 0 || slice.limit > most) {
    return Refusal{"bad_request",
                   "`limit` is not a number from 1 to " + std::to_string(most),
                   "leave it out for 100"};
  }
  return slice;
}

Slice one_more(Slice slice) {
  ++slice.limit;
  return slice;
}

std::optional<std::string> parameter(const Request& request, std::string_view name) {
  const auto value = request.query_value(name);
  if (!value || value->empty()) return std::nullopt;
  return std::string{*value};
}

}  // namespace otaria::server
