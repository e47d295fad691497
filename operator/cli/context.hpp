#pragma once

#include <memory>
#include <ostream>
#include <string>

#include "operator/cli/client.hpp"
#include "operator/cli/failure.hpp"
#include "operator/cli/terminal/traits.hpp"

namespace otaria::cli {

/// What every verb is told on the command line.
struct GlobalOptions {
  std::string server = "http://127.0.0.1:8080";
  std::string token_file;
  std::string ca_file;  ///< PEM; empty: the system's CAs
  bool json = false;
  bool quiet = false;
};

/// Where a verb speaks, and the server it speaks with. One verb per process.
class Context {
 public:
  Context(GlobalOptions options,
          std::ostream& out,
          std::ostream& err,
          terminal::Traits out_traits,
          terminal::Traits err_traits)
      : options_(std::move(options)),
        out_(out),
        err_(err),
        out_traits_(out_traits),
        err_traits_(err_traits) {}

  /// Made at first use, so that verbs without a server need none.
  Client& client();

  [[nodiscard]] const GlobalOptions& options() const { return options_; }
  [[nodiscard]] bool json() const { return options_.json; }
  [[nodiscard]] bool quiet() const { return options_.quiet; }
  /// Bars and redrawn tables: only on a terminal, for people, who did not ask for silence.
  [[nodiscard]] bool live() const { return out_traits_.interactive && !json() && !quiet(); }
  [[nodiscard]] std::ostream& out() { return out_; }
  [[nodiscard]] std::ostream& err() { return err_; }
  [[nodiscard]] const terminal::Traits& out_traits() const { return out_traits_; }
  [[nodiscard]] const terminal::Traits& err_traits() const { return err_traits_; }

  /// One line of JSON on standard output. Text that is not UTF-8 is repaired, never an error.
  void print(const Json& value);
  /// A line for people on standard output, unless --json asks for another form.
  void say(const std::string& line);
  /// A line on standard error, unless --quiet.
  void note(const std::string& line);

 private:
  GlobalOptions options_;
  std::ostream& out_;
  std::ostream& err_;
  terminal::Traits out_traits_;
  terminal::Traits err_traits_;
  std::unique_ptr<Client> client_;
};

/// Prints a failure in the form that was asked for and returns its exit code.
int report(const Failure& failure,
           bool json,
           std::ostream& out,
           std::ostream& err,
           const terminal::Traits& err_traits);

/// `{"error":{"code","detail","hint"}}`.
Json error_object(const std::string& code, const std::string& detail, const std::string& hint);

}  // namespace otaria::cli
