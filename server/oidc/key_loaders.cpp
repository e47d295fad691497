#include <curl/curl.h>

#include <fstream>
#include <memory>
#include <stdexcept>

#include "server/oidc/key_cache.hpp"

namespace otaria::server::oidc {
namespace {

constexpr long connect_limit_s = 3;
constexpr long time_limit_s = 5;

struct Closer {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};

std::size_t take(char* bytes, std::size_t size, std::size_t count, void* into) {
  auto& text = *static_cast<std::string*>(into);
  if (text.size() + size * count > largest_key_set_bytes) return 0;  // ends the transfer
  text.append(bytes, size * count);
  return size * count;
}

template <class Value>
void set(CURL* curl, CURLoption option, Value value) {
  if (curl_easy_setopt(curl, option, value) != CURLE_OK) {
    throw std::runtime_error{"libcurl refuses option " + std::to_string(static_cast<int>(option))};
  }
}

std::string fetched(const std::string& url, const std::string& ca_file) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, Closer> handle{initialised == CURLE_OK ? curl_easy_init() : nullptr};
  if (!handle) throw std::runtime_error{"libcurl cannot be started"};
  CURL* curl = handle.get();
  std::string text;
  char reason[CURL_ERROR_SIZE] = "";
  set(curl, CURLOPT_URL, url.c_str());
  set(curl, CURLOPT_PROTOCOLS_STR, "https");
  set(curl, CURLOPT_FOLLOWLOCATION, 0L);
  set(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  set(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  set(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!ca_file.empty()) set(curl, CURLOPT_CAINFO, ca_file.c_str());
  set(curl, CURLOPT_NOSIGNAL, 1L);
  set(curl, CURLOPT_CONNECTTIMEOUT, connect_limit_s);
  set(curl, CURLOPT_TIMEOUT, time_limit_s);
  set(curl, CURLOPT_ERRORBUFFER, static_cast<char*>(reason));
  set(curl, CURLOPT_WRITEFUNCTION, take);
  set(curl, CURLOPT_WRITEDATA, static_cast<void*>(&text));
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    throw std::runtime_error{url + ": " + (*reason != '\0' ? reason : curl_easy_strerror(code))};
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) throw std::runtime_error{url + " answers " + std::to_string(status)};
  return text;
}

}  // namespace

KeyCache::Loader keys_in_file(std::string path) {
  return [path = std::move(path)] {
    std::ifstream file{path, std::ios::binary};
    std::string text(largest_key_set_bytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file.is_open() || file.bad()) throw std::runtime_error{path + " cannot be read"};
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
  };
}

KeyCache::Loader keys_at_url(std::string url, std::string ca_file) {
  return [url = std::move(url), ca_file = std::move(ca_file)] { return fetched(url, ca_file); };
}

}  // namespace otaria::server::oidc
