#include "operator/cli/client.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "operator/cli/failure.hpp"

namespace otaria::cli {
namespace {

constexpr std::size_t longest_token = 8192;
constexpr std::size_t page_size = 500;

Failure tls_failure(const HttpFailure& failure,
                    const std::string& server,
                    const std::string& ca_file) {
  using Certificate = HttpFailure::Certificate;
  const auto because = [&](const char* code, const std::string& why, const std::string& hint) {
    return Failure{
        exit_unreachable, code, fmt::format("No trusted connection to {}: {}.", server, why), hint};
  };
  switch (failure.certificate) {
    case Certificate::untrusted:
      return because(
          "untrusted_certificate",
          "its certificate comes from no CA " +
              (ca_file.empty() ? "that this machine trusts" : "in " + ca_file) + " (" +
              failure.detail + ")",
          "Name the file of the CA that issued it: --ca FILE or OTARIA_CA_FILE. If you expected it "
          "to be trusted, somebody else may be answering.");
    case Certificate::expired:
      return because("expired_certificate",
                     "its certificate has expired",
                     "Put a new one in its place on the server, which takes it without a restart; "
                     "or set this machine's clock, if that is wrong.");
    case Certificate::not_yet_valid:
      return because("certificate_not_yet_valid",
                     "its certificate is not valid yet",
                     "Set this machine's clock; the certificate's time is shown by `otaria cert "
                     "show FILE`.");
    case Certificate::wrong_host:
      return because("wrong_host",
                     "its certificate is for another host (" + failure.detail + ")",
                     "Name the server as its certificate does, or issue one for this name: `otaria "
                     "cert server --host " +
                         host_of(server) + " …`.");
    case Certificate::unknown:
      break;
  }
  return because("tls_failed",
                 failure.detail,
                 "Check that the server speaks HTTPS (TLS 1.2 or newer) on this port, and whether "
                 "it requires a client's certificate.");
}

Failure failure_from(const HttpFailure& failure,
                     const std::string& server,
                     const std::string& ca_file) {
  using Kind = HttpFailure::Kind;
  const std::string start =
      "Start one on this machine with `otaria up`, or name yours with --server URL or "
      "OTARIA_SERVER.";
  switch (failure.kind) {
    case Kind::interrupted:
      return {exit_interrupted, "interrupted", "Interrupted before the server answered."};
    case Kind::local_file:
      return {
          exit_usage, "no_such_file", failure.detail, "Check the path, and who may read the file."};
    case Kind::tls:
      return tls_failure(failure, server, ca_file);
    case Kind::too_slow:
      return {exit_unreachable,
              "server_unreachable",
              fmt::format("{} does not answer in time: {}.", server, failure.detail),
              "Check that it runs and that nothing between here and there drops the connection."};
    case Kind::broken_off:
      return {exit_unreachable,
              "connection_lost",
              fmt::format("The connection to {} broke off: {}.", server, failure.detail),
              "Run the command again; what the server has accepted already stays as it is."};
    case Kind::unreachable:
      break;
  }
  return {exit_unreachable,
          "server_unreachable",
          fmt::format("No server answers at {}: {}.", server, failure.detail),
          start};
}

std::string default_hint(int status) {
  if (status == 401 || status == 403)
    return "Name a file with a valid token: --token-file F or OTARIA_TOKEN_FILE.";
  if (status == 404) return "Check the id, and that this is the right server.";
  if (status >= 500) return "The server's log tells more.";
  return {};
}

Failure problem(const HttpReply& reply, const std::string& server) {
  const Json body = Json::parse(reply.body, nullptr, false);
  const std::string code = body.is_object() ? text_member(body, "code") : std::string();
  if (code.empty()) {
    // No problem details: not otariad, or a proxy in front of it speaks.
    return {
        exit_refused,
        fmt::format("http_{}", reply.status),
        fmt::format("{} answered with HTTP status {}, without saying why.", server, reply.status),
        default_hint(reply.status)};
  }
  std::string detail = text_member(body, "detail");
  if (detail.empty()) detail = text_member(body, "title");
  std::string hint = text_member(body, "hint");
  if (hint.empty()) hint = default_hint(reply.status);
  if (code == "token_required") {
    hint =
        "Name the file that holds yours: --token-file F or OTARIA_TOKEN_FILE. The server's first "
        "one lies in its data directory, as bootstrap-token.";
  }
  return {exit_refused, code, detail, hint};
}

bool is_http_url(const std::string& url) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) return false;
  return !host_of(url).empty() && url.find_first_of(" \t\r\n?#") == std::string::npos;
}

}  // namespace

Client::Client(std::string server, std::string token, std::string ca_file)
    : server_(std::move(server)),
      token_(std::move(token)),
      ca_file_(std::move(ca_file)),
      http_(ca_file_) {
  while (server_.ends_with('/')) server_.pop_back();
  if (!is_http_url(server_)) {
    throw Failure(exit_usage,
                  "bad_server_url",
                  fmt::format("`{}` is no server URL.", server_),
                  "Write it like http://127.0.0.1:8080 or https://ota.example.");
  }
}

