#include "operator/cli/http.hpp"

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "operator/cli/interrupt.hpp"

namespace otaria::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t largest_reply = std::size_t{32} << 20;
constexpr long stall_limit_s = 120;
constexpr std::chrono::milliseconds longest_backoff{5000};

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Closer>;

struct HeaderList {
  curl_slist* list = nullptr;
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { ::curl_slist_free_all(list); }
  void add(const std::string& line) { list = ::curl_slist_append(list, line.c_str()); }
};

/// What the callbacks of one exchange share.
struct Exchange {
  const HttpRequest& request;
  HttpReply reply;
  bool reply_too_long = false;
};

void initialise_curl() {
  static const CURLcode once = ::curl_global_init(CURL_GLOBAL_DEFAULT);
  if (once != CURLE_OK) throw std::runtime_error("libcurl cannot be initialised");
}

template <typename Value>
void set(CURL* curl, CURLoption option, Value value) {
  if (::curl_easy_setopt(curl, option, value) != CURLE_OK) {
    throw std::runtime_error(fmt::format("libcurl refuses option {}", static_cast<int>(option)));
  }
}

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view piece(bytes, size * count);
  if (exchange.request.sink) return exchange.request.sink(piece) ? piece.size() : 0;
  if (exchange.reply.body.size() + piece.size() > largest_reply) {
    exchange.reply_too_long = true;
    return 0;
  }
  exchange.reply.body += piece;
  return piece.size();
}

int report_progress(void* context, curl_off_t, curl_off_t, curl_off_t total, curl_off_t done) {
  const auto& exchange = *static_cast<Exchange*>(context);
  if (interrupted()) return 1;
  if (exchange.request.progress && total > 0) {
    exchange.request.progress(static_cast<std::uint64_t>(done), static_cast<std::uint64_t>(total));
  }
  return 0;
}

