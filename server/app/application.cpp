#include "server/app/application.hpp"

#include <spdlog/spdlog.h>

#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include "device/verify/sha256.hpp"
#include "server/api/endpoints.hpp"
#include "server/api/event_hub.hpp"
#include "server/api/gate.hpp"
#include "server/app/bootstrap.hpp"
#include "server/app/data_directory.hpp"
#include "server/artifact/store.hpp"
#include "server/audit/checkpoint_keeper.hpp"
#include "server/broker/mqtt_link.hpp"
#include "server/identity/identity_service.hpp"
#include "server/store/sqlite_store.hpp"
#include "server/trust/key_list_file.hpp"

namespace otaria::server {
namespace {

constexpr std::chrono::seconds stop_grace{5};
constexpr std::chrono::seconds tick{1};
constexpr int ticks_between_clean_ups = 600;
constexpr std::size_t artifacts_kept_open = 512;

std::int64_t unix_seconds() {
  return system_unix_ms() / 1000;
}

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

MqttConfig mqtt_config(const Config& config) {
  MqttConfig mqtt;
  mqtt.url = config.mqtt;
  mqtt.ca_file = config.mqtt_ca_file;
  mqtt.certificate = config.mqtt_certificate;
  mqtt.private_key = config.mqtt_private_key;
  mqtt.client_id = "otariad-" + std::to_string(config.server_number);
  return mqtt;
}

HttpConfig http_config(const Config& config, const DataDirectory& directory, Services& services) {
  HttpConfig http = config.http;
  http.spool_directory =
      directory.artifacts();  // so that an upload lies on the disk it will stay on
  http.body_limit = body_limit;
  http.admission = make_admission(services);
  return http;
}

DownloadSettings download_settings(const Config& config, const DataDirectory& directory) {
  DownloadSettings settings = config.downloads;
  if (!settings.shared_secret) settings.secret_file = directory.download_secret();
  const std::filesystem::path& broker_files = config.identity.files.directory;
  const bool elsewhere = !broker_files.empty();
  if (settings.key_set.empty()) {
    settings.key_set = elsewhere ? broker_files / "jwks.json" : directory.key_set();
  }
  if (settings.denylist.empty()) {
    settings.denylist = elsewhere ? broker_files / "denied" : directory.denylist();
  }
  return settings;
}

std::int64_t newest_key_list(StoreView& view) {
  const auto list = view.newest_key_list();
  return list ? list->serial : 0;
}

AccessSettings access_settings(const Config& config) {
  return {.open = config.access_mode == "open",
          .development = config.development,
          .open_metrics = config.metrics_access == "open",
          .trusted_proxies = config.trusted_proxies};
}

/// Nothing when no OpenID provider is configured.
std::unique_ptr<oidc::KeyCache> provider_keys(const Config& config) {
  if (config.oidc.issuer.empty()) return nullptr;
  return std::make_unique<oidc::KeyCache>(
      config.oidc_keys_file.empty() ? oidc::keys_at_url(config.oidc_keys_url, config.oidc_ca_file)
                                    : oidc::keys_in_file(config.oidc_keys_file),
      system_unix_ms);
}

std::unique_ptr<BearerVerifier> foreign_tokens(const Config& config, oidc::KeyCache* keys) {
  if (keys == nullptr) return nullptr;
  return std::make_unique<oidc::Verifier>(config.oidc, *keys, system_unix_ms);
}

}  // namespace

class Application::Impl {
 public:
  Impl(const Config& config, std::string version)
      : config_{config},
        directory_{config.data},
        store_{directory_.database()},
        downloads_{download_settings(config, directory_), config.public_url, unix_seconds()},
        artifacts_{directory_.artifacts(), artifacts_kept_open, downloads_.cache_control()},
        ulids_{random_seed()},
        events_{store_, system_unix_ms, config.silent_after_s},
        ingest_{store_, config.deadlines, config.ingest, system_unix_ms, counters_},
        identity_{store_, config.identity, newest_key_list, system_unix_ms() / 1000},
        link_{link_config(), link_events()},
        pump_{store_,
              config.notices,
              downloads_,
              [this](const std::string& topic, std::string_view payload) {
                return link_.publish_retained(topic, payload);
              },
              system_unix_ms,
              counters_},
        dispatcher_{store_, ulids_, config.deadlines, downloads_, system_unix_ms},
        checkpoints_{store_,
                     audit_key(directory_.keys()),
                     config.audit_checkpoints.empty()
                         ? directory_.audit_checkpoints()
                         : std::filesystem::path{config.audit_checkpoints},
                     config.audit_syslog},
        provider_keys_{provider_keys(config)},
        foreign_tokens_{foreign_tokens(config, provider_keys_.get())},
        gate_{store_, access_settings(config), system_unix_ms, foreign_tokens_.get()},
        services_{services(std::move(version))},
        http_{http_config(config, directory_, services_),
              make_handler(services_),
              [this](std::string_view path, std::string_view query) {
                return find_image(path, query);
              }} {
    store_.on_commit([this](const Changes& changes) {
      events_.on_commit(changes);
      if (changes.outbox) pump_.on_outbox_changed();
    });
  }

