#include "operator/keys/key_reference.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <set>

#include "operator/keys/key_error.hpp"

namespace otaria::keys {
namespace {

constexpr std::string_view pkcs11_scheme = "pkcs11:";
constexpr std::string_view command_scheme = "cmd:";
constexpr std::string_view public_attribute = "?public=";
constexpr std::size_t longest_reference = 4096;

KeyError malformed(const std::string& why, const std::string& hint) {
  return usage_error("bad_key_reference", why, hint);
}

constexpr const char* token_form =
    "Write it like pkcs11:token=release;object=2026?pin-source=file:/run/keys/pin";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// RFC 3986, section 2.1.
std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0)
      throw malformed("A % in the key reference is not followed by two hex digits.", token_form);
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::string file_of(std::string_view source) {
  std::string path = percent_decoded(source);
  if (path.starts_with('|')) {
    throw malformed("pin-source names a program; only files are read.",
                    "Write pin-source=file:/path/of/the/pin");
  }
  if (path.starts_with("file:")) path = path.substr(5);
  if (path.starts_with("///")) path = path.substr(2);
  if (path.empty()) throw malformed("pin-source names no file.", token_form);
  return path;
}

unsigned long slot_of(const std::string& text) {
  unsigned long slot = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || slot > 0xFFFFFFFF)
      throw malformed("slot-id is no number.", token_form);
    slot = slot * 10 + static_cast<unsigned long>(c - '0');
  }
  if (text.empty()) throw malformed("slot-id is no number.", token_form);
  return slot;
}

void take_path_attribute(const std::string& name, std::string value, TokenReference& into) {
  if (name == "token") {
    into.token = std::move(value);
  } else if (name == "serial") {
    into.serial = std::move(value);
  } else if (name == "manufacturer") {
    into.manufacturer = std::move(value);
  } else if (name == "model") {
    into.model = std::move(value);
  } else if (name == "object") {
    into.object = std::move(value);
  } else if (name == "id") {
    into.id = std::move(value);
  } else if (name == "slot-id") {
    into.slot = slot_of(value);
  } else if (name == "type") {
    if (value != "private")
      throw malformed("The reference's type is `" + value + "`; signing needs a private key.",
                      "Leave type out, or write type=private.");
  } else if (!(name.starts_with("library-") || name.starts_with("slot-"))) {
    // RFC 7512, section 2.3: what is not known must not be ignored: it could have told two keys
    // apart.
    throw malformed("The reference has an attribute `" + name + "` that is not known.", token_form);
  }
}

void take_query_attribute(const std::string& name, std::string_view value, TokenReference& into) {
  if (name == "pin-source") {
    into.pin_file = file_of(value);
  } else if (name == "pin-value") {
    throw usage_error("pin_on_command_line",
                      "The reference holds a PIN, which every process of this machine can read.",
                      "Change the PIN, then name a file: ?pin-source=file:PATH");
  } else if (name == "module-path") {
    into.module_path = percent_decoded(value);
  } else if (name != "module-name") {
    throw malformed("The reference has a query attribute `" + name + "` that is not known.",
                    token_form);
  }
}

/// Calls `take(name, value)` for each `name=value` between separators; a name twice is refused.
template <class Take>
void for_each_attribute(std::string_view text, char separator, Take take) {
  std::set<std::string> seen;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos || equals == 0)
      throw malformed("A part of the key reference has no `name=value` form.", token_form);
    const std::string name{one.substr(0, equals)};
    if (!seen.insert(name).second)
      throw malformed("The key reference names `" + name + "` twice.", token_form);
    take(name, one.substr(equals + 1));
  }
}

CommandReference parse_command(std::string_view text) {
  CommandReference reference;
  const std::size_t at = text.find(public_attribute);
  reference.program = std::string{text.substr(0, at)};
  if (at != std::string_view::npos)
    reference.public_key_file = std::string{text.substr(at + public_attribute.size())};
  if (reference.program.empty() || reference.public_key_file.empty()) {
    throw malformed("A signer program is named together with its public key.",
                    "Write it like cmd:/usr/local/bin/kms-sign?public=release.pub.pem");
  }
  return reference;
}

}  // namespace

TokenReference parse_pkcs11_uri(std::string_view text) {
  TokenReference reference;
  text.remove_prefix(pkcs11_scheme.size());
  const std::size_t question = text.find('?');
  for_each_attribute(text.substr(0, question), ';', [&](const std::string& name, auto value) {
    take_path_attribute(name, percent_decoded(value), reference);
  });
  if (question != std::string_view::npos) {
    for_each_attribute(text.substr(question + 1), '&', [&](const std::string& name, auto value) {
      take_query_attribute(name, value, reference);
    });
  }
  if (reference.object.empty() && reference.id.empty())
    throw malformed("The reference names no object: neither object=… nor id=….", token_form);
  return reference;
}

KeyReference parse_key_reference(std::string_view text) {
  if (text.empty() || text.size() > longest_reference ||
      text.find('\0') != std::string_view::npos) {
    throw malformed(fmt::format("A key reference has 1 to {} characters.", longest_reference),
                    "Name a key file, or a token's key: pkcs11:token=…;object=…");
  }
  if (text.starts_with(pkcs11_scheme)) return parse_pkcs11_uri(text);
  if (text.starts_with(command_scheme)) return parse_command(text.substr(command_scheme.size()));
  return FileReference{std::string{text}};
}

std::string display_name(std::string_view text) {
  return std::string{text.starts_with(pkcs11_scheme) ? text.substr(0, text.find('?')) : text};
}

std::string module_of(const TokenReference& reference) {
  if (!reference.module_path.empty()) return reference.module_path;
  const char* named = std::getenv(module_variable);
  return named != nullptr && *named != '\0' ? named : "p11-kit-proxy.so";
}

}  // namespace otaria::keys
