#include "operator/cli/context.hpp"

#include "operator/cli/terminal/text.hpp"

namespace otaria::cli {
namespace {
std::string dumped(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}
}  // namespace

Client& Context::client() {
  if (client_) return *client_;
  const std::string token =
      options_.token_file.empty() ? std::string() : read_token(options_.token_file);
  client_ = std::make_unique<Client>(options_.server, token, options_.ca_file);
  if (!token.empty() && client_->server().starts_with("http://") &&
      !is_loopback(host_of(client_->server()))) {
    note("Warning: the token goes to " + client_->server() +
         " without TLS; anybody on the way can read it. Use https://.");
  }
  return *client_;
}

void Context::print(const Json& value) {
  out_ << dumped(value) << "\n" << std::flush;
}

void Context::say(const std::string& line) {
  if (!json()) out_ << line << "\n" << std::flush;
}

void Context::note(const std::string& line) {
  if (!quiet()) err_ << line << "\n" << std::flush;
}

Json error_object(const std::string& code, const std::string& detail, const std::string& hint) {
  return Json{{"error", {{"code", code}, {"detail", detail}, {"hint", hint}}}};
}

int report(const Failure& failure,
           bool json,
           std::ostream& out,
           std::ostream& err,
           const terminal::Traits& err_traits) {
  if (json) {
    out << dumped(error_object(failure.code, failure.detail, failure.hint)) << "\n" << std::flush;
    return failure.exit_code;
  }
  err << terminal::coloured("Error:", terminal::Colour::red, err_traits) << " "
      << terminal::printable(failure.detail);
  if (!failure.code.empty()) err << " [" << terminal::printable(failure.code) << "]";
  err << "\n";
  if (!failure.hint.empty()) err << "What to do: " << terminal::printable(failure.hint) << "\n";
  err << std::flush;
  return failure.exit_code;
}

}  // namespace otaria::cli