  ~Impl() { stop(); }

  void start() {
    if (!device::init_crypto()) throw std::runtime_error{"the crypto library cannot be started"};
    // Also where nobody is asked for one: a program that shows tokens works on a bench too.
    ensure_admin_token(store_, directory_.bootstrap_token(), system_unix_ms() / 1000);
    if (provider_keys_) provider_keys_->start();
    http_.start();
    link_.start();
    clock_thread_ = std::thread{[this] { keep_time(); }};
    const bool v6 = config_.http.address.find(':') != std::string::npos;
    spdlog::info("otariad {}: listening on {}://{}:{}, devices fetch from {}, data in {}",
                 services_.version,
                 config_.http.tls.certificate.empty() ? "http" : "https",
                 v6 ? "[" + config_.http.address + "]" : config_.http.address,
                 http_.port(),
                 config_.public_url,
                 config_.data);
  }

  void reload() { http_.reload_certificate(); }

  void stop() {
    {
      const std::scoped_lock lock{mutex_};
      if (std::exchange(stopping_, true)) return;
    }
    wake_.notify_all();
    if (clock_thread_.joinable()) clock_thread_.join();
    http_.stop(stop_grace);
    try {
      gate_.tell_denials(true);
      checkpoints_.finish(system_unix_ms() / 1000);
    } catch (const std::exception& error) {
      spdlog::error("the last audit checkpoint is missing: {}", error.what());
    }
    link_.stop();
    ingest_.stop();  // after the link: everything it brought is kept
    pump_.stop();
    events_.stop();
  }

 private:
  /// On the event loops: an image that is open already and may be sent; nothing sends the request
  /// to send_image().
  std::shared_ptr<const OpenFile> find_image(std::string_view path, std::string_view query) {
    const auto digest = digest_of_path(path);
    if (!digest || !downloads_.admits_at_once(path, query, unix_seconds())) return nullptr;
    return artifacts_.find_open(*digest);
  }

  MqttConfig link_config() {
    MqttConfig mqtt = mqtt_config(config_);
    if (config_.mqtt_token == "self") {
      mqtt.credentials = [this, name = mqtt.client_id] { return own_token(name); };
    }
    return mqtt;
  }

  /// A token of our own issuer, used for four fifths of its life.
  BrokerCredentials own_token(const std::string& name) {
    Caller self;
    self.actor = "otariad";
    const std::int64_t now = system_unix_ms() / 1000;
    const auto token = identity_.exchange.mint_service(name, self, now);
    if (!token) throw std::runtime_error{token.refusal().detail};
    identity_.publish(now);
    return {name, token.value().token, (now + token.value().expires_in * 4 / 5) * 1000};
  }

  MqttLink::Events link_events() {
    return {.on_connected =
                [this] {
                  ++counters_.connects;
                  pump_.on_connected();
                },
            .on_lost = [this] { pump_.on_lost(); },
            .on_message = [this](std::string_view topic,
                                 std::string_view payload,
                                 bool retained) { ingest_.offer(topic, payload, retained); },
            .on_published = [this](int id) { pump_.on_published(id); }};
  }

