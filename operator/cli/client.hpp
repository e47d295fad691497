#pragma once

#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "operator/cli/http.hpp"

namespace otaria::cli {

using Json = nlohmann::json;

/// otariad's REST API. Every call throws Failure: exit_unreachable when nobody answers as otariad
/// does, exit_refused with the server's own code, detail and hint otherwise. Source
/// docs/spec/rest.md.
class Client {
 public:
  /// `server`: http(s) URL without a path of ours; throws Failure (usage) when it is none. `token`:
  /// empty for none. `ca_file`: PEM, the only CAs to trust for https; empty: the system's.
  Client(std::string server, std::string token, std::string ca_file = {});

  Json get(const std::string& path, const Query& query = {});
  Json post(const std::string& path, const Json& body);
  Json remove(const std::string& path);
  Json put(const std::string& path, const std::string& content_type, const std::string& body);

  /// A file that the server hands to devices, by its whole path ("/keys.jws"). Nothing when it has
  /// none (404).
  std::optional<std::string> file(const std::string& path);

  struct Uploaded {
    Json body;
    bool created = false;  ///< false: it was there before
  };
  /// Sends a file from disk; no time limit but that of a stall. `headers`: further lines.
  Uploaded upload(const std::string& path,
                  const Query& query,
                  const std::string& file,
                  const TransferProgress& progress,
                  std::vector<std::string> headers = {});

  /// Follows the pages of a list until `limit` items (0: all) are there.
  std::vector<Json> list(const std::string& path, Query query, std::size_t limit = 0);

  std::unique_ptr<EventStream> events(const Query& query);

  /// How long a connection may take to open; for "is anybody there?".
  void set_connect_limit(std::chrono::seconds limit) { connect_limit_ = limit; }
  [[nodiscard]] const std::string& server() const { return server_; }

 private:
  HttpReply exchange(HttpRequest request, const std::string& path_and_query);
  HttpReply send(HttpRequest request, const std::string& path);
  Json answer(const HttpReply& reply) const;
  std::string server_;
  std::string token_;
  std::string ca_file_;
  std::chrono::seconds connect_limit_{5};
  Http http_;
};

/// The token in a file: one line, white space around it is dropped. Throws Failure (usage) when the
/// file cannot be read, gives anybody but its owner rights, or holds anything but one token.
std::string read_token(const std::string& path);

/// A member as text or number; what is absent, null or of another type is empty or zero. Answers
/// come from a network.
std::string text_member(const Json& object, const char* name);
std::uint64_t number_member(const Json& object, const char* name);
bool flag_member(const Json& object, const char* name);

}  // namespace otaria::cli
