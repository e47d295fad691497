#include "server/api/memory_file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "contract/openssl/crypto.hpp"

namespace otaria::server {

std::shared_ptr<const OpenFile> memory_file(std::string_view bytes, std::string header_lines) {
  const int descriptor = memfd_create("otariad", MFD_CLOEXEC);
  if (descriptor < 0) throw std::system_error{errno, std::generic_category(), "memfd_create"};
  auto file = std::make_shared<OpenFile>(descriptor, bytes.size());
  const auto digest = contract::hex_of(crypto::sha256(bytes));
  file->etag = "\"" + std::string{digest.data(), digest.size()} + "\"";
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw std::system_error{errno, std::generic_category(), "a file in memory"};
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  file->header_lines = std::move(header_lines);
  return file;
}

}  // namespace otaria::server
