#include <spdlog/spdlog.h>

#include "server/api/gate.hpp"
#include "server/api/handlers.hpp"
#include "server/api/json.hpp"
#include "server/api/problem.hpp"
#include "server/api/replies.hpp"

namespace otaria::server {
namespace {

Response text_reply(std::string body) {
  Response response;
  response.headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}};
  response.body = std::move(body);
  return response;
}

StoreCounts counts(Services& services) {
  const std::int64_t online_since =
      services.silence_s == 0 ? 0 : services.now() - services.silence_s;
  StoreCounts counts;
  services.store.read([&](StoreView& view) { counts = view.counts(online_since); });
  return counts;
}

std::string escaped(const std::string& text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '&':
        html += "&amp;";
        break;
      case '"':
        html += "&quot;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

std::string table_row(const std::string& name, const std::string& value) {
  return "<tr><th>" + name + "</th><td>" + escaped(value) + "</td></tr>\n";
}

}  // namespace

Response show_server(const Request&, const PathParameters&, Services& services) {
  ServerView view;
  view.version = services.version;
  view.public_url = services.public_url;
  view.broker_url = services.broker_url;
  view.started_at = services.started_at;
  view.broker_connected = services.broker_connected();
  view.open_access = services.gate.settings().open;
  view.development = services.gate.settings().development;
  view.approvals = services.approvals;
  view.counts = counts(services);
  return json_reply(json_of(view));
}

Response show_health(const Request&, const PathParameters&, Services&) {
  return text_reply("ok\n");
}

// A broker that is away does not make the server unready: downloads and the API go on.
Response show_readiness(const Request&, const PathParameters&, Services& services) {
  try {
    services.store.ping();
  } catch (const DatabaseError& error) {
    spdlog::error("not ready: {}", error.what());
    return problem({"not_ready", "the database does not answer", "look into the server's log"});
  }
  return text_reply(services.broker_connected() ? "ready\n"
                                                : "ready; the broker is not connected\n");
}

// What the fleet is like is for those with a token; a browser shows that none is needed here.
Response show_page(const Request&, const PathParameters&, Services& services) {
  const bool open = services.gate.settings().open;
  std::string rows = table_row("Version", services.version);
  if (open) {
    const StoreCounts now = counts(services);
    rows += table_row("Access", "open to everybody on this machine: development only") +
            table_row("Public URL", services.public_url) +
            table_row("Broker",
                      services.broker_url +
                          (services.broker_connected() ? ", connected" : ", not connected")) +
            table_row("Devices",
                      std::to_string(now.devices) + ", " + std::to_string(now.online) + " online") +
            table_row("Releases", std::to_string(now.releases)) +
            table_row("Open updates", std::to_string(now.open_updates));
  } else {
    rows += table_row("Access", "with a token: otaria --token-file FILE");
  }
  Response response;
  response.headers = {{"Content-Type", "text/html; charset=utf-8"},
                      {"Cache-Control", "no-store"},
                      {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"}};
  response.body =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Otaria</title>\n"
      "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:3em auto;padding:0 1em}"
      "th{text-align:left;padding-right:2em;font-weight:normal;color:#555}</style></head><body>\n"
      "<h1>Otaria</h1>\n<p>This server updates the firmware of ESP32-S3 sensors.</p>\n<table>\n" +
      rows +
      "</table>\n<p>API: <a href=\"/api/v1/server\">/api/v1/server</a>, "
      "<a href=\"/api/v1/devices\">devices</a>, <a href=\"/api/v1/releases\">releases</a>, "
      "<a href=\"/api/v1/updates\">updates</a>. Metrics: <a href=\"/metrics\">/metrics</a>.</p>\n"
      "</body></html>\n";
  return response;
}

}  // namespace otaria::server
