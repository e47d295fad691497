#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "operator/cli/up.hpp"

namespace otaria::cli {
namespace {

struct AddressList {
  addrinfo* list = nullptr;
  AddressList() = default;
  AddressList(const AddressList&) = delete;
  AddressList& operator=(const AddressList&) = delete;
  ~AddressList() {
    if (list != nullptr) ::freeaddrinfo(list);
  }
};

}  // namespace

std::optional<Endpoint> endpoint_from(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  Endpoint endpoint{text.substr(0, colon), 0};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, endpoint.port);
  if (error != std::errc{} || stop != end || endpoint.port == 0) return std::nullopt;
  if (endpoint.address.starts_with('[') && endpoint.address.ends_with(']')) {
    endpoint.address = endpoint.address.substr(1, endpoint.address.size() - 2);
  }
  return endpoint;
}

std::string host_and_port(const Endpoint& endpoint) {
  const bool v6 = endpoint.address.find(':') != std::string::npos;
  return (v6 ? "[" + endpoint.address + "]" : endpoint.address) + ":" +
         std::to_string(endpoint.port);
}

std::string listen_obstacle(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  AddressList found;
  const int unknown = ::getaddrinfo(
      endpoint.address.c_str(), std::to_string(endpoint.port).c_str(), &hints, &found.list);
  if (unknown != 0) return std::string("the address is not known: ") + ::gai_strerror(unknown);
  const int probe = ::socket(found.list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return std::strerror(errno);
  // As servers do: what lingers of closed connections is no obstacle, another listener is.
  const int yes = 1;
  ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  std::string obstacle;
  if (::bind(probe, found.list->ai_addr, found.list->ai_addrlen) != 0 || ::listen(probe, 1) != 0)
    obstacle = std::strerror(errno);
  ::close(probe);
  return obstacle;
}

}  // namespace otaria::cli