  Services services(std::string version) {
    return {.store = store_,
            .artifacts = artifacts_,
            .downloads = downloads_,
            .dispatcher = dispatcher_,
            .ulids = ulids_,
            .events = events_,
            .gate = gate_,
            .identity = identity_,
            .counters = counters_,
            .trust = trust_counters_,
            .clock = system_unix_ms,
            .version = std::move(version),
            .public_url = config_.public_url,
            .broker_url = config_.mqtt.shown(),
            .started_at = system_unix_ms() / 1000,
            .silence_s = config_.silent_after_s,
            .approvals = config_.approvals,
            .broker_connected = [this] { return link_.connected(); },
            .http_statistics = [this] { return http_.statistics(); },
            .queued_reports = [this] { return ingest_.queued(); }};
  }

  /// Once for each list and day.
  void warn_of_key_list() {
    std::optional<StoredKeyList> list;
    store_.read([&](StoreView& view) { list = view.newest_key_list(); });
    if (!list) return;
    const std::int64_t left = list->expires - system_unix_ms() / 1000;
    const std::pair<std::uint32_t, std::int64_t> about{list->serial, left / 86'400};
    if (left >= key_list_warning_s || std::exchange(warned_of_, about) == about) return;
    if (left > 0) {
      spdlog::warn("ALARM: key list {} expires in {} days: make and publish the next one",
                   list->serial,
                   left / 86'400);
    } else {
      spdlog::error("ALARM: key list {} has expired: make and publish the next one", list->serial);
    }
  }

  void forget_approvals() {
    const std::int64_t before = unix_seconds() - config_.keep_statuses_days * 86'400;
    store_.write([&](StoreTransaction& transaction) { transaction.forget_approvals(before); });
  }

  void keep_time() {
    for (int ticks = 0;; ++ticks) {
      {
        std::unique_lock lock{mutex_};
        if (wake_.wait_for(lock, tick, [this] { return stopping_; })) return;
      }
      try {
        if (const std::size_t changed = dispatcher_.apply_time(); changed > 0) {
          spdlog::warn("{} updates became stale or expired", changed);
        }
        if (const std::size_t renewed = dispatcher_.renew_urls(); renewed > 0) {
          spdlog::info("{} notices are published again: their URLs end soon", renewed);
        }
        warn_of_key_list();
        gate_.tell_denials();
        identity_.keep_time(system_unix_ms() / 1000);
        checkpoints_.tick(system_unix_ms() / 1000);
        if (ticks % ticks_between_clean_ups == 0) {
          dispatcher_.forget_history(config_.keep_statuses_days * 86'400);
          forget_approvals();
          downloads_.rotate(unix_seconds());
        }
      } catch (const std::exception& error) {
        spdlog::error("housekeeping: {}", error.what());
      }
    }
  }

  const Config config_;
  DataDirectory directory_;
  BrokerCounters counters_;
  TrustCounters trust_counters_;
  SqliteStore store_;
  Downloads downloads_;
  ArtifactStore artifacts_;
  UlidGenerator ulids_;
  EventHub events_;
  Ingest ingest_;
  IdentityService identity_;
  MqttLink link_;
  NoticePump pump_;
  Dispatcher dispatcher_;
  CheckpointKeeper checkpoints_;
  std::unique_ptr<oidc::KeyCache> provider_keys_;
  std::unique_ptr<BearerVerifier> foreign_tokens_;
  Gate gate_;
  Services services_;
  HttpServer http_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::pair<std::uint32_t, std::int64_t> warned_of_{};  ///< serial and days left; the clock's own
  std::thread clock_thread_;
};

Application::Application(const Config& config, std::string version)
    : impl_{std::make_unique<Impl>(config, std::move(version))} {}
Application::~Application() = default;
void Application::start() {
  impl_->start();
}
void Application::reload() {
  impl_->reload();
}
void Application::stop() {
  impl_->stop();
}

}  // namespace otaria::server
