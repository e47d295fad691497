#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http/range.hpp"

namespace otaria::server {
namespace beast = boost::beast;
using boost::system::error_code;

/// A request's head as views into the bytes it was parsed from.
struct Head {
  std::string_view method;
  std::string_view target;
  std::vector<std::pair<std::string_view, std::string_view>> fields;  ///< names as sent
  FileConditions conditions;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool keep_alive = false;
  bool http_1_0 = false;
  bool expects_continue = false;

  [[nodiscard]] bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  void clear();
};

/// Takes body bytes as they are parsed; false: stop, this is more than is allowed.
class BodySink {
 public:
  virtual bool append(std::string_view bytes) = 0;

 protected:
  ~BodySink() = default;
};

/// Beast's parser, filling a Head without allocating. With a sink it goes on through the body;
/// parse() then resumes where the last call stopped. The head's bytes must stay in place while
/// `head` is used.
class RequestParser : public beast::http::basic_parser<true> {
 public:
  explicit RequestParser(Head& head, BodySink* sink = nullptr);

  /// Bytes taken. `error` is beast's need_more when it wants further bytes.
  std::size_t parse(std::string_view bytes, error_code& error);

  /// After a failed parse of a head: the status that says what was wrong.
  [[nodiscard]] int failure_status() const { return failure_status_; }

 private:
  using View = beast::string_view;
  void on_request_impl(
      beast::http::verb, View method, View target, int version, error_code& error) override;
  void on_field_impl(beast::http::field known, View name, View value, error_code& error) override;
  void on_header_impl(error_code& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(View body, error_code& error) override;
  void on_chunk_header_impl(std::uint64_t, View, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, View body, error_code& error) override;
  void on_finish_impl(error_code&) override {}
  void on_response_impl(int, View, int, error_code&) override {}

  Head& head_;
  BodySink* sink_;
  std::string_view source_;
  int failure_status_ = 400;
  int hosts_ = 0;
  bool in_head_ = true;
};

/// Parses a whole head (`bytes` ends with its empty line). 0, or the status that says what is wrong
/// with it.
int parse_head(std::string_view bytes, Head& head);

}  // namespace otaria::server
