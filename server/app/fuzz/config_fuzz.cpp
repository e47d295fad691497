// Arbitrary bytes as otaria.toml: a configuration within the limits that its guide promises, or one
// sentence that names the file. The values that name files are left out before the rest is judged
// as a whole, since the fuzzer would have them read.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "contract/fuzz/claim.hpp"
#include "contract/url.hpp"
#include "server/app/config.hpp"

using namespace otaria::server;
using otaria::contract::claim;

namespace {

void check(const Config& config) {
  claim(config.public_url.empty() || otaria::contract::is_url(config.public_url));
  claim(config.http.port > 0 && !config.http.address.empty());
  claim(config.http.io_threads <= 256 && config.http.workers <= 256);
  claim(!config.mqtt.host.empty() && config.mqtt.port > 0);
  claim(config.downloads.url_life_s >= 60 && config.downloads.url_life_s <= 604'800);
  claim(config.keep_statuses_days >= 1 && config.silent_after_s >= 0);
  claim(config.identity.issuer.life_s >= 300 && config.identity.issuer.life_s <= 604'800);
  claim(config.identity.per_address.interval_ms >= 1);
}

void complete_without_files(Config config) {
  config.mqtt_password_file.clear();
  config.http.tls = {};
  try {
    complete(config);
  } catch (const ConfigError& error) {
    claim(*error.what() != '\0');
    return;
  }
  claim(config.access_mode == "open" || config.access_mode == "tokens");
  claim(config.access_mode != "open" || config.development);
  claim(config.public_url.find("://") != std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  Config config = default_config();
  try {
    take_toml(config, text, "otaria.toml");
  } catch (const ConfigError& error) {
    claim(std::string_view{error.what()}.starts_with("otaria.toml"));
    return 0;
  }
  check(config);
  complete_without_files(config);
  return 0;
}
