#pragma once

#include <exception>
#include <string>
#include <utility>

namespace otaria::keys {

/// Why a key, a list or a signature could not be had. The operator's programs print it as
/// `{"error":{"code","detail","hint"}}`; no member ever holds a passphrase, a PIN or key material.
struct KeyError : std::exception {
  enum class Kind {
    usage,    ///< the command line, or a file it names, is wrong
    refused,  ///< a rule of trust, a token or a program said no
  };
  KeyError(Kind which, std::string error_code, std::string what_happened, std::string what_to_do)
      : kind{which},
        code{std::move(error_code)},
        detail{std::move(what_happened)},
        hint{std::move(what_to_do)} {}
  [[nodiscard]] const char* what() const noexcept override { return detail.c_str(); }

  Kind kind;
  std::string code;    ///< stable, for programs
  std::string detail;  ///< a sentence with figures
  std::string hint;    ///< what to do
};

inline KeyError usage_error(std::string code, std::string detail, std::string hint) {
  return {KeyError::Kind::usage, std::move(code), std::move(detail), std::move(hint)};
}
inline KeyError refusal(std::string code, std::string detail, std::string hint) {
  return {KeyError::Kind::refused, std::move(code), std::move(detail), std::move(hint)};
}

}  // namespace otaria::keys
