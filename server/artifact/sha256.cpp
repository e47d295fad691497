#include "server/artifact/sha256.hpp"

#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <vector>

namespace otaria::server {

struct Sha256::Context {
  EVP_MD_CTX* handle = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(handle); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  if (!context_->handle || EVP_DigestInit_ex(context_->handle, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL offers no SHA-256");
  }
}

Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) {
  if (EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size()) != 1) {
    throw std::runtime_error("OpenSSL failed to go on with a SHA-256");
  }
}

contract::Digest Sha256::finish() {
  contract::Digest digest;
  if (EVP_DigestFinal_ex(context_->handle, digest.bytes.data(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL failed to finish a SHA-256");
  }
  return digest;
}

std::optional<contract::Digest> digest_of_file(int descriptor, std::uint64_t size) {
  Sha256 hash;
  std::vector<char> buffer(std::size_t{128} * 1024);
  for (std::uint64_t offset = 0; offset < size;) {
    const auto wanted = std::min<std::uint64_t>(buffer.size(), size - offset);
    const ssize_t count = ::pread(descriptor, buffer.data(), wanted, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      if (count == 0) errno = 0;
      return std::nullopt;
    }
    hash.update({buffer.data(), static_cast<std::size_t>(count)});
    offset += static_cast<std::uint64_t>(count);
  }
  return hash.finish();
}

}  // namespace otaria::server
