#include "operator/cert/openssl.hpp"

#include <openssl/err.h>

#include <array>
#include <climits>
#include <stdexcept>

namespace otaria::cert {

void need(bool ok, const char* what) {
  if (ok) return;
  std::array<char, 256> reason{};
  ERR_error_string_n(ERR_peek_last_error(), reason.data(), reason.size());
  ERR_clear_error();
  throw std::runtime_error{std::string{"OpenSSL: "} + what + ": " + reason.data()};
}

BioPointer bio_over(std::string_view text) {
  need(text.size() <= INT_MAX, "a PEM text of more than 2 GiB");
  BioPointer bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
  need(bio != nullptr, "no memory for a buffer");
  return bio;
}

std::string text_of(BIO* bio) {
  char* at = nullptr;
  const long length = BIO_get_mem_data(bio, &at);
  return {at, static_cast<std::size_t>(length)};
}

}  // namespace otaria::cert