HttpReply Client::exchange(HttpRequest request, const std::string& path_and_query) {
  return send(std::move(request), "/api/v1" + path_and_query);
}

HttpReply Client::send(HttpRequest request, const std::string& path) {
  request.url = server_ + path;
  request.bearer = token_;
  request.connect_limit = connect_limit_;
  try {
    return http_.exchange(request);
  } catch (const HttpFailure& failure) {
    throw failure_from(failure, server_, ca_file_);
  }
}

Json Client::answer(const HttpReply& reply) const {
  if (reply.status < 200 || reply.status > 299) throw problem(reply, server_);
  Json body = Json::parse(reply.body, nullptr, false);
  if (!body.is_object()) {
    throw Failure(exit_unreachable,
                  "not_otariad",
                  fmt::format("{} answers, but not as otariad does.", server_),
                  "Something else listens there: name the right server with --server URL.");
  }
  return body;
}

Json Client::get(const std::string& path, const Query& query) {
  return answer(exchange(HttpRequest{}, path + query_text(query)));
}

Json Client::post(const std::string& path, const Json& body) {
  HttpRequest request;
  request.method = "POST";
  request.content_type = "application/json";
  request.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return answer(exchange(std::move(request), path));
}

Json Client::remove(const std::string& path) {
  HttpRequest request;
  request.method = "DELETE";
  return answer(exchange(std::move(request), path));
}

Json Client::put(const std::string& path,
                 const std::string& content_type,
                 const std::string& body) {
  HttpRequest request;
  request.method = "PUT";
  request.content_type = content_type;
  request.body = body;
  return answer(exchange(std::move(request), path));
}

std::optional<std::string> Client::file(const std::string& path) {
  const HttpReply reply = send(HttpRequest{}, path);
  if (reply.status == 404) return std::nullopt;
  if (reply.status != 200) throw problem(reply, server_);
  return reply.body;
}

Client::Uploaded Client::upload(const std::string& path,
                                const Query& query,
                                const std::string& file,
                                const TransferProgress& progress,
                                std::vector<std::string> headers) {
  HttpRequest request;
  request.method = "POST";
  request.content_type = "application/octet-stream";
  request.file = file;
  request.time_limit = std::chrono::seconds(0);
  request.progress = progress;
  request.headers = std::move(headers);
  const HttpReply reply = exchange(std::move(request), path + query_text(query));
  return {answer(reply), reply.status == 201};
}

std::vector<Json> Client::list(const std::string& path, Query query, std::size_t limit) {
  std::vector<Json> items;
  query.emplace_back("limit", "");
  query.emplace_back("cursor", "");
  auto& page_limit = query[query.size() - 2].second;
  auto& cursor = query.back().second;
  while (true) {
    page_limit = std::to_string(limit == 0 ? page_size : std::min(page_size, limit - items.size()));
    const Json page = get(path, query);
    const auto found = page.find("items");
    if (found == page.end() || !found->is_array()) {
      throw Failure(exit_unreachable,
                    "not_otariad",
                    fmt::format("{} answers {} without a list.", server_, path));
    }
    for (const auto& item : *found) {
      if (item.is_object()) items.push_back(item);
      if (limit != 0 && items.size() == limit) return items;
    }
    const std::string next = text_member(page, "next");
    if (next.empty() || next == cursor || found->empty()) return items;
    cursor = next;
  }
}

std::unique_ptr<EventStream> Client::events(const Query& query) {
  return std::make_unique<EventStream>(
      server_ + "/api/v1/events" + query_text(query), token_, ca_file_);
}

std::string read_token(const std::string& path) {
  const auto refuse = [&](const char* code, const std::string& what, const std::string& hint) {
    return Failure(exit_usage, code, fmt::format("Token file {}: {}.", path, what), hint);
  };
  struct stat about {};
  std::ifstream file(path, std::ios::binary);
  if (!file || ::stat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) {
    throw refuse("token_unreadable", "cannot be read", "Check the path and who may read it.");
  }
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw refuse("token_exposed",
                 fmt::format("others than its owner have rights on it (mode {:04o})",
                             about.st_mode & 07777U),
                 fmt::format("chmod 600 {}", path));
  }
  std::string token(longest_token + 1, '\0');
  file.read(token.data(), static_cast<std::streamsize>(token.size()));
  token.resize(static_cast<std::size_t>(file.gcount()));
  const std::size_t first = token.find_first_not_of(" \t\r\n");
  const std::size_t last = token.find_last_not_of(" \t\r\n");
  token = first == std::string::npos ? std::string() : token.substr(first, last - first + 1);
  // RFC 6750 section 2.1 (b64token) is stricter; what matters here is that no header can be
  // smuggled in.
  const bool plain =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (token.empty() || token.size() > longest_token || !plain) {
    throw refuse("token_malformed",
                 "does not hold one token of at most 8,192 visible ASCII characters",
                 "Write the token alone into it.");
  }
  return token;
}

std::string text_member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number_member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

bool flag_member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

}  // namespace otaria::cli
