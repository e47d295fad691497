#include <string>
#include <string_view>

#include "server/api/event_hub.hpp"
#include "server/api/gate.hpp"
#include "server/api/handlers.hpp"
#include "server/trust/key_list_file.hpp"

namespace otaria::server {
namespace {

/// Prometheus' text format 0.0.4.
class MetricsText {
 public:
  void counter(std::string_view name, std::string_view help, std::uint64_t value) {
    head(name, help, "counter");
    sample(name, "", std::to_string(value));
  }
  void gauge(std::string_view name, std::string_view help, std::int64_t value) {
    head(name, help, "gauge");
    sample(name, "", std::to_string(value));
  }
  void head(std::string_view name, std::string_view help, std::string_view type) {
    text_ += "# HELP otaria_" + std::string{name} + " " + std::string{help} + "\n# TYPE otaria_" +
             std::string{name} + " " + std::string{type} + "\n";
  }
  void sample(std::string_view name, const std::string& labels, const std::string& value) {
    text_ += "otaria_" + std::string{name} + (labels.empty() ? "" : "{" + labels + "}") + " " +
             value + "\n";
  }
  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  std::string text_;
};

void add_fleet(MetricsText& metrics, Services& services) {
  StoreCounts counts;
  const std::int64_t online_since =
      services.silence_s == 0 ? 0 : services.now() - services.silence_s;
  services.store.read([&](StoreView& view) { counts = view.counts(online_since); });
  metrics.gauge("devices", "Devices known.", counts.devices);
  metrics.gauge("devices_online",
                "Devices online by their own word, and not silent for too long.",
                counts.online);
  metrics.gauge("releases", "Releases published.", counts.releases);
  metrics.gauge("open_updates", "Updates that are not final.", counts.open_updates);
  metrics.gauge("outbox_notices",
                "Retained notices not yet settled: unpublished or unanswered.",
                counts.outbox);
  metrics.head("updates", "Updates by state.", "gauge");
  for (const auto& [state, count] : counts.updates_by_state) {
    metrics.sample("updates", "state=\"" + state + "\"", std::to_string(count));
  }
}

void add_broker(MetricsText& metrics, Services& services) {
  const BrokerCounters& counted = services.counters;
  metrics.gauge(
      "broker_connected", "1 while connected to the broker.", services.broker_connected() ? 1 : 0);
  metrics.counter("broker_connects_total", "Connections to the broker.", counted.connects);
  metrics.counter("statuses_total", "Statuses recorded.", counted.statuses);
  metrics.counter("states_total", "States taken over.", counted.states);
  metrics.counter("report_repeats_total", "Reports seen before, or overtaken.", counted.repeats);
  metrics.counter(
      "bad_messages_total", "Messages that are none of the contract's.", counted.bad_messages);
  metrics.counter(
      "id_conflicts_total", "States of a second MAC under a registered id.", counted.id_conflicts);
  metrics.counter("unknown_updates_total",
                  "Statuses of updates this server did not send.",
                  counted.unknown_updates);
  metrics.counter("contradictions_total",
                  "Reports that cannot follow a final state, or that their device belies.",
                  counted.contradictions);
  metrics.counter("reports_dropped_total",
                  "Reports lost: queue full, or refused by the database.",
                  counted.dropped);
  metrics.counter("report_batches_total", "Transactions of reports.", counted.batches);
  metrics.gauge("reports_queued",
                "Reports waiting to be kept.",
                static_cast<std::int64_t>(services.queued_reports()));
  metrics.counter("notices_published_total",
                  "Notices that the broker acknowledged.",
                  counted.notices_published);
  metrics.counter("withdrawals_published_total",
                  "Emptied notices that the broker acknowledged.",
                  counted.withdrawals_published);
}

void add_trust(MetricsText& metrics, Services& services) {
  std::optional<StoredKeyList> list;
  services.store.read([&](StoreView& view) { list = view.newest_key_list(); });
  metrics.gauge("keylist_serial",
                "Serial of the newest key list; 0: none is published.",
                list ? list->serial : 0);
  metrics.gauge("keylist_expires_at_seconds",
                "When the newest key list expires, in Unix seconds; 0: none is published.",
                list ? list->expires : 0);
  metrics.gauge("keylist_expires_soon",
                "1 when the newest key list expires within 60 days.",
                list && list->expires - services.now() < key_list_warning_s ? 1 : 0);
  metrics.counter("keylist_conflicts_total",
                  "Uploads of a second key list under a published serial: an alarm.",
                  services.trust.key_list_conflicts);
}

/// What begins so was refused for its number, not for what it was.
constexpr std::string_view rate_codes = "too_many_";

void add_access(MetricsText& metrics, Services& services) {
  const CodeCounters::Counts denied = services.gate.denied();
  const auto add = [&](std::string_view name, std::string_view help, bool rates) {
    metrics.head(name, help, "counter");
    for (const auto& [key, count] : denied) {
      if (key.second.starts_with(rate_codes) != rates) continue;
      metrics.sample(
          name, "door=\"" + key.first + "\",code=\"" + key.second + "\"", std::to_string(count));
    }
  };
  add("auth_failures_total", "Requests turned away: who asked, and the code he was told.", false);
  add("rate_limited_total", "Requests turned away for their number.", true);
  metrics.gauge("download_secret_shared",
                "1 when download URLs are signed with a secret that is set for several servers.",
                services.downloads.shares_secret() ? 1 : 0);
  if (const std::string id = services.downloads.secret_id(); !id.empty()) {
    metrics.head("download_secret_info",
                 "The secret that signs download URLs, by its id: equal on all servers of a fleet.",
                 "gauge");
    metrics.sample("download_secret_info", "id=\"" + id + "\"", "1");
  }
}

void add_http(MetricsText& metrics, Services& services) {
  const HttpStatistics http = services.http_statistics();
  metrics.head("http_responses_total", "Responses by class of status.", "counter");
  for (std::size_t i = 1; i < http.responses.size(); ++i) {
    metrics.sample("http_responses_total",
                   "class=\"" + std::to_string(i) + "xx\"",
                   std::to_string(http.responses[i]));
  }
  metrics.counter("http_sent_bytes_total", "Bytes sent, heads and bodies.", http.bytes_sent);
  metrics.counter("http_connections_total", "Connections accepted.", http.connections);
  metrics.counter(
      "http_connections_refused_total", "Connections beyond the limit.", http.connections_refused);
  metrics.counter("http_downloads_refused_total",
                  "Downloads answered 503 beyond the limit.",
                  http.downloads_refused);
  metrics.counter("http_timeouts_total", "Connections closed for slowness.", http.timed_out);
  metrics.head("tls_failures_total", "TLS handshakes that did not come about.", "counter");
  for (std::size_t i = 0; i < http.tls_failures.size(); ++i) {
    metrics.sample("tls_failures_total",
                   "reason=\"" + std::string{name_of(static_cast<TlsFailure>(i))} + "\"",
                   std::to_string(http.tls_failures[i]));
  }
  metrics.gauge("http_active_connections",
                "Connections open.",
                static_cast<std::int64_t>(http.active_connections));
  metrics.gauge("http_active_downloads",
                "Downloads under way.",
                static_cast<std::int64_t>(http.active_downloads));
  metrics.gauge("http_event_streams",
                "Event streams open.",
                static_cast<std::int64_t>(http.active_event_streams));
}

}  // namespace

Response show_metrics(const Request&, const PathParameters&, Services& services) {
  MetricsText metrics;
  metrics.head("build_info", "The version of this server.", "gauge");
  metrics.sample("build_info", "version=\"" + services.version + "\"", "1");
  metrics.gauge(
      "started_at_seconds", "When the server started, in Unix seconds.", services.started_at);
  add_fleet(metrics, services);
  add_broker(metrics, services);
  add_trust(metrics, services);
  add_access(metrics, services);
  add_http(metrics, services);
  Response response;
  response.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"},
                      {"Cache-Control", "no-store"}};
  response.body = std::move(metrics).text();
  return response;
}

}  // namespace otaria::server