void set_common(CURL* curl,
                const std::string& url,
                const std::string& bearer,
                const std::string& ca_file,
                HeaderList& headers) {
  set(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!ca_file.empty()) {
    set(curl, CURLOPT_CAINFO, ca_file.c_str());
    // In place of the system's CAs, not beside them.
    set(curl, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  set(curl, CURLOPT_URL, url.c_str());
  set(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  set(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(curl, CURLOPT_NOSIGNAL, 1L);
  set(curl, CURLOPT_USERAGENT, "otaria/" OTARIA_VERSION);
  // A proxy for the world outside does not know our loopback.
  if (is_loopback(host_of(url))) set(curl, CURLOPT_PROXY, "");
  if (!bearer.empty()) headers.add("Authorization: Bearer " + bearer);
}

HttpFailure::Certificate certificate_fault(CURL* curl, CURLcode code) {
  using Certificate = HttpFailure::Certificate;
  long verdict = X509_V_OK;
  ::curl_easy_getinfo(curl, CURLINFO_SSL_VERIFYRESULT, &verdict);
  switch (verdict) {
    case X509_V_OK:
    case X509_V_ERR_UNSPECIFIED:  // libcurl's own: it looks at the name before it asks for the
                                  // verdict
      // The chain holds; of what is verified besides, only the name is left.
      return code == CURLE_PEER_FAILED_VERIFICATION ? Certificate::wrong_host
                                                    : Certificate::unknown;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Certificate::expired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Certificate::not_yet_valid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return Certificate::wrong_host;
    default:
      return Certificate::untrusted;
  }
}

HttpFailure failure_of(CURL* curl, CURLcode code, const Exchange& exchange, const char* text) {
  using Kind = HttpFailure::Kind;
  if (interrupted()) return {Kind::interrupted, "interrupted"};
  if (exchange.reply_too_long) return {Kind::broken_off, "the reply is longer than 32 MiB"};
  const std::string detail = *text != '\0' ? text : ::curl_easy_strerror(code);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return {Kind::too_slow, detail};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
      return {Kind::tls, detail, certificate_fault(curl, code)};
    case CURLE_SSL_CACERT_BADFILE:
      return {Kind::local_file, "The CA file cannot be used: " + detail + "."};
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return {Kind::unreachable, detail};
    default:
      return {Kind::broken_off, detail};
  }
}

/// Opens the file to be sent and sets the body; returns what must stay open meanwhile.
File set_body(CURL* curl, const HttpRequest& request, HeaderList& headers) {
  if (!request.content_type.empty()) headers.add("Content-Type: " + request.content_type);
  // Our server reads every body: waiting for "100 Continue" would only cost a second.
  headers.add("Expect:");
  if (request.file.empty()) {
    if (!request.content_type.empty()) {
      set(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(curl, CURLOPT_POSTFIELDS, request.body.c_str());
    }
    return nullptr;
  }
  File file(std::fopen(request.file.c_str(), "rb"));
  if (!file || std::fseek(file.get(), 0, SEEK_END) != 0) {
    throw HttpFailure{HttpFailure::Kind::local_file, "the file cannot be read"};
  }
  const long size = std::ftell(file.get());
  std::rewind(file.get());
  set(curl, CURLOPT_POST, 1L);
  set(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(size));
  set(curl, CURLOPT_READDATA, file.get());
  return file;
}

}  // namespace

struct Http::Handle {
  CURL* curl = ::curl_easy_init();
  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { ::curl_easy_cleanup(curl); }
};

Http::Http(std::string ca_file) : ca_file_(std::move(ca_file)) {
  initialise_curl();
  handle_ = std::make_unique<Handle>();
  if (handle_->curl == nullptr) throw std::runtime_error("libcurl has no memory for a handle");
}
Http::~Http() = default;

HttpReply Http::exchange(const HttpRequest& request) {
  CURL* curl = handle_->curl;
  ::curl_easy_reset(curl);  // keeps the connection
  Exchange exchange{request, {}};
  HeaderList headers;
  char text[CURL_ERROR_SIZE] = "";
  set_common(curl, request.url, request.bearer, ca_file_, headers);
  for (const std::string& line : request.headers) headers.add(line);
  const File file = set_body(curl, request, headers);
  set(curl, CURLOPT_HTTPHEADER, headers.list);
  set(curl, CURLOPT_ERRORBUFFER, static_cast<char*>(text));
  if (request.method == "HEAD") {
    set(curl, CURLOPT_NOBODY, 1L);
  } else {
    set(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  set(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(request.connect_limit.count()));
  set(curl, CURLOPT_TIMEOUT, static_cast<long>(request.time_limit.count()));
  set(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(curl, CURLOPT_LOW_SPEED_TIME, stall_limit_s);
  set(curl, CURLOPT_FOLLOWLOCATION, request.follow_redirects ? 1L : 0L);
  set(curl, CURLOPT_MAXREDIRS, 5L);
  set(curl, CURLOPT_WRITEFUNCTION, take_body);
  set(curl, CURLOPT_WRITEDATA, static_cast<void*>(&exchange));
  set(curl, CURLOPT_NOPROGRESS, 0L);
  set(curl, CURLOPT_XFERINFOFUNCTION, report_progress);
  set(curl, CURLOPT_XFERINFODATA, static_cast<void*>(&exchange));

  const CURLcode code = ::curl_easy_perform(curl);
  if (code != CURLE_OK) throw failure_of(curl, code, exchange, text);
  long status = 0;
  const char* type = nullptr;
  curl_off_t length = 0;
  ::curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  ::curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
  ::curl_easy_getinfo(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  exchange.reply.status = static_cast<int>(status);
  exchange.reply.content_type = type == nullptr ? "" : type;
  exchange.reply.content_length = length > 0 ? static_cast<std::uint64_t>(length) : 0;
  return std::move(exchange.reply);
}

struct EventStream::Connection {
  std::string url;
  std::string bearer;
  std::string ca_file;
  CURLM* multi = ::curl_multi_init();
  CURL* easy = nullptr;
  HeaderList headers;
  SseParser parser;
  std::vector<ServerEvent> events;
  bool is_stream = false;
  bool fresh = false;
  std::chrono::milliseconds backoff{250};
  Clock::time_point not_before = Clock::now();

  Connection(std::string to, std::string token, std::string ca)
      : url(std::move(to)), bearer(std::move(token)), ca_file(std::move(ca)) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    close();
    ::curl_multi_cleanup(multi);
  }

  static std::size_t take(char* bytes, std::size_t size, std::size_t count, void* context) {
    auto& self = *static_cast<Connection*>(context);
    if (!self.is_stream && !self.judge_head()) return 0;
    auto complete = self.parser.feed({bytes, size * count});
    std::move(complete.begin(), complete.end(), std::back_inserter(self.events));
    return size * count;
  }

  bool judge_head() {
    long status = 0;
    const char* type = nullptr;
    ::curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    ::curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
    if (status != 200 || type == nullptr) return false;
    if (!std::string_view(type).starts_with("text/event-stream")) return false;
    is_stream = true;
    fresh = true;
    backoff = std::chrono::milliseconds(250);
    return true;
  }

  void open() {
    easy = ::curl_easy_init();
    if (easy == nullptr) return;
    set_common(easy, url, bearer, ca_file, headers);
    headers.add("Accept: text/event-stream");
    set(easy, CURLOPT_HTTPHEADER, headers.list);
    set(easy, CURLOPT_CONNECTTIMEOUT, 5L);
    // The server sends a comment now and then; a connection silent for longer is dead (a NAT forgot
    // it).
    set(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(easy, CURLOPT_LOW_SPEED_TIME, stall_limit_s);
    set(easy, CURLOPT_WRITEFUNCTION, take);
    set(easy, CURLOPT_WRITEDATA, static_cast<void*>(this));
    ::curl_multi_add_handle(multi, easy);
  }

  void close() {
    if (easy == nullptr) return;
    ::curl_multi_remove_handle(multi, easy);
    ::curl_easy_cleanup(easy);
    easy = nullptr;
    ::curl_slist_free_all(headers.list);
    headers.list = nullptr;
    parser.reset();
    is_stream = false;
  }

  /// Moves bytes; closes and schedules the next attempt when the connection ended.
  void work() {
    if (easy == nullptr && Clock::now() >= not_before) open();
    if (easy == nullptr) return;
    int running = 0;
    ::curl_multi_perform(multi, &running);
    if (running > 0) {
      // An accepted stream may stay silent for long: its head alone makes it healthy.
      if (!is_stream) judge_head();
      return;
    }
    close();
    not_before = Clock::now() + backoff;
    backoff = std::min(backoff * 2, longest_backoff);
  }
};

EventStream::EventStream(std::string url, std::string bearer, std::string ca_file) {
  initialise_curl();
  connection_ = std::make_unique<Connection>(std::move(url), std::move(bearer), std::move(ca_file));
}
EventStream::~EventStream() = default;

std::vector<ServerEvent> EventStream::poll(std::chrono::milliseconds at_most) {
  const auto until = Clock::now() + at_most;
  do {
    connection_->work();
    if (!connection_->events.empty() || connection_->fresh || interrupted()) break;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    const auto wait = std::clamp<std::int64_t>(left.count(), 0, 100);
    ::curl_multi_poll(connection_->multi, nullptr, 0, static_cast<int>(wait), nullptr);
  } while (Clock::now() < until);
  return std::exchange(connection_->events, {});
}

bool EventStream::healthy() const {
  return connection_->is_stream;
}

bool EventStream::freshly_opened() {
  return std::exchange(connection_->fresh, false);
}

std::string url_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", byte);
    }
  }
  return encoded;
}

std::string query_text(const Query& query) {
  std::string text;
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    text += (text.empty() ? "?" : "&") + name + "=" + url_encoded(value);
  }
  return text;
}

std::string host_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos)
    url.remove_prefix(at + 1);
  if (!url.empty() && url.front() == '[') {
    url = url.substr(1, url.find(']') - 1);
  } else {
    url = url.substr(0, url.find(':'));
  }
  std::string host(url);
  std::transform(host.begin(), host.end(), host.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return host;
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") ||
         host == "::1" || host == "0.0.0.0" || host == "::" || host == "0";
}

}  // namespace otaria::cli
