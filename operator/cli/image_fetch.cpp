#include "operator/cli/image_fetch.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

#include "operator/cli/failure.hpp"
#include "operator/cli/terminal/text.hpp"

namespace otaria::cli {
namespace {

constexpr std::uint64_t largest_image = std::uint64_t{16} << 20;
constexpr unsigned char image_magic = 0xE9;  // ESP-IDF, esp_image_header_t::magic

class Sha256 {
 public:
  Sha256() : context_(::EVP_MD_CTX_new()) {
    if (!context_ || ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr) != 1)
      throw std::runtime_error("OpenSSL cannot hash");
  }
  void update(std::string_view bytes) {
    if (::EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1)
      throw std::runtime_error("OpenSSL cannot hash");
  }
  contract::Digest finish() {
    contract::Digest digest;
    if (::EVP_DigestFinal_ex(context_.get(), digest.bytes.data(), nullptr) != 1)
      throw std::runtime_error("OpenSSL cannot hash");
    return digest;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { ::EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

Failure failed(const std::string& url, const std::string& why) {
  return {exit_refused,
          "download_failed",
          fmt::format("{} cannot be fetched: {}.", url, why),
          "Check the URL, or give the digest yourself with --signature HEX "
          "(`generate_firmware_hash FILE` prints it)."};
}

}  // namespace

FetchedImage fetch_and_hash(const std::string& url,
                            const std::string& ca_file,
                            const TransferProgress& progress) {
  Sha256 hash;
  std::uint64_t size = 0;
  unsigned char first = 0;
  Http http(ca_file);
  HttpRequest request;
  request.url = url;
  request.time_limit = std::chrono::seconds(0);
  request.follow_redirects = true;
  request.sink = [&](std::string_view piece) {
    if (size == 0 && !piece.empty()) first = static_cast<unsigned char>(piece.front());
    size += piece.size();
    hash.update(piece);
    if (progress) progress(size, 0);
    return size <= largest_image;
  };
  HttpReply reply;
  try {
    reply = http.exchange(request);
  } catch (const HttpFailure& failure) {
    if (failure.kind == HttpFailure::Kind::interrupted)
      throw Failure(exit_interrupted, "interrupted", "Interrupted; nothing was sent.");
    if (size > largest_image) {
      throw Failure(
          exit_refused,
          "too_large",
          fmt::format("{} is longer than {} bytes.", url, terminal::grouped(largest_image)),
          "Check the URL: this is no image for such a device.");
    }
    throw failed(url, failure.detail);
  }
  if (reply.status != 200) throw failed(url, fmt::format("HTTP status {}", reply.status));
  if (first != image_magic) {
    throw Failure(
        exit_refused,
        "not_an_image",
        fmt::format("{} holds {} bytes that are no ESP32 image: the first is 0x{:02X}, not 0xE9.",
                    url,
                    terminal::grouped(size),
                    first),
        "Check the URL: servers answer with a page in place of a missing file now and then.");
  }
  return {hash.finish(), size};
}

std::uint64_t announced_size(const std::string& url, const std::string& ca_file) {
  Http http(ca_file);
  HttpRequest request;
  request.method = "HEAD";
  request.url = url;
  request.follow_redirects = true;
  request.time_limit = std::chrono::seconds(10);
  try {
    const HttpReply reply = http.exchange(request);
    return reply.status == 200 ? reply.content_length : 0;
  } catch (const HttpFailure&) {
    return 0;
  }
}

}  // namespace otaria::cli
