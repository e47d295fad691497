#include "server/app/config.hpp"

#include <array>
#include <charconv>
#include <fstream>

#include "contract/url.hpp"
#include "server/app/identity_keys.hpp"

namespace otaria::server {
namespace {

using Why = std::optional<std::string>;  // what is wrong with a value; nothing: it was taken

Why take_number(const std::string& text,
                std::int64_t least,
                std::int64_t most,
                std::int64_t& into) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || stop != end || value < least || value > most) {
    return "is not a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  }
  into = value;
  return std::nullopt;
}

template <std::int64_t Least, std::int64_t Most, class Assign>
Why number(const std::string& text, Assign assign) {
  std::int64_t value = 0;
  Why why = take_number(text, Least, Most, value);
  if (!why) assign(value);
  return why;
}

Why listen(Config& config, const std::string& text) {
  const std::size_t colon = text.rfind(':');
  std::int64_t port = 0;
  if (colon == std::string::npos || colon == 0) return "is not ADDRESS:PORT";
  if (take_number(text.substr(colon + 1), 1, 65535, port)) return "has no port from 1 to 65535";
  std::string address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  } else if (address.find(':') != std::string::npos) {
    return "needs brackets around an IPv6 address: [::1]:8080";
  }
  config.http.address = address;
  config.http.port = static_cast<std::uint16_t>(port);
  return std::nullopt;
}

Why broker(Config& config, const std::string& text) {
  const auto url = parse_broker_url(text);
  if (!url) return "is no broker URL (" + url.refusal().detail + ")";
  config.mqtt = url.value();
  return std::nullopt;
}

Why public_url(Config& config, const std::string& text) {
  std::string url = text;
  while (url.ends_with('/')) url.pop_back();
  if (!contract::is_url(url)) return "is no http or https URL";
  if (url.find_first_of("?#") != std::string::npos) return "may have neither query nor fragment";
  config.public_url = url;
  return std::nullopt;
}

Why one_of(std::string& into,
           const std::string& text,
           std::initializer_list<std::string_view> words) {
  std::string list;
  for (const std::string_view word : words) {
    if (text == word) {
      into = text;
      return std::nullopt;
    }
    list += (list.empty() ? "" : ", ") + std::string{word};
  }
  return "is none of: " + list;
}

template <contract::UpdateState State>
Why deadline(Config& config, const std::string& text) {
  return number<1, 31'536'000>(text, [&](std::int64_t s) {
    config.deadlines.by_state[static_cast<std::size_t>(State)] = s;
  });
}

Why client_certificates(Config& config, const std::string& text) {
  std::string word;
  Why why = one_of(word, text, {"off", "optional", "required"});
  config.http.tls.client_certificates = word == "required"   ? ClientCertificates::required
                                        : word == "optional" ? ClientCertificates::optional
                                                             : ClientCertificates::off;
  return why;
}

Why text_value(std::string& into, const std::string& text) {
  if (text.empty()) return "is empty";
  into = text;
  return std::nullopt;
}

Why flag(bool& into, const std::string& text) {
  if (text != "true" && text != "false") return "is neither true nor false";
  into = text == "true";
  return std::nullopt;
}

Why trusted_proxies(Config& config, const std::string& text) {
  const auto networks = networks_from(text);
  if (!networks) return "is no list of addresses and networks like 10.0.0.5, 192.168.0.0/16";
  config.trusted_proxies = *networks;
  return std::nullopt;
}

Why role_map(Config& config, const std::string& text) {
  const auto roles = oidc::role_map_from(text);
  if (!roles)
    return "is no list like fleet-admins=admin, fleet-ops=operator (agent-ci cannot be mapped)";
  config.oidc.roles = *roles;
  return std::nullopt;
}

Why https_url(std::string& into, const std::string& text) {
  if (!text.starts_with("https://") || !contract::is_url(text)) return "is no https URL";
  into = text;
  return std::nullopt;
}

Why download_access(Config& config, const std::string& text) {
  if (text == "open") {
    config.download_access = DownloadAccess::open;
  } else if (text == "signed") {
    config.download_access = DownloadAccess::signed_url;
  } else if (text == "token") {
    config.download_access = DownloadAccess::token;
  } else {
    return "is none of: open, signed, token";
  }
  return std::nullopt;
}

Why path_value(std::filesystem::path& into, const std::string& text) {
  if (text.empty()) return "is empty";
  into = text;
  return std::nullopt;
}

