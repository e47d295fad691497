#include "simulator/net/curl_fetcher.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace otaria::simulator {
namespace {

using device::FetchFailure;

constexpr char lower(char c) {
  return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}
bool equal_ignoring_case(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, {}, lower);
}

bool is_https(std::string_view url) {
  return equal_ignoring_case(url.substr(0, 8), "https://");
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The status of `HTTP/1.1 206 Partial Content`; 0 when it is none.
std::uint32_t status_from(std::string_view line) {
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return 0;
  std::uint32_t status = 0;
  std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
  return status;
}

bool redirects(std::uint32_t status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

FetchFailure failure_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_URL_MALFORMAT:
    case CURLE_INTERFACE_FAILED:
      return FetchFailure::unreachable;
    case CURLE_OPERATION_TIMEDOUT:
      return FetchFailure::timed_out;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return FetchFailure::tls;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_WRITE_ERROR:
      return FetchFailure::bad_response;
    default:
      return FetchFailure::broken;
  }
}

/// A part of a URL as libcurl itself reads it; empty for what is none.
std::string part_of(const std::string& url, CURLUPart part, unsigned flags = 0) {
  CURLU* handle = curl_url();
  char* text = nullptr;
  std::string found;
  if (curl_url_set(handle, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
      curl_url_get(handle, part, &text, flags) == CURLUE_OK) {
    found = text;
  }
  curl_free(text);
  curl_url_cleanup(handle);
  return found;
}

/// Without the brackets of an IPv6 address.
std::string host_of(const std::string& url) {
  std::string host = part_of(url, CURLUPART_HOST);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return host;
}

bool same_origin(const std::string& a, const std::string& b) {
  return part_of(a, CURLUPART_SCHEME) == part_of(b, CURLUPART_SCHEME) && host_of(a) == host_of(b) &&
         part_of(a, CURLUPART_PORT, CURLU_DEFAULT_PORT) ==
             part_of(b, CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

}  // namespace

CurlEngine::CurlEngine() {
  [[maybe_unused]] static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  multi_ = curl_multi_init();
  if (multi_ == nullptr) throw std::runtime_error{"libcurl cannot be initialised"};
}
CurlEngine::~CurlEngine() {
  curl_multi_cleanup(multi_);
}

void CurlEngine::wait(std::span<curl_waitfd> others, std::chrono::milliseconds limit) {
  curl_multi_poll(multi_,
                  others.data(),
                  static_cast<unsigned>(others.size()),
                  static_cast<int>(limit.count()),
                  nullptr);
}

void CurlEngine::step() {
  int running = 0;
  curl_multi_perform(multi_, &running);
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode result = message->data.result;
    char* self = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
    reinterpret_cast<CurlFetcher*>(self)->finished(result);
  }
}

CurlFetcher::CurlFetcher(CurlEngine& engine, FetchSettings settings, Tell tell)
    : engine_{engine},
      settings_{std::move(settings)},
      tell_{tell ? std::move(tell) : [](std::string_view) {}},
      easy_{curl_easy_init()} {
  if (easy_ == nullptr) throw std::runtime_error{"libcurl cannot be initialised"};
}

CurlFetcher::~CurlFetcher() {
  cancel();
  curl_easy_cleanup(easy_);
}

void CurlFetcher::get(const Request& request) {
  cancel();
  url_ = request.url;
  offset_ = request.offset;
  if_range_ = request.if_range;
  bearer_ = request.bearer;
  content_type_ = request.content_type;
  post_body_ = request.body;
  with_pins_ = !request.without_pins;
  redirects_ = 0;
  start();
}

void CurlFetcher::cancel() {
  stop();
  headers_.clear();
  head_waits_ = false;
  end_waits_ = false;
  failure_waits_.reset();
  body_.clear();
  body_taken_ = 0;
}

void CurlFetcher::stop() {
  if (running_) curl_multi_remove_handle(engine_.multi_, easy_);
  running_ = false;
  curl_slist_free_all(request_headers_);
  request_headers_ = nullptr;
}

void CurlFetcher::start() {
  headers_.clear();
  header_bytes_ = 0;
  status_ = 0;
  head_complete_ = false;
  paused_ = false;
  is_redirect_ = false;
  skipped_bytes_ = 0;
  set_options();
  if (curl_multi_add_handle(engine_.multi_, easy_) != CURLM_OK) {
    return fail(FetchFailure::unreachable, "libcurl refuses the request");
  }
  running_ = true;
}

void CurlFetcher::set_options() {
  curl_easy_reset(easy_);
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, reinterpret_cast<char*>(this));
  curl_easy_setopt(easy_, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(
      easy_, CURLOPT_CONNECTTIMEOUT, static_cast<long>(settings_.connect_limit.count()));
  curl_easy_setopt(easy_, CURLOPT_USERAGENT, settings_.user_agent.c_str());
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &CurlFetcher::on_header_line);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &CurlFetcher::on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  set_tls_options();
  set_request_headers();
}

// libcurl checks chain and host name too; the judge does both again with the device's own idea of
// time, and the pins.
void CurlFetcher::set_tls_options() {
  judge_.reset();
  if (!is_https(url_)) return;
  judge_ = std::make_unique<TlsJudge>(settings_.trust, host_of(url_), with_pins_);
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy_, CURLOPT_SSL_CTX_FUNCTION, &CurlFetcher::on_tls_context);
  curl_easy_setopt(easy_, CURLOPT_SSL_CTX_DATA, this);
  curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy_, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(easy_, CURLOPT_SSL_SESSIONID_CACHE, 0L);
  const std::string& anchors = settings_.trust.ca_pem;
  if (anchors.empty()) return;
  curl_blob trust{const_cast<char*>(anchors.data()), anchors.size(), CURL_BLOB_COPY};
  curl_easy_setopt(easy_, CURLOPT_CAINFO_BLOB, &trust);
  curl_easy_setopt(easy_, CURLOPT_CAPATH, nullptr);
}

