#include "server/http/head.hpp"

namespace otaria::server {
namespace {

std::string_view view_of(beast::string_view text) {
  return {text.data(), text.size()};
}

error_code rejected() {
  return beast::http::make_error_code(beast::http::error::bad_field);
}

}  // namespace

void Head::clear() {
  fields.clear();  // keeps its capacity: one Head serves all requests of a loop
  method = target = {};
  conditions = {};
  content_length.reset();
  chunked = keep_alive = http_1_0 = expects_continue = false;
}

RequestParser::RequestParser(Head& head, BodySink* sink) : head_(head), sink_(sink) {
  head_.clear();
  eager(true);
  body_limit(boost::none);  // the sink judges
  header_limit(1 << 20);    // the connection limits the head before it is parsed
  skip(sink == nullptr);
}

std::size_t RequestParser::parse(std::string_view bytes, error_code& error) {
  source_ = bytes;
  return put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
}

void RequestParser::on_request_impl(
    beast::http::verb, View method, View target, int version, error_code&) {
  head_.method = view_of(method);
  head_.target = view_of(target);
  head_.http_1_0 = version == 10;
}

void RequestParser::on_field_impl(beast::http::field known,
                                  View name,
                                  View value,
                                  error_code& error) {
  if (!in_head_) return;  // trailers say nothing we need
  const std::string_view text = view_of(value);
  // Beast unfolds a folded value into a buffer of its own; RFC 9112, 5.2 lets a server refuse
  // folding.
  const bool unfolded =
      text.empty() || (text.data() >= source_.data() &&
                       text.data() + text.size() <= source_.data() + source_.size());
  if (!unfolded || text.find('\0') != text.npos) {
    error = rejected();
    return;
  }
  head_.fields.emplace_back(view_of(name), text);
  using beast::http::field;
  switch (known) {
    case field::host:
      ++hosts_;
      break;
    case field::range:
      head_.conditions.range = text;
      break;
    case field::if_range:
      head_.conditions.if_range = text;
      break;
    case field::if_none_match:
      head_.conditions.if_none_match = text;
      break;
    case field::transfer_encoding:
      // Beast takes an unknown coding for "no body", and the body would be read as the next
      // request.
      if (!beast::iequals(value, "chunked")) {
        failure_status_ = 501;
        error = rejected();
      }
      break;
    case field::expect:
      head_.expects_continue = beast::iequals(value, "100-continue");
      break;
    default:
      break;
  }
}

void RequestParser::on_header_impl(error_code& error) {
  in_head_ = false;
  head_.keep_alive = keep_alive();
  head_.chunked = chunked();
  if (const auto length = content_length()) head_.content_length = *length;
  // RFC 9112, 3.2: one Host, and in HTTP/1.1 no fewer. With both lengths the two ends of a proxy
  // could disagree.
  const bool bad_host = hosts_ > 1 || (hosts_ == 0 && !head_.http_1_0);
  if (bad_host || (head_.chunked && head_.http_1_0)) error = rejected();
}

std::size_t RequestParser::on_body_impl(View body, error_code& error) {
  if (!sink_->append(view_of(body))) {
    failure_status_ = 413;
    error = beast::http::make_error_code(beast::http::error::body_limit);
  }
  return body.size();
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, View body, error_code& error) {
  return on_body_impl(body, error);
}

int parse_head(std::string_view bytes, Head& head) {
  RequestParser parser(head);
  error_code error;
  parser.parse(bytes, error);
  const bool whole = !error || error == beast::http::error::need_more;
  if (whole && parser.is_header_done()) return 0;
  return error == beast::http::error::bad_version ? 505 : parser.failure_status();
}

}  // namespace otaria::server