template <ApprovalVerb Verb>
Why approval(Config& config, const std::string& text) {
  bool wanted = false;
  Why why = flag(wanted, text);
  if (wanted) config.approvals.verbs.insert(Verb);
  if (!wanted) config.approvals.verbs.erase(Verb);
  return why;
}

struct Key {
  std::string_view name;
  Why (*set)(Config&, const std::string&);
};

using S = contract::UpdateState;
// clang-format off
constexpr std::array keys{
  Key{"data",       [](Config& c, const std::string& t) { return text_value(c.data, t); }},
  Key{"public_url", public_url},
  Key{"http.listen", listen},
  Key{"http.certificate", [](Config& c, const std::string& t) { return text_value(c.http.tls.certificate, t); }},
  Key{"http.private_key", [](Config& c, const std::string& t) { return text_value(c.http.tls.private_key, t); }},
  Key{"http.client_ca",   [](Config& c, const std::string& t) { return text_value(c.http.tls.client_ca, t); }},
  Key{"http.client_certificates", client_certificates},
  Key{"http.max_connections", [](Config& c, const std::string& t) { return number<1, 1'000'000>(t, [&](auto n) { c.http.max_connections = static_cast<std::size_t>(n); }); }},
  Key{"http.max_downloads",   [](Config& c, const std::string& t) { return number<1, 1'000'000>(t, [&](auto n) { c.http.max_downloads = static_cast<std::size_t>(n); }); }},
  Key{"http.retry_after",     [](Config& c, const std::string& t) { return number<1, 3600>(t, [&](auto n) { c.http.retry_after = std::chrono::seconds{n}; }); }},
  Key{"http.threads",         [](Config& c, const std::string& t) { return number<1, 256>(t, [&](auto n) { c.http.io_threads = static_cast<unsigned>(n); }); }},
  Key{"http.workers",         [](Config& c, const std::string& t) { return number<1, 256>(t, [&](auto n) { c.http.workers = static_cast<unsigned>(n); }); }},
  Key{"mqtt.url",             broker},
  Key{"mqtt.ca_file",         [](Config& c, const std::string& t) { return text_value(c.mqtt_ca_file, t); }},
  Key{"mqtt.certificate",     [](Config& c, const std::string& t) { return text_value(c.mqtt_certificate, t); }},
  Key{"mqtt.private_key",     [](Config& c, const std::string& t) { return text_value(c.mqtt_private_key, t); }},
  Key{"mqtt.username",        [](Config& c, const std::string& t) { return text_value(c.mqtt.username, t); }},
  Key{"mqtt.password_file",   [](Config& c, const std::string& t) { return text_value(c.mqtt_password_file, t); }},
  Key{"mqtt.server_number",   [](Config& c, const std::string& t) { return number<1, 999'999>(t, [&](auto n) { c.server_number = static_cast<std::uint32_t>(n); }); }},
  Key{"mqtt.token",           [](Config& c, const std::string& t) { return one_of(c.mqtt_token, t, {"none", "self"}); }},
  Key{"mqtt.notices_per_second",  [](Config& c, const std::string& t) { return number<1, 1'000'000>(t, [&](auto n) { c.notices.rate = static_cast<double>(n); }); }},
  Key{"mqtt.notice_repeat_first", [](Config& c, const std::string& t) { return number<1, 86'400>(t, [&](auto n) { c.notices.repeat_first_ms = n * 1000; }); }},
  Key{"mqtt.notice_repeat_limit", [](Config& c, const std::string& t) { return number<1, 604'800>(t, [&](auto n) { c.notices.repeat_limit_ms = n * 1000; }); }},
  Key{"mqtt.report_queue",        [](Config& c, const std::string& t) { return number<100, 1'000'000>(t, [&](auto n) { c.ingest.queue_limit = static_cast<std::size_t>(n); }); }},
  Key{"deadlines.offered",     [](Config& c, const std::string& t) { return number<1, 31'536'000>(t, [&](auto n) { c.deadlines.offered = n; }); }},
  Key{"deadlines.received",    deadline<S::received>},
  Key{"deadlines.waiting",     deadline<S::waiting>},
  Key{"deadlines.downloading", deadline<S::downloading>},
  Key{"deadlines.verifying",   deadline<S::verifying>},
  Key{"deadlines.installed",   deadline<S::installed>},
  Key{"deadlines.rebooting",   deadline<S::rebooting>},
  Key{"deadlines.trial",       deadline<S::trial>},
  Key{"presence.silent_after", [](Config& c, const std::string& t) { return number<0, 31'536'000>(t, [&](auto n) { c.silent_after_s = n; }); }},
  Key{"history.keep_days",     [](Config& c, const std::string& t) { return number<1, 36'500>(t, [&](auto n) { c.keep_statuses_days = n; }); }},
  Key{"downloads.access",       download_access},
  Key{"downloads.url_life",     [](Config& c, const std::string& t) { return number<60, 604'800>(t, [&](auto n) { c.downloads.url_life_s = n; }); }},
  Key{"downloads.cdn_checks",   [](Config& c, const std::string& t) { return flag(c.downloads.cdn_checks, t); }},
  Key{"downloads.secret_file",  [](Config& c, const std::string& t) { c.downloads.shared_secret = true; return path_value(c.downloads.secret_file, t); }},
  Key{"downloads.key_set",      [](Config& c, const std::string& t) { return path_value(c.downloads.key_set, t); }},
  Key{"downloads.denylist",     [](Config& c, const std::string& t) { return path_value(c.downloads.denylist, t); }},
  Key{"development",            [](Config& c, const std::string& t) { return flag(c.development, t); }},
  Key{"access.mode",            [](Config& c, const std::string& t) { return one_of(c.access_mode, t, {"tokens", "open"}); }},
  Key{"access.metrics",         [](Config& c, const std::string& t) { return one_of(c.metrics_access, t, {"tokens", "open"}); }},
  Key{"access.trusted_proxies", trusted_proxies},
  Key{"approvals.force",        approval<ApprovalVerb::force>},
  Key{"approvals.keylist_publish", approval<ApprovalVerb::keylist_publish>},
  Key{"approvals.life",         [](Config& c, const std::string& t) { return number<60, 2'592'000>(t, [&](auto n) { c.approvals.life_s = n; }); }},
  Key{"audit.checkpoints",      [](Config& c, const std::string& t) { return text_value(c.audit_checkpoints, t); }},
  Key{"audit.syslog",           [](Config& c, const std::string& t) { return flag(c.audit_syslog, t); }},
  Key{"oidc.issuer",            [](Config& c, const std::string& t) { return text_value(c.oidc.issuer, t); }},
  Key{"oidc.audience",          [](Config& c, const std::string& t) { return text_value(c.oidc.audience, t); }},
  Key{"oidc.jwks_file",         [](Config& c, const std::string& t) { return text_value(c.oidc_keys_file, t); }},
  Key{"oidc.jwks_url",          [](Config& c, const std::string& t) { return https_url(c.oidc_keys_url, t); }},
  Key{"oidc.ca_file",           [](Config& c, const std::string& t) { return text_value(c.oidc_ca_file, t); }},
  Key{"oidc.role_claim",        [](Config& c, const std::string& t) { return text_value(c.oidc.role_claim, t); }},
  Key{"oidc.role_map",          role_map},
  Key{"identity.first_use",     take_first_use},
  Key{"identity.audiences",     take_audiences},
  Key{"identity.mqtt_urls",     take_device_mqtt_urls},
  Key{"identity.burst",         [](Config& c, const std::string& t) { return number<1, 1'000'000>(t, [&](auto n) { c.identity.per_address.burst = n; }); }},
  Key{"identity.per_second",    [](Config& c, const std::string& t) { return number<1, 1000>(t, [&](auto n) { c.identity.per_address.interval_ms = 1000 / n; }); }},
  Key{"tokens.broker",          take_broker_kind},
  Key{"tokens.life",            [](Config& c, const std::string& t) { return number<300, 604'800>(t, [&](auto n) { c.identity.issuer.life_s = n; }); }},
  Key{"tokens.rotation_lead",   [](Config& c, const std::string& t) { return number<0, 7'776'000>(t, [&](auto n) { c.identity.issuer.lead_s = n; }); }},
  Key{"acl_extra.pub",          take_publish_templates},
  Key{"broker.directory",       [](Config& c, const std::string& t) { c.identity.files.directory = t; return t.empty() ? Why{"is empty"} : std::nullopt; }},
  Key{"broker.file_mode",       take_broker_file_mode},
  Key{"broker.group",           [](Config& c, const std::string& t) { return text_value(c.identity.files.group, t); }},
  Key{"log.level",  [](Config& c, const std::string& t) { return one_of(c.log_level, t, {"debug", "info", "warn", "error"}); }},
  Key{"log.format", [](Config& c, const std::string& t) { return one_of(c.log_format, t, {"text", "json"}); }},
};

constexpr std::array named{
  NamedKey{"data",        "--data",       "OTARIAD_DATA"},
  NamedKey{"http.listen", "--http",       "OTARIAD_HTTP"},
  NamedKey{"http.certificate", "--certificate", "OTARIAD_CERTIFICATE"},
  NamedKey{"http.private_key", "--private-key", "OTARIAD_PRIVATE_KEY"},
  NamedKey{"mqtt.url",    "--mqtt",       "OTARIAD_MQTT"},
  NamedKey{"public_url",  "--public-url", "OTARIAD_PUBLIC_URL"},
  NamedKey{"development", "--development", "OTARIAD_DEVELOPMENT"},
  NamedKey{"access.mode", "--access",     "OTARIAD_ACCESS"},
  NamedKey{"downloads.secret_file", "--download-secret", "OTARIAD_DOWNLOAD_SECRET"},
  NamedKey{"log.level",   "--log-level",  "OTARIAD_LOG_LEVEL"},
  NamedKey{"log.format",  "--log-format", "OTARIAD_LOG_FORMAT"},
};
// clang-format on

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address == "localhost";
}

bool is_wildcard(std::string_view address) {
  return address == "0.0.0.0" || address == "::";
}

std::string host_of(std::string_view url) {
  std::string_view rest = url.substr(url.find("://") + 3);
  rest = rest.substr(0, rest.find('/'));
  if (rest.starts_with('[')) return std::string{rest.substr(1, rest.find(']') - 1)};
  return std::string{rest.substr(0, rest.find(':'))};
}

std::string derived_url(const HttpConfig& http) {
  const bool v6 = http.address.find(':') != std::string::npos;
  return (http.tls.certificate.empty() ? "http://" : "https://") +
         (v6 ? "[" + http.address + "]" : http.address) + ":" + std::to_string(http.port);
}

void check_tls(const TlsFiles& tls) {
  if (tls.certificate.empty() != tls.private_key.empty()) {
    throw ConfigError{std::string{"http.certificate and http.private_key belong together: set "} +
                      (tls.certificate.empty() ? "http.certificate" : "http.private_key") + " too"};
  }
  const bool asks = tls.client_certificates != ClientCertificates::off;
  if (asks && (tls.certificate.empty() || tls.client_ca.empty())) {
    throw ConfigError{
        "http.client_certificates needs http.client_ca, the CA of the devices' certificates, and "
        "http.certificate"};
  }
  if (!asks && !tls.client_ca.empty()) {
    throw ConfigError{
        "http.client_ca does nothing while http.client_certificates is off: set it to optional or "
        "required"};
  }
  if (tls.certificate.empty()) return;
  try {
    check_tls_files(tls);
  } catch (const TlsFileError& error) {
    throw ConfigError{std::string{"TLS: "} + error.what()};
  }
}

void check_broker_tls(const Config& config) {
  if (config.mqtt_certificate.empty() != config.mqtt_private_key.empty()) {
    throw ConfigError{"mqtt.certificate and mqtt.private_key belong together: set both or none"};
  }
  const bool tls_files = !config.mqtt_certificate.empty() || !config.mqtt_ca_file.empty();
  if (tls_files && !config.mqtt.tls) {
    throw ConfigError{
        "mqtt.ca_file and mqtt.certificate need TLS: write mqtts:// in mqtt.url (port 8883)"};
  }
}

void read_password(Config& config) {
  if (config.mqtt_password_file.empty()) return;
  std::ifstream file{config.mqtt_password_file};
  if (!std::getline(file, config.mqtt.password)) {
    throw ConfigError{"mqtt.password_file: " + config.mqtt_password_file +
                      " cannot be read or is empty"};
  }
  if (config.mqtt.username.empty()) {
    throw ConfigError{"mqtt.password_file needs mqtt.username"};
  }
}

/// A server that nothing outside this machine can reach, by plain HTTP: no fleet hangs on it. One
/// behind a reverse proxy has a public_url of another machine.
bool is_bench(const Config& config) {
  const bool local_url = config.public_url.empty() || is_loopback(host_of(config.public_url));
  return is_loopback(config.http.address) && local_url && config.http.tls.certificate.empty() &&
         config.oidc.issuer.empty();
}

// Without tokens whoever reaches the listener may update the fleet: that is for a bench.
void check_open_access(const Config& config) {
  if (config.access_mode != "open") return;
  if (!config.development) {
    throw ConfigError{
        "access.mode = \"open\" is for development only: add --development, or leave it out and "
        "use tokens"};
  }
  if (!is_loopback(config.http.address)) {
    throw ConfigError{"access.mode = \"open\" is allowed on a loopback address only, not on " +
                      config.http.address + ": use --http 127.0.0.1:" +
                      std::to_string(config.http.port) + ", or leave it out and use tokens"};
  }
}

void check_oidc(const Config& config) {
  const bool any = !config.oidc.issuer.empty() || !config.oidc.audience.empty() ||
                   !config.oidc_keys_file.empty() || !config.oidc_keys_url.empty() ||
                   !config.oidc.roles.empty();
  if (!any) return;
  if (config.oidc.issuer.empty() || config.oidc.audience.empty() || config.oidc.roles.empty()) {
    throw ConfigError{"[oidc] needs issuer, audience and role_map together"};
  }
  if (config.oidc_keys_file.empty() == config.oidc_keys_url.empty()) {
    throw ConfigError{"[oidc] needs either jwks_file or jwks_url: where the provider's keys are"};
  }
}

}  // namespace

Config default_config() {
  Config config;
  config.http.port = 8080;
  config.mqtt.host = "127.0.0.1";
  return config;
}

std::vector<std::string_view> config_keys() {
  std::vector<std::string_view> names;
  names.reserve(std::size(keys));
  for (const Key& key : keys) names.push_back(key.name);
  return names;
}

std::span<const NamedKey> named_keys() {
  return named;
}

void set_key(Config& config,
             std::string_view key,
             const std::string& value,
             const std::string& source) {
  for (const Key& row : keys) {
    if (row.name != key) continue;
    if (const Why why = row.set(config, value)) {
      throw ConfigError{source + ": " + std::string{key} + " = \"" + value + "\" " + *why};
    }
    return;
  }
  throw ConfigError{source + ": unknown key \"" + std::string{key} + "\""};
}

std::vector<std::string> complete(Config& config) {
  read_password(config);
  check_tls(config.http.tls);
  check_broker_tls(config);
  if (config.notices.repeat_first_ms > config.notices.repeat_limit_ms) {
    throw ConfigError{"mqtt.notice_repeat_first is greater than mqtt.notice_repeat_limit"};
  }
  check_open_access(config);
  check_oidc(config);
  std::vector<std::string> warnings;
  if (config.access_mode.empty()) {
    const bool bench = is_bench(config);
    config.access_mode = bench ? "open" : "tokens";
    config.development = config.development || bench;
  }
  if (config.access_mode == "open" && !config.approvals.verbs.empty()) {
    throw ConfigError{
        "[approvals] needs to know who asks, and access.mode is open: add --access tokens"};
  }
  if (config.access_mode == "open") {
    warnings.emplace_back(
        "access.mode is open: every program on this machine may publish, update and administer "
        "without a token. For development only; `--access tokens` asks for tokens here too");
  }
  if (config.public_url.empty()) {
    if (is_wildcard(config.http.address)) {
      throw ConfigError{"public_url is not set, and no device can fetch from " +
                        config.http.address + ": add --public-url " +
                        (config.http.tls.certificate.empty() ? "http" : "https") +
                        "://HOST:" + std::to_string(config.http.port) +
                        " with the name or address under which devices reach this machine"};
    }
    config.public_url = derived_url(config.http);
  }
  if (!config.http.tls.certificate.empty() && config.public_url.starts_with("http://")) {
    warnings.push_back("public_url is " + config.public_url +
                       ", but this server speaks HTTPS: unless something in front of it speaks "
                       "HTTP, devices need https://");
  }
  if (is_loopback(host_of(config.public_url))) {
    warnings.push_back(
        "public_url is " + config.public_url +
        ": only devices on this machine can fetch from there; set --public-url for others");
  }
  config.downloads.access = config.download_access.value_or(
      config.development ? DownloadAccess::open : DownloadAccess::signed_url);
  complete_identity(config);
  if (config.mqtt_token == "self" && !config.mqtt.tls && !is_loopback(config.mqtt.host)) {
    warnings.push_back("mqtt.token is self and " + config.mqtt.shown() +
                       " is not encrypted: whoever listens may use the token; write mqtts://");
  }
  return warnings;
}

}  // namespace otaria::server