CURLcode CurlFetcher::on_tls_context(CURL*, void* context, void* self) {
  auto& fetcher = *static_cast<CurlFetcher*>(self);
  auto* ssl = static_cast<SSL_CTX*>(context);
  fetcher.judge_->install(ssl);
  return show_certificate(ssl, fetcher.settings_.trust.client) ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

void CurlFetcher::set_request_headers() {
  const auto add = [this](const std::string& line) {
    request_headers_ = curl_slist_append(request_headers_, line.c_str());
  };
  if (offset_ > 0) {
    add("Range: bytes=" + std::to_string(offset_) + "-");
    if (!if_range_.empty()) add("If-Range: " + if_range_);
  }
  if (!bearer_.empty()) add("Authorization: Bearer " + bearer_);
  if (!content_type_.empty()) {
    add("Content-Type: " + content_type_);
    add("Expect:");  // no round trip for a body of a few hundred bytes
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, post_body_.c_str());
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE, static_cast<long>(post_body_.size()));
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, request_headers_);
}

std::size_t CurlFetcher::on_header_line(char* line, std::size_t, std::size_t length, void* self) {
  auto& fetcher = *static_cast<CurlFetcher*>(self);
  fetcher.header_bytes_ += length;
  if (fetcher.header_bytes_ > max_header_bytes)
    return 0;  // ends in CURLE_WRITE_ERROR: bad_response
  fetcher.take_header_line({line, length});
  return length;
}

void CurlFetcher::take_header_line(std::string_view line) {
  if (head_complete_) return;  // a trailer behind the last chunk
  if (line.starts_with("HTTP/")) {
    status_ = status_from(line);
    headers_.clear();
    return;
  }
  if (trimmed(line).empty()) return end_of_headers();
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  headers_.emplace_back(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
}

void CurlFetcher::end_of_headers() {
  if (status_ < 200) return;  // 100 Continue and the like: another head follows
  is_redirect_ = content_type_.empty() && redirects(status_) &&
                 std::ranges::any_of(headers_, [](const auto& header) {
                   return equal_ignoring_case(header.first, "location");
                 });
  if (is_redirect_) return;
  head_complete_ = true;
  head_waits_ = true;
}

std::size_t CurlFetcher::on_body(char* bytes, std::size_t, std::size_t length, void* self) {
  return static_cast<CurlFetcher*>(self)->take_body({bytes, length});
}

std::size_t CurlFetcher::take_body(std::string_view bytes) {
  if (is_redirect_) {
    skipped_bytes_ += bytes.size();
    return skipped_bytes_ <= max_redirect_body_bytes ? bytes.size() : 0;
  }
  if (body_.size() - body_taken_ + bytes.size() > max_waiting_bytes) {
    paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  body_ += bytes;
  return bytes.size();
}

void CurlFetcher::finished(CURLcode result) {
  char* target = nullptr;
  std::string next;
  if (curl_easy_getinfo(easy_, CURLINFO_REDIRECT_URL, &target) == CURLE_OK && target != nullptr) {
    next = target;
  }
  stop();
  if (result != CURLE_OK) {
    const bool judged = judge_ && judge_->verdict() > TlsJudge::Verdict::good;
    const bool pin = judged && judge_->verdict() == TlsJudge::Verdict::wrong_pin;
    return fail(pin ? FetchFailure::pin : failure_of(result),
                judged ? judge_->reason() : std::string_view{curl_easy_strerror(result)});
  }
  if (!is_redirect_) {
    end_waits_ = true;
    return;
  }
  if (next.empty()) return fail(FetchFailure::bad_response, "the redirect's target is no URL");
  if (is_https(url_) && !is_https(next)) {
    return fail(FetchFailure::bad_response, "refused: a redirect from https to " + next);
  }
  if (++redirects_ > max_redirects)
    return fail(FetchFailure::bad_response, "more than 3 redirects");
  tell_("redirected to " + next);
  if (!same_origin(url_, next)) bearer_.clear();
  url_ = next;
  start();
}

void CurlFetcher::fail(FetchFailure failure, std::string_view why) {
  stop();
  tell_("download failed: " + std::string{why});
  failure_waits_ = failure;
}

bool CurlFetcher::has_events() const {
  return head_waits_ || body_taken_ < body_.size() || end_waits_ || failure_waits_;
}

bool CurlFetcher::deliver_next(device::AgentEvents& agent) {
  if (head_waits_ && !headers_.empty()) {
    const auto header = std::move(headers_.front());
    headers_.pop_front();
    agent.on_http_header(header.first, header.second);
    return true;
  }
  if (head_waits_) {
    head_waits_ = false;
    agent.on_http_head(status_);
    return true;
  }
  if (body_taken_ < body_.size()) {
    const std::string piece = body_.substr(body_taken_, piece_bytes);
    body_taken_ += piece.size();
    if (body_taken_ == body_.size()) {
      body_.clear();
      body_taken_ = 0;
    }
    agent.on_http_body({reinterpret_cast<const std::uint8_t*>(piece.data()), piece.size()});
    // The agent may have cancelled, or asked for something else, in its answer.
    if (paused_ && running_ && body_.empty()) {
      paused_ = false;
      curl_easy_pause(easy_, CURLPAUSE_CONT);
    }
    return true;
  }
  if (failure_waits_) {
    const FetchFailure failure = *failure_waits_;
    failure_waits_.reset();
    agent.on_http_failed(failure);
    return true;
  }
  if (!end_waits_) return false;
  end_waits_ = false;
  agent.on_http_end();
  return true;
}

}  // namespace otaria::simulator
